"""Two networks that only a TURN server is in: a viewer's and a worker's, as Linux network namespaces (root, iproute2).

    viewer 198.18.1.2 ── 198.18.1.1 turn 198.18.2.1 ── 198.18.2.2 worker

Nothing forwards packets from one to the other.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.requirements import need_program

TURN_PORT = 3478
TURN_AT_VIEWER, VIEWER = "198.18.1.1", "198.18.1.2"
TURN_AT_WORKER, WORKER = "198.18.2.1", "198.18.2.2"


@dataclass(frozen=True, slots=True)
class Networks:
    """Names of the namespaces."""

    viewer: str
    turn: str
    worker: str


@contextmanager
def two_networks() -> Iterator[Networks]:
    """Skips where namespaces are not allowed (not root, or a container without CAP_SYS_ADMIN)."""
    need_program("ip")
    mark = f"{os.getpid() % 100_000}"
    names = Networks(*(f"haechi-{kind}-{mark}" for kind in ("viewer", "turn", "worker")))
    with ExitStack() as stack:
        for name in (names.viewer, names.turn, names.worker):
            added = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
            if added.returncode:
                pytest.skip(f"network namespaces are not allowed here: {added.stderr.strip()}")
            stack.callback(subprocess.run, ["ip", "netns", "delete", name], check=True)
        for name, here, there in ((names.viewer, VIEWER, TURN_AT_VIEWER), (names.worker, WORKER, TURN_AT_WORKER)):
            link = f"h{name[7]}{mark}"
            added = subprocess.run(
                ["ip", "-n", name, "link", "add", link, "type", "veth", "peer", "name", link, "netns", names.turn],
                capture_output=True,
                text=True,
            )
            if added.returncode:
                pytest.skip(f"veth links are not allowed here: {added.stderr.strip()}")
            for where, address in ((name, here), (names.turn, there)):
                _ip(where, "address", "add", f"{address}/24", "dev", link)
                _ip(where, "link", "set", link, "up")
                _ip(where, "link", "set", "lo", "up")
        yield names


def _ip(namespace: str, *arguments: str) -> None:
    subprocess.run(["ip", "-n", namespace, *arguments], check=True, capture_output=True)


def inside(namespace: str, *command: str) -> tuple[str, ...]:
    """The command that runs `command` in the namespace."""
    return ("ip", "netns", "exec", namespace, *command)


@asynccontextmanager
async def turn_server(names: Networks, secret: str, folder: Path, *options: str) -> AsyncIterator[Path]:
    """coturn with time-limited credentials, as docs/reference/turn.md sets it up; gives its log."""
    program, log = need_program("turnserver"), folder / "turnserver.log"
    arguments = [
        f"--listening-port={TURN_PORT}",
        f"--listening-ip={TURN_AT_VIEWER}",
        f"--relay-ip={TURN_AT_WORKER}",
        "--realm=haechi",
        "--use-auth-secret",
        f"--static-auth-secret={secret}",
        "--fingerprint",
        "--denied-peer-ip=0.0.0.0-255.255.255.255",
        f"--allowed-peer-ip={WORKER}",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--verbose",
        "--simple-log",
        f"--log-file={log}",
        f"--pidfile={folder / 'turnserver.pid'}",
        f"--userdb={folder / 'turndb'}",
    ]
    command = inside(names.turn, program, "-n", *arguments, *options)
    with (folder / "turnserver.out").open("wb") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output, cwd=folder)
    try:
        await until_bound(names, TURN_PORT)
        yield log
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def until_bound(names: Networks, port: int) -> None:
    """Wait until something is bound to `port` in the TURN server's namespace. TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while True:
            command = inside(names.turn, "ss", "-Hlntu", "sport", "=", f":{port}")
            listening = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            output, _ = await listening.communicate()
            if str(port) in output.decode():
                return
            await asyncio.sleep(0.1)
