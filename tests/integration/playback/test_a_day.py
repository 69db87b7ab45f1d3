"""A day of 24 h recording; the figures are those of tests.benchmarks.playback, the limits are wide."""

from __future__ import annotations

from tests.benchmarks.playback import measure


async def test_a_whole_day_lists_and_any_time_of_it_answers_soon() -> None:
    found = await measure(seeks=10, size=(320, 180), bitrate=100_000)
    assert found["day_playlist_first_ms"] < 10_000
    assert found["day_ranges_p95_ms"] < 5_000
    assert found["seek_p95_ms"] < 5_000
