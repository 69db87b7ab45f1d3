"""When a picture is looked at."""

from __future__ import annotations

import pytest

from streams.analysis_pace import FrameSchedule, MediaTime, Pace


@pytest.mark.parametrize(
    ("camera_fps", "wanted", "expected"), [(15, 5, 5), (25, 5, 5), (30, 8, 8), (4, 5, 4), (12, 5, 5)]
)
def test_so_many_pictures_a_second_are_looked_at(camera_fps: int, wanted: int, expected: int) -> None:
    schedule = FrameSchedule()
    due = sum(schedule.is_due(number * 90_000 // camera_fps, wanted) for number in range(camera_fps * 20))
    assert abs(due / 20 - expected) <= 0.15 * expected


def test_after_a_gap_pictures_are_not_looked_at_in_a_burst() -> None:
    schedule = FrameSchedule()
    assert schedule.is_due(0, 5)
    assert schedule.is_due(90_000 * 30, 5)
    assert not schedule.is_due(90_000 * 30 + 6000, 5)


def test_a_schedule_begins_anew_when_time_jumps_back() -> None:
    schedule = FrameSchedule()
    assert schedule.is_due(90_000 * 1000, 5)
    assert schedule.is_due(500, 5)


def test_media_time_goes_on_through_a_reconnect() -> None:
    clock = MediaTime()
    assert clock.continuous(900_000, 10_000_000_000) == 900_000
    assert clock.continuous(906_000, 10_066_000_000) == 906_000
    resumed = clock.continuous(77, 15_066_000_000)
    assert resumed == 906_000 + 5 * 90_000
    assert clock.continuous(77 + 6000, 15_133_000_000) == resumed + 6000


def test_media_time_keeps_the_order_of_reordered_pictures() -> None:
    clock = MediaTime()
    times = [
        clock.continuous(pts, ns)
        for pts, ns in ((0, 0), (18_000, 66_000_000), (6000, 133_000_000), (12_000, 200_000_000))
    ]
    assert times == [0, 18_000, 6000, 12_000]


def test_the_pace_falls_while_pictures_come_late_and_recovers() -> None:
    pace = Pace()
    for _ in range(30):
        pace.observe(2.0)
        pace.adapt()
    assert pace.share == Pace.LEAST
    for _ in range(10):
        pace.observe(0.1)
        pace.adapt()
    assert pace.share == 1.0
