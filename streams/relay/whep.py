"""WHEP over HTTP (draft-ietf-wish-whep; WHIP is RFC 9725): the routes a worker serves. Errors are RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from streams.ice_servers import IceServers
from streams.relay.choice import StreamWish
from streams.relay.errors import (
    BadLayer,
    BadOffer,
    PreconditionRequired,
    RelayError,
    StaleSession,
    TooLarge,
    WrongContentType,
)
from streams.relay.relay import Relay
from streams.relay.sdp import MAX_OFFER_BYTES

# Whom the picture is for, in words of the caller's own; told again by Relay.open_sessions.
VIEWER_HEADER = "haechi-viewer"
LAYER_EXTENSION = "urn:ietf:params:whep:ext:core:layer"
_SDP, _FRAGMENT, _JSON = "application/sdp", "application/trickle-ice-sdpfrag", "application/json"
_WISHES: dict[object, StreamWish] = {"main": "main", "sub": "sub", "auto": "auto"}


def whep_routes(relay: Relay, ice_servers: IceServers | None = None) -> list[Route]:
    """`POST /whep/{camera_id}?stream=main|sub|auto`; on the session `PATCH`, `DELETE` and `POST …/layer`.

    Who may call them is for the application to decide.
    """

    async def open_session(request: Request) -> Response:
        camera_id = request.path_params["camera_id"]
        offer = await _read(request, _SDP)
        opened = await relay.open(camera_id, _stream(request), offer, request.headers.get(VIEWER_HEADER, "")[:200])
        response = Response(opened.answer, status_code=201, media_type=_SDP)
        location = f"/whep/{camera_id}/{opened.session_id}"
        response.headers["location"] = location
        response.headers["etag"] = opened.etag
        response.headers["accept-patch"] = _FRAGMENT
        response.headers["haechi-start"] = opened.start
        if opened.why:
            response.headers["haechi-start-reason"] = opened.why
        response.headers.append("link", f'<{location}/layer>; rel="{LAYER_EXTENSION}"')
        for server in ice_servers.issue() if ice_servers is not None else ():
            response.headers.append("link", server.link())
        return response

    async def trickle(request: Request) -> Response:
        session = relay.session(request.path_params["camera_id"], request.path_params["session_id"])
        fragment = await _read(request, _FRAGMENT)
        _check_precondition(request.headers.get("if-match"), session.etag)
        await session.add_candidates(fragment)
        return Response(status_code=204)

    async def choose_layer(request: Request) -> Response:
        session = relay.session(request.path_params["camera_id"], request.path_params["session_id"])
        session.choose(_wish_of_layer(await _read(request, _JSON)))
        return Response(status_code=204)

    async def end_session(request: Request) -> Response:
        session = relay.session(request.path_params["camera_id"], request.path_params["session_id"])
        session.end("it was deleted")
        return Response(status_code=200)

    async def options(request: Request) -> Response:
        return Response(status_code=200, headers={"accept-post": _SDP})

    async def session_options(request: Request) -> Response:
        return Response(status_code=200, headers={"accept-patch": _FRAGMENT})

    at_camera, at_session = "/whep/{camera_id}", "/whep/{camera_id}/{session_id}"
    return [
        Route(at_camera, _told(open_session), methods=["POST"]),
        Route(at_camera, options, methods=["OPTIONS"]),
        Route(at_session, session_options, methods=["OPTIONS"]),
        Route(at_session, _told(trickle), methods=["PATCH"]),
        Route(at_session, _told(end_session), methods=["DELETE"]),
        Route(f"{at_session}/layer", _told(choose_layer), methods=["POST"]),
    ]


def problem(error: RelayError) -> Response:
    """The error as `application/problem+json`."""
    body = {"type": f"urn:haechi:problem:{error.kind}", "title": error.title, "status": error.status}
    content = json.dumps(body | {"detail": error.detail}, ensure_ascii=False)
    headers = {} if error.retry_after_seconds is None else {"retry-after": str(error.retry_after_seconds)}
    if isinstance(error, WrongContentType):
        headers["accept-patch" if error.wanted == _FRAGMENT else "accept-post"] = error.wanted
    return Response(content, status_code=error.status, headers=headers, media_type="application/problem+json")


def _told(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RelayError as error:
            return problem(error)

    return answer


def _stream(request: Request) -> StreamWish:
    stream = request.query_params.get("stream", "main")
    if stream not in _WISHES:
        raise BadOffer(f"stream must be main, sub or auto, not {stream[:40]!r}")
    return _WISHES[stream]


def _check_precondition(if_match: str | None, etag: str) -> None:
    """Raises PreconditionRequired, StaleSession. `*` goes with an ICE restart and matches any session."""
    if if_match is None:
        raise PreconditionRequired("send If-Match with the ETag that the session was answered with")
    if not {tag.strip() for tag in if_match.split(",")} & {"*", '"*"', etag}:
        raise StaleSession(f"the session's ETag is {etag}")


def _wish_of_layer(body: str) -> StreamWish:
    """`{"encodingId": "main" | "sub" | "auto"}`; without it the choice goes back to the relay. Raises BadLayer."""
    try:
        layer = json.loads(body)
    except ValueError as error:
        raise BadLayer("the body is not JSON") from error
    if not isinstance(layer, dict) or not layer.keys() <= {"encodingId", "mediaId"}:
        raise BadLayer("send an object with encodingId, and mediaId at most")
    wish = layer.get("encodingId", "auto")
    if not isinstance(wish, str) or wish not in _WISHES:
        raise BadLayer("encodingId must be main, sub or auto")
    return _WISHES[wish]


async def _read(request: Request, content_type: str) -> str:
    """The body as text. Raises WrongContentType, TooLarge, BadOffer."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != content_type:
        raise WrongContentType(content_type, given[:80])
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_OFFER_BYTES:
                raise TooLarge(f"more than {MAX_OFFER_BYTES} bytes")
    except ClientDisconnect as error:
        raise BadOffer("the request ended early") from error
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadOffer("the body is not UTF-8") from error
