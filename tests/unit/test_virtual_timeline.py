from datetime import UTC, datetime, timedelta

import pytest

from streams.virtual.timeline import LoopTimeline

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_position_is_the_phase_at_the_start_and_wraps_at_the_end() -> None:
    timeline = LoopTimeline(START, duration_seconds=30.0, phase_seconds=12.5)
    assert timeline.position_seconds(START) == 12.5
    assert timeline.position_seconds(START + timedelta(seconds=20)) == pytest.approx(2.5)
    assert timeline.loop_number(START + timedelta(seconds=17.4)) == 0
    assert timeline.loop_number(START + timedelta(seconds=17.6)) == 1


def test_time_of_a_position_is_the_inverse_of_the_position_at_a_time() -> None:
    timeline = LoopTimeline(START, duration_seconds=7.3, phase_seconds=100.0)
    for seconds in (0.0, 3.3, 7.2, 5_000.1):
        at = START + timedelta(seconds=seconds)
        again = timeline.time_of(timeline.loop_number(at), timeline.position_seconds(at))
        assert abs((again - at).total_seconds()) < 1e-5


def test_occurrences_are_one_a_loop_within_the_interval() -> None:
    timeline = LoopTimeline(START, duration_seconds=10.0, phase_seconds=4.0)
    found = list(timeline.occurrences(5.0, START, START + timedelta(seconds=30)))
    assert [(at - START).total_seconds() for at in found] == pytest.approx([1.0, 11.0, 21.0])
    at_start = list(timeline.occurrences(4.0, START, START + timedelta(seconds=10)))
    assert at_start == [START]


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        LoopTimeline(datetime(2026, 3, 1), 10.0)  # noqa: DTZ001
