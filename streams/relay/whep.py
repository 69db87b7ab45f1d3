"""WHEP over HTTP (draft-ietf-wish-whep; WHIP is RFC 9725): the routes a worker serves. Errors are RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from config.settings import StreamName
from streams.relay.errors import BadOffer, RelayError, RestartNotSupported, StaleSession, TooLarge, WrongContentType
from streams.relay.relay import Relay
from streams.relay.sdp import MAX_OFFER_BYTES

# Whom the picture is for, in words of the caller's own; told again by Relay.open_sessions.
VIEWER_HEADER = "haechi-viewer"
_SDP, _FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server the browsers are told of."""

    url: str
    username: str | None = None
    credential: str | None = None

    def link(self) -> str:
        """As an HTTP Link (RFC 9725, 4.6)."""
        parts = [f'<{self.url}>; rel="ice-server"']
        if self.username is not None and self.credential is not None:
            parts += [f'username="{self.username}"', f'credential="{self.credential}"', 'credential-type="password"']
        return "; ".join(parts)


def whep_routes(relay: Relay, ice_servers: Sequence[IceServer] = ()) -> list[Route]:
    """`POST /whep/{camera_id}?stream=main|sub`, `PATCH` and `DELETE` on the session it answers with.

    Who may call them is for the application to decide.
    """
    links = [("link", server.link()) for server in ice_servers]

    async def open_session(request: Request) -> Response:
        camera_id = request.path_params["camera_id"]
        offer = await _read(request, _SDP)
        opened = await relay.open(camera_id, _stream(request), offer, request.headers.get(VIEWER_HEADER, "")[:200])
        response = Response(opened.answer, status_code=201, media_type=_SDP)
        response.headers["location"] = f"/whep/{camera_id}/{opened.session_id}"
        response.headers["etag"] = opened.etag
        response.headers["haechi-start"] = opened.start
        for name, value in links:
            response.headers.append(name, value)
        return response

    async def trickle(request: Request) -> Response:
        session = relay.session(request.path_params["camera_id"], request.path_params["session_id"])
        fragment = await _read(request, _FRAGMENT)
        match = request.headers.get("if-match")
        if match == "*":
            raise RestartNotSupported("open a new session instead of restarting ICE")
        if match is not None and match != session.etag:
            raise StaleSession(f"the session's ETag is {session.etag}")
        await session.add_candidates(fragment)
        return Response(status_code=204)

    async def end_session(request: Request) -> Response:
        session = relay.session(request.path_params["camera_id"], request.path_params["session_id"])
        session.end("it was deleted")
        return Response(status_code=200)

    async def options(request: Request) -> Response:
        return Response(status_code=204, headers={"accept-post": _SDP})

    at_camera, at_session = "/whep/{camera_id}", "/whep/{camera_id}/{session_id}"
    return [
        Route(at_camera, _told(open_session), methods=["POST"]),
        Route(at_camera, options, methods=["OPTIONS"]),
        Route(at_session, _told(trickle), methods=["PATCH"]),
        Route(at_session, _told(end_session), methods=["DELETE"]),
    ]


def problem(error: RelayError) -> Response:
    """The error as `application/problem+json`."""
    body = {"type": f"urn:haechi:problem:{error.kind}", "title": error.title, "status": error.status}
    content = json.dumps(body | {"detail": error.detail}, ensure_ascii=False)
    headers = {} if error.retry_after_seconds is None else {"retry-after": str(error.retry_after_seconds)}
    if isinstance(error, WrongContentType):
        headers["accept-post"] = _SDP
    return Response(content, status_code=error.status, headers=headers, media_type="application/problem+json")


def _told(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RelayError as error:
            return problem(error)

    return answer


def _stream(request: Request) -> StreamName:
    stream = request.query_params.get("stream", "main")
    if stream == "main":
        return "main"
    if stream == "sub":
        return "sub"
    raise BadOffer(f"stream must be main or sub, not {stream[:40]!r}")


async def _read(request: Request, content_type: str) -> str:
    """The body as text. Raises WrongContentType, TooLarge, BadOffer."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != content_type:
        raise WrongContentType(f"send {content_type}, not {given[:80] or 'nothing'}")
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
