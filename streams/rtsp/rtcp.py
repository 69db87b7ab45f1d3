"""RTCP as a camera sends it: sender reports and goodbyes (RFC 3550, 6.4 and 6.6)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

_HEADER = Struct(">BBHI")
_SENDER = Struct(">III")
_NTP_TO_UNIX = 2_208_988_800
_SENDER_REPORT, _BYE = 200, 203


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
