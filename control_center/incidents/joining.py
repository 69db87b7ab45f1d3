"""When an event is one more about a thing that already has an incident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

# A thing that is found again where it was found before is the same thing for half a minute after the last event;
# what happens elsewhere in the zone is the same only at the same moment (two people step over one fence).
# Longer would hide a second crime behind an alarm that nobody has handled yet.
SAME_PLACE = timedelta(seconds=30)
SAME_MOMENT = timedelta(seconds=3)
MIN_OVERLAP = 0.25


def is_same_thing(
    last_raised_at: datetime, last_box: Sequence[float], raised_at: datetime, box: Sequence[float]
) -> bool:
    """Whether an event belongs to an open incident of the same camera, kind and zone.

    Boxes are xyxy fractions of the picture. Events may arrive late and out of order, so the distance in time counts
    both ways.
    """
    apart = abs(raised_at - last_raised_at)
    if apart <= SAME_MOMENT:
        return True
    return apart <= SAME_PLACE and overlap(last_box, box) >= MIN_OVERLAP


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over the smaller box (0..1): a person who comes nearer still overlaps their older, smaller box."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min(_area(first), _area(second))
    return width * height / smaller if smaller > 0 else 0.0


def _area(box: Sequence[float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
