"""RTP time stamps to presentation times."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.rtsp.timeline import Timeline


def unwrapped(*stamps: int, keys: tuple[int, ...] = (0,)) -> list[int]:
    timeline = Timeline()
    return [timeline.unwrap(stamp, is_key=number in keys) for number, stamp in enumerate(stamps)]


def test_stamps_of_a_sane_camera_stay_as_they_are() -> None:
    assert unwrapped(5, 3005, 6005) == [5, 3005, 6005]


def test_stamps_go_on_over_the_wrap() -> None:
    assert unwrapped(0xFFFF_F000, 0x0000_0100) == [0xFFFF_F000, 0x1_0000_0100]


def test_b_frames_keep_their_times() -> None:
    pyramid = (0, 12_000, 6_000, 3_000, 9_000, 24_000, 18_000, 15_000, 21_000, 27_000)
    assert unwrapped(*pyramid) == list(pyramid)


def test_a_clock_that_is_set_back_goes_on_after_the_latest_picture() -> None:
    assert unwrapped(900_000, 903_000, 813_000, 816_000) == [900_000, 903_000, 906_000, 909_000]


def test_a_clock_that_is_set_ahead_goes_on_after_the_latest_picture() -> None:
    assert unwrapped(0, 3_000, 90_000_000, 90_003_000) == [0, 3_000, 6_000, 9_000]


def test_a_key_frame_is_later_than_all_before_it() -> None:
    assert unwrapped(0, 9_000, 6_000, 8_000, keys=(0, 3)) == [0, 9_000, 6_000, 18_000]


def test_pictures_with_one_stamp_are_told_apart() -> None:
    assert unwrapped(100, 3_100, 3_100, 6_100) == [100, 3_100, 3_101, 6_101]


@given(st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=50))
def test_key_frames_grow_whatever_the_clock_does(stamps: list[int]) -> None:
    timeline = Timeline()
    times = [timeline.unwrap(stamp, is_key=True) for stamp in stamps]
    assert all(earlier < later for earlier, later in pairwise(times))
