"""Viewers of one stream: each gets every unit, a slow one falls back alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from aiortc.rtp import (
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
)

from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.relay.feed import Feed
from streams.relay.pacer import Pacer
from streams.relay.rtp_sender import RtpSender
from streams.relay.viewer import Viewer
from tests.clips import make_clip
from tests.live_feed import append_now, load_units
from tests.srtp_pair import SrtpPair

GOP = 15


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> list[AccessUnit]:
    clip = make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=2, gop=GOP, size=(320, 180))
    return load_units(clip)


class Wall:
    """A feed and viewers with real sockets."""

    def __init__(self, stack: ExitStack) -> None:
        self.buffer = GopBuffer()
        self.refused: list[Feed] = []
        self.feed = Feed("cam/main", self.buffer, 1_000_000, self.refused.append)
        self.pacer = Pacer()
        self._stack = stack

    def viewer(self, unix: Path | None = None) -> tuple[Viewer, SrtpPair]:
        pair = self._stack.enter_context(SrtpPair(unix=str(unix) if unix else None))
        viewer = Viewer(RtpSender(pair, 96, 1, "cam"), pair.tag_bytes, self.pacer, lambda: None)
        viewer.begin(self.feed, self.feed)
        return viewer, pair

    def sub(self) -> Feed:
        """Another stream of the camera."""
        return Feed("cam/sub", GopBuffer(), 1_000_000, self.refused.append)


@pytest.fixture
async def wall() -> AsyncIterator[Wall]:
    with ExitStack() as stack:
        wall = Wall(stack)
        yield wall
        wall.pacer.close()


async def _pictures(pair: SrtpPair, count: int) -> list[list[RtpPacket]]:
    """The first `count` whole pictures that come, each as its packets; fewer when no more come for 0.5 s."""
    packets: list[RtpPacket] = []
    for _ in range(50):
        packets += pair.receive()
        if sum(packet.marker for packet in packets) >= count:
            break
        await asyncio.sleep(0.01)
    pictures: list[list[RtpPacket]] = [[]]
    for packet in packets:
        pictures[-1].append(packet)
        if packet.marker:
            pictures.append([])
    return pictures[:-1]


def _is_key(picture: list[RtpPacket]) -> bool:
    return picture[0].payload[0] & 0x1F == 24  # STAP-A with the parameter sets


async def test_a_newcomer_gets_the_cached_gop_and_then_every_unit(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[: GOP + 5])
    _, pair = wall.viewer()
    append_now(wall.buffer, units[GOP + 5 : GOP + 8])
    pictures = await _pictures(pair, 8)
    assert len(pictures) == 8
    assert [_is_key(picture) for picture in pictures] == [True] + [False] * 7
    numbers = [packet.sequence_number for picture in pictures for packet in picture]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_without_a_cached_gop_it_begins_at_the_next_key_frame(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[1:5])
    viewer, pair = wall.viewer()
    append_now(wall.buffer, units[5 : GOP + 3])
    pictures = await _pictures(pair, 3)
    assert [_is_key(picture) for picture in pictures] == [True, False, False]
    assert viewer.counters.skipped_units == GOP - 5


async def test_all_viewers_share_the_packets_of_a_unit(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[:3])
    pairs = [wall.viewer()[1] for _ in range(4)]
    append_now(wall.buffer, units[3:6])
    assert len(wall.feed._packets) == 6
    payloads = [[[p.payload for p in picture] for picture in await _pictures(pair, 6)] for pair in pairs]
    assert len(payloads[0]) == 6 and all(other == payloads[0] for other in payloads[1:])


async def test_a_slow_viewer_goes_on_at_the_next_key_frame_and_harms_nobody(
    wall: Wall, units: list[AccessUnit], tmp_path: Path
) -> None:
    append_now(wall.buffer, units[:1])
    slow, slow_pair = wall.viewer(tmp_path / "slow")
    quick, quick_pair = wall.viewer()
    got = []
    for unit in units[1:GOP]:
        append_now(wall.buffer, [unit])
        got += await _pictures(quick_pair, 1)
    assert slow.counters.drops >= 1 and slow.counters.skipped_units > 0
    assert quick.counters.drops == 0 and len(got) == GOP
    slow_pair.datagrams()
    after = []
    for unit in units[GOP : GOP + 2]:  # one at a time: its socket has room for one
        append_now(wall.buffer, [unit])
        after += await _pictures(slow_pair, 1)
    assert [_is_key(picture) for picture in after] == [True, False]


async def test_what_waits_for_a_viewer_is_bounded(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[:1])
    viewer, _ = wall.viewer()
    bytes_in_all = 0
    while bytes_in_all < 6_000_000:  # the loop is not given back, so nothing is sent
        append_now(wall.buffer, units[1:GOP])
        bytes_in_all += sum(unit.size for unit in units[1:GOP])
    assert viewer._waiting_bytes < 2_200_000
    assert viewer.counters.drops == 1


async def test_a_damaged_run_is_left_out_until_the_next_key_frame(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[:3])
    viewer, pair = wall.viewer()
    append_now(wall.buffer, [replace(unit, is_damaged=True) for unit in units[4:GOP]])
    append_now(wall.buffer, units[GOP : GOP + 1])
    assert [_is_key(picture) for picture in await _pictures(pair, 4)] == [True, False, False, True]
    assert viewer.counters.skipped_units == GOP - 4


async def test_a_picture_loss_indication_brings_the_kept_gop_again(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[:4])
    viewer, pair = wall.viewer()
    first = await _pictures(pair, 4)
    indication = bytes(RtcpPsfbPacket(fmt=1, ssrc=9, media_ssrc=1))
    viewer.receive_rtcp(indication)
    again = await _pictures(pair, 4)
    assert [[p.payload for p in picture] for picture in again] == [[p.payload for p in picture] for picture in first]
    assert again[0][0].sequence_number == first[-1][-1].sequence_number + 1
    viewer.receive_rtcp(indication)
    assert await _pictures(pair, 1) == [], "at most once a second"
    assert viewer.counters.plis == 2


async def test_a_viewer_that_keeps_losing_packets_falls_back_to_the_next_key_frame(
    wall: Wall, units: list[AccessUnit]
) -> None:
    append_now(wall.buffer, units[:2])
    viewer, pair = wall.viewer()
    await _pictures(pair, 2)
    report = RtcpReceiverInfo(ssrc=1, fraction_lost=128, packets_lost=9, highest_sequence=0, jitter=0, lsr=0, dlsr=0)
    for _ in range(3):
        viewer.receive_rtcp(bytes(RtcpRrPacket(ssrc=9, reports=[report])))
    append_now(wall.buffer, units[2 : GOP + 1])
    assert [_is_key(picture) for picture in await _pictures(pair, 1)] == [True]
    assert viewer.counters.drops == 1


def _numbers(pictures: list[list[RtpPacket]]) -> list[int]:
    return [packet.sequence_number for picture in pictures for packet in picture]


async def test_another_stream_begins_with_its_kept_gop_and_nothing_shows_a_seam(
    wall: Wall, units: list[AccessUnit]
) -> None:
    append_now(wall.buffer, units[:3])
    viewer, pair = wall.viewer()
    pictures = await _pictures(pair, 3)
    sub = wall.sub()
    append_now(sub.buffer, units[GOP : GOP + 6])
    viewer.change(sub)
    append_now(sub.buffer, units[GOP + 6 : GOP + 7])
    append_now(wall.buffer, units[3:6])
    after = await _pictures(pair, 8)
    assert [_is_key(picture) for picture in after] == [True] + [False] * 6
    numbers = _numbers(pictures + after)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    stamps = [picture[0].timestamp for picture in pictures + after]
    assert all((later - earlier) & 0xFFFF_FFFF < 90_000 and later != earlier for earlier, later in pairwise(stamps))
    assert wall.feed.viewers == [] and not wall.buffer._listeners, "the one before is not listened to any more"
    assert viewer.counters.switches == 1


async def test_without_a_kept_gop_the_stream_before_goes_on_until_the_next_key_frame(
    wall: Wall, units: list[AccessUnit]
) -> None:
    append_now(wall.buffer, units[:2])
    viewer, pair = wall.viewer()
    sub = wall.sub()
    append_now(sub.buffer, units[GOP + 1 : GOP + 2])
    viewer.change(sub)
    append_now(wall.buffer, units[2:5])
    append_now(sub.buffer, units[GOP + 2 : GOP + 3])
    assert len(await _pictures(pair, 6)) == 5 and viewer.feed is wall.feed
    append_now(sub.buffer, units[GOP : GOP + 2])
    append_now(wall.buffer, units[5:7])
    assert [_is_key(picture) for picture in await _pictures(pair, 3)] == [True, False]
    assert viewer.feed is sub and wall.feed.viewers == [] and viewer.counters.skipped_units == 0


async def test_a_change_of_mind_leaves_nothing_waiting(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[:2])
    viewer, _ = wall.viewer()
    sub = wall.sub()
    append_now(sub.buffer, units[GOP + 1 : GOP + 2])
    viewer.change(sub)
    assert sub.viewers == [viewer]
    viewer.change(wall.feed)
    assert sub.viewers == [] and viewer.next_feed is None
    viewer.change(sub)
    viewer.end()
    assert sub.viewers == wall.feed.viewers == []


def _prove_narrow(viewer: Viewer, bits: int) -> None:
    for estimate in (10_000_000, bits):
        message = pack_remb_fci(estimate, [1])
        viewer.receive_rtcp(bytes(RtcpPsfbPacket(fmt=15, ssrc=9, media_ssrc=0, fci=message)))


async def test_on_a_narrow_way_a_long_burst_is_not_begun_while_the_stream_before_goes_on(
    wall: Wall, units: list[AccessUnit]
) -> None:
    append_now(wall.buffer, units[:2])
    viewer, pair = wall.viewer()
    await _pictures(pair, 2)
    _prove_narrow(viewer, sum(unit.size for unit in units[GOP : GOP + 6]) * 8)
    sub = wall.sub()
    append_now(sub.buffer, units[GOP : GOP + 6])
    viewer.change(sub)
    assert viewer.feed is wall.feed and viewer.next_feed is sub, "it would have taken a second"


async def test_a_stream_that_the_way_no_longer_carries_ends_at_once(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[:2])
    viewer, pair = wall.viewer()
    await _pictures(pair, 2)
    _prove_narrow(viewer, 1_000_000)
    sub = wall.sub()
    append_now(sub.buffer, units[GOP + 1 : GOP + 2])
    viewer.change(sub, at_once=True)
    append_now(wall.buffer, units[2:5])
    assert await _pictures(pair, 1) == []
    append_now(sub.buffer, units[GOP : GOP + 1])
    assert [_is_key(picture) for picture in await _pictures(pair, 1)] == [True]


async def test_pictures_get_as_much_filler_as_is_tried_and_the_picture_stays_whole(
    wall: Wall, units: list[AccessUnit]
) -> None:
    append_now(wall.buffer, units[:1])
    viewer, pair = wall.viewer()
    await _pictures(pair, 1)
    viewer.filler_bits = 2_000_000
    now_ns = time.monotonic_ns()
    pictures = []
    for number, unit in enumerate(units[1:GOP]):
        wall.buffer.append(replace(unit, received_ns=now_ns + number * 66_666_667))
        pictures += await _pictures(pair, 1)
    seconds = (GOP - 2) / 15
    sent = sum(len(packet.payload) for picture in pictures for packet in picture)
    assert abs(sent * 8 / seconds - 2_000_000) < 100_000
    for picture in pictures[1:]:
        kinds = [packet.payload[0] & 0x1F for packet in picture]
        assert 12 in kinds and kinds == sorted(kinds, key=lambda kind: kind == 12), "filler comes last"
        assert [packet.marker for packet in picture] == [0] * (len(picture) - 1) + [1]


async def test_a_lost_packet_is_repeated_twice_as_a_repeat_can_be_lost_too_but_not_on_a_narrow_way(
    wall: Wall, units: list[AccessUnit]
) -> None:
    append_now(wall.buffer, units[:1])
    viewer, pair = wall.viewer()
    async with asyncio.timeout(30):
        while viewer.counters.units < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        sent = [data for data in pair.datagrams() if not 192 <= data[1] < 224]
        first = int.from_bytes(sent[0][2:4], "big")
        nack = bytes(RtcpRtpfbPacket(fmt=1, ssrc=9, media_ssrc=1, lost=[first]))
        viewer.receive_rtcp(nack)
        repeats: list[bytes] = []
        while len(repeats) < 2:
            repeats += pair.datagrams()
            await asyncio.sleep(0.005)
        assert repeats == [sent[0]] * 2, "bit for bit"
        await asyncio.sleep(0.1)
        _prove_narrow(viewer, 100_000)
        viewer.receive_rtcp(nack)
        await asyncio.sleep(0.2)
        assert pair.datagrams() == [sent[0]]


async def test_the_report_after_a_burst_says_when_the_newest_picture_came(wall: Wall, units: list[AccessUnit]) -> None:
    """So that a browser knows how old a picture is, however late it gets it."""
    late_ns = 3_000_000_000
    for number, unit in enumerate(units[:5]):
        received_ns = time.monotonic_ns() - late_ns - (4 - number) * 66_666_667
        wall.buffer.append(replace(unit, received_ns=received_ns))
    newest_came = time.time() - late_ns / 1e9
    viewer, pair = wall.viewer()
    async with asyncio.timeout(90):
        while viewer.counters.units < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    reports = [packet for packet in pair.receive_rtcp() if isinstance(packet, RtcpSrPacket)]
    assert len(reports) == 1, "at once"
    info = reports[0].sender_info
    newest = viewer._timeline._last & 0xFFFF_FFFF
    behind = ((info.rtp_timestamp - newest) & 0xFFFF_FFFF) / 90_000
    came = info.ntp_timestamp / 2**32 - 2_208_988_800 - behind
    assert abs(newest_came - came) < 1.5
    assert info.packet_count == viewer.sender.counters.packets


async def test_malformed_feedback_is_passed_over(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[:1])
    viewer, _ = wall.viewer()
    for data in (b"", b"\x80", b"\x81\xc9\x00\x07" + b"\0" * 8, b"\xff" * 40):
        viewer.receive_rtcp(data)
    assert viewer.counters.nacks == viewer.counters.plis == 0


async def test_nobody_watching_costs_nothing(wall: Wall, units: list[AccessUnit]) -> None:
    append_now(wall.buffer, units[:2])
    viewer, pair = wall.viewer()
    await _pictures(pair, 2)
    viewer.end()
    pair.datagrams()
    append_now(wall.buffer, units[2:6])
    await asyncio.sleep(0.05)
    assert pair.datagrams() == [] and wall.feed.viewers == [] and not wall.buffer._listeners


async def test_a_stream_that_becomes_another_codec_ends_its_viewers_and_says_why(
    wall: Wall, units: list[AccessUnit]
) -> None:
    append_now(wall.buffer, units[:3])
    wall.viewer()
    assert not wall.refused
    other = replace(units[GOP], parameters=replace(units[GOP].parameters, codec="h265"))
    append_now(wall.buffer, [other])
    assert wall.refused == [wall.feed] and wall.feed.refusal is not None
    assert wall.feed.refusal.detail == "cam/main has become H265; set it to H.264"
