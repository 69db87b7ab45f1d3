"""When a camera is to be recorded: by its mode, the hours of the city's day, its events and its open incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.settings import WEEKDAYS, CameraRecording, RecordingHours, RecordingMode


def mode_at(recording: CameraRecording, at: datetime, zone: ZoneInfo) -> RecordingMode:
    """The mode at the aware time `at`; `zone` is the city's."""
    local = at.astimezone(zone)
    return next((hours.mode for hours in recording.hours if _holds(hours, local)), recording.mode)


def _holds(hours: RecordingHours, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    start, end = _minutes(hours.start), _minutes(hours.end)
    today = WEEKDAYS[local.weekday()] in hours.days
    if start < end:
        return today and start <= minute < end
    yesterday = WEEKDAYS[(local - timedelta(days=1)).weekday()] in hours.days
    return (today and minute >= start) or (yesterday and minute < end)


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
