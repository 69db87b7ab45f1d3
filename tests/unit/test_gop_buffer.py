"""The ring: its bound, its key frames, its readers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.access_unit import AccessUnit, CodecParameters
from streams.gop_buffer import GopBuffer, StreamEnded

PARAMETERS = CodecParameters("h264", (b"sps", b"pps"), 640, 360)


def unit(number: int, size: int = 100, is_key: bool = False) -> AccessUnit:
    return AccessUnit((bytes(size),), number * 6_000, number, is_key, PARAMETERS)


def filled(max_bytes: int, keys: set[int], count: int) -> GopBuffer:
    buffer = GopBuffer(max_bytes)
    for number in range(count):
        buffer.append(unit(number, is_key=number in keys))
    return buffer


def test_the_ring_keeps_what_fits_and_knows_its_newest_key_frame() -> None:
    buffer = filled(1_000, {0, 4, 8, 12}, 15)
    assert (buffer.first_index, buffer.next_index, buffer.byte_count) == (5, 15, 1_000)
    assert buffer.last_key_index == 12
    assert buffer.key_index_at_or_after(0) == 8
    assert [found.received_ns for found in buffer.current_gop()] == [12, 13, 14]


def test_a_gop_that_outgrows_the_ring_switches_fast_start_off_until_the_next_key_frame() -> None:
    buffer = filled(1_000, {0}, 10)
    assert buffer.last_key_index == 0
    buffer.append(unit(10))
    assert buffer.last_key_index is None
    assert buffer.current_gop() == []
    assert buffer.byte_count <= 1_000
    buffer.append(unit(11, is_key=True))
    assert buffer.last_key_index == 11


def test_a_unit_larger_than_the_ring_is_kept_alone() -> None:
    buffer = filled(1_000, {0}, 3)
    buffer.append(unit(3, size=5_000, is_key=True))
    assert (buffer.first_index, buffer.next_index, buffer.last_key_index) == (3, 4, 3)
    buffer.append(unit(4))
    assert (buffer.first_index, buffer.byte_count, buffer.last_key_index) == (4, 100, None)


async def test_a_reader_gets_every_unit_in_order_from_the_key_frame_on() -> None:
    buffer = filled(10_000, {0, 4}, 6)
    reader = buffer.reader()
    got = [await reader.next(), await reader.next()]
    buffer.append(unit(6))
    got.append(await reader.next())
    assert [found.received_ns for found in got] == [4, 5, 6]
    assert reader.lost == 0


async def test_a_reader_waits_for_the_next_unit() -> None:
    buffer = filled(10_000, {0}, 1)
    reader = buffer.reader()
    await reader.next()
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    buffer.append(unit(1))
    assert (await waiting).received_ns == 1


async def test_a_slow_reader_jumps_to_the_next_key_frame_alone_and_the_loss_is_counted() -> None:
    buffer = filled(1_000, {0}, 5)
    slow, quick = buffer.reader(), buffer.reader()
    for number in range(5, 21):
        while quick.next_nowait() is not None:
            pass
        buffer.append(unit(number, is_key=number == 15))
    assert (await slow.next()).received_ns == 15
    assert slow.lost == 15
    assert (await slow.next()).received_ns == 16
    assert quick.lost == 0


async def test_a_slow_reader_without_a_key_frame_in_the_ring_waits_for_one() -> None:
    buffer = filled(1_000, {0}, 5)
    slow = buffer.reader()
    for number in range(5, 30):
        buffer.append(unit(number))
    assert slow.next_nowait() is None
    buffer.append(unit(30))
    buffer.append(unit(31, is_key=True))
    assert (await slow.next()).received_ns == 31
    assert slow.lost == 31


async def test_closing_ends_readers_after_what_is_kept() -> None:
    buffer = filled(10_000, {0}, 2)
    reader = buffer.reader()
    waiting = buffer.reader(from_key=False)
    task = asyncio.create_task(waiting.next())
    await asyncio.sleep(0)
    buffer.close()
    with pytest.raises(StreamEnded):
        await task
    assert [(await reader.next()).received_ns, (await reader.next()).received_ns] == [0, 1]
    with pytest.raises(StreamEnded):
        await reader.next()


async def test_a_cancelled_reader_leaves_nothing_behind() -> None:
    buffer = GopBuffer()
    task = asyncio.create_task(buffer.reader().next())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert not buffer._waiters
    buffer.append(unit(0, is_key=True))


def test_listeners_are_called_at_once_and_may_leave_while_they_are() -> None:
    buffer = GopBuffer()
    heard: list[tuple[str, int]] = []

    def once(index: int, found: AccessUnit) -> None:
        heard.append(("once", index))
        stop()

    stop = buffer.listen(once)
    buffer.listen(lambda index, found: heard.append(("always", index)))
    buffer.append(unit(0))
    buffer.append(unit(1))
    assert heard == [("once", 0), ("always", 0), ("always", 1)]
    stop()


@given(st.lists(st.tuples(st.integers(1, 700), st.booleans()), max_size=80))
def test_bound_and_indices_hold_whatever_comes(sizes: list[tuple[int, bool]]) -> None:
    buffer = GopBuffer(1_000)
    for number, (size, is_key) in enumerate(sizes):
        buffer.append(unit(number, size, is_key))
        kept = [buffer.get(index) for index in range(buffer.first_index, buffer.next_index)]
        assert None not in kept
        assert buffer.byte_count == sum(found.size for found in kept if found) <= 1_000
        keys = [found.received_ns for found in kept if found and found.is_key]
        assert buffer.last_key_index == (keys[-1] if keys else None)
        assert buffer.get(buffer.first_index - 1) is None and buffer.get(buffer.next_index) is None


def test_annex_b_puts_parameter_sets_before_key_frames_only() -> None:
    picture = replace(unit(0), nal_units=(b"one", b"two"))
    assert picture.annex_b() == b"\x00\x00\x00\x01one\x00\x00\x00\x01two"
    start = b"\x00\x00\x00\x01"
    assert replace(picture, is_key=True).annex_b() == start + start.join((b"sps", b"pps", b"one", b"two"))
    assert picture.size == 6
