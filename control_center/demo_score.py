"""Alarms of the demo against the truth of its clips.

What is counted. The measurement runs from `since`, when every camera is live, to `until`. A true event counts when
all of it lies inside: its cause (a person enters, a vehicle stops) is not before `since`, and its window for alarms
(start + 10 s) ends not after `until`. Alarms are incidents, because that is what people get. All alarms are matched
with all true events, counted or cut; an alarm that finds no partner is false when it starts inside the measurement.
So an event that is cut by either end is neither missed nor makes its alarm false.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from detectors.event import EventKind
from detectors.scenes.truth import ClipTruth, load_truth
from detectors.scoring import EARLY_SECONDS, LATE_SECONDS, SCORED, Mark, Score, match
from streams.virtual.timeline import LoopTimeline

# True events this far outside the measurement can still be the partner of an alarm near its ends.
MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class FilmedCamera:
    """A demo camera, the loop that it shows, and what truly happens in it."""

    camera_id: str
    timeline: LoopTimeline
    truth: ClipTruth


@dataclass(frozen=True, slots=True)
class Alarm:
    """`started_at` aware UTC; `reference` is the incident's id."""

    camera_id: str
    kind: EventKind
    started_at: datetime
    reference: str


@dataclass(frozen=True, slots=True)
class Window:
    """The measurement, aware UTC."""

    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        return self.since <= at <= self.until


def load_filmed_camera(
    camera_id: str, clip: Path, started_at: datetime, duration_seconds: float, phase_seconds: float, truths: Path
) -> FilmedCamera:
    """Raises TruthError when the truth of `clip` is missing or broken."""
    truth = load_truth(truths / f"{clip.stem}.json")
    return FilmedCamera(camera_id, LoopTimeline(started_at, duration_seconds, phase_seconds), truth)


def true_marks(cameras: Iterable[FilmedCamera], window: Window) -> Iterator[tuple[Mark, bool]]:
    """Every true event near the window, and whether it counts."""
    for camera in cameras:
        for event in camera.truth.events:
            lead = timedelta(seconds=event.start_seconds - event.cause_seconds)
            times = camera.timeline.occurrences(event.start_seconds, window.since - MARGIN, window.until + MARGIN)
            for start in times:
                counts = window.since <= start - lead and start + timedelta(seconds=LATE_SECONDS) <= window.until
                reference = f"{camera.truth.clip} at {event.start_seconds:.1f} s, zone {event.zone}"
                yield Mark(camera.camera_id, event.kind, start.timestamp(), reference), counts


def score_alarms(cameras: Sequence[FilmedCamera], alarms: Iterable[Alarm], window: Window) -> Score:
    """Match, then keep what the measurement counts."""
    truth = dict(true_marks(cameras, window))
    positions = {camera.camera_id: camera for camera in cameras}
    marks = [
        Mark(alarm.camera_id, alarm.kind, alarm.started_at.timestamp(), _where(positions.get(alarm.camera_id), alarm))
        for alarm in alarms
        if alarm.kind in SCORED
    ]
    score = match(truth, marks, early_seconds=EARLY_SECONDS, late_seconds=LATE_SECONDS)
    return Score(
        found=tuple(pair for pair in score.found if truth[pair.truth]),
        missed=tuple(mark for mark in score.missed if truth[mark]),
        false=tuple(mark for mark in score.false if window.holds(datetime.fromtimestamp(mark.start_seconds, UTC))),
    )


def _where(camera: FilmedCamera | None, alarm: Alarm) -> str:
    if camera is None:
        return alarm.reference
    return f"{alarm.reference}, {camera.truth.clip} at {camera.timeline.position_seconds(alarm.started_at):.1f} s"
