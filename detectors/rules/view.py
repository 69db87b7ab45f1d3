"""What a rule is shown at each look, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from detectors.appearance import Evidence
from detectors.boxes import Box
from detectors.detections import Boxes, Detections
from detectors.event import Event
from detectors.flame import Flame
from detectors.motion import Motion
from detectors.standing import StandingChange
from detectors.tracker import Track


@dataclass(frozen=True, slots=True)
class View:
    """One look at one camera. `seconds` is media time, `looked` (N, 4) where the detector looked, in frame pixels;
    `examine` compares the place of a standing change with its background, `filled` tells which share of a box does
    not look like the background.
    """

    seconds: float
    captured_at: datetime
    width: int
    height: int
    tracks: Sequence[Track]
    changes: Sequence[StandingChange]
    flames: Sequence[Flame]
    motion: Motion
    detections: Detections
    looked: Boxes
    examine: Callable[[StandingChange], Evidence]
    filled: Callable[[Box], float]

    def clock(self, seconds: float) -> datetime:
        """Server time of media time `seconds`."""
        return self.captured_at + timedelta(seconds=seconds - self.seconds)

    def fractions(self, box: Box) -> tuple[float, float, float, float]:
        """`box` as fractions of the picture, within 0..1."""
        x1, x2 = (min(max(float(x) / self.width, 0.0), 1.0) for x in box[0::2])
        y1, y2 = (min(max(float(y) / self.height, 0.0), 1.0) for y in box[1::2])
        return x1, y1, x2, y2


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's alarm in media seconds and frame pixels; the analyzer makes the Event of it."""

    started: float
    box: Box
    score: float
    label: str
    track_ids: tuple[int, ...] = ()
    dwell_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A rule wants the detector to look at `box` every `every_seconds`; a higher `priority` goes first."""

    box: Box
    priority: int
    every_seconds: float


class RuleWatch(Protocol):
    """One rule in one zone of one camera. Media time only grows, with gaps of any length."""

    def watch(self, view: View) -> list[Finding]:
        """New alarms, each once."""
        ...

    def wishes(self) -> list[Wish]:
        """Where the detector should look next."""
        ...

    def resume(self, recent: Sequence[Event]) -> None:
        """Events of this rule and zone raised before a restart: what still stands is not alarmed again."""
        ...
