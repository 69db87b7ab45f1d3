import struct

from hypothesis import given
from hypothesis import strategies as st

from streams.rtsp.depacketizer import H265Depacketizer
from streams.virtual.codec import H264, H265
from streams.virtual.packetizer import MAX_PAYLOAD_BYTES, packetize


def _parse(data: bytes) -> list[tuple[int, int, int, bool, bytes]]:
    """(sequence, timestamp, ssrc, marker, payload) of framed packets."""
    found = []
    position = 0
    while position < len(data):
        magic, channel, length = struct.unpack_from(">BBH", data, position)
        assert (magic, channel) == (0x24, 0)
        first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data, position + 4)
        assert first == 0x80
        assert second & 0x7F == 96
        payload = bytes(data[position + 16 : position + 4 + length])
        found.append((sequence, timestamp, ssrc, bool(second & 0x80), payload))
        position += 4 + length
    return found


def _join(payloads: list[bytes]) -> list[bytes]:
    """NAL units out of single, STAP-A and FU-A payloads, written apart from the packetizer."""
    found: list[bytes] = []
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind == 24:
            rest = payload[1:]
            while rest:
                size = int.from_bytes(rest[:2], "big")
                found.append(rest[2 : 2 + size])
                rest = rest[2 + size :]
        elif kind == 28:
            if payload[1] & 0x80:
                found.append(bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)))
            found[-1] += payload[2:]
        else:
            found.append(payload)
    return found


nal_units = st.builds(
    lambda kind, size: bytes((0x60 | kind,)) + bytes(i * 7 & 0xFF for i in range(size)),
    st.sampled_from([1, 5, 6]),
    st.integers(1, 3 * MAX_PAYLOAD_BYTES),
)


@given(st.lists(nal_units, min_size=1, max_size=4), st.booleans())
def test_what_is_packetized_comes_together_again(units: list[bytes], with_sets: bool) -> None:
    sets = (b"\x67\x64\x00\x16abc", b"\x68\xeeab") if with_sets else ()
    packets = _parse(packetize(H264(), units, sets).data)
    assert _join([payload for *_, payload in packets]) == [*sets, *units]
    assert [marker for *_, marker, _ in packets] == [False] * (len(packets) - 1) + [True]
    assert all(len(payload) <= MAX_PAYLOAD_BYTES for *_, payload in packets)


@given(st.lists(st.tuples(st.sampled_from([1, 19, 39]), st.integers(1, 3 * MAX_PAYLOAD_BYTES)), min_size=1, max_size=4))
def test_h265_comes_together_again_in_the_client(sizes: list[tuple[int, int]]) -> None:
    units = [bytes((kind << 1, 1)) + bytes(i * 7 % 255 + 1 for i in range(size)) for kind, size in sizes]
    sets = (b"\x40\x01vps", b"\x42\x01sps", b"\x44\x01pps")
    payloads = [payload for *_, payload in _parse(packetize(H265(), units, sets).data)]
    depacketizer = H265Depacketizer()
    assert [nal for payload in payloads for nal in depacketizer.push(memoryview(payload))] == [*sets, *units]
    assert all(len(payload) <= MAX_PAYLOAD_BYTES for payload in payloads)


def test_patching_numbers_packets_and_wraps_the_sequence() -> None:
    template = packetize(H264(), [b"\x65" + bytes(5000)])
    packets = _parse(template.patched(65_534, 0xFFFF_FFF0, 0xDEAD_BEEF))
    assert [sequence for sequence, *_ in packets] == [65_534, 65_535, 0, 1]
    assert {(timestamp, ssrc) for _, timestamp, ssrc, *_ in packets} == {(0xFFFF_FFF0, 0xDEAD_BEEF)}
    assert _join([payload for *_, payload in packets]) == [b"\x65" + bytes(5000)]
