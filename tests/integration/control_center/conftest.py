"""A real center on a real socket, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from config.settings import Settings
from control_center.accounts import NameTaken
from control_center.api.app import create_app
from control_center.center import Center
from control_center.rights import Role
from control_center.serve import CenterServer
from tests.postgresql import postgresql_server

TOKEN = "worker-token-of-the-tests"
WORKER = {"Authorization": f"Bearer {TOKEN}"}
NAME, PASSWORD = "admin", "correct-horse-battery"
JPEG = b"\xff\xd8\xff\xe0" + b"a picture of a gate" * 20

CAMERAS: list[dict[str, Any]] = [
    {
        "id": "gate",
        "name": "정문",
        "purpose": "crime prevention",
        "category": "school_zone",
        "position": {"latitude": 37.26, "longitude": 127.03},
        "main": "rtsp://127.0.0.1/gate/main",
        "sub": "rtsp://127.0.0.1/gate/sub",
        "username": "viewer",
        "password": "camera-secret",
        "zones": [{"name": "yard", "rules": [{"kind": "intrusion"}, {"kind": "fire"}]}],
    },
    {"id": "alley", "name": "Alley", "purpose": "dumping", "main": "rtsp://127.0.0.1/alley"},
]


@dataclass(slots=True)
class RunningCenter:
    url: str
    app: FastAPI
    settings: Settings

    @property
    def parts(self) -> Center:
        center: Center = self.app.state.center
        return center

    def client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30, **options)

    def worker(self) -> httpx.AsyncClient:
        return self.client(headers=WORKER)

    @asynccontextmanager
    async def signed_in(self) -> AsyncIterator[httpx.AsyncClient]:
        if not await self.parts.accounts.exists_any():
            await self.parts.accounts.create(NAME, PASSWORD, Role.SHIFT_LEAD)
        async with self.client() as client:
            answer = await client.post("/api/v1/session", json={"name": NAME, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            yield client

    @asynccontextmanager
    async def signed_in_as(self, role: Role, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        """With the account that has the role's name; it is made where it is missing."""
        with suppress(NameTaken):
            await self.parts.accounts.create(role.value, PASSWORD, role)
        async with self.client(**options) as client:
            answer = await client.post("/api/v1/session", json={"name": role.value, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            yield client


@asynccontextmanager
async def serving(settings: Settings, expected: tuple[str, ...] = (), **options: Any) -> AsyncIterator[RunningCenter]:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    app = create_app(settings, TOKEN, expected, hasher=cheap, **options)
    listener = socket.create_server(("127.0.0.1", 0))
    # asyncio does not see that this is TCP, and each answer would wait 40 ms for an acknowledgement; uvloop does.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = CenterServer(app)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            assert not task.done(), "the center did not start"
            await asyncio.sleep(0.01)
        yield RunningCenter(f"http://127.0.0.1:{listener.getsockname()[1]}", app, settings)
    finally:
        server.should_exit = True
        await task


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with postgresql_server() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
async def center_database_url(request: pytest.FixtureRequest) -> str | None:
    """None for SQLite in the data folder, else the URL of an empty PostgreSQL database."""
    if request.param == "sqlite":
        return None
    folder = request.getfixturevalue("postgresql")
    engine = create_async_engine(f"postgresql+asyncpg://haechi@/postgres?host={folder}")
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    return f"postgresql://haechi@/postgres?host={folder}"


def settings_in(folder: Path, center_database_url: str | None = None) -> Settings:
    return Settings.model_validate(
        {"data_dir": folder, "center": {"database_url": center_database_url}, "cameras": CAMERAS}
    )


@pytest.fixture
async def center(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[RunningCenter]:
    """On both databases."""
    async with serving(settings_in(tmp_path, center_database_url)) as running:
        yield running


@pytest.fixture
async def sqlite_center(tmp_path: Path) -> AsyncIterator[RunningCenter]:
    """Where the database makes no difference."""
    async with serving(settings_in(tmp_path)) as running:
        yield running


def event(event_id: str, seconds: float = 0.0, **changes: Any) -> dict[str, Any]:
    """An event as a worker posts it, raised `seconds` after an hour ago."""
    at = datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds=seconds)
    return {
        "event_id": f"event-{event_id}",
        "camera_id": "gate",
        "kind": "intrusion",
        "family": "crime",
        "zone": "yard",
        "severity": "alert",
        "started_at": at.isoformat(),
        "raised_at": at.isoformat(),
        "box": [0.1, 0.1, 0.3, 0.5],
        "score": 0.8,
        "label": "person",
        "track_ids": [3],
        "dwell_seconds": None,
        "snapshot_jpeg": base64.b64encode(JPEG).decode(),
        **changes,
    }


def heartbeat(**streams: tuple[str, str]) -> dict[str, Any]:
    """`gate_main=("live", "")`: state and reason of camera gate's main stream."""
    cameras: dict[str, dict[str, dict[str, str]]] = {}
    for key, (state, reason) in streams.items():
        camera, _, stream = key.rpartition("_")
        cameras.setdefault(camera, {})[stream] = {"state": state, "reason": reason}
    return {"base_url": "http://127.0.0.1:9", "pid": 4711, "cameras": cameras, "counters": {"packets_total": 5}}
