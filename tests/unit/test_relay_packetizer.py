"""Access units as RTP payloads, put together again as RFC 6184 says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.access_unit import AccessUnit, CodecParameters
from streams.relay.packetizer import HEADER_BYTES, PAYLOAD_BYTES, RUN_PACKETS, PacketizedUnit, packetize

SPS, PPS = b"\x67\x64\x00\x1f" + b"s" * 20, b"\x68" + b"p" * 6
PARAMETERS = CodecParameters("h264", (SPS, PPS), 640, 360)


def _unit(*nal_units: bytes, is_key: bool = False) -> AccessUnit:
    return AccessUnit(nal_units, 0, 0, is_key, PARAMETERS)


def _depacketize(payloads: list[bytes]) -> list[bytes]:
    nal_units: list[bytes] = []
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind == 24:
            position = 1
            while position < len(payload):
                size = int.from_bytes(payload[position : position + 2], "big")
                nal_units.append(payload[position + 2 : position + 2 + size])
                position += 2 + size
        elif kind == 28:
            if payload[1] & 0x80:
                nal_units.append(bytes([payload[0] & 0xE0 | payload[1] & 0x1F]))
            nal_units[-1] += payload[2:]
        else:
            nal_units.append(payload)
    return nal_units


slices = st.tuples(st.sampled_from([0x41, 0x01, 0x65]), st.integers(0, 9000)).map(
    lambda drawn: bytes([drawn[0]]) + b"\xa5" * drawn[1]
)


@given(st.lists(slices, min_size=1, max_size=8))
def test_what_is_packetized_comes_out_again_and_no_payload_is_too_long(nal_units: list[bytes]) -> None:
    payloads = packetize(_unit(*nal_units))
    assert _depacketize(payloads) == nal_units
    assert max(map(len, payloads)) <= PAYLOAD_BYTES


@given(st.lists(slices, min_size=1, max_size=8), st.sampled_from([10, 16]))
def test_runs_cover_all_packets_and_only_the_last_of_a_run_is_shorter(nal_units: list[bytes], tag: int) -> None:
    packets = PacketizedUnit(_unit(*nal_units))
    layout = packets.layout(tag)
    covered = 0
    for run in layout.runs:
        sizes = [size for _, size in layout.slots[run.first : run.first + run.packet_count]]
        assert run.first == covered and 1 <= run.packet_count <= RUN_PACKETS
        assert set(sizes[:-1]) <= {run.segment_bytes} and sizes[-1] <= run.segment_bytes
        assert run.offset == layout.slots[run.first][0] and run.byte_count == sum(sizes)
        covered += run.packet_count
    assert covered == len(layout.slots)
    bodies = [layout.block[offset + HEADER_BYTES : offset + size - tag] for offset, size in layout.slots]
    assert bodies == packets.payloads


def test_a_key_frame_carries_its_parameter_sets_once_and_first() -> None:
    key = b"\x65" + b"k" * 5000
    for nal_units in ((key,), (b"\x09\xf0", SPS, PPS, b"\x06sei", key)):
        assert _depacketize(packetize(_unit(*nal_units, is_key=True))) == [SPS, PPS, key]


def test_what_a_decoder_does_not_need_is_not_sent() -> None:
    picture = b"\x41" + b"x" * 50
    assert packetize(_unit(b"\x09\xf0", b"\x06sei", picture, b"\x0cfill", b"")) == [picture]


def test_a_unit_without_a_picture_has_no_packets() -> None:
    assert packetize(_unit(b"\x06sei")) == []
    assert PacketizedUnit(_unit(b"\x06sei")).layout(16).runs == ()
