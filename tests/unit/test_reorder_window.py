"""Packets back in order, over plain bytes."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from streams.rtsp.reorder_window import ReorderWindow
from tests.rtp import interleaved, packet


class Window:
    """A window and the sequence numbers that came out of it."""

    def __init__(self, **bounds: int) -> None:
        self.out: list[int] = []
        self.window = ReorderWindow(lambda frame: self.out.append(frame[6] << 8 | frame[7]), 0.1, **bounds)

    def push(self, *numbers: int, now: float = 0.0, ssrc: int = 1) -> None:
        for number in numbers:
            self.window.push(interleaved(packet(bytes(40), number, ssrc=ssrc)), now)


def test_packets_that_came_early_wait_for_the_missing_one() -> None:
    window = Window()
    window.push(10, 12, 13)
    assert window.out == [10]
    window.push(11, 14)
    assert window.out == [10, 11, 12, 13, 14]
    assert window.window.deadline is None


def test_a_gap_is_given_up_when_its_time_is_over_and_each_gap_has_its_own() -> None:
    window = Window()
    window.push(10, 12, now=1.0)
    window.push(14, now=1.05)
    assert window.window.deadline == 1.1
    window.window.expire(1.09)
    assert window.out == [10]
    window.window.expire(1.1)
    assert window.out == [10, 12]
    assert window.window.deadline == 1.05 + 0.1
    window.push(11, 11)
    assert window.out == [10, 12]
    assert window.window.late == 2
    window.window.expire(2.0)
    assert window.out == [10, 12, 14]


def test_numbers_wrap() -> None:
    window = Window()
    window.push(65_534, 0, 65_535, 2, 1)
    assert window.out == [65_534, 65_535, 0, 1, 2]


def test_another_source_and_a_far_number_are_a_new_beginning() -> None:
    window = Window()
    window.push(10, 12)
    window.push(500, 501, ssrc=2)
    assert window.out == [10, 12, 500, 501]
    window.push(20_000, 20_001, 19_999, ssrc=2)
    assert window.out[4:] == [20_000, 20_001]
    window.push(3, ssrc=2)
    assert window.out[-1] == 3


def test_what_is_held_is_bounded_by_number_and_by_bytes() -> None:
    window = Window(max_packets=3)
    window.push(10, 12, 14, 16)
    assert window.out == [10]
    window.push(18)
    assert window.out == [10, 12]
    window = Window(max_bytes=3 * 56)
    window.push(10, 12, 14, 16, 18)
    assert window.out == [10, 12]


def test_what_is_no_packet_is_passed_on_to_be_refused() -> None:
    seen: list[bytes] = []
    window = ReorderWindow(seen.append)
    window.push(b"$\x00\x00\x00", 0.0)
    window.push(b"$\x00\x00\x0c" + bytes(12), 0.0)
    assert len(seen) == 2 and window.expected == -1


@given(st.integers(0, 65_535), st.integers(1, 300), st.integers(0, 20), st.randoms(use_true_random=False))
def test_any_order_within_the_window_comes_out_in_order(
    first: int, count: int, distance: int, chance: random.Random
) -> None:
    places = sorted(range(1, count), key=lambda place: place + chance.uniform(0, distance))
    window = Window()
    window.push(first & 0xFFFF, *((first + place) & 0xFFFF for place in places))
    assert window.out == [(first + place) & 0xFFFF for place in range(count)]
    assert not window.window.held and not window.window.late
