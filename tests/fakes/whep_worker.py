"""A fake stream worker: answers WHEP with fixed words and keeps what it was sent. Stands in for no media at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ANSWER = "v=0\r\ns=the worker's answer\r\n"


@dataclass(slots=True)
class FakeWhepWorker:
    """`requests`: (method, path with query, authorization, body) of everything that came."""

    url: str = ""
    requests: list[tuple[str, str, str, str]] = field(default_factory=list)
    refuse_with: Response | None = None

    async def answer(self, request: Request) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        body = (await request.body()).decode()
        self.requests.append((request.method, path, request.headers.get("authorization", ""), body))
        if self.refuse_with is not None:
            return self.refuse_with
        if request.method == "POST":
            headers = {"Location": f"{request.url.path}/session-1", "ETag": '"1"'}
            return Response(ANSWER, 201, headers, media_type="application/sdp")
        return Response(status_code=204 if request.method == "PATCH" else 200)


@asynccontextmanager
async def fake_whep_worker() -> AsyncIterator[FakeWhepWorker]:
    """Listening on a free port of loopback."""
    worker = FakeWhepWorker()
    routes = [Route("/{path:path}", worker.answer, methods=["POST", "PATCH", "DELETE"])]
    listener = socket.create_server(("127.0.0.1", 0))
    worker.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            assert not task.done(), "the fake worker did not start"
            await asyncio.sleep(0.01)
        yield worker
    finally:
        server.should_exit = True
        await task
