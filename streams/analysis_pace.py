"""When a picture is looked at: media time made continuous, the camera's turn, and the pace the machine affords."""

from __future__ import annotations

_JUMP_NS = 2_000_000_000


class MediaTime:
    """Continues media time over a new run: rules count seconds, and a camera that reconnects starts its pts anywhere.

    While pts and the server's monotonic clock advance alike, pts rules (no jitter); where they part by over two
    seconds, the server's clock bridges the gap.
    """

    def __init__(self) -> None:
        self._offset_90k = 0
        self._last: tuple[int, int] | None = None  # pts, received at

    def continuous(self, pts_90k: int, received_ns: int) -> int:
        """Media time of an access unit with `pts_90k`, received at `received_ns`; pictures may be reordered."""
        if self._last is not None:
            last_pts, last_ns = self._last
            passed_ns = received_ns - last_ns
            if abs((pts_90k - last_pts) * 100_000 // 9 - passed_ns) > _JUMP_NS:
                self._offset_90k += last_pts + max(0, passed_ns) * 9 // 100_000 - pts_90k
        self._last = (pts_90k, received_ns)
        return pts_90k + self._offset_90k


class FrameSchedule:
    """Which of a camera's pictures are looked at, so many a second of media time."""

    def __init__(self) -> None:
        self._due_90k: float | None = None

    def is_due(self, pts_90k: int, frames_per_second: float) -> bool:
        """Whether the picture is wanted; a picture up to a quarter of an interval early is in time."""
        interval = 90_000 / frames_per_second
        if self._due_90k is None or not -2 * interval <= pts_90k - self._due_90k <= interval:
            self._due_90k = float(pts_90k)
        if pts_90k < self._due_90k - interval / 4:
            return False
        self._due_90k += interval
        return True


class Pace:
    """Share of the wanted analysis rate that the machine affords, the same for all cameras.

    Multiplicative decrease while pictures come late, additive increase while they come in time (AIMD).
    """

    HIGH_LAG_SECONDS = 0.8
    LOW_LAG_SECONDS = 0.3
    LEAST = 0.1

    def __init__(self) -> None:
        self.share = 1.0
        self.lag_seconds = 0.0
        self._largest = 0.0

    def observe(self, age_seconds: float) -> None:
        """Age of a picture when it was decoded."""
        self._largest = max(self._largest, age_seconds)

    def adapt(self) -> None:
        """Once a second: follow the largest age observed since."""
        self.lag_seconds, self._largest = self._largest, 0.0
        if self.lag_seconds > self.HIGH_LAG_SECONDS:
            self.share = max(self.LEAST, self.share * 0.7)
        elif self.lag_seconds < self.LOW_LAG_SECONDS:
            self.share = min(1.0, self.share + 0.1)
