"""coturn with time-limited credentials, set up as docs/reference/turn.md says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.requirements import need_program


@dataclass(frozen=True, slots=True)
class TurnAddresses:
    """Where it listens, where it relays from, and the one address it relays to."""

    listening: str
    relay: str
    peer: str
    port: int


@asynccontextmanager
async def turn_server(
    folder: Path, secret: str, addresses: TurnAddresses, *options: str, inside: Sequence[str] = ()
) -> AsyncIterator[Path]:
    """Runs it, after the command `inside` if there is one; gives its log."""
    log, output = folder / "turnserver.log", folder / "turnserver.out"
    arguments = [
        f"--listening-port={addresses.port}",
        f"--listening-ip={addresses.listening}",
        f"--relay-ip={addresses.relay}",
        "--denied-peer-ip=0.0.0.0-255.255.255.255",
        f"--allowed-peer-ip={addresses.peer}",
        "--realm=haechi",
        "--use-auth-secret",
        f"--static-auth-secret={secret}",
        "--fingerprint",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--verbose",
        "--simple-log",
        f"--log-file={log}",
        f"--pidfile={folder / 'turnserver.pid'}",
        f"--userdb={folder / 'turndb'}",
    ]
    command = [*inside, need_program("turnserver"), "-n", *arguments, *options]
    with output.open("wb") as written:
        process = await asyncio.create_subprocess_exec(*command, stdout=written, stderr=written, cwd=folder)
    try:
        await until_bound(addresses.port, inside)
        assert process.returncode is None, output.read_text()
        yield log
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def until_bound(port: int, inside: Sequence[str] = ()) -> None:
    """Wait until something is bound to `port`. TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while True:
            command = [*inside, need_program("ss"), "-Hlntu", "sport", "=", f":{port}"]
            listening = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            told, _ = await listening.communicate()
            if str(port) in told.decode():
                return
            await asyncio.sleep(0.1)
