"""UTC for stored times: it follows the system's clock but never jumps for small corrections, nor runs backwards."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

_SLEW_PER_SECOND = 500e-6
_STEP_NS = 60 * 1_000_000_000


class UtcClock:
    """UTC of monotonic times. Anchored when made, then slewed towards the system's clock by 500 µs a second at most.

    A difference of more than a minute (a server that started without time) is taken over at once and logged.
    """

    def __init__(
        self, monotonic_ns: Callable[[], int] = time.monotonic_ns, system_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._system_ns = system_ns
        self._adjusted_ns = monotonic_ns()
        self._offset_ns = system_ns() - self._adjusted_ns

    def utc_ns(self, monotonic_ns: int) -> int:
        """Nanoseconds since 1970 UTC at the monotonic time `monotonic_ns` (of now or lately)."""
        now_ns = self._monotonic_ns()
        elapsed_ns = now_ns - self._adjusted_ns
        if elapsed_ns >= 1_000_000_000:
            self._adjusted_ns = now_ns
            self._approach(self._system_ns() - now_ns - self._offset_ns, int(elapsed_ns * _SLEW_PER_SECOND))
        return monotonic_ns + self._offset_ns

    def _approach(self, difference_ns: int, limit_ns: int) -> None:
        if abs(difference_ns) > _STEP_NS:
            logger.warning("the system's clock was set by %.0f s; stored times follow", difference_ns / 1e9)
            self._offset_ns += difference_ns
        else:
            self._offset_ns += max(-limit_ns, min(limit_ns, difference_ns))
