"""Viewers a core can carry: this relay against plain aiortc senders, same stream, same light receivers.

`python -m tests.benchmarks.relay --json --viewers 60`: the last line is one JSON object. Receivers are another
process: real ICE and DTLS, then they throw away what comes. What is measured is the sender's CPU time (over loopback
that holds the kernel's delivery, too). Nothing is encoded: aiortc packs the packets as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import select
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import aioice.ice
import httpx
import uvicorn
import uvloop
from aiortc import (
    RTCCertificate,
    RTCConfiguration,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceTransport,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack
from aiortc.sdp import SessionDescription, candidate_to_sdp
from av import Packet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.settings import WorkerSettings
from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.relay import Relay, SessionLimits, whep_routes
from tests.clips import make_clip
from tests.live_feed import LiveFeed, load_units

FPS = 15
_OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 102
c=IN IP4 127.0.0.1
a=mid:0
a=recvonly
a=rtcp-mux
a=rtpmap:102 H264/90000
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=ice-ufrag:{user}
a=ice-pwd:{password}
{candidates}
a=fingerprint:{fingerprint}
a=setup:actpass
"""


class LiveTrack(MediaStreamTrack):
    """A viewer's track for aiortc: the buffer's units as encoded packets, from the next key frame on."""

    kind = "video"

    def __init__(self, buffer: GopBuffer) -> None:
        super().__init__()
        self._reader = buffer.reader(from_key=True)

    async def recv(self) -> Packet:
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


@asynccontextmanager
async def _serve(routes: Sequence[Route]) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=list(routes)), port=0, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def receive(url: str, count: int) -> None:
    """The other process: connect `count` viewers, say so on stdout, throw away what comes, end with stdin."""
    certificate = RTCCertificate.generateCertificate()
    async with httpx.AsyncClient(timeout=60) as http:
        connected = [await _connect(http, url, certificate) for _ in range(count)]
    print("connected", flush=True)
    sys.stdin.read()
    assert len(connected) == count
    os._exit(0)


def _throw_away(transports: Sequence[RTCIceTransport]) -> None:
    """Empty the sockets without looking at what came, until stdin ends. Blocks the loop, on purpose."""
    poll = select.epoll()
    poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
    sockets: dict[int, socket.socket] = {}
    for ice in transports:
        for protocol in ice._connection._protocols:
            copy = socket.socket(fileno=os.dup(protocol.transport.get_extra_info("socket").fileno()))
            sockets[copy.fileno()] = copy
            poll.register(copy.fileno(), select.EPOLLIN)
    byte = bytearray(1)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor not in sockets:
                return
            try:
                while True:
                    sockets[descriptor].recv_into(byte)
            except BlockingIOError:
                pass


async def _connect(
    http: httpx.AsyncClient, url: str, certificate: RTCCertificate
) -> tuple[RTCDtlsTransport, RTCIceTransport]:
    gatherer = RTCIceGatherer(iceServers=[])
    await gatherer.gather()
    ice = RTCIceTransport(gatherer)
    ice._connection.ice_controlling = True
    dtls = RTCDtlsTransport(ice, [certificate])
    local, fingerprint = gatherer.getLocalParameters(), dtls.getLocalParameters().fingerprints[0]
    candidates = "\n".join(f"a=candidate:{candidate_to_sdp(c)}" for c in gatherer.getLocalCandidates())
    offer = _OFFER.format(
        user=local.usernameFragment,
        password=local.password,
        candidates=candidates,
        fingerprint=f"{fingerprint.algorithm} {fingerprint.value}",
    )
    sdp = offer.replace("\n", "\r\n")
    response = await http.post(url, content=sdp, headers={"content-type": "application/sdp"})
    if response.status_code != 201:
        raise RuntimeError(response.text)
    media = SessionDescription.parse(response.text).media[0]
    for candidate in media.ice_candidates:
        await ice.addRemoteCandidate(candidate)
    await ice.addRemoteCandidate(None)
    assert media.ice is not None and media.dtls is not None
    await ice.start(media.ice)
    dtls._set_role("client" if media.dtls.role == "server" else "server")
    await dtls.start(RTCDtlsParameters(fingerprints=media.dtls.fingerprints))
    return dtls, ice


async def _measure(url: str, viewers: int, seconds: float) -> float:
    """Share of a core this process takes while `viewers` receivers are connected."""
    arguments = ["-m", "tests.benchmarks.relay", "--receive", url, "--viewers", str(viewers)]
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert receiver.stdin is not None and receiver.stdout is not None
    try:
        if b"connected" not in await receiver.stdout.readline():
            raise RuntimeError("the receivers did not connect")
        await asyncio.sleep(3)
        cpu, clock = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        return (time.process_time() - cpu) / (time.monotonic() - clock)
    finally:
        receiver.stdin.close()
        await receiver.wait()


async def run(viewers: int, plain_viewers: int, seconds: float, kilobits: int) -> dict[str, object]:
    """Both relays one after the other, and the feed alone to take off."""
    aioice.ice.CONSENT_FAILURES = 1000  # the receivers stop answering once they only throw away
    units = await asyncio.to_thread(_clip, kilobits)
    buffer = GopBuffer()
    relay = Relay({("cam", "main"): buffer}, WorkerSettings(), limits=SessionLimits(silence_seconds=1e6))
    plain = PlainRelay(buffer)
    async with (
        LiveFeed(buffer, units, FPS),
        _serve([*whep_routes(relay), Route("/plain", plain.open, methods=["POST"])]) as base,
    ):
        cpu, clock = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        idle = (time.process_time() - cpu) / (time.monotonic() - clock)
        ours = await _measure(f"{base}/whep/cam", viewers, seconds) - idle
        counters = relay.counters()
        if counters["viewers"] != viewers:
            raise RuntimeError(f"{viewers - counters['viewers']} viewers were lost on the way")
        await relay.close()
        theirs = await _measure(f"{base}/plain", plain_viewers, seconds) - idle
        await plain.close()
    packets_a_second = FPS * sum(-(-unit.size // 1200) for unit in units) / len(units)
    rate = sum(unit.size for unit in units) * 8 * FPS / len(units) / 1000
    return {
        "benchmark": "relay",
        "stream": f"{rate:.0f} kbit/s, {packets_a_second:.0f} packets/s",
        "viewers": viewers,
        "core_share": round(ours, 3),
        "viewers_per_core": round(viewers / ours),
        "us_per_packet": round(ours / viewers / packets_a_second * 1e6, 2),
        "drops": counters["drops"],
        "unsent": counters["unsent"],
        "aiortc_viewers": plain_viewers,
        "aiortc_viewers_per_core": round(plain_viewers / theirs),
        "aiortc_us_per_packet": round(theirs / plain_viewers / packets_a_second * 1e6, 2),
    }


def _clip(kilobits: int) -> list[AccessUnit]:
    with tempfile.TemporaryDirectory() as folder:
        return load_units(make_clip(Path(folder) / "clip.mp4", 8, FPS, (1280, 720), 30, kilobits * 1000, "baseline"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--plain-viewers", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--kilobits", type=int, default=2000)
    parser.add_argument("--receive", metavar="URL", help="be the receivers' process")
    arguments = parser.parse_args()
    if arguments.receive:
        asyncio.run(receive(arguments.receive, arguments.viewers))
        return
    result = uvloop.run(run(arguments.viewers, arguments.plain_viewers, arguments.seconds, arguments.kilobits))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:24} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
