"""A whole Haechi, run as its user runs it: `haechi run` or `haechi demo` in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.ports import free_port
from tests.requirements import ROOT

# Of every account of a city, whatever its role.
PASSWORD = "a-password-for-this-test"
# The name of the account with each role, as in the demo.
NAMES = {
    "operator": "operator",
    "shift_lead": "lead",
    "police_desk": "police",
    "fire_desk": "fire",
    "mayor": "mayor",
    "privacy_officer": "privacy",
    "administrator": "admin",
}
OPERATOR = NAMES["operator"]
STARTS_WITHIN_SECONDS = 120.0


async def wait_for(condition: Callable[[], Awaitable[Any]], what: str, seconds: float = 90.0) -> Any:
    """The first true answer of `condition`; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.2)


@dataclass(slots=True)
class City:
    """`url` of the center, `client` signed in as an operator, `admin` as the administrator; `log` is what the
    processes wrote.
    """

    url: str
    client: httpx.AsyncClient
    admin: httpx.AsyncClient
    process: asyncio.subprocess.Process
    log: Path
    data_dir: Path
    clients: AsyncExitStack = field(repr=False)

    async def account(self, role: str) -> str:
        """The name of the account with `role`, made where it is missing; its password is PASSWORD."""
        name = NAMES[role]
        answer = await self.admin.post("/api/v1/accounts", json={"name": name, "role": role, "password": PASSWORD})
        assert answer.status_code in {201, 409}, answer.text
        return name

    async def sign_in(self, role: str) -> httpx.AsyncClient:
        """A client signed in with `role`, for as long as the city lives."""
        return await _signed_in(self.url, await self.account(role), self.clients)

    async def status(self) -> dict[str, Any]:
        answer = await self.client.get("/api/v1/status")
        answer.raise_for_status()
        status: dict[str, Any] = answer.json()
        return status

    async def cameras(self) -> dict[str, dict[str, Any]]:
        answer = await self.client.get("/api/v1/cameras")
        answer.raise_for_status()
        return {camera["id"]: camera for camera in answer.json()["cameras"]}

    async def incidents(self) -> list[dict[str, Any]]:
        answer = await self.client.get("/api/v1/incidents", params={"limit": 200})
        answer.raise_for_status()
        incidents: list[dict[str, Any]] = answer.json()["incidents"]
        return incidents

    async def wait_live(self, count: int, seconds: float = 120.0) -> None:
        async def enough() -> bool:
            return bool((await self.status())["cameras"]["live"] >= count)

        await wait_for(enough, f"{count} cameras live; the log is {self.log}", seconds)

    async def packets_pid(self, worker_id: str = "w0") -> int:
        """Process id of a worker's packets process."""
        pid = (await self.status())["workers"]["by_id"][worker_id]["pid"]
        assert isinstance(pid, int)
        return pid

    async def pictures_pid(self) -> int | None:
        """Process id of the pictures process, child of packets; None while there is none."""
        return child_running(await self.packets_pid(), "streams.pictures")


def child_running(parent: int, module: str) -> int | None:
    """Process id of the child of `parent` that runs `module`, None when there is none."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent and module in command:
            return int(folder.name)
    return None


@asynccontextmanager
async def running_city(folder: Path, settings: dict[str, Any]) -> AsyncIterator[City]:
    """`haechi run` with `settings` (as in YAML; data_dir and port are set here), until the block ends."""
    port = free_port()
    data_dir = folder / "data"
    file = folder / "haechi.yaml"
    document = {**settings, "data_dir": str(data_dir), "center": {**settings.get("center", {}), "port": port}}
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
    async with _running(["run", "--config", str(file)], folder, port, data_dir) as city:
        yield city


@asynccontextmanager
async def running_demo(folder: Path, demo: Path) -> AsyncIterator[City]:
    """`haechi demo` with the clips and cameras of `demo`, until the block ends."""
    port = free_port()
    data_dir = folder / "data"
    arguments = ["demo", "--port", str(port), "--data-dir", str(data_dir), "--folder", str(demo)]
    async with _running(arguments, folder, port, data_dir) as city:
        yield city


@asynccontextmanager
async def _running(arguments: list[str], folder: Path, port: int, data_dir: Path) -> AsyncIterator[City]:
    log = folder / "haechi.log"
    url = f"http://127.0.0.1:{port}"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "control_center", *arguments),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "HAECHI_ADMIN_PASSWORD": PASSWORD, "HAECHI_DEMO_PASSWORD": PASSWORD},
        )
    try:
        async with AsyncExitStack() as clients:
            await wait_for(lambda: _is_open(process, log, url), f"the address {url} shown", STARTS_WITHIN_SECONDS)
            admin = await _signed_in(url, "admin", clients)
            city = City(url, admin, admin, process, log, data_dir, clients)
            city.client = await city.sign_in("operator")
            yield city
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _is_open(process: asyncio.subprocess.Process, log: Path, url: str) -> bool:
    """Whether it has said its address, which it does when its accounts are made."""
    text = log.read_text()
    assert process.returncode is None, f"haechi ended with {process.returncode}:\n{text[-4000:]}"
    return f"open      {url}" in text


async def _signed_in(url: str, name: str, clients: AsyncExitStack) -> httpx.AsyncClient:
    client = await clients.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=60))
    answer = await client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client
