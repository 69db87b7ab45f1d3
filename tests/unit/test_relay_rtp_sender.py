"""A viewer's RTP stream on the wire: decrypted by libsrtp at the other end of a real socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.access_unit import AccessUnit, CodecParameters
from streams.relay.header_extensions import HeaderExtensions, send_time
from streams.relay.packetizer import PacketizedUnit, Run
from streams.relay.rtp_sender import RtpSender
from streams.relay.sdp import Extensions
from tests.srtp_pair import SrtpPair

PARAMETERS = CodecParameters("h264", (b"\x67\x64\x00\x1f", b"\x68\x01"), 640, 360)


@pytest.fixture(params=["gcm", "sha1"])
def pair(request: pytest.FixtureRequest) -> Iterator[SrtpPair]:
    with SrtpPair(request.param) as pair:
        yield pair


ALL = Extensions(abs_send_time=2, playout_delay=5, mid=4, abs_capture_time=9)


def _extended(pair: SrtpPair, extensions: Extensions = ALL, mid: str = "0") -> RtpSender:
    return RtpSender(pair, 96, 1, "cam", HeaderExtensions(extensions, mid))


def _elements(packet: bytes) -> dict[int, bytes]:
    """Header extensions by number (RFC 8285, 4.2)."""
    assert packet[0] == 0x90 and packet[12:14] == b"\xbe\xde"
    rest = packet[16 : 16 + 4 * int.from_bytes(packet[14:16], "big")]
    found = {}
    while rest:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        end = (rest[0] & 15) + 2
        found[rest[0] >> 4], rest = rest[1:end], rest[end:]
    return found


def _send(sender: RtpSender, pair: SrtpPair, size: int, timestamp: int, received_ns: int = 0) -> PacketizedUnit:
    nal = b"\x41" + bytes(range(256)) * (size // 256)
    packets = PacketizedUnit(AccessUnit((nal,), 0, received_ns, False, PARAMETERS))
    layout = packets.layout(pair.tag_bytes, sender.extension_bytes)
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


@pytest.mark.parametrize("extensions", [Extensions(), Extensions(abs_send_time=3), ALL])
def test_a_lost_packet_is_sent_again_bit_for_bit(pair: SrtpPair, extensions: Extensions) -> None:
    sender = _extended(pair, extensions)
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


def test_every_packet_carries_the_header_extensions_that_were_negotiated(pair: SrtpPair) -> None:
    sender = _extended(pair, mid="video0")
    before = time.monotonic_ns()
    came_ns, came_unix = before - 5_000_000_000, time.time() - 5
    packets = _send(sender, pair, 25_600, 90, came_ns)
    received = pair.unprotected()
    assert len(received) == len(packets.payloads) > 16, "more than one run"
    for packet, payload in zip(received, packets.payloads, strict=True):
        found = _elements(packet)
        assert packet[12 + sender.extension_bytes :] == payload
        assert (found[4], found[5], set(found)) == (b"video0", bytes(3), {2, 4, 5, 9})
        passed = (int.from_bytes(found[2], "big") - send_time(before)) % (1 << 24) / (1 << 18)
        assert 0 <= passed < 40, "seconds since it was to be sent"
        captured = int.from_bytes(found[9], "big") / (1 << 32) - 2_208_988_800
        assert abs(captured - came_unix) < 1


def test_only_what_was_negotiated_is_written_and_without_any_there_is_no_block(pair: SrtpPair) -> None:
    _send(_extended(pair, Extensions(playout_delay=1)), pair, 512, 0)
    [packet] = pair.unprotected()
    assert _elements(packet) == {1: bytes(3)}
    sender = RtpSender(pair, 96, 2, "cam", HeaderExtensions(Extensions(), "0"))
    _send(sender, pair, 512, 0)
    assert sender.extension_bytes == 0 and pair.unprotected()[0][0] == 0x80


def test_packets_with_all_extensions_fit_the_least_ipv6_link(pair: SrtpPair) -> None:
    _send(_extended(pair), pair, 25_600, 0)
    assert max(map(len, pair.datagrams())) + 8 + 40 <= 1280


def test_what_is_sent_again_after_hundreds_of_pictures_is_from_the_kept_runs_alone(pair: SrtpPair) -> None:
    sender = _extended(pair)
    sent = []
    for number in range(300):
        _send(sender, pair, 256, number)
        sent += pair.datagrams()
    assert sender.repeat((sender.sequence - 257 & 0xFFFF,)) == 0, "its run is no longer known"
    assert sender.repeat((sender.sequence - 256 & 0xFFFF, sender.sequence - 1 & 0xFFFF)) == 2
    assert pair.datagrams() == [sent[-256], sent[-1]]


def test_pictures_too_old_to_be_sent_again_are_let_go(pair: SrtpPair) -> None:
    sender = RtpSender(pair, 96, 1, "cam")
    for number in range(60):
        _send(sender, pair, 25_600, number)
        pair.datagrams()
    runs = [held for held in sender._history._held if isinstance(held, Run)]
    assert 1000 <= sum(run.packet_count for run in runs) <= 1200
