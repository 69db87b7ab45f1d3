"""Senders in processes of their own, all fed from one clip: our relay, plain aiortc, and RTP for other servers.

`python -m tests.relay_senders haechi|aiortc|rtp CLIP FPS [PORT]`: the first line out is a URL; it ends with stdin.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import uvicorn
import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av import Packet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from config.settings import WorkerSettings
from streams.gop_buffer import GopBuffer
from streams.relay import Relay, whep_routes
from streams.relay.packetizer import packetize
from tests.live_feed import LiveFeed, load_units


class LiveTrack(MediaStreamTrack):
    """A viewer's track for aiortc: the buffer's units as encoded packets, from the next key frame on."""

    kind = "video"

    def __init__(self, buffer: GopBuffer) -> None:
        super().__init__()
        self._reader = buffer.reader(from_key=True)

    async def recv(self) -> Packet:  # type: ignore[type-arg,unused-ignore]
        unit = await self._reader.next()
        packet = Packet(unit.annex_b())
        packet.pts, packet.time_base = unit.pts_90k, Fraction(1, 90_000)
        return packet


class PlainRelay:
    """What one would write with aiortc alone: a peer connection and a sender a viewer."""

    def __init__(self, buffer: GopBuffer) -> None:
        self._buffer = buffer
        self.peers: list[RTCPeerConnection] = []

    async def open(self, request: Request) -> Response:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peers.append(peer)
        peer.addTrack(LiveTrack(self._buffer))
        await peer.setRemoteDescription(RTCSessionDescription((await request.body()).decode(), "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return Response(peer.localDescription.sdp, status_code=201, media_type="application/sdp")

    async def close(self) -> None:
        await asyncio.gather(*(peer.close() for peer in self.peers))


class Sender:
    """`url` takes WHEP offers, `pid` is what to measure."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.pid = process.pid
        self.url = url


@asynccontextmanager
async def sender_process(kind: str, clip: Path, fps: int, port: int = 0) -> AsyncIterator[Sender]:
    """A process as this module's docstring says, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.relay_senders", kind, str(clip), str(fps), str(port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode().strip()
        if not line:
            raise RuntimeError(f"the {kind} sender did not start")
        yield Sender(process, line)
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _serving(routes: Sequence[Route]) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=list(routes)), port=0, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def _until_stdin_ends() -> None:
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await ended


async def _haechi(clip: Path, fps: int) -> None:
    buffer = GopBuffer()
    relay = Relay({("cam", "main"): buffer}, WorkerSettings())

    async def counters(request: Request) -> Response:
        viewers = {}
        for opened in relay.open_sessions():
            viewer = relay.session(opened.camera_id, opened.session_id).viewer
            if viewer is not None:
                viewers[opened.viewer or opened.session_id] = asdict(viewer.counters) | asdict(viewer.sender.counters)
        return JSONResponse(relay.counters() | {"by_viewer": viewers})

    async with (
        LiveFeed(buffer, load_units(clip), fps),
        _serving([*whep_routes(relay), Route("/counters", counters)]) as url,
    ):
        print(f"{url}/whep/cam", flush=True)
        await _until_stdin_ends()
        await relay.close()


async def _aiortc(clip: Path, fps: int) -> None:
    buffer = GopBuffer()
    plain = PlainRelay(buffer)
    async with (
        LiveFeed(buffer, load_units(clip), fps),
        _serving([Route("/plain", plain.open, methods=["POST"])]) as url,
    ):
        print(f"{url}/plain", flush=True)
        await _until_stdin_ends()
        await plain.close()


async def _rtp(clip: Path, fps: int, port: int) -> None:
    """The packets that our relay would make, sixteen a millisecond, to a port of this machine."""
    pictures = [packetize(unit) for unit in load_units(clip)]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.1", port))
    sequence, ssrc, number = random.randrange(0x7FFF), random.getrandbits(32), 0
    print(f"rtp://127.0.0.1:{port}", flush=True)
    ended = asyncio.ensure_future(_until_stdin_ends())
    start = time.monotonic()
    while not ended.done():
        payloads = pictures[number % len(pictures)]
        for index, payload in enumerate(payloads):
            kind = 102 | (0x80 if index == len(payloads) - 1 else 0)
            stamp = number * 90_000 // fps & 0xFFFF_FFFF
            sock.sendto(
                struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, stamp, ssrc) + payload, ("127.0.0.1", port)
            )
            sequence += 1
            if index % 16 == 15:  # as a camera's network would; no receiver's socket need take a key frame at once
                await asyncio.sleep(0.001)
        number += 1
        await asyncio.sleep(max(0.0, start + number / fps - time.monotonic()))
    sock.close()


def main() -> None:
    kind, clip, fps, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    if kind == "rtp":
        uvloop.run(_rtp(clip, fps, port))
    else:
        uvloop.run((_haechi if kind == "haechi" else _aiortc)(clip, fps))


if __name__ == "__main__":
    main()
