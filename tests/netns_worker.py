"""A relay with one live camera behind a Unix socket, which reaches out of its network namespace; started by tests.

python -m tests.netns_worker SOCKET CLIP MEDIA_HOST
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from config.settings import WorkerSettings
from streams.gop_buffer import GopBuffer
from streams.relay import Relay, whep_routes
from tests.live_feed import LiveFeed, load_units


async def main(path: str, clip: Path, media_host: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    buffer = GopBuffer()
    relay = Relay({("cam", "main"): buffer}, WorkerSettings(media_host=media_host))
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=[Route("/", _page), *whep_routes(relay)]), uds=path, log_level="warning", lifespan="off"
        )
    )
    server.install_signal_handlers = lambda: None  # type: ignore[method-assign,attr-defined]
    task = asyncio.create_task(server.serve())
    async with LiveFeed(buffer, load_units(clip), 15):
        await stop.wait()
        await relay.close()
    server.should_exit = True
    await task


async def _page(_: Request) -> HTMLResponse:
    """For a browser to stand on; what it does there it is told by the test."""
    return HTMLResponse("<!doctype html><video muted autoplay></video>")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
