"""Viewers that cost little: real ICE and DTLS through aiortc, then every datagram's sequence number is counted.

Nothing is decrypted: an RTP header is in the clear (RFC 3711, 3.1). They answer consent checks, send receiver reports
every second and a generic NACK for what is missing, as a browser does. `python -m tests.light_receivers` is a process
of them; `ReceiverProcess` drives it: so only the sender's CPU is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import Any

import aioice.ice
import httpx
from aiortc import (
    RTCCertificate,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceServer,
    RTCIceTransport,
)
from aiortc.rtcdtlstransport import SRTP_PROFILES
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket
from aiortc.sdp import MediaDescription, SessionDescription, candidate_to_sdp

from tests.sequence_count import Account, SequenceCount

_SWEEP_SECONDS = 0.004  # nobody waits for a socket: waking up a receiver would be at the sender's cost
_REPORT_SECONDS = 1.0
_NACK_AGAIN_SECONDS, _MOST_ASKED = 0.1, 10
_REPAIR_SECONDS = 5.0
_SOCKET_BYTES = 4 * 1024 * 1024
CIPHERS = {"gcm": b"SRTP_AEAD_AES_128_GCM", "sha1": b"SRTP_AES128_CM_SHA1_80"}
_EXTENSIONS = """a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
"""
_DESCRIPTION = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE {mid}
m=video 9 UDP/TLS/RTP/SAVPF 102
c=IN IP4 127.0.0.1
a=mid:{mid}
a=recvonly
a=rtcp-mux
{extensions}a=rtpmap:102 H264/90000
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=ice-ufrag:{user}
a=ice-pwd:{password}
{candidates}
a=fingerprint:{fingerprint}
a=setup:{setup}
"""


class LightReceiver:
    """One viewer: `gather`, give `description` to the other side, `connect` to its; then `sweep` now and then.

    `turn` (port on loopback, user, password): all goes over that TURN server, by TCP, and need not be swept.
    """

    def __init__(
        self,
        certificate: RTCCertificate,
        cipher: str,
        *,
        extensions: bool = False,
        turn: tuple[int, str, str] | None = None,
    ) -> None:
        self.count = SequenceCount()
        self._wanted = "host" if turn is None else "relay"
        servers = [
            RTCIceServer(urls=f"turn:127.0.0.1:{port}?transport=tcp", username=user, credential=password)
            for port, user, password in ([turn] if turn else [])
        ]
        self._gatherer = RTCIceGatherer(iceServers=servers)
        if turn is not None:
            self._gatherer._connection._transport_policy = aioice.ice.TransportPolicy.RELAY
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])
        self._dtls._srtp_profiles = [p for p in SRTP_PROFILES if p.openssl_profile == CIPHERS[cipher]]
        self._extensions = _EXTENSIONS if extensions else ""
        self._socket: socket.socket | None = None
        self._protocol: Any = None
        self._buffer = bytearray(2048)

    async def gather(self) -> None:
        await self._gatherer.gather()

    def description(self, mid: str = "0", *, answers: bool = False) -> str:
        """Our SDP. An answer is the active DTLS side."""
        self._ice._connection.ice_controlling = not answers
        local, fingerprint = self._gatherer.getLocalParameters(), self._dtls.getLocalParameters().fingerprints[0]
        usable = [c for c in self._gatherer.getLocalCandidates() if c.type == self._wanted]
        candidates = "\n".join(f"a=candidate:{candidate_to_sdp(c)}" for c in usable)
        text = _DESCRIPTION.format(
            mid=mid,
            extensions=self._extensions,
            user=local.usernameFragment,
            password=local.password,
            candidates=candidates,
            fingerprint=f"{fingerprint.algorithm} {fingerprint.value}",
            setup="active" if answers else "actpass",
        )
        return text.replace("\n", "\r\n")

    async def connect(self, media: MediaDescription) -> None:
        """ICE and DTLS with the other side; afterwards its datagrams are ours to sweep."""
        assert media.ice is not None and media.dtls is not None
        for candidate in media.ice_candidates:
            await self._ice.addRemoteCandidate(candidate)
        await self._ice.addRemoteCandidate(None)
        await self._ice.start(media.ice)
        self._dtls._set_role("server" if media.dtls.role == "client" else "client")
        await self._dtls.start(RTCDtlsParameters(fingerprints=media.dtls.fingerprints))
        if self._dtls.state != "connected":
            raise ConnectionError(f"DTLS is {self._dtls.state}")
        pair = self._ice._connection._nominated[1]
        self._protocol = pair.protocol
        if pair.local_candidate.type != self._wanted:
            raise ConnectionError(f"connected by a {pair.local_candidate.type} candidate")
        if self._wanted == "relay":
            self._read_as_it_comes()
            return
        descriptor = self._protocol.transport.get_extra_info("socket").fileno()
        asyncio.get_running_loop()._remove_reader(descriptor)  # type: ignore[attr-defined]
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)

    def _read_as_it_comes(self) -> None:
        others = self._protocol.datagram_received

        def take(data: bytes, address: tuple[str, int]) -> None:
            if not 128 <= data[0] < 192:
                others(data, address)
            elif not 192 <= data[1] < 224:
                self.count.take(data, time.monotonic())

        self._protocol.datagram_received = take

    def sweep(self, now: float) -> None:
        """Take all that has come."""
        if self._socket is None:
            return
        receive, buffer, take = self._socket.recvfrom_into, self._buffer, self.count.take
        try:
            while True:
                size, address = receive(buffer)
                if 128 <= buffer[0] < 192:
                    if not 192 <= buffer[1] < 224:
                        take(buffer, now)
                else:
                    self._protocol.datagram_received(bytes(buffer[:size]), address)
        except BlockingIOError:
            pass

    async def report(self) -> None:
        """A receiver report (RFC 3550, 6.4.2)."""
        count = self.count
        if count.ssrc:
            lost, highest = count.fraction_lost(), count.highest & 0xFFFFFFFF
            info = RtcpReceiverInfo(count.ssrc, lost, len(count.missing), highest, 0, 0, 0)
            await self._send(bytes(RtcpRrPacket(ssrc=1, reports=[info])))

    async def ask_again(self, now: float) -> None:
        """A generic NACK for what is missing (RFC 4585, 6.2.1)."""
        missing = self.count.missing
        due = [number for number, (at, asked) in missing.items() if at <= now and asked < _MOST_ASKED][:200]
        if due:
            missing.update({number: (now + _NACK_AGAIN_SECONDS, missing[number][1] + 1) for number in due})
            lost = [number & 0xFFFF for number in due]
            await self._send(bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=self.count.ssrc, lost=lost)))

    async def close(self, *, say_so: bool = True) -> None:
        """Say good-bye (DTLS close_notify), or do not, and close."""
        if self._socket is not None:
            self._socket.close()
        if say_so:
            await self._dtls.stop()
        await self._ice.stop()

    async def _send(self, packet: bytes) -> None:
        try:
            await self._dtls._send_rtp(packet)
        except ConnectionError:
            pass  # the sender has gone; the account says so


@contextmanager
def gathering_only(*hosts: str) -> Iterator[None]:
    """Every aioice agent of this process has candidates of `hosts` alone; by itself it leaves loopback out."""
    before = aioice.ice.get_host_addresses
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: list(hosts)
    try:
        yield
    finally:
        aioice.ice.get_host_addresses = before


class Receivers:
    """The receivers of this process, swept together."""

    def __init__(self, cipher: str, host: str | None, turn: tuple[int, str, str] | None) -> None:
        self._cipher = cipher
        self._turn = turn
        self._certificate = RTCCertificate.generateCertificate()
        self._all: list[LightReceiver] = []
        self._gathering = ExitStack()  # for as long as the process runs
        if host is not None:
            self._gathering.enter_context(gathering_only(host))

    async def open_whep(self, url: str, name: str = "", *, extensions: bool = False) -> None:
        """Connect one more viewer by WHEP; `name` is whom the sender shall take it for."""
        receiver = LightReceiver(self._certificate, self._cipher, extensions=extensions, turn=self._turn)
        await receiver.gather()
        headers = {"content-type": "application/sdp", "haechi-viewer": name}
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
            response = await http.post(url, content=receiver.description(), headers=headers)
        if response.status_code != 201:
            raise RuntimeError(f"{url}: {response.status_code} {response.text}")
        await receiver.connect(SessionDescription.parse(response.text).media[0])
        self.add(receiver)

    def new(self) -> LightReceiver:
        """One that is connected by other means; `add` it then."""
        return LightReceiver(self._certificate, self._cipher)

    def add(self, receiver: LightReceiver) -> None:
        self._all.append(receiver)

    def mark(self) -> None:
        self.sweep()
        for receiver in self._all:
            receiver.count.mark()

    async def accounts(self) -> list[Account]:
        """Of what has come until now; what is missing has some seconds to come yet, but is not among `packets`."""
        self.sweep()
        packets = [receiver.count.account().packets for receiver in self._all]
        ends = [(receiver.count, receiver.count.highest) for receiver in self._all]
        deadline = time.monotonic() + _REPAIR_SECONDS
        while time.monotonic() < deadline and any(one.missing_up_to(end) for one, end in ends):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        accounts = [count.account(end) for count, end in ends]
        return [replace(one, packets=came) for one, came in zip(accounts, packets, strict=True)]

    def sweep(self) -> None:
        now = time.monotonic()
        for receiver in self._all:
            receiver.sweep(now)

    async def run(self) -> None:
        """Sweep, report and ask until cancelled."""
        reported = time.monotonic()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.sweep()
            now = time.monotonic()
            for receiver in self._all:
                if receiver.count.missing:
                    await receiver.ask_again(now)
            if now - reported >= _REPORT_SECONDS:
                reported = now
                for receiver in self._all:
                    await receiver.report()

    async def close(self) -> None:
        await asyncio.gather(*(receiver.close() for receiver in self._all))


class ReceiverProcess:
    """A process of light receivers. `async with`; every call waits for its answer."""

    def __init__(
        self, *, cipher: str = "gcm", host: str | None = "127.0.0.1", turn: tuple[int, str, str] | None = None
    ) -> None:
        self._arguments = {"cipher": cipher, "host": host, "turn": turn}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> ReceiverProcess:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.light_receivers", json.dumps(self._arguments)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 30)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def connect(self, url: str, count: int, name: str = "", *, extensions: bool = False) -> None:
        """`count` more viewers by WHEP, one after the other."""
        await self._ask(do="whep", url=url, count=count, name=name, extensions=extensions)

    async def connect_janus(self, url: str, count: int) -> None:
        """`count` more viewers of Janus' first mountpoint."""
        await self._ask(do="janus", url=url, count=count)

    async def mark(self) -> None:
        """Begin to count."""
        await self._ask(do="mark")

    async def accounts(self) -> list[Account]:
        """What each receiver has seen since `mark`."""
        return [Account(**one) for one in (await self._ask(do="accounts"))["accounts"]]

    async def _ask(self, **command: object) -> dict[str, Any]:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(command).encode() + b"\n")
        answer = await process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the receivers ended at {command}")
        told: dict[str, Any] = json.loads(answer)
        return told


async def _commands(arguments: dict[str, Any], connect_janus: Callable[..., Any]) -> None:
    receivers = Receivers(arguments["cipher"], arguments["host"], arguments["turn"])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = asyncio.create_task(receivers.run())
    while line := await reader.readline():
        command = json.loads(line)
        answer: dict[str, Any] = {}
        match command["do"]:
            case "whep":
                for _ in range(command["count"]):
                    await receivers.open_whep(command["url"], command["name"], extensions=command["extensions"])
            case "janus":
                await connect_janus(receivers, command["url"], command["count"])
            case "mark":
                receivers.mark()
            case "accounts":
                answer["accounts"] = [asdict(account) for account in await receivers.accounts()]
        print(json.dumps(answer), flush=True)
        if running.done():
            await running
    running.cancel()
    await receivers.close()


if __name__ == "__main__":
    from tests.janus import watch_mountpoint

    asyncio.run(_commands(json.loads(sys.argv[1]), watch_mountpoint))
