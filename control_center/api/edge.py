"""What holds for every request and answer: a bound on bodies, and headers that browsers heed."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from control_center.api.problems import problem_response

MAX_BODY_BYTES = 128 * 1024
MAX_INTERNAL_BODY_BYTES = 64 * 1024 * 1024
# A thousand cameras with their zones are about one megabyte of YAML.
MAX_IMPORT_BODY_BYTES = 16 * 1024 * 1024
IMPORT_PATH = "/api/v1/register/import"

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _TooLarge(Exception):
    pass


class Edge:
    """ASGI layer around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = _body_limit(scope["path"])
        is_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, _bounded(scope, receive, limit), send_with_headers)
        except _TooLarge:
            if not is_started:
                answer = problem_response(Request(scope), 413, f"the body may hold {limit} bytes", "too-large")
                await answer(scope, receive, send_with_headers)


def _body_limit(path: str) -> int:
    if path.startswith("/internal/"):
        return MAX_INTERNAL_BODY_BYTES
    return MAX_IMPORT_BODY_BYTES if path == IMPORT_PATH else MAX_BODY_BYTES


def _bounded(scope: Scope, receive: Receive, limit: int) -> Receive:
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    taken = int(declared) if declared.isdigit() and int(declared) > limit else 0

    async def bounded() -> Message:
        nonlocal taken
        if taken > limit:
            raise _TooLarge
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                raise _TooLarge
        return message

    return bounded
