"""What is known of a stream: state, reason, counters."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from operator import add
from typing import Literal

from config.settings import StreamName
from streams.access_unit import Codec

StreamState = Literal["connecting", "live", "stalled", "backing_off", "disabled"]


@dataclass(frozen=True, slots=True)
class StreamCounts:
    """Totals over all sessions of a stream. `attempts` counts connections tried, `sessions` those that played."""

    attempts: int = 0
    sessions: int = 0
    packets: int = 0
    bytes: int = 0
    access_units: int = 0
    key_frames: int = 0
    lost_packets: int = 0
    damaged_units: int = 0
    malformed: int = 0
    resynchronisations: int = 0
    clock_jumps: int = 0
    reordered_units: int = 0

    def plus(self, more: StreamCounts) -> StreamCounts:
        """Both together."""
        return StreamCounts(*map(add, dataclasses.astuple(self), dataclasses.astuple(more)))


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream now. Times are aware UTC.

    `reason` is for people, empty while all is well; `next_attempt_at` is known while it backs off. `run` is the
    number of the last session. `has_fast_start`: the ring holds a key frame to start from. `is_reordered`: the session
    has B frames. `wall_clock_offset_seconds` is the camera's clock minus ours. `others_offered` names what else the
    camera offers and nobody takes (audio).
    """

    camera_id: str
    stream: StreamName
    state: StreamState
    reason: str
    since: datetime
    next_attempt_at: datetime | None
    run: int
    codec: Codec | None
    width: int | None
    height: int | None
    last_picture_at: datetime | None
    wall_clock_offset_seconds: float | None
    has_fast_start: bool
    is_reordered: bool
    others_offered: tuple[str, ...]
    counts: StreamCounts
