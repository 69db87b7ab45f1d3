"""A bare RTSP client for tests: it hides nothing of what a server sends."""

from __future__ import annotations

import asyncio
import hashlib
import re
import struct
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet as it came. `arrived` is `time.monotonic()`."""

    channel: int
    sequence: int
    timestamp: int
    ssrc: int
    marker: bool
    payload: bytes
    arrived: float


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: str


@dataclass(slots=True)
class RtspProbe:
    """`async with RtspProbe(url)`; then `request`, `play`, `packets`."""

    url: str
    username: str | None = None
    password: str = ""
    reports: list[bytes] = field(default_factory=list)
    _sequence: int = 0
    _reader: asyncio.StreamReader = field(init=False)
    _writer: asyncio.StreamWriter = field(init=False)
    _early: list[Packet] = field(default_factory=list)

    async def __aenter__(self) -> RtspProbe:
        host, port = re.match(r"rtsp://([^:/]+):(\d+)/", self.url).groups()
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            pass

    def kill(self) -> None:
        """Lose the connection without TEARDOWN."""
        self._writer.transport.abort()

    async def request(self, method: str, url: str = "", **headers: str) -> Reply:
        """One request, answered once more with Digest when 401 asks for it."""
        reply = await self._exchange(method, url or self.url, headers)
        if reply.status == 401 and self.username is not None:
            challenge = reply.headers["www-authenticate"]
            authorization = self._digest(challenge, method, url or self.url)
            reply = await self._exchange(method, url or self.url, {**headers, "Authorization": authorization})
        return reply

    async def play(self, channel: int = 0) -> tuple[str, Reply]:
        """DESCRIBE, SETUP, PLAY; gives the session id and the PLAY reply."""
        assert (await self.request("DESCRIBE", Accept="application/sdp")).status == 200
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        setup = await self.request("SETUP", f"{self.url}/trackID=0", Transport=transport)
        assert setup.status == 200, setup
        session = setup.headers["session"].partition(";")[0]
        reply = await self.request("PLAY", Session=session)
        assert reply.status == 200, reply
        return session, reply

    async def packets(self, seconds: float) -> list[Packet]:
        """RTP packets of the next `seconds`; RTCP goes to `reports`. Ends early when the server closes."""
        found, self._early = self._early, []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._read_one(found)
        except (TimeoutError, asyncio.IncompleteReadError):
            return found

    async def _exchange(self, method: str, url: str, headers: dict[str, str]) -> Reply:
        self._sequence += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._sequence}", *(f"{k}: {v}" for k, v in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(20):
            while (reply := await self._read_one(self._early)) is None:
                pass
        return reply

    async def _read_one(self, found: list[Packet]) -> Reply | None:
        first = await self._reader.readexactly(1)
        if first != b"$":
            return await self._read_reply(first)
        channel, length = struct.unpack(">BH", await self._reader.readexactly(3))
        data = await self._reader.readexactly(length)
        if channel % 2:
            self.reports.append(data)
            return None
        _, second, sequence, timestamp, ssrc = struct.unpack(">BBHII", data[:12])
        marker = bool(second & 0x80)
        found.append(Packet(channel, sequence, timestamp, ssrc, marker, data[12:], time.monotonic()))
        return None

    async def _read_reply(self, first: bytes) -> Reply:
        head = (first + await self._reader.readuntil(b"\r\n\r\n")).decode()
        status_line, *lines = head.strip().split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(int(status_line.split()[1]), headers, body.decode())

    def _digest(self, challenge: str, method: str, url: str) -> str:
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.removeprefix("Digest ")))
        algorithm = hashlib.sha256 if fields.get("algorithm") == "SHA-256" else hashlib.md5

        def hashed(text: str) -> str:
            return algorithm(text.encode()).hexdigest()

        secret = hashed(f"{self.username}:{fields['realm']}:{self.password}")
        response = hashed(f"{secret}:{fields['nonce']}:{hashed(f'{method}:{url}')}")
        return (
            f'Digest username="{self.username}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
            f'uri="{url}", response="{response}"'
        )
