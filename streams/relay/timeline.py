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
    """Maps access units to RTP time stamps (90 kHz, 32 bits), offset at random (RFC 3550, 5.1).

    The clock is that of the moments at which pictures came: another stream or run goes on by the time that passed.
    Squeezed pictures do not move it, so going to and fro between streams does not add up.
    """

    def __init__(self) -> None:
        self._offset = 0
        self._source: tuple[object, int] | None = None
        self._last = secrets.randbits(32)
        self._clock = self._last
        self._clock_ns = 0
        self._last_pts = 0
        self._interval = _DEFAULT_INTERVAL_90K

    def live(self, unit: AccessUnit, stream: object) -> int:
        """Time stamp of a unit as it comes in. `stream` tells streams apart; another one or a new run goes on."""
        if self._source is None:
            self._offset = self._last + _DEFAULT_INTERVAL_90K - unit.pts_90k
        elif self._source != (stream, unit.run) or self._has_jumped(unit):
            self._offset = self._at(unit.received_ns) - unit.pts_90k
        elif 0 < unit.pts_90k - self._last_pts < 90_000:
            self._interval = unit.pts_90k - self._last_pts
        self._last = max(unit.pts_90k + self._offset, self._last + 1)
        self._note(unit, stream)
        return self._last & 0xFFFF_FFFF

    def squeezed(self, units: Sequence[AccessUnit], stream: object) -> list[int]:
        """Time stamps for a whole GOP sent at once: 1 ms steps that end at the live one, the last unit's.

        Where there is no room for that after what was sent already (a GOP sent again, another stream's), they fit
        between it and the next.
        """
        newest, count = units[-1], len(units)
        intervals = [later.pts_90k - earlier.pts_90k for earlier, later in itertools.pairwise(units)]
        if positive := [interval for interval in intervals if interval > 0]:
            self._interval = min(positive)
        if self._source is None:
            self._offset = self._last + STEP_90K * count - newest.pts_90k
        elif self._source != (stream, newest.run):
            self._offset = self._at(newest.received_ns) - newest.pts_90k
        room = max(newest.pts_90k + self._offset - self._last, self._interval // 2)
        step = max(1, min(STEP_90K, room // count))
        end = max(newest.pts_90k + self._offset, self._last + step * count)
        self._last = end
        self._note(newest, stream)
        return [(end - step * behind) & 0xFFFF_FFFF for behind in reversed(range(count))]

    def at(self, monotonic_ns: int) -> int:
        """The clock at a moment, for a sender report: that of the last picture when it came, and the time since."""
        return self._at(max(monotonic_ns, self._clock_ns)) & 0xFFFF_FFFF

    def _note(self, unit: AccessUnit, stream: object) -> None:
        self._source = (stream, unit.run)
        self._last_pts = unit.pts_90k
        self._clock, self._clock_ns = unit.pts_90k + self._offset, unit.received_ns

    def _at(self, monotonic_ns: int) -> int:
        return self._clock + (monotonic_ns - self._clock_ns) * 9 // 100_000

    def _has_jumped(self, unit: AccessUnit) -> bool:
        moved = unit.pts_90k + self._offset - self._at(unit.received_ns)
        return abs(moved) > _MOST_JUMP_90K
