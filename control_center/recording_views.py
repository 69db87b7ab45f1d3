"""What the API shows of recordings."""

from __future__ import annotations

from pydantic import AwareDatetime

from control_center.views import View


class RangeView(View):
    """An unbroken recording, cut to the asked time. Codec (RFC 6381) and size are those of its beginning."""

    start: AwareDatetime
    end: AwareDatetime
    duration_seconds: float
    codec: str
    width: int
    height: int


class RecordingsView(View):
    """`earliest`: nothing before it is shown to the caller; null where there is no such limit."""

    camera_id: str
    ranges: list[RangeView]
    earliest: AwareDatetime | None


class DayView(View):
    """`day` as 2026-11-22."""

    day: str
    seconds: float


class DaysView(View):
    """Days with recordings, oldest first; they begin at midnight in `time_zone`."""

    camera_id: str
    time_zone: str
    days: list[DayView]
