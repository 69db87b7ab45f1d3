"""When each viewer may send: at once what fits its bucket, the rest in small steps, nobody for long."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol

SLICE_NS = 2_000_000  # the loop is given back after so long
STEP_SECONDS = 0.002
BUCKET_BYTES = 64 * 1228  # what a receiver's default socket buffer takes at once with room to spare
FULL_BYTES_PER_SECOND = 12_500_000
_NARROW_BYTES = 8 * 1228.0
LEAST_BYTES_PER_SECOND = 625_000


class Bucket:
    """A token bucket of bytes. Losses halve its rate; quiet doubles it back."""

    def __init__(self) -> None:
        self.rate = float(FULL_BYTES_PER_SECOND)
        self.bytes = float(BUCKET_BYTES)
        self._filled_ns = 0
        self._limit: float | None = None

    def fill(self, now_ns: int) -> None:
        """Add what was earned since the last time."""
        if self._filled_ns:
            rate = self.rate if self._limit is None else min(self.rate, self._limit)
            earned = (now_ns - self._filled_ns) * rate / 1e9
            self.bytes = min(float(BUCKET_BYTES), self.bytes + earned)
        self._filled_ns = now_ns

    def limit(self, bytes_per_second: float | None) -> None:
        """Send no faster than a way that is known to be narrow carries; None: it is not."""
        self._limit = bytes_per_second
        if bytes_per_second is not None:
            self.bytes = min(self.bytes, _NARROW_BYTES)

    def slow_down(self) -> None:
        self.rate = max(float(LEAST_BYTES_PER_SECOND), self.rate / 2)

    def speed_up(self) -> None:
        self.rate = min(float(FULL_BYTES_PER_SECOND), self.rate * 2)


class Drainable(Protocol):
    def drain(self, now_ns: int) -> bool:
        """Send what may be sent now. True when more waits for its time."""


class Pacer:
    """Drains viewers in turn, in slices of the loop; each waits in here once, so it is bounded by their number."""

    def __init__(self) -> None:
        self._ready: deque[Drainable] = deque()
        self._waiting: dict[Drainable, None] = {}
        self._queued: set[Drainable] = set()
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None

    def ready(self, viewer: Drainable) -> None:
        """`viewer` has something to send."""
        if viewer not in self._queued:
            self._queued.add(viewer)
            self._ready.append(viewer)
            if self._soon is None:
                self._soon = asyncio.get_running_loop().call_soon(self._run)

    def forget(self, viewer: Drainable) -> None:
        """`viewer` has ended."""
        if viewer in self._queued:
            self._queued.discard(viewer)
            self._waiting.pop(viewer, None)
            if viewer in self._ready:
                self._ready.remove(viewer)

    def close(self) -> None:
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        self._ready.clear()
        self._waiting.clear()
        self._queued.clear()

    def _run(self) -> None:
        self._soon = None
        now_ns = time.monotonic_ns()
        deadline_ns = now_ns + SLICE_NS
        while self._ready and now_ns < deadline_ns:
            viewer = self._ready.popleft()
            if viewer.drain(now_ns):
                self._waiting[viewer] = None
            else:
                self._queued.discard(viewer)
            now_ns = time.monotonic_ns()
        loop = asyncio.get_running_loop()
        if self._ready:
            self._soon = loop.call_soon(self._run)
        if self._waiting and self._timer is None:
            self._timer = loop.call_later(STEP_SECONDS, self._resume)

    def _resume(self) -> None:
        self._timer = None
        self._ready.extend(self._waiting)
        self._waiting.clear()
        if self._ready and self._soon is None:
            self._run()
