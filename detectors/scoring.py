"""Alarms against truth by the yardstick of the KISA test for event detectors.

An alarm is a true positive when camera and kind match and its start lies in [truth - 2 s, truth + 10 s]. Each
truth is matched once, so a second alarm of one event is false, and one late alarm costs a miss and a false one.
score = 100 * 2rp / (r + p); the test is passed from 90 on, each item by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detectors.event import FAMILY, EventFamily, EventKind

EARLY_SECONDS = 2.0
LATE_SECONDS = 10.0
PASS_SCORE = 90.0

SCORED: dict[EventKind, EventFamily] = {kind: family for kind, family in FAMILY.items() if family != "fault"}
"""A camera's fault is nothing that happens in front of it: no truth holds it, and it is no alarm to score."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point in time on one camera: the start of a true event, or of an alarm.

    `start_seconds` counts on any clock that truth and alarms share. `reference` is carried along for the reader
    of the lists (a clip's name, an event id).
    """

    camera_id: str
    kind: EventKind
    start_seconds: float
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    truth: Mark
    alarm: Mark

    @property
    def delay_seconds(self) -> float:
        """How long after the truth the alarm starts; negative when before."""
        return self.alarm.start_seconds - self.truth.start_seconds


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one kind or family. A ratio without a denominator is None: there was nothing to score."""

    truth: int
    found: int
    missed: int
    false: int

    @property
    def recall(self) -> float | None:
        return self.found / self.truth if self.truth else None

    @property
    def precision(self) -> float | None:
        alarms = self.found + self.false
        return self.found / alarms if alarms else None

    @property
    def score(self) -> float | None:
        """0..100; equal to 100 * 2rp / (r + p) wherever that is defined."""
        total = 2 * self.found + self.missed + self.false
        return 200.0 * self.found / total if total else None

    @property
    def passed(self) -> bool | None:
        return None if self.score is None else self.score >= PASS_SCORE

    def as_dict(self) -> dict[str, int | float | None]:
        return {
            "truth": self.truth,
            "found": self.found,
            "missed": self.missed,
            "false": self.false,
            "recall": self.recall,
            "precision": self.precision,
            "score": self.score,
        }


@dataclass(frozen=True, slots=True)
class Score:
    """Outcome of one matching: the pairs found, the truths missed and the alarms that were false."""

    found: tuple[Pair, ...]
    missed: tuple[Mark, ...]
    false: tuple[Mark, ...]

    def _tally(self, kinds: frozenset[EventKind]) -> Tally:
        found = sum(pair.truth.kind in kinds for pair in self.found)
        missed = sum(mark.kind in kinds for mark in self.missed)
        false = sum(mark.kind in kinds for mark in self.false)
        return Tally(truth=found + missed, found=found, missed=missed, false=false)

    @property
    def total(self) -> Tally:
        return self._tally(frozenset(SCORED))

    @property
    def kinds(self) -> dict[EventKind, Tally]:
        return {kind: self._tally(frozenset({kind})) for kind in SCORED}

    @property
    def families(self) -> dict[EventFamily, Tally]:
        return {
            family: self._tally(frozenset(kind for kind, of in SCORED.items() if of == family))
            for family in dict.fromkeys(SCORED.values())
        }

    def as_dict(self) -> dict[str, object]:
        """JSON-ready: total, per family, per kind, and the three lists."""
        return {
            "total": self.total.as_dict(),
            "families": {family: tally.as_dict() for family, tally in self.families.items()},
            "kinds": {kind: tally.as_dict() for kind, tally in self.kinds.items()},
            "found": [
                {**_as_dict(pair.truth), "delay_seconds": round(pair.delay_seconds, 3), "alarm": pair.alarm.reference}
                for pair in self.found
            ],
            "missed": [_as_dict(mark) for mark in self.missed],
            "false": [_as_dict(mark) for mark in self.false],
        }


def _as_dict(mark: Mark) -> dict[str, object]:
    return {
        "camera_id": mark.camera_id,
        "kind": mark.kind,
        "start_seconds": round(mark.start_seconds, 3),
        "reference": mark.reference,
    }


def match(
    truth: Iterable[Mark],
    alarms: Iterable[Mark],
    *,
    early_seconds: float = EARLY_SECONDS,
    late_seconds: float = LATE_SECONDS,
) -> Score:
    """Pair alarms with truth so that as many as possible pair.

    All windows have one length, so giving each alarm, in order of time, the earliest open truth whose window
    holds it finds the largest matching.
    """
    lanes: dict[tuple[str, EventKind], tuple[list[Mark], list[Mark]]] = {}
    for side, marks in enumerate((truth, alarms)):
        for mark in marks:
            lanes.setdefault((mark.camera_id, mark.kind), ([], []))[side].append(mark)
    found: list[Pair] = []
    missed: list[Mark] = []
    false: list[Mark] = []
    for true_marks, alarm_marks in lanes.values():
        pairs, lane_missed, lane_false = _match_lane(
            sorted(true_marks, key=_start), sorted(alarm_marks, key=_start), early_seconds, late_seconds
        )
        found += pairs
        missed += lane_missed
        false += lane_false
    return Score(
        tuple(sorted(found, key=lambda pair: _start(pair.truth))),
        tuple(sorted(missed, key=_start)),
        tuple(sorted(false, key=_start)),
    )


def _start(mark: Mark) -> float:
    return mark.start_seconds


def _match_lane(
    truth: Sequence[Mark], alarms: Sequence[Mark], early_seconds: float, late_seconds: float
) -> tuple[list[Pair], list[Mark], list[Mark]]:
    pairs: list[Pair] = []
    missed: list[Mark] = []
    false: list[Mark] = []
    next_truth = 0
    for alarm in alarms:
        while next_truth < len(truth) and alarm.start_seconds > truth[next_truth].start_seconds + late_seconds:
            missed.append(truth[next_truth])
            next_truth += 1
        if next_truth < len(truth) and alarm.start_seconds >= truth[next_truth].start_seconds - early_seconds:
            pairs.append(Pair(truth[next_truth], alarm))
            next_truth += 1
        else:
            false.append(alarm)
    return pairs, missed + list(truth[next_truth:]), false
