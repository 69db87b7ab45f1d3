"""Which part of a looping clip a virtual camera shows at a time. Pure, so that scoring code can use it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class LoopTimeline:
    """A mount's clock: position = (time - started_at + phase_seconds) mod duration_seconds.

    `started_at` is aware UTC, the server's start. Positions are seconds from the clip's first picture.
    """

    started_at: datetime
    duration_seconds: float
    phase_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.started_at.tzinfo is None:
            raise ValueError("started_at must be an aware time")
        if not self.duration_seconds > 0:
            raise ValueError("duration_seconds must be positive")

    def elapsed_seconds(self, at: datetime) -> float:
        """Media seconds since the start of loop 0; grows without wrapping, negative before it."""
        return (at - self.started_at).total_seconds() + self.phase_seconds

    def position_seconds(self, at: datetime) -> float:
        """Where in the clip the camera is at `at`, 0 <= position < duration_seconds."""
        return self.elapsed_seconds(at) % self.duration_seconds

    def loop_number(self, at: datetime) -> int:
        """How many whole loops lie before `at`."""
        return math.floor(self.elapsed_seconds(at) / self.duration_seconds)

    def time_of(self, loop_number: int, position_seconds: float) -> datetime:
        """When `position_seconds` of loop `loop_number` is shown."""
        elapsed = loop_number * self.duration_seconds + position_seconds
        return self.started_at + timedelta(seconds=elapsed - self.phase_seconds)

    def occurrences(self, position_seconds: float, since: datetime, until: datetime) -> Iterator[datetime]:
        """Each time in [since, until) at which the clip passes `position_seconds`."""
        loop_number = math.ceil((self.elapsed_seconds(since) - position_seconds) / self.duration_seconds - 1e-9)
        while (at := self.time_of(loop_number, position_seconds)) < until:
            if at >= since:
                yield at
            loop_number += 1
