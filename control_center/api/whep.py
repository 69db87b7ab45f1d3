"""Live pictures: the offer goes to the worker that has the camera (WHEP, draft-ietf-wish-whep)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

import httpx
from fastapi import Path, Query, Request, Response

from config.settings import StreamName
from control_center.api.authorization import guarded_router, requires
from control_center.api.cameras import refuse_unknown
from control_center.api.deps import CameraId, CurrentActor, CurrentCenter
from control_center.api.problems import Problem
from control_center.center import Center
from control_center.ledger import Entry
from control_center.rights import Right

router = guarded_router(prefix="/api/v1/cameras/{camera_id}/whep", tags=["live"])

SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
_FORWARDED_REQUEST = ("content-type", "if-match", "accept")
_FORWARDED_RESPONSE = ("content-type", "etag", "link", "accept-patch", "retry-after")
_SDP_BODY = {"requestBody": {"required": True, "content": {"application/sdp": {"schema": {"type": "string"}}}}}
_TRICKLE_BODY = {
    "requestBody": {"required": True, "content": {"application/trickle-ice-sdpfrag": {"schema": {"type": "string"}}}}
}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_class=Response,
    responses={201: {"content": {"application/sdp": {}}, "description": "The answer; Location is the session"}},
    openapi_extra=_SDP_BODY,
)
@requires(Right.VIEW_LIVE)
async def open_live(
    camera_id: CameraId,
    request: Request,
    center: CurrentCenter,
    actor: CurrentActor,
    stream: StreamName = "main",
    reason: Annotated[str, Query(max_length=200)] = "",
    incident: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> Response:
    """Open the live picture of a camera with an SDP offer. Each is a row of the ledger, with its incident or reason."""
    told = reason or ("" if incident else "no incident")
    await center.ledger.record(Entry(actor, "view.live", camera_id, incident, reason=told, details={"stream": stream}))
    answer = await _forward(center, camera_id, request, f"/whep/{camera_id}", {"stream": stream})
    location = answer.headers.get("location", "")
    if answer.status_code != HTTPStatus.CREATED:
        return _passed_on(answer)
    session_id = quote(location.rstrip("/").rpartition("/")[2], safe="")
    return _passed_on(answer, {"Location": f"/api/v1/cameras/{camera_id}/whep/{session_id}"})


@router.patch("/{session_id}", response_class=Response, openapi_extra=_TRICKLE_BODY)
@requires(Right.VIEW_LIVE)
async def add_candidates(
    camera_id: CameraId, session_id: SessionId, request: Request, center: CurrentCenter
) -> Response:
    """Trickle ICE candidates (RFC 8840)."""
    return _passed_on(await _forward(center, camera_id, request, f"/whep/{camera_id}/{session_id}"))


@router.delete("/{session_id}", response_class=Response)
@requires(Right.VIEW_LIVE)
async def close_live(camera_id: CameraId, session_id: SessionId, request: Request, center: CurrentCenter) -> Response:
    """End the live picture."""
    return _passed_on(await _forward(center, camera_id, request, f"/whep/{camera_id}/{session_id}"))


async def _forward(
    center: Center, camera_id: str, request: Request, path: str, query: dict[str, str] | None = None
) -> httpx.Response:
    refuse_unknown(center, camera_id)
    worker = center.fleet.worker_of(camera_id)
    if worker is None or worker.base_url is None or not worker.is_answering:
        reason = center.fleet.camera_status(camera_id).reason
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, f"camera {camera_id}: {reason}", "no-worker", {"Retry-After": "2"}
        )
    headers = {name: value for name in _FORWARDED_REQUEST if (value := request.headers.get(name))}
    headers["Authorization"] = f"Bearer {center.worker_token}"
    try:
        return await center.workers.request(
            request.method, worker.base_url + path, params=query, content=await request.body(), headers=headers
        )
    except httpx.TimeoutException as error:
        raise Problem(
            HTTPStatus.GATEWAY_TIMEOUT, f"worker {worker.worker_id} did not answer in time", "no-worker"
        ) from error
    except httpx.HTTPError as error:
        raise Problem(
            HTTPStatus.BAD_GATEWAY,
            f"worker {worker.worker_id} cannot be reached ({error or type(error).__name__})",
            "no-worker",
            {"Retry-After": "2"},
        ) from error


def _passed_on(answer: httpx.Response, more: dict[str, str] | None = None) -> Response:
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    if answer.status_code >= HTTPStatus.BAD_REQUEST and not is_problem:
        detail = answer.text[:500].strip() or "the worker refused"
        raise Problem(HTTPStatus(answer.status_code), detail, "worker-refused")
    headers = {name: value for name in _FORWARDED_RESPONSE if (value := answer.headers.get(name))}
    return Response(answer.content, answer.status_code, headers | (more or {}))
