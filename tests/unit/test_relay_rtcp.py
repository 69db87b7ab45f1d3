"""What a viewer's feedback says."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket, pack_remb_fci

from streams.relay.rtcp import Feedback, parse_feedback

SSRC = 0x12345678
REPORT = RtcpReceiverInfo(ssrc=SSRC, fraction_lost=64, packets_lost=9, highest_sequence=70_000, jitter=0, lsr=0, dlsr=0)


def _application(message: bytes) -> bytes:
    return bytes(RtcpPsfbPacket(fmt=15, ssrc=9, media_ssrc=0, fci=message))


def test_a_compound_packet_says_it_all() -> None:
    data = bytes(RtcpRrPacket(ssrc=9, reports=[REPORT]))
    data += bytes(RtcpRtpfbPacket(fmt=1, ssrc=9, media_ssrc=SSRC, lost=[7, 8, 65_535]))
    data += bytes(RtcpPsfbPacket(fmt=1, ssrc=9, media_ssrc=SSRC))
    data += _application(pack_remb_fci(1_000_000, [1, SSRC]))
    assert parse_feedback(data, SSRC) == Feedback(
        lost=(7, 8, 65_535), wants_key=True, fraction_lost=0.25, highest=70_000, missing=9, estimate=1_000_000
    )


@pytest.mark.parametrize("bits", [30_000, 425_120, 2_000_000, 30_000_000])
def test_an_estimate_is_read_with_its_exponent(bits: int) -> None:
    found = parse_feedback(_application(pack_remb_fci(bits, [SSRC])), SSRC).estimate
    assert found is not None and abs(found - bits) <= bits / 2**16


def test_an_estimate_of_another_stream_and_other_messages_are_passed_over() -> None:
    for message in (pack_remb_fci(1_000_000, [SSRC + 1]), b"else" + bytes(8), b""):
        assert parse_feedback(_application(message), SSRC) == Feedback()


@pytest.mark.parametrize("length", [4, 8])
def test_a_torn_estimate_is_malformed(length: int) -> None:
    with pytest.raises(ValueError, match=r"REMB"):
        parse_feedback(_application(pack_remb_fci(1_000_000, [SSRC])[:length]), SSRC)
