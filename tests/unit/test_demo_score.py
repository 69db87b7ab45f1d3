from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from control_center.demo_score import Alarm, FilmedCamera, Window, load_filmed_camera, score_alarms
from detectors.event import EventKind
from detectors.scenes.truth import ClipTruth, TruthError, TruthEvent
from streams.virtual.timeline import LoopTimeline

STARTED = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
SINCE = STARTED + timedelta(minutes=10)
BOX = (0.1, 0.1, 0.2, 0.2)


def camera(cause: float = 30.0, start: float = 40.0, phase: float = 0.0) -> FilmedCamera:
    """A loop of 100 s with one loitering in it; the measurement begins at the begin of a loop when phase is 0."""
    truth = ClipTruth("a.mp4", 100.0, 12.0, (1280, 720), {}, (TruthEvent("loitering", "z", start, 60.0, BOX, cause),))
    return FilmedCamera("gate", LoopTimeline(STARTED, 100.0, phase), truth)


def alarm(seconds: float, kind: EventKind = "loitering", camera_id: str = "gate") -> Alarm:
    return Alarm(camera_id, kind, SINCE + timedelta(seconds=seconds), f"at {seconds}")


def counts(filmed: FilmedCamera, seconds: float, *alarms: Alarm) -> tuple[int, int, int]:
    """found, missed, false of a measurement of so many seconds."""
    total = score_alarms([filmed], alarms, Window(SINCE, SINCE + timedelta(seconds=seconds))).total
    return total.found, total.missed, total.false


def test_each_turn_of_the_loop_is_an_event_of_its_own() -> None:
    assert counts(camera(), 300) == (0, 3, 0)
    assert counts(camera(), 300, alarm(41), alarm(141), alarm(249)) == (3, 0, 0)


def test_a_second_alarm_a_late_one_and_a_wrong_one_are_false() -> None:
    assert counts(camera(), 100, alarm(41), alarm(45)) == (1, 0, 1)
    assert counts(camera(), 100, alarm(51)) == (0, 1, 1)
    assert counts(camera(), 100, alarm(41, "fire")) == (0, 1, 1)
    assert counts(camera(), 100, alarm(41, camera_id="alley")) == (0, 1, 1)


def test_an_event_whose_cause_lies_before_the_measurement_is_not_counted_nor_is_its_alarm() -> None:
    cut = camera(phase=35.0)  # the person entered 5 s before the measurement, the event starts 5 s into it
    assert counts(cut, 60) == (0, 0, 0)
    assert counts(cut, 60, alarm(6)) == (0, 0, 0)
    assert counts(cut, 60, alarm(6), alarm(8)) == (0, 0, 1)


def test_an_event_whose_last_moment_lies_after_the_measurement_is_not_counted_nor_is_its_alarm() -> None:
    assert counts(camera(), 49) == (0, 0, 0)
    assert counts(camera(), 49, alarm(42)) == (0, 0, 0)
    assert counts(camera(), 50) == (0, 1, 0)


def test_alarms_from_outside_the_measurement_are_not_false() -> None:
    assert counts(camera(), 20, alarm(-5), alarm(25)) == (0, 0, 0)
    assert counts(camera(), 20, alarm(5)) == (0, 0, 1)


def test_a_camera_without_truth_cannot_be_scored(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match=r"a\.json"):
        load_filmed_camera("gate", Path("clips/a.mp4"), STARTED, 100.0, 0.0, tmp_path)


@pytest.mark.parametrize("kind", ["camera_lost", "camera_frozen"])
def test_a_fault_of_a_camera_is_no_alarm_to_score(kind: EventKind) -> None:
    assert counts(camera(), 100, alarm(41, "fire"), alarm(42, kind)) == counts(camera(), 100, alarm(41, "fire"))
