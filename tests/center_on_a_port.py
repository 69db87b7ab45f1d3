"""A real center that can be away for a while and come back at the same address, with its database."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.settings import Settings
from control_center.api.app import create_app
from control_center.center import Center
from control_center.database import Event
from control_center.serve import CenterServer
from tests.ports import free_port

TOKEN = "worker-token-of-the-tests"


async def until(condition: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for `condition`; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


class CenterOnAPort:
    """`cameras` as in YAML."""

    def __init__(self, folder: Path, cameras: Sequence[dict[str, Any]]) -> None:
        self.cameras = list(cameras)
        self._settings = Settings.model_validate({"data_dir": folder / "center", "cameras": self.cameras})
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Center]:
        app = create_app(self._settings, TOKEN, ("w0",))
        server = CenterServer(app)
        task = asyncio.create_task(server.serve(sockets=[socket.create_server(("127.0.0.1", self.port))]))
        try:
            async with asyncio.timeout(90):
                while not server.started:
                    assert not task.done(), "the center did not start"
                    await asyncio.sleep(0.01)
            yield app.state.center
        finally:
            server.should_exit = True
            await task


async def stored_event_ids(center: Center) -> list[str]:
    """Of every event the center has."""
    async with center.database.read() as session:
        return sorted(await session.scalars(select(Event.event_id)))
