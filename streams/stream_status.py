"""What is known of a stream: state, reason, counters."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from config.settings import StreamName
from streams.access_unit import Codec
from streams.rtsp.client import RtspSession

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

    def plus(self, session: RtspSession) -> StreamCounts:
        """With what `session` counted."""
        receiver, assembler, connection = session.receiver, session.assembler, session.connection
        if receiver is None or assembler is None or connection is None:
            return self
        packets, units = receiver.counts, assembler.counts
        return dataclasses.replace(
            self,
            packets=self.packets + packets.packets,
            bytes=self.bytes + packets.bytes,
            access_units=self.access_units + units.units,
            key_frames=self.key_frames + units.key_frames,
            lost_packets=self.lost_packets + packets.lost,
            damaged_units=self.damaged_units + units.damaged_units,
            malformed=self.malformed + packets.malformed + units.malformed,
            resynchronisations=self.resynchronisations + connection.resynchronisations,
            clock_jumps=self.clock_jumps + assembler.timeline.jumps,
            reordered_units=self.reordered_units + units.reordered,
        )


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream now. Times are aware UTC.

    `reason` is for people, empty while all is well. `run` is the number of the last session. `has_fast_start`: the
    ring holds a key frame to start from. `is_reordered`: the session has B frames. `wall_clock_offset_seconds` is
    the camera's clock minus ours. `others_offered` names what else the camera offers and nobody takes (audio).
    """

    camera_id: str
    stream: StreamName
    state: StreamState
    reason: str
    since: datetime
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
