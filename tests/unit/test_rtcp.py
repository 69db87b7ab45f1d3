"""Sender reports, goodbyes and receiver reports."""

from __future__ import annotations

import struct

import pytest

from streams.rtsp.rtcp import Goodbye, ReportBlock, SenderReport, parse_rtcp, receiver_report

# 2024-05-01 12:00:00.5 UTC
REPORT = struct.pack(">BBHIIIIII", 0x80, 200, 6, 0xABCD, 1_714_564_800 + 2_208_988_800, 1 << 31, 1234, 10, 1000)
DESCRIPTION = struct.pack(">BBHIBB", 0x81, 202, 2, 0xABCD, 1, 0) + b"\x00\x00"
BYE = struct.pack(">BBHI", 0x81, 203, 1, 0xABCD)


def test_a_compound_packet_gives_the_wall_clock_and_the_goodbye() -> None:
    found = parse_rtcp(memoryview(REPORT + DESCRIPTION + BYE))
    assert found == [SenderReport(0xABCD, 1_714_564_800.5, 1234), Goodbye(0xABCD)]


@pytest.mark.parametrize("data", [b"", b"\x80", REPORT[:12], b"\x00" * 40, b"\x80\xcb\x00\x01\x00\x00\x00\x00"])
def test_torn_packets_give_nothing(data: bytes) -> None:
    assert parse_rtcp(memoryview(data)) == []


def test_a_receiver_report_says_what_was_lost_since_the_last_one_and_in_all() -> None:
    first = ReportBlock().next(0xABCD, 65_530, expected=100, lost=10)
    second = first.next(0xABCD, 4, expected=110, lost=15)
    assert (second.highest, second.fraction) == (65_540, 128), "numbers wrapped, half of ten were lost"
    sent = SenderReport(0xABCD, 1_714_564_800.5, 1234)
    packet = receiver_report(7, second, (sent, 20.0), now=20.25)
    _, kind, words, reporter = struct.unpack_from(">BBHI", packet)
    assert (kind, words, reporter) == (201, 7, 7)
    source, losses, highest, jitter, stamp, delay = struct.unpack_from(">IIIIII", packet, 8)
    assert (source, losses >> 24, losses & 0xFFFFFF, highest, jitter) == (0xABCD, 128, 15, 65_540, 0)
    middle = struct.unpack_from(">Q", REPORT, 8)[0] >> 16 & 0xFFFFFFFF
    assert (stamp, delay) == (middle, 16_384)
    _, kind, words, _, item, length = struct.unpack_from(">BBHIBB", packet, 32)
    assert (kind, item, len(packet)) == (202, 1, 32 + 4 + 4 * words)
    assert packet[42 : 42 + length] == b"00000007@haechi"


def test_a_report_before_any_packet_has_no_block_and_another_source_begins_anew() -> None:
    assert receiver_report(7, ReportBlock(), None, 0.0)[:8] == struct.pack(">BBHI", 0x80, 201, 1, 7)
    assert ReportBlock(1, 70_000, 50, 5).next(2, 3, expected=60, lost=5).highest == 3
