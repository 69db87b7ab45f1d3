"""RTP time stamps to `pts_90k`: unwrapped, and kept growing when the camera's clock jumps."""

from __future__ import annotations

_JUMP = 10 * 90_000  # a session without pictures for that long is torn down, so this is a clock that was set
_MAX_REORDERING = 2 * 90_000  # pictures come this much earlier than one before them at most (B frames)
_FIRST_STEP = 3_000


class Timeline:
    """Unwraps the 32-bit time stamps of one run, in decoding order.

    Time starts at the first stamp. Reordered pictures (B frames) may step back a little. A jump of over 10 s either
    way, a step back of over 2 s, or a key frame not later than all before it mean that the camera set its clock:
    time then goes on one picture after the latest one, and `jumps` counts it.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._last_stamp = -1
        self._pts = 0
        self.latest = -1
        self._step = _FIRST_STEP

    def unwrap(self, stamp: int, *, is_key: bool) -> int:
        """pts_90k of the picture with RTP time stamp `stamp`."""
        if self._last_stamp < 0:
            self._last_stamp = self._pts = self.latest = stamp
            return stamp
        step = (stamp - self._last_stamp + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
        pts = self._pts + step
        self._last_stamp = stamp
        if not -_MAX_REORDERING <= step <= _JUMP or (is_key and pts <= self.latest):
            pts = self.latest + self._step
            self.jumps += 1
        elif step > 0:
            self._step = min(step, 90_000)
        elif step == 0:
            pts += 1  # two pictures with one stamp
        self._pts = pts
        if pts > self.latest:
            self.latest = pts
        return pts
