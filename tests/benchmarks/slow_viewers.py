"""Many viewers of one camera, three of them in trouble: do the others notice?

`python -m tests.benchmarks.slow_viewers --json`: 150 viewers of our relay; one behind 500 kbit/s (a user-space path
with a bounded queue), one whose process is stopped, one over TURN by TCP (coturn). The others' every sequence number is
counted, and how late each picture came, without the three and with them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from tests.clips import make_clip
from tests.light_receivers import ReceiverProcess
from tests.ports import free_port
from tests.relay_senders import Sender, sender_process
from tests.sequence_count import Account

FPS = 15
THIN_BITS_PER_SECOND = 500_000
_THIN_QUEUE_BYTES = 64 * 1024
_TURN_USER, _TURN_PASSWORD = "viewer", "of-this-test-only"


@dataclass(frozen=True, slots=True)
class Turn:
    """A TURN server on TCP, and its one user."""

    port: int
    user: str = _TURN_USER
    password: str = _TURN_PASSWORD


class ThinPath(asyncio.DatagramProtocol):
    """UDP to one address at `bits_per_second`; what does not fit its queue is dropped. The way back is free."""

    def __init__(self, server: tuple[str, int], bits_per_second: float) -> None:
        self._server = server
        self._bytes_per_second = bits_per_second / 8
        self._client: tuple[str, int] | None = None
        self._free_at = 0.0
        self._waiting = 0
        self.dropped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr != self._server:
            self._client = addr
            self._transport.sendto(data, self._server)
        elif self._client is not None:
            if self._waiting + len(data) > _THIN_QUEUE_BYTES:
                self.dropped += 1
                return
            loop = asyncio.get_running_loop()
            self._waiting += len(data)
            self._free_at = max(self._free_at, loop.time()) + len(data) / self._bytes_per_second
            loop.call_at(self._free_at, self._send, data)

    def _send(self, data: bytes) -> None:
        self._waiting -= len(data)
        if not self._transport.is_closing():
            self._transport.sendto(data, self._client)


@asynccontextmanager
async def thin_way(sender: Sender, bits_per_second: float) -> AsyncIterator[tuple[str, list[ThinPath]]]:
    """A WHEP address before the sender's whose answers lead through a thin path; the paths as they are made."""
    paths: list[ThinPath] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        offer = (await reader.readexactly(length)).decode()
        offer = "".join(line for line in offer.splitlines(True) if not line.startswith("a=candidate"))
        sdp = await _lead(offer)
        writer.write(f"HTTP/1.1 201 Created\r\ncontent-length: {len(sdp)}\r\nconnection: close\r\n\r\n{sdp}".encode())
        await writer.drain()
        writer.close()

    async def _lead(offer: str) -> str:
        headers = {"content-type": "application/sdp", "haechi-viewer": "thin"}
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            sdp = (await http.post(sender.url, content=offer, headers=headers)).raise_for_status().text
        candidate = next(line for line in sdp.splitlines() if line.startswith("a=candidate"))
        host, port = candidate.split()[4:6]
        _, path = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: ThinPath((host, int(port)), bits_per_second), local_addr=(host, 0)
        )
        paths.append(path)
        own = path._transport.get_extra_info("sockname")[1]
        return sdp.replace(f"{host} {port} typ", f"{host} {own} typ")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", paths
    finally:
        server.close()
        for path in paths:
            path._transport.close()


@asynccontextmanager
async def running_turn(folder: Path) -> AsyncIterator[Turn]:
    """coturn on loopback, TCP for its clients, until the block ends."""
    turn = Turn(free_port())
    configuration = folder / "turn.conf"
    configuration.write_text(
        f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={turn.port}\nno-tls\nno-dtls\nno-cli\n"
        f"allow-loopback-peers\nlt-cred-mech\nrealm=test\nuser={turn.user}:{turn.password}\n"
        f"userdb={folder}/turn.db\npidfile={folder}/turn.pid\nlog-file=stdout\n"
    )
    process = await asyncio.create_subprocess_exec(
        *("turnserver", "-c", str(configuration)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_open(turn.port, process)
        yield turn
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run(viewers: int, seconds: float, settle_seconds: float = 3.0, lines: int = 1080) -> dict[str, Any]:
    """All of it; `viewers` counts the three in trouble."""
    async with _scene(lines) as (sender, turn, (thin_url, paths)), ReceiverProcess() as others:
        await others.connect(sender.url, viewers - 3)
        await asyncio.sleep(settle_seconds)
        before = await _watched(others, seconds)
        async with (
            ReceiverProcess() as thin,
            ReceiverProcess() as stopped,
            ReceiverProcess(turn=None if turn is None else (turn.port, turn.user, turn.password)) as over_tcp,
        ):
            await thin.connect(thin_url, 1)
            await stopped.connect(sender.url, 1, "stopped")
            if turn is not None:
                await over_tcp.connect(sender.url, 1, "turn")
            await asyncio.sleep(settle_seconds)
            os.kill(stopped.pid, signal.SIGSTOP)
            try:
                await others.mark()
                for one in (thin, over_tcp):
                    await one.mark()
                during = await _watched(others, seconds)
                slow = {"thin": (await thin.accounts())[0]}
                if turn is not None:
                    slow["turn"] = (await over_tcp.accounts())[0]
                counters = await _counters(sender)
            finally:
                os.kill(stopped.pid, signal.SIGCONT)
        return _result(viewers, before, during, slow, counters, paths)


@asynccontextmanager
async def _scene(lines: int) -> AsyncIterator[tuple[Sender, Turn | None, tuple[str, list[ThinPath]]]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = await asyncio.to_thread(
            make_clip, folder / "clip.mp4", 4, FPS, (lines * 16 // 9, lines), 30, 2_000_000, "baseline"
        )
        async with sender_process("haechi", clip, FPS) as sender, thin_way(sender, THIN_BITS_PER_SECOND) as thin:
            if shutil.which("turnserver"):
                async with running_turn(folder) as turn:
                    yield sender, turn, thin
            else:
                yield sender, None, thin


async def _watched(others: ReceiverProcess, seconds: float) -> list[Account]:
    await others.mark()
    await asyncio.sleep(seconds)
    return await others.accounts()


async def _counters(sender: Sender) -> dict[str, dict[str, int]]:
    async with httpx.AsyncClient(trust_env=False) as http:
        told = (await http.get(sender.url.replace("/whep/cam", "/counters"))).json()
    by_viewer: dict[str, dict[str, int]] = told["by_viewer"]
    return by_viewer


def _result(
    viewers: int,
    before: list[Account],
    during: list[Account],
    slow: dict[str, Account],
    counters: dict[str, dict[str, int]],
    paths: list[ThinPath],
) -> dict[str, Any]:
    names = ("thin", "stopped", "turn")
    result: dict[str, Any] = {
        "benchmark": "slow_viewers",
        "viewers": viewers,
        "lost": sum(account.lost for account in during),
        "lost_before": sum(account.lost for account in before),
        "others_drops": sum(one["drops"] for name, one in counters.items() if name not in names),
        "others_skipped_units": sum(one["skipped_units"] for name, one in counters.items() if name not in names),
        "thin_path_dropped_datagrams": sum(path.dropped for path in paths),
        "load_average": round(os.getloadavg()[0], 1),
    }
    for when, accounts in (("before", before), ("during", during)):
        result[f"least_pictures_{when}"] = min(account.pictures for account in accounts)
        result[f"worst_gap_ms_{when}"] = max(account.worst_gap_ms for account in accounts)
        result[f"p99_delay_ms_{when}"] = max(account.p99_delay_ms for account in accounts)
    for name in names:
        result[f"{name}_was_ended"] = name not in counters
        if name in counters:
            one = counters[name]
            result |= {f"{name}_{what}": one[what] for what in ("drops", "skipped_units", "units", "unsent", "nacks")}
        if name in slow:
            result |= {f"{name}_pictures": slow[name].pictures, f"{name}_lost": slow[name].lost}
    return result


async def _until_open(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(30):
        while True:
            if process.returncode is not None:
                raise RuntimeError("turnserver ended")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--viewers", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.viewers, arguments.seconds))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:32} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
