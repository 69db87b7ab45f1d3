"""A center of another version, which cannot be had: it lists anything as its cameras, or keeps no list."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streams.worker_http import listen, serve


@dataclass
class OtherCenter:
    """`answer` None: it keeps no list. `asked` counts how often the list was fetched; `heard` is the last heartbeat."""

    answer: bytes | None = None
    version: str = "1"
    asked: int = 0
    url: str = ""
    heard: dict[str, Any] = field(default_factory=dict)

    def says(self, version: str, *cameras: Any) -> None:
        self.version, self.answer = version, json.dumps({"version": version, "cameras": cameras}).encode()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OtherCenter]:
        async def heartbeat(request: Request) -> Response:
            self.heard = await request.json()
            known: dict[str, Any] = {} if self.answer is None else {"cameras_version": self.version}
            return JSONResponse({"open_incidents": [], **known})

        async def cameras(_: Request) -> Response:
            self.asked += 1
            return Response(status_code=404) if self.answer is None else Response(self.answer)

        routes = [
            Route("/internal/v1/workers/w0/heartbeat", heartbeat, methods=["POST"]),
            Route("/internal/v1/cameras", cameras),
        ]
        with listen(0) as listening:
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            async with serve(Starlette(routes=routes), listening):
                yield self
