"""A whole installation: one center and its workers, from settings to a graceful end."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from config.settings import Settings
from control_center.supervision.child import ChildSpec, kept_running
from control_center.supervision.errors import StartError
from control_center.supervision.first_account import (
    MakeAccounts,
    ShownAccount,
    bring_up_to_date,
    make_first_account,
)

logger = logging.getLogger(__name__)

CENTER_STARTS_IN_SECONDS = 60.0
CORES_A_WORKER = 2
_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Installation:
    """`url` is where people open it on this machine. `accounts` are those made or renewed at this start."""

    url: str
    accounts: tuple[ShownAccount, ...]
    worker_ids: tuple[str, ...]
    token: str = field(repr=False)

    def status_headers(self) -> dict[str, str]:
        """What lets the parent read the status even where the center listens on no loopback address."""
        return {"Authorization": f"Bearer {self.token}"}


@asynccontextmanager
async def running(
    settings: Settings,
    settings_file: Path,
    *,
    make_accounts: MakeAccounts = make_first_account,
    log_file: Path | None = None,
) -> AsyncIterator[Installation]:
    """Run everything for the length of the block, in a data folder that the caller owns.

    `settings_file` is what the children read; `log_file` takes what they write, else standard error does.

    Raises StartError, DatabaseError before anything runs.
    """
    async with AsyncExitStack() as stack:
        mend = f"set another center.host or center.port in {settings_file}"
        listener = stack.enter_context(listening(settings.center.host, settings.center.port, mend))
        await bring_up_to_date(settings)
        url = _url(settings.center.host, settings.center.port)
        worker_ids = tuple(f"w{index}" for index in range(worker_count(settings)))
        token = secrets.token_urlsafe(32)
        environment = {"HAECHI_WORKER_TOKEN": token}
        center = _center(settings_file, listener, worker_ids, environment)
        await stack.enter_async_context(kept_running(center, log_file=log_file))
        await _wait_for_center(url)
        workers = [
            _worker(settings_file, worker_id, index, len(worker_ids), url, environment)
            for index, worker_id in enumerate(worker_ids)
        ]
        await stack.enter_async_context(kept_running(*workers, log_file=log_file))
        yield Installation(url, await make_accounts(settings), worker_ids, token)


def worker_count(settings: Settings) -> int:
    """One for two cores, unless the settings say how many."""
    if settings.workers.count != "auto":
        return settings.workers.count
    return max(1, len(os.sched_getaffinity(0)) // CORES_A_WORKER)


def listening(host: str, port: int, mend: str) -> socket.socket:
    """The center's socket. It is ours, so that a center that restarts never loses its port. `mend` ends the message.

    Raises StartError.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"address {host!r} cannot be listened on ({error.strerror}); {mend}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(
            f"port {port} on {host} cannot be listened on ({error.strerror}); stop the program that has it, or {mend}"
        ) from error
    return listener


def _url(host: str, port: int) -> str:
    local = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{local}:{port}"


def _center(
    settings_file: Path, listener: socket.socket, worker_ids: tuple[str, ...], environment: dict[str, str]
) -> ChildSpec:
    command = (
        *(sys.executable, "-m", "control_center.serve"),
        *("--config", str(settings_file)),
        *("--fd", str(listener.fileno())),
        *("--workers", ",".join(worker_ids)),
    )
    return ChildSpec("center", command, environment, (listener.fileno(),))


def _worker(
    settings_file: Path, worker_id: str, index: int, count: int, center_url: str, environment: dict[str, str]
) -> ChildSpec:
    command = (
        *(sys.executable, "-m", "streams.worker"),
        *("--config", str(settings_file)),
        *("--worker-id", worker_id),
        *("--shard", f"{index}/{count}"),
        *("--center-url", center_url),
    )
    return ChildSpec(f"worker {worker_id}", command, environment)


async def _wait_for_center(url: str) -> None:
    """Raises StartError."""
    try:
        async with asyncio.timeout(CENTER_STARTS_IN_SECONDS), httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    answer = await client.get(f"{url}/healthz")
                    if answer.json().get("parts", {}).get("database", {}).get("ok"):
                        return
                except (httpx.HTTPError, ValueError):
                    pass
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise StartError(
            f"the center did not answer at {url} within {CENTER_STARTS_IN_SECONDS:.0f} s; the lines above say why"
        ) from error
