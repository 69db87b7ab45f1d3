"""RTCP: sender reports and goodbyes of a camera, receiver reports for it (RFC 3550, 6.4 to 6.6)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

_HEADER = Struct(">BBHI")
_SENDER = Struct(">III")
_NTP_TO_UNIX = 2_208_988_800
_SENDER_REPORT, _BYE = 200, 203
_RECEIVER_REPORT = Struct(">BBHI")
_BLOCK = Struct(">IIIIII")
_DESCRIPTION = Struct(">BBHIBB")


@dataclass(frozen=True, slots=True)
class SenderReport:
    """The camera's wall clock, `unix_seconds`, at RTP time stamp `stamp`. Often wrong: 1970, or local time."""

    ssrc: int
    unix_seconds: float
    stamp: int


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The source `ssrc` stops sending."""

    ssrc: int


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What arrived of source `ssrc`: `highest` sequence number (extended by its wraps), totals of packets that should
    have come and that did not, and the share of those since the last report in 256ths. Nothing yet: `ssrc` is -1."""

    ssrc: int = -1
    highest: int = 0
    expected: int = 0
    lost: int = 0
    fraction: int = 0

    def next(self, ssrc: int, sequence: int, expected: int, lost: int) -> ReportBlock:
        """The block after this one, from the totals of now."""
        known = ssrc == self.ssrc
        highest = self.highest + (sequence - self.highest & 0xFFFF) if known else sequence
        came, missing = max(1, expected - self.expected), max(0, lost - self.lost)
        return ReportBlock(ssrc, highest, expected, lost, min(255, missing * 256 // came))


def receiver_report(ssrc: int, block: ReportBlock, last: tuple[SenderReport, float] | None, now: float) -> bytes:
    """A compound packet of reporter `ssrc`; `last` is the newest sender report and when it came, in time `now` is in.

    Jitter is given as 0: packets are read together, so that their times of arrival are not known so exactly.
    """
    name = f"{ssrc:08x}@haechi".encode("ascii")
    item = _DESCRIPTION.pack(0x81, 202, 0, ssrc, 1, len(name)) + name
    item += bytes(4 - len(item) % 4)
    description = item[:2] + (len(item) // 4 - 1).to_bytes(2, "big") + item[4:]
    if block.ssrc < 0:
        return _RECEIVER_REPORT.pack(0x80, 201, 1, ssrc) + description
    stamp = delay = 0
    if last is not None and last[0].ssrc == block.ssrc:
        stamp = int((last[0].unix_seconds + _NTP_TO_UNIX) * 65_536) & 0xFFFF_FFFF
        delay = min(int((now - last[1]) * 65_536), 0xFFFF_FFFF)
    losses = block.fraction << 24 | min(block.lost, 0x7F_FFFF)
    body = _BLOCK.pack(block.ssrc, losses, block.highest & 0xFFFF_FFFF, 0, stamp, delay)
    return _RECEIVER_REPORT.pack(0x81, 201, 7, ssrc) + body + description


def parse_rtcp(packet: memoryview) -> list[SenderReport | Goodbye]:
    """What is of use in a compound packet; malformed parts are passed over."""
    found: list[SenderReport | Goodbye] = []
    pos, end = 0, len(packet)
    while pos + 8 <= end:
        flags, kind, words, ssrc = _HEADER.unpack_from(packet, pos)
        if flags >> 6 != 2:
            break
        if kind == _SENDER_REPORT and pos + 20 <= end:
            seconds, fraction, stamp = _SENDER.unpack_from(packet, pos + 8)
            found.append(SenderReport(ssrc, seconds - _NTP_TO_UNIX + fraction / 2**32, stamp))
        elif kind == _BYE and flags & 0x1F:
            found.append(Goodbye(ssrc))
        pos += 4 + 4 * words
    return found
