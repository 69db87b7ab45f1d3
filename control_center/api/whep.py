"""Live pictures: the offer goes to the worker that has the camera (WHEP, draft-ietf-wish-whep)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import quote

import httpx
from fastapi import APIRouter, Path, Query, Request, Response

from control_center.accounts import sign_in_id
from control_center.api.authorization import GuardedRoute, person_of, requires, token_of
from control_center.api.cameras import refuse_unknown
from control_center.api.deps import CameraId, CurrentActor, CurrentCenter, CurrentPerson
from control_center.api.problems import Problem
from control_center.center import Center
from control_center.fleet import WorkerStatus
from control_center.incidents.store import IncidentUnknown
from control_center.ledger import Actor, Entry, LedgerFailed
from control_center.rights import Right
from control_center.viewers import Picture, viewer_of


class WitnessedRoute(GuardedRoute):
    """Who asks for pictures without the right to them is a row of the ledger too; asking again soon is no second."""

    witnessed_methods = frozenset({"POST"})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def witnessed(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                if request.method in self.witnessed_methods and problem.kind in _REFUSALS:
                    await _record_refusal(request, problem.detail)
                raise

        return witnessed


# A player that was left open asks again every few seconds.
REFUSED_SECONDS = 60.0
_REFUSALS = {"no-right", "out-of-reach"}
router = APIRouter(prefix="/api/v1/cameras/{camera_id}/whep", tags=["live"], route_class=WitnessedRoute)

SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
# What may be wished for; with `auto` the worker chooses.
StreamWish = Literal["main", "sub", "auto"]
_FORWARDED_REQUEST = ("content-type", "if-match", "accept")
_START = ("haechi-start", "haechi-start-reason")  # how the picture begins, and what kept it from what was asked for
_FORWARDED_RESPONSE = ("content-type", "etag", "link", "accept-patch", "accept-post", "retry-after", *_START)
_SDP_BODY = {"requestBody": {"required": True, "content": {"application/sdp": {"schema": {"type": "string"}}}}}
_FRAGMENT = "application/trickle-ice-sdpfrag"
_TRICKLE_BODY = {"requestBody": {"required": True, "content": {_FRAGMENT: {"schema": {"type": "string"}}}}}
_LAYER = {"type": "object", "properties": {"encodingId": {"type": "string", "enum": ["main", "sub", "auto"]}}}
_LAYER_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _LAYER}}}}


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
    person: CurrentPerson,
    actor: CurrentActor,
    stream: StreamWish = "main",
    reason: Annotated[str, Query(max_length=200)] = "",
    incident: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> Response:
    """Open the live picture of a camera with an SDP offer. Each is a row of the ledger, with its incident or reason.

    For a desk the incident is that of its grant; 403 without one, and 503 where the ledger cannot be written.
    """
    refuse_unknown(center, camera_id)
    sight = await center.reach.sees_camera(person, camera_id)
    if not sight.allowed:
        raise Problem(HTTPStatus.FORBIDDEN, f"camera {camera_id}: {sight.reason}", "out-of-reach")
    incident = sight.incident_id or await known_incident(center, incident)
    told = reason or ("" if incident else "no incident")
    entry = Entry(actor, "view.live", camera_id, incident, reason=told, details={"stream": stream})
    viewer = viewer_of(person, sign_in_id(token_of(request) or ""))
    opened = await _open_and_record(center, camera_id, request, viewer, entry)
    if opened.status_code != HTTPStatus.CREATED:
        return _passed_on(opened)
    location = f"/api/v1/cameras/{camera_id}/whep/{quote(_session_id(opened), safe='')}"
    links = opened.headers.get("link", "").replace(f"<{opened.headers['location']}/", f"<{location}/")
    return _passed_on(opened, {"location": location} | ({"link": links} if links else {}))


async def known_incident(center: Center, incident_id: str | None) -> str | None:
    """Raises Problem (422)."""
    if incident_id is not None:
        try:
            await center.incidents.one(incident_id)
        except IncidentUnknown as error:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"incident: {error}", "invalid") from error
    return incident_id


async def _open_and_record(
    center: Center, camera_id: str, request: Request, viewer: str, entry: Entry
) -> httpx.Response:
    """The row is written while the worker opens the picture, so that nobody waits for the disk and the network in turn.

    A picture that is not likely to open, of a camera that is away, is written down when it has opened: a browser tries
    again every few seconds. Raises Problem, LedgerFailed; then nothing stays open.
    """
    worker = worker_with(center, camera_id)
    is_likely = any(stream.state == "live" for stream in center.fleet.camera_status(camera_id).streams)
    recording = asyncio.create_task(center.ledger.record(entry)) if is_likely else None
    query = {"stream": str(entry.details["stream"])}
    try:
        answer = await _forward(center, worker, request, f"/whep/{camera_id}", query, {"Haechi-Viewer": viewer})
    except Problem as problem:
        await _record_failure(center, entry, recording, problem.detail)
        raise
    if answer.status_code != HTTPStatus.CREATED:
        await _record_failure(center, entry, recording, _detail(answer))
        return answer
    picture = Picture(worker.base_url or "", camera_id, _session_id(answer), viewer)
    center.viewers.opened(picture)
    try:
        await (recording or center.ledger.record(entry))
    except LedgerFailed:
        await center.viewers.close(picture)
        raise
    return answer


async def _record_failure(center: Center, entry: Entry, recording: asyncio.Task[None] | None, why: str) -> None:
    """What was written down as a view was none."""
    if recording is not None:
        await recording
        await center.ledger.record(replace(entry, action="view.failed", reason=why))


async def _record_refusal(request: Request, why: str) -> None:
    center: Center = request.app.state.center
    person, camera_id = await person_of(center, request), request.path_params["camera_id"]
    if person is not None:
        actor = Actor.of(person, request.client.host if request.client else "unknown")
        if camera_id in center.fleet.cameras:
            await center.ledger.record_once(Entry(actor, "view.refused", camera_id, reason=why), REFUSED_SECONDS)
        else:
            await center.ledger.record(Entry(actor, "view.refused", subject=camera_id[:63], reason=why))


def _session_id(answer: httpx.Response) -> str:
    return str(answer.headers.get("location", "")).rstrip("/").rpartition("/")[2]


@router.options("", response_class=Response)
@requires(Right.PUBLIC)
async def live_options(camera_id: CameraId) -> Response:
    """What may be posted here (WHEP, RFC 9725 4.1). Nothing for pages of other sites: there is no CORS header."""
    return Response(headers={"Allow": "OPTIONS, POST", "Accept-Post": "application/sdp"})


@router.options("/{session_id}", response_class=Response)
@requires(Right.PUBLIC)
async def session_options(camera_id: CameraId, session_id: SessionId) -> Response:
    """What may be asked of a live picture."""
    return Response(headers={"Allow": "DELETE, OPTIONS, PATCH", "Accept-Patch": _FRAGMENT})


@router.post("/{session_id}/layer", status_code=HTTPStatus.NO_CONTENT, openapi_extra=_LAYER_BODY)
@requires(Right.VIEW_LIVE)
async def choose_layer(camera_id: CameraId, session_id: SessionId, request: Request, center: CurrentCenter) -> Response:
    """Change the live picture to another stream of the camera at its next key frame; `auto`: the worker chooses."""
    worker = worker_with(center, camera_id)
    return _passed_on(await _forward(center, worker, request, f"/whep/{camera_id}/{session_id}/layer"))


@router.patch("/{session_id}", response_class=Response, openapi_extra=_TRICKLE_BODY)
@requires(Right.VIEW_LIVE)
async def add_candidates(
    camera_id: CameraId, session_id: SessionId, request: Request, center: CurrentCenter
) -> Response:
    """Trickle ICE candidates (RFC 8840), with `If-Match`: 428 without, 412 with another, 422 for an ICE restart."""
    worker = worker_with(center, camera_id)
    return _passed_on(await _forward(center, worker, request, f"/whep/{camera_id}/{session_id}"))


@router.delete("/{session_id}", response_class=Response)
@requires(Right.VIEW_LIVE)
async def close_live(camera_id: CameraId, session_id: SessionId, request: Request, center: CurrentCenter) -> Response:
    """End the live picture."""
    worker = worker_with(center, camera_id)
    return _passed_on(await _forward(center, worker, request, f"/whep/{camera_id}/{session_id}"))


def worker_with(center: Center, camera_id: str) -> WorkerStatus:
    """The worker that has the camera. Raises Problem (404, 503)."""
    refuse_unknown(center, camera_id)
    worker = center.fleet.worker_of(camera_id)
    if worker is None or worker.base_url is None or not worker.is_answering:
        reason = center.fleet.camera_status(camera_id).reason
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, f"camera {camera_id}: {reason}", "no-worker", {"Retry-After": "2"}
        )
    return worker


async def _forward(
    center: Center,
    worker: WorkerStatus,
    request: Request,
    path: str,
    query: dict[str, str] | None = None,
    more: dict[str, str] | None = None,
) -> httpx.Response:
    headers = {name: value for name in _FORWARDED_REQUEST if (value := request.headers.get(name))}
    headers |= {"Authorization": f"Bearer {center.worker_token}"} | (more or {})
    try:
        return await center.workers.request(
            request.method, f"{worker.base_url}{path}", params=query, content=await request.body(), headers=headers
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


def _is_problem(answer: httpx.Response) -> bool:
    return str(answer.headers.get("content-type", "")).startswith("application/problem+json")


def _detail(answer: httpx.Response) -> str:
    text = answer.json().get("detail", "") if _is_problem(answer) else answer.text
    return str(text)[:500].strip() or "the worker refused"


def _passed_on(answer: httpx.Response, more: dict[str, str] | None = None) -> Response:
    if answer.status_code >= HTTPStatus.BAD_REQUEST and not _is_problem(answer):
        raise Problem(HTTPStatus(answer.status_code), _detail(answer), "worker-refused")
    headers = {name: value for name in _FORWARDED_RESPONSE if (value := answer.headers.get(name))}
    return Response(answer.content, answer.status_code, headers | (more or {}))
