"""A viewer's RTP stream on the wire: decrypted by libsrtp at the other end of a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.access_unit import AccessUnit, CodecParameters
from streams.relay.packetizer import PacketizedUnit
from streams.relay.rtp_sender import RtpSender
from tests.srtp_pair import SrtpPair

PARAMETERS = CodecParameters("h264", (b"\x67\x64\x00\x1f", b"\x68\x01"), 640, 360)


@pytest.fixture(params=["gcm", "sha1"])
def pair(request: pytest.FixtureRequest) -> Iterator[SrtpPair]:
    with SrtpPair(request.param) as pair:
        yield pair


def _send(sender: RtpSender, pair: SrtpPair, size: int, timestamp: int) -> PacketizedUnit:
    packets = PacketizedUnit(AccessUnit((b"\x41" + bytes(range(256)) * (size // 256),), 0, 0, False, PARAMETERS))
    layout = packets.layout(pair.tag_bytes)
    sender.begin_unit(layout, timestamp)
    for run in layout.runs:
        assert sender.send_run(run)
    return packets


@pytest.mark.parametrize("uses_gso", [True, False])
def test_packets_decrypt_to_what_was_packetized(pair: SrtpPair, uses_gso: bool) -> None:
    pair.udp.uses_gso = uses_gso
    sender = RtpSender(pair, 116, 0xDECAF, "cam")
    first = sender.sequence
    units = [_send(sender, pair, size, 1000 * size) for size in (25_600, 512, 1280)]
    received = pair.receive()
    assert [packet.payload for packet in received] == [payload for unit in units for payload in unit.payloads]
    assert [packet.sequence_number for packet in received] == list(range(first, first + len(received)))
    assert {packet.ssrc for packet in received} == {0xDECAF} and {p.payload_type for p in received} == {116}
    ends = [index for index, packet in enumerate(received) if packet.marker]
    assert [index + 1 for index in ends] == [sum(len(u.payloads) for u in units[: n + 1]) for n in range(3)]
    assert [received[end].timestamp for end in ends] == [25_600_000, 512_000, 1_280_000]
    assert sender.counters.packets == len(received) and sender.counters.unsent == 0


def test_the_first_sequence_number_leaves_room_before_the_first_roll_over(pair: SrtpPair) -> None:
    assert all(0 <= RtpSender(pair, 96, 1, "cam").sequence < 32_768 for _ in range(200))


def test_sequence_numbers_roll_over_without_breaking_decryption(pair: SrtpPair) -> None:
    sender = RtpSender(pair, 96, 1, "cam")
    sender.sequence = 65_530
    _send(sender, pair, 25_600, 0)
    assert [packet.sequence_number for packet in pair.receive()][4:8] == [65_534, 65_535, 0, 1]


def test_a_lost_packet_is_sent_again_bit_for_bit(pair: SrtpPair) -> None:
    sender = RtpSender(pair, 96, 1, "cam")
    first = sender.sequence
    for number in range(5):
        _send(sender, pair, 5120, number)
    sent = pair.datagrams()
    lost = tuple(first + index for index in (0, 4, 7, len(sent) - 1))
    assert sender.repeat(lost) == 4
    assert pair.datagrams() == [sent[0], sent[4], sent[7], sent[-1]]
    assert sender.repeat(lost) == 0, "they are under way"


def test_numbers_never_sent_or_long_gone_are_not_repeated(pair: SrtpPair) -> None:
    sender = RtpSender(pair, 96, 1, "cam")
    first = sender.sequence
    for number in range(60):
        _send(sender, pair, 25_600, number)
        pair.datagrams()
    assert sender.sequence - first > 1100
    assert sender.repeat((first, sender.sequence & 0xFFFF, (sender.sequence + 500) & 0xFFFF)) == 0
    assert sender.repeat(((sender.sequence - 900) & 0xFFFF,)) == 1


def test_repeats_are_bounded(pair: SrtpPair) -> None:
    sender = RtpSender(pair, 96, 1, "cam")
    first = sender.sequence
    for number in range(30):
        _send(sender, pair, 25_600, number)
        pair.datagrams()
    assert 390 <= sender.repeat(tuple((first + n) & 0xFFFF for n in range(600))) <= 420


def test_a_full_socket_is_told_and_what_did_not_leave_can_be_asked_for(tmp_path: Path) -> None:
    with SrtpPair(unix=str(tmp_path / "s")) as pair:
        sender = RtpSender(pair, 96, 1, "cam")
        packets = PacketizedUnit(AccessUnit((b"\x41" * 60_000,), 0, 0, False, PARAMETERS))
        layout = packets.layout(pair.tag_bytes)
        first = sender.sequence
        sender.begin_unit(layout, 0)
        assert not all(sender.send_run(run) for run in layout.runs)
        came = pair.receive()
        assert 0 < len(came) < len(layout.slots)
        assert sender.counters.unsent > 0
        missing = first + len(came)
        assert sender.repeat((missing & 0xFFFF,)) == 1
        assert [packet.payload for packet in pair.receive()] == [packets.payloads[len(came)]]


def test_a_sender_report_tells_clock_and_counts(pair: SrtpPair) -> None:
    sender = RtpSender(pair, 96, 77, "cam")
    _send(sender, pair, 2560, 0)
    pair.datagrams()
    assert sender.send_report(123_456)
    [report] = pair.datagrams()
    assert report[1] == 200 and int.from_bytes(report[4:8], "big") == 77
