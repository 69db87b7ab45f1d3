"""A finding about one camera: of a rule, or a fault of the camera itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RuleKind = Literal["intrusion", "loitering", "dumping", "parking", "fire"]
FaultKind = Literal["camera_lost", "camera_frozen"]
EventKind = Literal[RuleKind, FaultKind]
EventFamily = Literal["crime", "dumping", "parking", "fire", "fault"]
FAMILY: dict[EventKind, EventFamily] = {
    "intrusion": "crime",
    "loitering": "crime",
    "dumping": "dumping",
    "parking": "parking",
    "fire": "fire",
    "camera_lost": "fault",
    "camera_frozen": "fault",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One finding, raised once.

    `event_id` is unique and made once, so that a repeat is counted once. `started_at` is the alarm's start time
    as the KISA test means it (whole body inside + dwell for loitering, left + 10 s for a thing ...), aware UTC.
    `raised_at` is when the rule decided. `box` is xyxy as fractions of the picture. `track_ids` are the
    followed objects that led to it. `label` is what was seen (an ObjectClass name in lower case).
    `ended_at` is for faults only: the fault that was raised before is over since then.
    """

    event_id: str
    camera_id: str
    kind: EventKind
    zone: str
    severity: str
    started_at: datetime
    raised_at: datetime
    box: tuple[float, float, float, float]
    score: float
    label: str
    track_ids: tuple[int, ...] = ()
    dwell_seconds: float | None = None
    ended_at: datetime | None = None
