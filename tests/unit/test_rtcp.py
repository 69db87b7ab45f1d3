"""Sender reports and goodbyes."""

from __future__ import annotations

import struct

import pytest

from streams.rtsp.rtcp import Goodbye, SenderReport, parse_rtcp

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
