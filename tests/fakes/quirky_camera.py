"""A fake camera for quirks no real server at hand has: each answer can be replaced. Sends one GOP over and over."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.rtp import IDR, P_SLICE, PPS, SPS, Camera


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    uri: str
    headers: dict[str, str]
    connection: int


@dataclass
class QuirkyCamera:
    """`async with QuirkyCamera() as camera`. `answers[method](request)` gives the whole answer after the status line
    ("200 OK", header lines, body), None leaves the request without one. `requests` keeps what was asked."""

    answers: dict[str, Callable[[Request], str | None]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    public: str = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
    picture_seconds: float = 0.02
    connections: int = 0
    open_connections: int = 0
    most_connections: int = 0
    key_nal_units: tuple[bytes, ...] = (IDR,)
    tls: ssl.SSLContext | None = None
    cseq_offset: int = 0
    after_play: str = ""

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'rtsps' if self.tls else 'rtsp'}://127.0.0.1:{self.port}/live"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def asked(self, method: str) -> list[Request]:
        return [request for request in self.requests if request.method == method]

    def description(self, control: str = "trackID=1") -> str:
        sets = ",".join(base64.b64encode(nal).decode() for nal in (SPS, PPS))
        return (
            "v=0\r\ns=-\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:{control}\r\n"
        )

    def default(self, request: Request) -> str:
        if request.method == "OPTIONS":
            return f"200 OK\r\nPublic: {self.public}\r\n\r\n"
        if request.method == "DESCRIBE":
            return with_body("200 OK\r\nContent-Type: application/sdp\r\n", self.description())
        if request.method == "SETUP":
            return "200 OK\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 42;timeout=60\r\n\r\n"
        return "200 OK\r\nSession: 42\r\n\r\n"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        self.most_connections = max(self.most_connections, self.open_connections)
        sender: asyncio.Task[None] | None = None
        try:
            while request := await self._read(reader, self.connections):
                self.requests.append(request)
                answer = self.answers.get(request.method, self.default)(request)
                if answer is not None:
                    status, _, rest = answer.partition("\r\n")
                    sequence = int(request.headers["cseq"]) + self.cseq_offset
                    writer.write(f"RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n{rest}".encode())
                if request.method == "PLAY" and answer and answer.startswith("200"):
                    sender = asyncio.create_task(self._send(writer))
                    writer.write(self.after_play.encode())
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            writer.close()
            if sender is not None:
                sender.cancel()
                await asyncio.wait({sender})

    async def _read(self, reader: asyncio.StreamReader, connection: int) -> Request | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.strip().split("\r\n")
        method, uri, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Request(method, uri, headers, connection)

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        source = Camera()
        while True:
            for number in range(10):
                writer.write(source.picture(*(() if number else self.key_nal_units), P_SLICE))
                await asyncio.sleep(self.picture_seconds)


def with_body(head: str, body: str) -> str:
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}"
