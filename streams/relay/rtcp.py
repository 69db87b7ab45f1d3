"""The RTCP packets a sender writes (RFC 3550, 6.4.1, 6.5, 6.6) and reads (aiortc's parser)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

_NTP_EPOCH_SECONDS = 2_208_988_800  # 1900 → 1970
_GENERIC_NACK, _PICTURE_LOSS, _FULL_INTRA_REQUEST, _APPLICATION = 1, 1, 4, 15


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a compound packet of the viewer says about our stream.

    `lost`: sequence numbers it misses (NACK). `wants_key`: PLI or FIR. `fraction_lost`: 0..1 since its last report,
    None without a report; `highest` is the last number that came, `missing` how many before it did not, in all.
    `estimate`: what it thinks that the way carries, bits/s (REMB, draft-alvestrand-rmcat-remb). `is_bye`: it left.
    """

    lost: tuple[int, ...] = ()
    wants_key: bool = False
    fraction_lost: float | None = None
    highest: int = 0
    missing: int = 0
    estimate: int | None = None
    is_bye: bool = False


def parse_feedback(data: bytes, ssrc: int) -> Feedback:
    """Read a compound RTCP packet. Raises ValueError when it is malformed."""
    lost: list[int] = []
    wants_key = is_bye = False
    fraction_lost = estimate = None
    highest = missing = 0
    for packet in RtcpPacket.parse(data):
        if isinstance(packet, RtcpRtpfbPacket):
            if packet.fmt == _GENERIC_NACK and packet.media_ssrc == ssrc:
                lost += packet.lost
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == _APPLICATION:
            estimate = _estimate(packet.fci, ssrc) or estimate
        elif isinstance(packet, RtcpPsfbPacket):
            wants_key |= packet.fmt in (_PICTURE_LOSS, _FULL_INTRA_REQUEST) and packet.media_ssrc in (ssrc, 0)
        elif isinstance(packet, (RtcpRrPacket, RtcpSrPacket)):
            for report in packet.reports:
                if report.ssrc == ssrc:
                    fraction_lost = report.fraction_lost / 256
                    highest, missing = report.highest_sequence, report.packets_lost
        elif isinstance(packet, RtcpByePacket):
            is_bye = True
    return Feedback(tuple(lost), wants_key, fraction_lost, highest, missing, estimate, is_bye)


def sender_report(
    ssrc: int, cname: str, *, unix_ns: int, rtp_timestamp: int, packet_count: int, byte_count: int
) -> bytes:
    """A sender report and its SDES. `rtp_timestamp` is the stream's clock at `unix_ns`."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    ntp = (seconds + _NTP_EPOCH_SECONDS) << 32 | (rest << 32) // 1_000_000_000
    report = struct.pack(
        "!BBHIQIII",
        0x80,
        200,
        6,
        ssrc,
        ntp & 0xFFFF_FFFF_FFFF_FFFF,
        rtp_timestamp & 0xFFFF_FFFF,
        packet_count & 0xFFFF_FFFF,
        byte_count & 0xFFFF_FFFF,
    )
    return report + _source_description(ssrc, cname)


def goodbye(ssrc: int, cname: str) -> bytes:
    """An empty receiver report, SDES and BYE: a compound packet begins with a report."""
    return (
        struct.pack("!BBHI", 0x80, 201, 1, ssrc)
        + _source_description(ssrc, cname)
        + struct.pack("!BBHI", 0x81, 203, 1, ssrc)
    )


def _estimate(message: bytes, ssrc: int) -> int | None:
    """Bits/s of a REMB for our stream; None when it is another application's message."""
    if not message.startswith(b"REMB"):
        return None
    try:
        bits, sources = unpack_remb_fci(message)
    except struct.error as error:
        raise ValueError("REMB is truncated") from error
    return bits if ssrc in sources else None


def _source_description(ssrc: int, cname: str) -> bytes:
    name = cname.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    chunk += bytes(-len(chunk) % 4)
    return struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk
