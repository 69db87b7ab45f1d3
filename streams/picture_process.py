"""The packets process's side of its child, the pictures process: start it, feed it, hear it, replace it.

Nothing here ever waits for the child: what it has not consumed is bounded in bytes and in age, and over the bound
`offer` says no. Its death costs analysis only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from detectors.event import Event
from streams import picture_link
from streams.access_unit import AccessUnit
from streams.picture_link import Hello, Kind, PictureStats, RecordParser, WatchOrder
from streams.records import LinkError, LinkProtocol
from streams.utc_clock import UtcClock

log = logging.getLogger(__name__)

PictureState = Literal["starting", "running", "down"]

STOP_SECONDS = 2.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class PicturesFailed(Exception):
    """The pictures process ended or stopped answering."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What the child may have unconsumed: `max_bytes` in all, a quarter of it a camera, nothing over `max_seconds`.

    A child that says nothing for `silent_seconds` (`start_seconds` until it is ready) is killed.
    """

    max_bytes: int = 8 * 1024 * 1024
    max_seconds: float = 3.0
    silent_seconds: float = 30.0
    start_seconds: float = 120.0


class Window:
    """Access units sent and not yet consumed; the child consumes in the order of sending."""

    def __init__(self, limits: PictureLimits, cameras: int) -> None:
        self.byte_count = 0
        self.cameras = cameras
        self._limits = limits
        self._in_flight: deque[tuple[int, int, float]] = deque()
        self._camera_bytes: dict[int, int] = {}

    def has_room(self, camera_index: int, size: int, now: float) -> bool:
        """Whether `size` bytes of a camera may be sent at `now` (time.monotonic())."""
        if not self._in_flight:
            return True
        camera_max_bytes = self._limits.max_bytes if self.cameras <= 4 else self._limits.max_bytes // 4
        return (
            self.byte_count + size <= self._limits.max_bytes
            and self._camera_bytes.get(camera_index, 0) + size <= camera_max_bytes
            and now - self._in_flight[0][2] <= self._limits.max_seconds
        )

    def sent(self, camera_index: int, size: int, now: float) -> None:
        self._in_flight.append((camera_index, size, now))
        self._camera_bytes[camera_index] = self._camera_bytes.get(camera_index, 0) + size
        self.byte_count += size

    def consumed(self, units: int) -> None:
        """Raises LinkError when more are consumed than were sent."""
        if units > len(self._in_flight):
            raise LinkError(f"credit for {units} units while {len(self._in_flight)} are in flight")
        for _ in range(units):
            camera_index, size, _ = self._in_flight.popleft()
            left = self._camera_bytes[camera_index] - size
            if left:
                self._camera_bytes[camera_index] = left
            else:
                del self._camera_bytes[camera_index]
            self.byte_count -= size


class PictureProcess:
    """Run `run` under a supervisor; each run is one child.

    `clock` gives the UTC of a picture's arrival. `hello` says what to watch, asked anew for each child; what it says is
    sent before anything else can happen in the loop, and `watch` and `unwatch` tell of changes from then on. `on_event`
    gets each event with its snapshot (JPEG). `on_ready` is called when a new child is ready for access units, `on_gone`
    when there is none any more. `fault` says why there is none that runs, empty while one does.
    """

    def __init__(
        self,
        clock: UtcClock,
        hello: Callable[[], Awaitable[Hello]],
        *,
        on_event: Callable[[Event, bytes], None],
        on_ready: Callable[[], None],
        on_gone: Callable[[], None],
        limits: PictureLimits | None = None,
    ) -> None:
        self._clock = clock
        self._hello = hello
        self._on_event = on_event
        self._on_ready = on_ready
        self._on_gone = on_gone
        self._limits = limits or PictureLimits()
        self._window = Window(self._limits, 1)
        self._indexes: set[int] = set()
        self._transport: asyncio.WriteTransport | None = None
        self._heard_at = 0.0
        self._told = ""
        self._attention: frozenset[str] = frozenset()
        self.state: PictureState = "down"
        self.pid: int | None = None
        self.starts = 0
        self.stats: PictureStats | None = None
        self.fault = ""

    def offer(self, camera_index: int, unit: AccessUnit) -> bool:
        """Send an access unit down; False when there is no room or no child. Never waits."""
        transport = self._transport
        if transport is None or self.state != "running":
            return False
        now = time.monotonic()
        if not self._window.has_room(camera_index, unit.size, now):
            return False
        captured_us = self._clock.utc_ns(unit.received_ns) // 1000
        transport.write(picture_link.encode_unit(camera_index, unit, captured_us))
        self._window.sent(camera_index, unit.size, now)
        return True

    @property
    def is_told(self) -> bool:
        """Whether there is a child that has been told what to watch."""
        return self._transport is not None

    def watch(self, order: WatchOrder) -> None:
        """A camera is to be watched, or its definition is another one."""
        if self._transport is not None:
            self._indexes.add(order.camera_index)
            self._window.cameras = len(self._indexes)
            self._transport.write(picture_link.encode_watch(order))

    def unwatch(self, camera_index: int) -> None:
        """A camera is not to be watched any more."""
        if self._transport is not None:
            self._indexes.discard(camera_index)
            self._window.cameras = len(self._indexes)
            self._transport.write(picture_link.encode_unwatch(camera_index))

    def pay_attention(self, camera_ids: frozenset[str]) -> None:
        """Cameras with an open incident; their turn at the detector comes more often."""
        if camera_ids != self._attention:
            self._attention = camera_ids
            self._send_attention()

    @property
    def unconsumed_bytes(self) -> int:
        return self._window.byte_count

    async def run(self) -> None:
        """One child, until it ends. Raises PicturesFailed, LinkError; when cancelled, ends the child first."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            process = await self._start(theirs.fileno())
            theirs.close()
            try:
                await self._serve(ours, process)
            except (PicturesFailed, LinkError) as error:
                self.fault = str(error)
                raise
            finally:
                self.state, self._transport = "down", None
                self._on_gone()
                await asyncio.shield(_end(process))
                self.pid = None

    async def _start(self, fd: int) -> asyncio.subprocess.Process:
        environment = {key: value for key, value in os.environ.items() if key != "HAECHI_WORKER_TOKEN"}
        environment |= dict.fromkeys(_THREAD_VARIABLES, "1")
        self.starts += 1
        self._told = ""
        self.state = "starting"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "streams.pictures",
            "--fd",
            str(fd),
            pass_fds=[fd],
            stdin=asyncio.subprocess.DEVNULL,
            env=environment,
        )
        self.pid = process.pid
        return process

    async def _serve(self, ours: socket.socket, process: asyncio.subprocess.Process) -> None:
        protocol = LinkProtocol(self._take, RecordParser())
        transport, _ = await asyncio.get_running_loop().create_unix_connection(lambda: protocol, sock=ours)
        self._heard_at = time.monotonic()
        try:
            hello = await self._hello()
            transport.write(picture_link.encode_hello(hello))
            self._indexes = {order.camera_index for order in hello.cameras}
            self._window = Window(self._limits, len(self._indexes))
            self._transport = transport
            await self._until_silent(protocol.closed)
        finally:
            self._transport = None
            transport.abort()
        status = await asyncio.wait_for(process.wait(), STOP_SECONDS)
        raise PicturesFailed(self._told or f"pictures process {process.pid} ended with status {status}")

    async def _until_silent(self, closed: asyncio.Future[None]) -> None:
        while not closed.done():
            silence = time.monotonic() - self._heard_at
            limit = self._limits.silent_seconds if self.state == "running" else self._limits.start_seconds
            if silence >= limit:
                raise PicturesFailed(f"pictures process {self.pid} has said nothing for {silence:.0f} s")
            await asyncio.wait([closed], timeout=min(1.0, limit - silence))
        closed.result()

    def _take(self, kind: Kind, body: bytes) -> None:
        """A record from the child. Raises LinkError."""
        self._heard_at = time.monotonic()
        if kind is Kind.CREDIT:
            self._window.consumed(picture_link.decode_credit(body))
        elif kind is Kind.EVENT:
            self._on_event(*picture_link.decode_event(body))
        elif kind is Kind.STATS:
            self.stats = picture_link.decode_stats(body)
            if self.state == "starting":
                self.state, self.fault = "running", ""
                self._send_attention()
                self._on_ready()
        elif kind is Kind.FAULT:
            self._told = picture_link.decode_fault(body)
        else:
            raise LinkError(f"{kind.name} record goes down, not up")

    def _send_attention(self) -> None:
        if self._transport is not None and self.state == "running":
            self._transport.write(picture_link.encode_attention(self._attention))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Its link is closed, so it ends by itself; if it does not, it is killed."""
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
