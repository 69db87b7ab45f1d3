"""The packets process's side of the child that reads HLS and files: start it once wanted, hear it, replace it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable
from itertools import count

from config.settings import SourceSettings
from streams.access_unit import AccessUnit
from streams.records import LinkError, LinkProtocol, RecordParser
from streams.sources import link
from streams.sources.link import Ended, Kind
from streams.sources.session import SourceOptions, SourceSession

_STOP_SECONDS = 2.0
_SILENT_SECONDS = 30.0
_GONE = "the process that reads HLS and files ended; it is started again"


class SourcesFailed(Exception):
    """The child ended or stopped answering."""


class SourceProcess:
    """Run `run` under a supervisor; each run is one child, started when the first source is wanted.

    Its death ends the sessions it played, as a lost connection ends those of RTSP, and nothing else.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self.pid: int | None = None
        self.starts = 0
        self._settings = settings
        self._wanted = asyncio.Event()
        self._running = asyncio.Event()
        self._transport: asyncio.WriteTransport | None = None
        self._numbers = count()
        self._sessions: dict[int, SourceSession] = {}
        self._heard_at = 0.0

    def session(self, url: str, options: SourceOptions, on_unit: Callable[[AccessUnit], None]) -> SourceSession:
        """A session that is not yet open."""
        return SourceSession(url, options, self, on_unit)

    async def open(self, session: SourceSession) -> int:
        """Have it played once there is a child; its number."""
        self._wanted.set()
        await self._running.wait()
        assert self._transport is not None
        number = next(self._numbers)
        folder = self._settings.files_folder
        self._transport.write(link.encode(Kind.OPEN, session.order(number, str(folder) if folder else None)))
        self._sessions[number] = session
        return number

    def close(self, number: int) -> None:
        """What still comes of it is passed over."""
        if self._sessions.pop(number, None) is not None and self._transport is not None:
            self._transport.write(link.encode_close(number))

    async def run(self) -> None:
        """One child, until it ends. Raises SourcesFailed, LinkError; when cancelled, ends the child first."""
        await self._wanted.wait()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            process = await self._start(theirs.fileno())
            theirs.close()
            try:
                await self._serve(ours)
            finally:
                self._running.clear()
                self._transport = None
                self._end_sessions()
                await asyncio.shield(_end(process))
                self.pid = None

    async def _start(self, fd: int) -> asyncio.subprocess.Process:
        environment = {key: value for key, value in os.environ.items() if key != "HAECHI_WORKER_TOKEN"}
        self.starts += 1
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streams.sources", "--fd", str(fd)),
            pass_fds=[fd],
            stdin=asyncio.subprocess.DEVNULL,
            env=environment,
        )
        self.pid = process.pid
        return process

    async def _serve(self, ours: socket.socket) -> None:
        protocol = LinkProtocol(self._take, RecordParser(Kind))
        transport, _ = await asyncio.get_running_loop().create_unix_connection(lambda: protocol, sock=ours)
        self._heard_at = time.monotonic()
        try:
            self._transport = transport
            self._running.set()
            while not protocol.closed.done():
                silence = time.monotonic() - self._heard_at
                if silence > _SILENT_SECONDS:
                    raise SourcesFailed(f"process {self.pid} that reads sources has said nothing for {silence:.0f} s")
                await asyncio.wait([protocol.closed], timeout=1.0)
            protocol.closed.result()
            raise SourcesFailed(f"process {self.pid} that reads sources ended")
        finally:
            transport.abort()

    def _take(self, kind: Kind, body: bytes) -> None:
        """A record from the child. Raises LinkError."""
        self._heard_at = time.monotonic()
        if kind is Kind.ALIVE:
            return
        if kind is Kind.OPENED:
            opened = link.decode_opened(body)
            if opened.number in self._sessions:
                self._sessions[opened.number].take_opened(opened)
        elif kind is Kind.ENDED:
            ended = link.decode_ended(body)
            if ended.number in self._sessions:
                self._sessions.pop(ended.number).take_ended(ended)
        elif kind in (Kind.UNIT, Kind.NOTE):
            session = self._sessions.get(link.decode_number(body))
            if session is not None and kind is Kind.UNIT:
                session.take_unit(body)
            elif session is not None:
                session.take_note(link.decode_note(body))
        else:
            raise LinkError(f"{kind.name} record goes down, not up")

    def _end_sessions(self) -> None:
        for number, session in self._sessions.items():
            session.take_ended(Ended(number=number, kind="disconnected", reason=_GONE))
        self._sessions.clear()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Its link is closed, so it ends by itself; if it does not, it is killed."""
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
