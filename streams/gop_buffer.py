"""A bounded ring of access units of one stream. Readers are cursors; a slow one harms only itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice

from streams.access_unit import AccessUnit


class StreamEnded(Exception):
    """The buffer was closed; no more access units will come."""


class GopBuffer:
    """Keeps the newest access units of one stream, at most `max_bytes` (and the newest unit, however large).

    A GOP that outgrows the ring loses its key frame: `last_key_index` is None then, there is no fast start. Every
    unit has an index that only grows. A reader that falls behind the oldest kept unit jumps to the next key frame
    and counts what it lost. `append` never waits. Not thread safe: one event loop owns it.
    """

    def __init__(self, max_bytes: int = 8 * 1024 * 1024) -> None:
        self.max_bytes = max_bytes
        self.byte_count = 0
        self.closed = False
        self._units: deque[AccessUnit] = deque()
        self._key_indices: deque[int] = deque()
        self._first_index = 0
        self._waiters: set[asyncio.Future[None]] = set()
        self._listeners: dict[object, Callable[[int, AccessUnit], None]] = {}
        self._onlookers: set[object] = set()
        self.on_urgency: Callable[[bool], None] = lambda is_urgent: None

    @property
    def next_index(self) -> int:
        """Index the next appended unit will have."""
        return self._first_index + len(self._units)

    @property
    def first_index(self) -> int:
        """Index of the oldest unit kept."""
        return self._first_index

    @property
    def last_key_index(self) -> int | None:
        """Index of the newest key frame kept, None when there is none (or its GOP outgrew the ring)."""
        return self._key_indices[-1] if self._key_indices else None

    def append(self, unit: AccessUnit) -> None:
        """Add `unit`, drop the oldest over the bound, wake readers."""
        index = self.next_index
        self._units.append(unit)
        self.byte_count += unit.size
        if unit.is_key:
            self._key_indices.append(index)
        while self.byte_count > self.max_bytes and len(self._units) > 1:
            self.byte_count -= self._units.popleft().size
            self._first_index += 1
            if self._key_indices and self._key_indices[0] < self._first_index:
                self._key_indices.popleft()
        if self._listeners:
            for listener in tuple(self._listeners.values()):  # one may leave while it is called
                listener(index, unit)
        if self._waiters:
            self._wake()

    def get(self, index: int) -> AccessUnit | None:
        """The unit at `index`, None when it is no longer or not yet kept."""
        offset = index - self._first_index
        return self._units[offset] if 0 <= offset < len(self._units) else None

    def current_gop(self) -> list[AccessUnit]:
        """Units from the newest key frame on; empty when there is none."""
        key = self.last_key_index
        return [] if key is None else list(islice(self._units, key - self._first_index, None))

    def units_since(self, received_ns: int) -> list[AccessUnit]:
        """Units from the newest key frame that came at or before then; from the oldest kept when all are newer."""
        key: int | None = None
        for index in reversed(self._key_indices):
            key = index
            if self._units[index - self._first_index].received_ns <= received_ns:
                break
        return [] if key is None else list(islice(self._units, key - self._first_index, None))

    def key_index_at_or_after(self, index: int) -> int | None:
        """First key frame at or after `index` that is still kept."""
        return next((key for key in self._key_indices if key >= index), None)

    def reader(self, *, from_key: bool = True) -> Reader:
        """A cursor at the newest key frame (`from_key`) or at the next unit."""
        start = self.last_key_index if from_key else None
        return Reader(self, self.next_index if start is None else start, at_key=from_key)

    def listen(self, listener: Callable[[int, AccessUnit], None]) -> Callable[[], None]:
        """Call `listener(index, unit)` for each new unit, in the loop, at once; returns how to stop it.

        For consumers that must not cost a task a stream (the relay's fan-out). A listener must not raise.
        """
        key = object()
        self._listeners[key] = listener

        def stop() -> None:
            self._listeners.pop(key, None)

        return stop

    @property
    def is_urgent(self) -> bool:
        """Whether somebody looks on, so that each picture is wanted at once."""
        return bool(self._onlookers)

    def look_on(self) -> Callable[[], None]:
        """Say that somebody looks on, live; returns how to stop it. `on_urgency` hears of the first and the last."""
        onlooker = object()
        self._onlookers.add(onlooker)
        if len(self._onlookers) == 1:
            self.on_urgency(True)

        def stop() -> None:
            if onlooker in self._onlookers:
                self._onlookers.remove(onlooker)
                if not self._onlookers:
                    self.on_urgency(False)

        return stop

    def close(self) -> None:
        """End all readers once they have read what is kept."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)


class Reader:
    """A cursor in a GopBuffer. `lost` counts units it had to pass over."""

    def __init__(self, buffer: GopBuffer, index: int, *, at_key: bool) -> None:
        self._buffer = buffer
        self._index = index
        self._needs_key = at_key
        self.lost = 0

    @property
    def index(self) -> int:
        """Index of the next unit it will return."""
        return self._index

    async def next(self) -> AccessUnit:
        """The next unit; after a loss, the next key frame. Raises StreamEnded."""
        while True:
            unit = self.next_nowait()
            if unit is not None:
                return unit
            if self._buffer.closed:
                raise StreamEnded
            await self._buffer._wait()

    def next_nowait(self) -> AccessUnit | None:
        """Like `next`, None when nothing is there yet."""
        buffer = self._buffer
        if self._index < buffer.first_index:
            self._needs_key = True
            key = buffer.key_index_at_or_after(buffer.first_index)
            target = buffer.next_index if key is None else key
            self.lost += target - self._index
            self._index = target
        while (unit := buffer.get(self._index)) is not None:
            self._index += 1
            if unit.is_key or not self._needs_key:
                self._needs_key = False
                return unit
            self.lost += 1
        return None
