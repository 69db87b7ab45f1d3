from __future__ import annotations

import pytest

from streams.utc_clock import UtcClock

SECOND = 1_000_000_000


class Clocks:
    """A simulated machine: a monotonic clock and a system clock that somebody sets."""

    def __init__(self) -> None:
        self.monotonic = 5 * SECOND
        self.ahead = 1_700_000_000 * SECOND

    def monotonic_ns(self) -> int:
        return self.monotonic

    def system_ns(self) -> int:
        return self.monotonic + self.ahead


def test_small_corrections_are_slewed_and_time_never_runs_backwards() -> None:
    clocks = Clocks()
    clock = UtcClock(clocks.monotonic_ns, clocks.system_ns)
    clocks.ahead -= SECOND
    last = clock.utc_ns(clocks.monotonic)
    for _ in range(3000):
        clocks.monotonic += SECOND
        now = clock.utc_ns(clocks.monotonic)
        assert SECOND * 0.9994 < now - last <= SECOND
        last = now
    assert last == clocks.system_ns()


def test_a_clock_that_was_set_by_hours_is_followed_at_once(caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks()
    clock = UtcClock(clocks.monotonic_ns, clocks.system_ns)
    clocks.ahead += 3600 * SECOND
    clocks.monotonic += 2 * SECOND
    assert clock.utc_ns(clocks.monotonic) == clocks.system_ns()
    assert "was set by" in caplog.text


def test_an_earlier_monotonic_time_gives_the_earlier_utc() -> None:
    clocks = Clocks()
    clock = UtcClock(clocks.monotonic_ns, clocks.system_ns)
    assert clock.utc_ns(clocks.monotonic - SECOND) == clocks.system_ns() - SECOND
