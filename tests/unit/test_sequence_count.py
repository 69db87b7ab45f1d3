"""The count that benchmarks of the relay rest on: it must see a loss."""

from __future__ import annotations

import struct

from tests.sequence_count import SequenceCount


def _packet(sequence: int, stamp: int = 0, *, ends: bool = False, ssrc: int = 7) -> bytes:
    return struct.pack("!BBHII", 0x80, 102 | (0x80 if ends else 0), sequence & 0xFFFF, stamp & 0xFFFF_FFFF, ssrc)


def test_a_number_that_never_comes_is_lost_and_one_that_comes_late_is_not() -> None:
    count = SequenceCount()
    for sequence in (65_533, 65_534, 0, 1, 4, 65_535):  # over the roll-over; 2 and 3 stay away
        count.take(_packet(sequence), 1.0)
    account = count.account()
    assert (account.packets, account.lost, account.late) == (6, 2, 1)
    count.take(_packet(3), 1.1)
    count.take(_packet(3), 1.2)
    assert (count.account().lost, count.account().packets) == (1, 7)
    assert count.missing_up_to(65_536 + 1) == 0


def test_losses_before_the_mark_are_not_counted_after_it() -> None:
    count = SequenceCount()
    for sequence in (10, 12):
        count.take(_packet(sequence), 1.0)
    count.mark()
    for sequence in (13, 15):
        count.take(_packet(sequence), 2.0)
    assert (count.account().lost, count.account().packets) == (1, 2)


def test_the_delay_of_a_picture_is_against_the_quickest_one() -> None:
    count = SequenceCount()
    for number, late in enumerate((0.010, 0.0, 0.080, 0.005)):
        count.take(_packet(number, 0xFFFF_F000 + number * 6000, ends=True), 5 + number / 15 + late)
    account = count.account()
    assert account.pictures == 4 and 79 < account.worst_delay_ms < 81 and account.worst_gap_ms > 140


def test_the_share_lost_since_the_last_report_is_in_256ths() -> None:
    count = SequenceCount()
    count.take(_packet(0), 1.0)
    assert count.fraction_lost() == 0
    for sequence in (2, 4):
        count.take(_packet(sequence), 1.0)
    assert count.fraction_lost() == 128
