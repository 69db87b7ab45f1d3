"""RTP time stamps to `pts_90k`: unwrapped, and kept growing when the camera's clock jumps."""

from __future__ import annotations

_JUMP = 10 * 90_000  # a session without pictures for that long is torn down, so this is a clock that was set
_FIRST_STEP = 3_000


class Timeline:
    """Unwraps the 32-bit time stamps of one run, in decoding order. Time starts at the first stamp.

    A reordered picture (B frame) steps back, but never to before the picture that led ahead of the latest one. Any
    other step back, a step of over 10 s, and a key frame not later than all before it mean that the camera set its
    clock: time then goes on one picture after the latest one, and `jumps` counts it. `latest` is the largest so far.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self.latest = -1
        self._leader = -1  # the latest before `latest`
        self._last_stamp = -1
        self._pts = 0
        self._step = _FIRST_STEP
        self._is_broken = False

    def discontinue(self) -> None:
        """The next stamp has nothing to do with those before."""
        self._is_broken = True

    def unwrap(self, stamp: int, *, is_key: bool) -> int:
        """pts_90k of the picture with RTP time stamp `stamp`."""
        if self._last_stamp < 0:
            self._last_stamp = self._pts = self.latest = stamp
            return stamp
        step = (stamp - self._last_stamp + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
        self._last_stamp = stamp
        pts = self._pts + step if step else self._pts + 1  # two pictures with one stamp
        if self._is_broken or step > _JUMP or pts <= self._leader or (is_key and pts <= self.latest):
            self._is_broken = False
            pts = self.latest + self._step
            self.jumps += 1
        elif step > 0:
            self._step = min(step, 90_000)
        self._pts = pts
        if pts > self.latest:
            self._leader, self.latest = self.latest, pts
        return pts
