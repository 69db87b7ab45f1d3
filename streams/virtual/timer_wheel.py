"""One timer for many things that are due again and again (a timer wheel: Varghese and Lauck, 1987)."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

_ROUNDING_SECONDS = 0.0005
"""uvloop's timers count whole milliseconds, rounded; without this a sweep would come early and spin."""


class Due(Protocol):
    """Does what is due at `now` (`time.monotonic()`) and says when it is due next, or None to be let go."""

    def run(self, now: float) -> float | None: ...


class TimerWheel:
    """Runs its items in sweeps `tick_seconds` apart; sweeps with nothing due are left out.

    An item may be run before it is due (the wheel turns in `tick_seconds * slots`); it then only answers when.
    """

    def __init__(self, tick_seconds: float = 0.002, slots: int = 1024) -> None:
        self._loop = asyncio.get_running_loop()
        self._tick_seconds = tick_seconds
        self._slots: list[list[Due]] = [[] for _ in range(slots)]
        self._swept_tick = int(time.monotonic() / tick_seconds)
        self._armed_tick = 0
        self._handle: asyncio.TimerHandle | None = None
        self._sweeping = False
        self.item_count = 0
        self.late_seconds_max = 0.0

    def add(self, item: Due, due: float) -> None:
        """Run `item` at `due`, `time.monotonic()` seconds."""
        self.item_count += 1
        tick = self._place(item, due)
        if not self._sweeping and (self._handle is None or tick < self._armed_tick):
            self._arm(tick)

    def close(self) -> None:
        """Stop; items are forgotten."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._slots = [[] for _ in self._slots]
        self.item_count = 0

    def _place(self, item: Due, due: float) -> int:
        if self.item_count == 1 and not self._sweeping:
            self._swept_tick = int(time.monotonic() / self._tick_seconds)
        tick = min(max(int(due / self._tick_seconds) + 1, self._swept_tick + 1), self._swept_tick + len(self._slots))
        self._slots[tick % len(self._slots)].append(item)
        return tick

    def _arm(self, tick: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_tick = tick
        delay = tick * self._tick_seconds - time.monotonic()
        self._handle = self._loop.call_later(max(delay, 0.0) + _ROUNDING_SECONDS, self._sweep)

    def _sweep(self) -> None:
        self._handle = None
        self._sweeping = True
        now = time.monotonic()
        late = now - self._armed_tick * self._tick_seconds
        if late > self.late_seconds_max:
            self.late_seconds_max = late
        slots, last = self._slots, int((now + _ROUNDING_SECONDS) / self._tick_seconds)
        while self._swept_tick < last:
            self._swept_tick += 1
            index = self._swept_tick % len(slots)
            items, slots[index] = slots[index], []
            for item in items:
                due = item.run(now)
                if due is None:
                    self.item_count -= 1
                else:
                    self._place(item, due)
        self._sweeping = False
        if self.item_count:
            size = len(slots)
            self._arm(next(tick for tick in range(last + 1, last + size + 1) if slots[tick % size]))
