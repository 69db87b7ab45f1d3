"""The RTP clock of one viewer: it only goes forward, over gaps, new runs and changes of stream."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence

from streams.access_unit import AccessUnit

STEP_90K = 90  # 1 ms between the pictures of a fast start
_DEFAULT_INTERVAL_90K = 3000
_MOST_JUMP_90K = 10 * 90_000


class Timeline:
    """Maps access units to RTP time stamps (90 kHz, 32 bits), offset at random (RFC 3550, 5.1)."""

    def __init__(self) -> None:
        self._offset = 0
        self._source: tuple[object, int] | None = None
        self._last = secrets.randbits(32)
        self._last_pts = 0
        self._last_received_ns = 0
        self._interval = _DEFAULT_INTERVAL_90K

    def live(self, unit: AccessUnit, stream: object) -> int:
        """Time stamp of a unit as it comes in. `stream` tells streams apart; another one or a new run goes on."""
        if self._source != (stream, unit.run) or self._has_jumped(unit):
            elapsed = self._elapsed_90k(unit.received_ns) if self._source else _DEFAULT_INTERVAL_90K
            self._offset = self._last + max(elapsed, self._interval) - unit.pts_90k
        elif 0 < unit.pts_90k - self._last_pts < 90_000:
            self._interval = unit.pts_90k - self._last_pts
        self._last = max(unit.pts_90k + self._offset, self._last + 1)
        self._note(unit, stream)
        return self._last & 0xFFFF_FFFF

    def squeezed(self, units: Sequence[AccessUnit], stream: object) -> list[int]:
        """Time stamps for a whole GOP sent at once: 1 ms steps that end at the live one, the last unit's.

        Where the live one was sent already (a GOP sent again), they fit between it and the next.
        """
        newest = units[-1]
        intervals = [later.pts_90k - earlier.pts_90k for earlier, later in itertools.pairwise(units)]
        if positive := [interval for interval in intervals if interval > 0]:
            self._interval = min(positive)
        if self._source == (stream, newest.run) and newest.pts_90k + self._offset <= self._last:
            step = max(1, min(STEP_90K, self._interval // 2 // len(units)))
            first = self._last + step
        else:
            step = STEP_90K
            first = self._last + step
            if self._source is not None:
                first = max(first, self._last + self._elapsed_90k(newest.received_ns) - step * (len(units) - 1))
            self._offset = first + step * (len(units) - 1) - newest.pts_90k
        self._last = first + step * (len(units) - 1)
        self._note(newest, stream)
        return [(first + step * index) & 0xFFFF_FFFF for index in range(len(units))]

    def at(self, monotonic_ns: int) -> int:
        """The clock at a moment, for a sender report."""
        return (self._last + self._elapsed_90k(monotonic_ns)) & 0xFFFF_FFFF

    def _note(self, unit: AccessUnit, stream: object) -> None:
        self._source = (stream, unit.run)
        self._last_pts = unit.pts_90k
        self._last_received_ns = unit.received_ns

    def _elapsed_90k(self, monotonic_ns: int) -> int:
        return max(0, monotonic_ns - self._last_received_ns) * 9 // 100_000

    def _has_jumped(self, unit: AccessUnit) -> bool:
        moved = unit.pts_90k - self._last_pts
        return abs(moved - self._elapsed_90k(unit.received_ns)) > _MOST_JUMP_90K
