"""The RTP clock of a viewer."""

from __future__ import annotations

import itertools

from streams.access_unit import AccessUnit, CodecParameters
from streams.relay.timeline import STEP_90K, Timeline

PARAMETERS = CodecParameters("h264", (), 640, 360)
FRAME = 6000


def _unit(pts_90k: int, run: int = 0, received_ms: float | None = None) -> AccessUnit:
    received_ns = round((pts_90k / 90 if received_ms is None else received_ms) * 1e6)
    return AccessUnit((b"\x41",), pts_90k, received_ns, False, PARAMETERS, run)


def _ahead(later: int, earlier: int) -> int:
    return (later - earlier) & 0xFFFF_FFFF


def test_a_cached_gop_is_squeezed_to_1_ms_steps_that_end_at_the_live_clock() -> None:
    timeline, gop = Timeline(), [_unit(n * FRAME) for n in range(60)]
    stamps = timeline.squeezed(gop, "main")
    assert [_ahead(b, a) for a, b in itertools.pairwise(stamps)] == [STEP_90K] * 59
    assert _ahead(timeline.live(_unit(60 * FRAME), "main"), stamps[-1]) == FRAME
    assert _ahead(timeline.live(_unit(62 * FRAME), "main"), stamps[-1]) == 3 * FRAME


def test_a_gop_sent_again_fits_between_the_live_pictures_before_and_after() -> None:
    timeline = Timeline()
    for count in (1, 30, 250):
        gop = [_unit(n * FRAME) for n in range(count)]
        timeline.squeezed(gop, "main")
        before = timeline.live(_unit(count * FRAME), "main")
        again = timeline.squeezed([*gop, _unit(count * FRAME)], "main")
        after = timeline.live(_unit((count + 1) * FRAME), "main")
        steps = [before, *again, after]
        assert all(0 < _ahead(b, a) <= FRAME for a, b in itertools.pairwise(steps))
        assert _ahead(after, before) == FRAME
        timeline = Timeline()


def test_a_new_run_goes_on_by_the_time_that_passed() -> None:
    timeline = Timeline()
    first = timeline.live(_unit(5 * FRAME, received_ms=1000), "main")
    later = timeline.live(_unit(17, run=1, received_ms=3000), "main")
    assert _ahead(later, first) == 180_000
    assert _ahead(timeline.live(_unit(17 + FRAME, run=1, received_ms=3067), "main"), later) == FRAME


def test_another_stream_goes_on_by_the_time_that_passed() -> None:
    timeline = Timeline()
    first = timeline.live(_unit(900_000, received_ms=1000), "sub")
    assert _ahead(timeline.live(_unit(4, received_ms=1500), "main"), first) == 45_000


def test_a_clock_that_jumps_or_steps_back_never_takes_the_time_stamp_back() -> None:
    timeline = Timeline()
    first = timeline.live(_unit(900_000, received_ms=0), "main")
    back = timeline.live(_unit(899_000, received_ms=66), "main")
    assert 0 < _ahead(back, first) < FRAME
    jumped = timeline.live(_unit(999_000_000, received_ms=133), "main")
    assert 0 < _ahead(jumped, back) < 2 * FRAME


def test_going_to_and_fro_between_streams_never_takes_the_clock_back_and_does_not_add_up() -> None:
    timeline = Timeline()
    stamps = [timeline.live(_unit(0, received_ms=0), "main")]
    sent_ms = 0.0
    for number in range(1, 41):
        sent_ms = number * 1000.0
        name, pts = ("sub", 7_000_000) if number % 2 else ("main", 0)
        gop = [_unit(pts + number * 90_000 + n * FRAME, received_ms=sent_ms + (n - 14) * 200 / 3) for n in range(15)]
        stamps += timeline.squeezed(gop, name)
        stamps.append(timeline.live(_unit(pts + number * 90_000 + 15 * FRAME, received_ms=sent_ms + 200 / 3), name))
        sent_ms += 200 / 3
    assert all(_ahead(b, a) < 1 << 31 and b != a for a, b in itertools.pairwise(stamps))
    assert abs(_ahead(stamps[-1], stamps[0]) - sent_ms * 90) < 100, "what was sent last tells the time that passed"


def test_another_stream_that_was_seen_earlier_than_the_last_picture_fits_in_behind_it() -> None:
    timeline = Timeline()
    last = timeline.live(_unit(0, received_ms=1000), "main")
    stamps = timeline.squeezed([_unit(n * FRAME, received_ms=990 - (14 - n) * 66.7) for n in range(15)], "sub")
    after = timeline.live(_unit(15 * FRAME, received_ms=1056.7), "sub")
    assert all(_ahead(b, a) in range(1, FRAME) for a, b in itertools.pairwise([last, *stamps, after]))
    assert abs(_ahead(after, last) - 56.7 * 90) < 60


def test_a_report_says_when_the_newest_picture_came() -> None:
    """Squeezed pictures are ahead of their time by a few ms; the clock of the reports is not."""
    timeline = Timeline()
    first = timeline.live(_unit(0, received_ms=0), "main")
    timeline.squeezed([_unit(n * FRAME, received_ms=100) for n in range(60)], "sub")
    assert _ahead(timeline.at(100_000_000), first) == 9000
    assert _ahead(timeline.at(250_000_000), first) == 22_500


def test_the_clock_runs_on_between_pictures() -> None:
    timeline = Timeline()
    stamp = timeline.live(_unit(0, received_ms=1000), "main")
    assert _ahead(timeline.at(1_500_000_000), stamp) == 45_000
