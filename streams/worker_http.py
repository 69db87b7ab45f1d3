"""The worker's HTTP API on loopback: WHEP, status, metrics. Every request shows the worker token."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from hmac import compare_digest
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

HTTP_HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 1


class RequireToken:
    """Answers 401 to any request without `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not compare_digest(given, self._expected):
                refusal = Response("worker token missing or wrong\n", 401, {"WWW-Authenticate": "Bearer"})
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def build_app(
    routes: Sequence[BaseRoute], token: str, status: Callable[[], dict[str, Any]], metrics: CollectorRegistry
) -> Starlette:
    """`GET /status` (JSON), `GET /metrics` (Prometheus text) and `routes`."""

    async def get_status(_: Request) -> Response:
        return Response(to_json(status()), media_type="application/json")

    async def get_metrics(_: Request) -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    own = [Route("/status", get_status), Route("/metrics", get_metrics)]
    return Starlette(routes=[*own, *routes], middleware=[Middleware(RequireToken, token=token)])


class _Server(uvicorn.Server):
    """Signals are the worker's business, not uvicorn's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one. Raises OSError."""
    return socket.create_server((HTTP_HOST, port), backlog=128)


@asynccontextmanager
async def serve(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """Serve `app` in the running loop; at the end, open requests get a second to finish."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=_SHUTDOWN_SECONDS
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]), name="http")
    try:
        yield
    finally:
        server.should_exit = True
        await task
