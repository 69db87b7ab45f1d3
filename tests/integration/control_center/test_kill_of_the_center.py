"""What a person was told is stored is there after `kill -9`; what they were not told is there whole or not at all."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from argon2 import PasswordHasher
from sqlalchemy import select

from control_center.accounts import Accounts
from control_center.database import Database, Incident, IncidentStep, LedgerRow
from control_center.database.migration import database_url, migrate
from control_center.ledger import Ledger
from control_center.rights import Role
from tests.integration.control_center.conftest import TOKEN, WORKER, event
from tests.integration.control_center.staffed import CAMERAS, PASSWORD
from tests.requirements import ROOT

pytestmark = pytest.mark.no_rerun


class KilledCenter:
    """The center as a process of its own, which is killed; its listening socket and its people stay."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self.data_dir = folder / "data"
        self._file = folder / "haechi.yaml"
        self._file.write_text(
            yaml.safe_dump({"data_dir": str(self.data_dir), "cameras": CAMERAS}, allow_unicode=True), encoding="utf-8"
        )
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None
        self.url = "http://{}:{}".format(*listener.getsockname())

    async def start(self) -> None:
        descriptor = self._listener.fileno()
        self._process = await asyncio.to_thread(
            lambda: subprocess.Popen(
                [sys.executable, "-m", "control_center.serve", "--config", self._file, "--fd", str(descriptor)],
                cwd=ROOT,
                env={**os.environ, "HAECHI_WORKER_TOKEN": TOKEN},
                pass_fds=[descriptor],
            )
        )

    async def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(self._process.wait)

    async def kill_and_start(self) -> None:
        await self.kill()
        await self.start()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        self.data_dir.mkdir(exist_ok=True)
        database = Database(database_url(None, self.data_dir))
        await migrate(database)
        try:
            yield database
        finally:
            await database.close()


@pytest.fixture
async def center(tmp_path: Path) -> AsyncIterator[KilledCenter]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        center = KilledCenter(tmp_path, listener)
        async with center.database() as database:
            accounts = Accounts(database, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
            await accounts.create("kim", PASSWORD, Role.OPERATOR)
            await accounts.create("police", PASSWORD, Role.POLICE_DESK)
        await center.start()
        try:
            yield center
        finally:
            await center.kill()


@asynccontextmanager
async def signed_in(center: KilledCenter, name: str) -> AsyncIterator[httpx.AsyncClient]:
    # A new connection each time: the old ones died with the center.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=center.url, trust_env=False, timeout=60, limits=limits) as client:
        answer = await client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        yield client


async def alarms(client: httpx.AsyncClient, number: int) -> list[str]:
    """Ids of new incidents, oldest first."""
    sent = [event(f"{n}", n * 100.0, snapshot_jpeg=None) for n in range(number)]
    answer = await client.post("/internal/v1/events", json=sent, headers=WORKER)
    assert answer.status_code == 200, answer.text
    found = (await client.get("/api/v1/incidents")).json()["incidents"]
    return [incident["id"] for incident in reversed(found)]


async def test_every_step_that_was_answered_is_there_after_a_kill(center: KilledCenter) -> None:
    async with signed_in(center, "kim") as kim, signed_in(center, "police") as police:
        (incident_id,) = await alarms(kim, 1)
        path = f"/api/v1/incidents/{incident_id}"
        steps: list[tuple[httpx.AsyncClient, str, dict[str, Any]]] = [
            (kim, "dispatch", {"desks": ["police"], "note": "두 명"}),
            (police, "receive", {"note": "car 7"}),
            (police, "arrive", {"note": ""}),
            (police, "outcome", {"outcome": "warned"}),
            (kim, "close", {"verdict": "real", "note": "done"}),
        ]
        for client, step, body in steps:
            answer = await client.post(f"{path}/{step}", json=body)
            assert answer.status_code == 200, answer.text
            await center.kill_and_start()
            assert (await client.get(path)).json() == answer.json()
        taken = (await kim.get(f"{path}/steps")).json()["steps"]
    assert [step["action"] for step in taken] == [
        "created",
        "dispatch",
        "receive",
        "arrive",
        "report_outcome",
        "close",
    ]
    async with center.database() as database:
        assert (await Ledger(database).verify()).fault == ""


async def test_a_step_that_was_killed_half_way_is_there_whole_or_not_at_all(center: KilledCenter) -> None:
    answered: set[str] = set()
    async with signed_in(center, "kim") as kim:
        incident_ids = await alarms(kim, 12)
        chance = random.Random(7)
        for killed in range(3):
            some = incident_ids[killed * 4 : killed * 4 + 4]
            posts = [asyncio.create_task(_dispatch(kim, incident_id)) for incident_id in some]
            await asyncio.sleep(chance.uniform(0.0, 0.08))
            await center.kill()
            for incident_id, post in zip(some, posts, strict=True):
                with suppress(httpx.HTTPError):
                    await post
                    answered.add(incident_id)
            await center.start()
            assert (await kim.get("/healthz")).status_code == 200
        # The others are sent again, as a person would.
        for incident_id in incident_ids:
            answer = await kim.post(f"/api/v1/incidents/{incident_id}/dispatch", json={"desks": ["police"]})
            assert answer.status_code == 409 if incident_id in answered else answer.status_code in {200, 409}
    await center.kill()
    async with center.database() as database, database.read() as session:
        for incident in await session.scalars(select(Incident)):
            assert (incident.state, len(incident.dispatches), len(incident.grants)) == ("dispatched", 1, 1)
            steps = await session.scalars(select(IncidentStep.action).where(IncidentStep.incident_id == incident.id))
            assert sorted(steps) == ["created", "dispatch"]
            written = select(LedgerRow.action).where(LedgerRow.incident_id == incident.id)
            assert sorted(await session.scalars(written)) == ["grant.given", "incident.dispatched"]
        assert (await Ledger(database).verify()).fault == ""


async def _dispatch(client: httpx.AsyncClient, incident_id: str) -> None:
    answer = await client.post(f"/api/v1/incidents/{incident_id}/dispatch", json={"desks": ["police"]})
    assert answer.status_code == 200, answer.text
