"""A real browser and a page to point it at: headless Chromium, and a relay served as a worker serves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from streams.ice_servers import IceServers
from streams.relay import Relay, whep_routes
from tests.requirements import need_module, need_program

if TYPE_CHECKING:
    from playwright.async_api import Browser

PAGE = Path(__file__).parent / "media" / "whep.html"
_PATIENCE_MS = 90_000  # what a wait of a page may take on a busy machine; a condition that holds ends it at once
_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]


@asynccontextmanager
async def chromium(*arguments: str, path: str | None = None) -> AsyncIterator[Browser]:
    """Headless Chromium, with more `arguments`; skips the test where there is none. `path` starts another program."""
    need_module("playwright")
    path = path or need_program("chromium", "chromium-browser", "google-chrome")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=[*_ARGUMENTS, *arguments], chromium_sandbox=False, headless=True
        )
        browser.on("context", lambda context: context.set_default_timeout(_PATIENCE_MS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def serve(relay: Relay, ice_servers: IceServers | None = None) -> AsyncIterator[str]:
    """Serves the relay's WHEP routes and the test page; gives the base URL, the page is at `/`."""

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(PAGE.read_text())

    app = Starlette(routes=[Route("/", page), *whep_routes(relay, ice_servers)])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[method-assign,attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
