"""What clips of H.264 and of H.265 differ in: NAL unit types, containers' configuration, SDP, RTP payloads."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Iterator, Sequence


class ClipCodec(ABC):
    """`encoding_name` is that of SDP. `parameter_types` are in the order in which they are sent."""

    encoding_name: str
    parameter_types: tuple[int, ...]
    left_out: frozenset[int]
    """Not sent as they stand in the file: parameter sets (sent before each key frame), delimiters, filler data."""

    @abstractmethod
    def nal_type(self, nal_unit: bytes) -> int:
        """nal_unit_type."""

    @abstractmethod
    def set_identity(self, nal_unit: bytes) -> int:
        """What tells parameter sets of one type apart."""

    @abstractmethod
    def configuration(self, extradata: bytes) -> tuple[int, list[bytes]]:
        """Bytes of a length field and the parameter sets in a container's configuration record (ISO/IEC 14496-15).

        No length field (0) in what is no such record but a byte stream.
        """

    @abstractmethod
    def aggregate(self, nal_units: Sequence[bytes]) -> bytes:
        """One payload of many small NAL units."""

    @abstractmethod
    def fragments(self, nal_unit: bytes, max_bytes: int) -> list[bytes]:
        """Payloads of one large NAL unit, each of at most `max_bytes`."""

    @abstractmethod
    def format_parameters(self, parameter_sets: Sequence[bytes]) -> str:
        """The `a=fmtp` value of SDP."""


class H264(ClipCodec):
    """RFC 6184, packetization mode 1: single NAL units, STAP-A, FU-A."""

    encoding_name = "H264"
    parameter_types = (7, 8)
    left_out = frozenset((7, 8, 9, 12))

    def nal_type(self, nal_unit: bytes) -> int:
        return nal_unit[0] & 0x1F

    def set_identity(self, nal_unit: bytes) -> int:
        """pic_parameter_set_id of a PPS, its first ue(v)."""
        if self.nal_type(nal_unit) != 8 or len(nal_unit) < 2:
            return 0
        bits = int.from_bytes(nal_unit[1:6].ljust(5, b"\0"), "big")
        zeros = 40 - bits.bit_length()
        return (bits >> max(40 - 2 * zeros - 1, 0)) - 1

    def configuration(self, extradata: bytes) -> tuple[int, list[bytes]]:
        if extradata[:1] != b"\x01":
            return 0, split_annex_b(extradata)
        found: list[bytes] = []
        position = 5
        for mask in (0x1F, 0xFF):
            count = extradata[position] & mask
            position = _take_sets(extradata, position + 1, count, found)
        return (extradata[4] & 3) + 1, found

    def aggregate(self, nal_units: Sequence[bytes]) -> bytes:
        importance = max(nal_unit[0] & 0x60 for nal_unit in nal_units)
        return bytes((importance | 24,)) + _with_sizes(nal_units)

    def fragments(self, nal_unit: bytes, max_bytes: int) -> list[bytes]:
        indicator, kind = (nal_unit[0] & 0xE0) | 28, nal_unit[0] & 0x1F
        parts = _parts(nal_unit, 1, max_bytes - 2)
        return [bytes((indicator, flags | kind)) + part for flags, part in parts]

    def format_parameters(self, parameter_sets: Sequence[bytes]) -> str:
        profile = parameter_sets[0][1:4].hex()
        sets = ",".join(b64encode(nal_unit).decode() for nal_unit in parameter_sets)
        return f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}"


class H265(ClipCodec):
    """RFC 7798: single NAL units, AP, FU, without decoding order numbers."""

    encoding_name = "H265"
    parameter_types = (32, 33, 34)
    left_out = frozenset((32, 33, 34, 35, 36, 37, 38))

    def nal_type(self, nal_unit: bytes) -> int:
        return nal_unit[0] >> 1 & 0x3F

    def set_identity(self, nal_unit: bytes) -> int:
        """Encoders write one set of a type."""
        return 0

    def configuration(self, extradata: bytes) -> tuple[int, list[bytes]]:
        if extradata[:1] != b"\x01" or len(extradata) < 23:
            return 0, split_annex_b(extradata)
        found: list[bytes] = []
        position = 23
        for _ in range(extradata[22]):
            count = int.from_bytes(extradata[position + 1 : position + 3], "big")
            position = _take_sets(extradata, position + 3, count, found)
        return (extradata[21] & 3) + 1, [nal for nal in found if self.nal_type(nal) in self.parameter_types]

    def aggregate(self, nal_units: Sequence[bytes]) -> bytes:
        return bytes((48 << 1, 1)) + _with_sizes(nal_units)

    def fragments(self, nal_unit: bytes, max_bytes: int) -> list[bytes]:
        header = bytes((nal_unit[0] & 0x81 | 49 << 1, nal_unit[1]))
        kind = self.nal_type(nal_unit)
        parts = _parts(nal_unit, 2, max_bytes - 3)
        return [header + bytes((flags | kind,)) + part for flags, part in parts]

    def format_parameters(self, parameter_sets: Sequence[bytes]) -> str:
        names = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}
        return ";".join(f"{names[self.nal_type(nal)]}={b64encode(nal).decode()}" for nal in parameter_sets)


CODECS: dict[str, ClipCodec] = {"h264": H264(), "hevc": H265()}
"""By FFmpeg's names."""


def split_lengths(data: bytes, length_size: int) -> list[bytes]:
    """NAL units that each follow their length."""
    found: list[bytes] = []
    position = 0
    while position + length_size <= len(data):
        length = int.from_bytes(data[position : position + length_size], "big")
        position += length_size
        if length:
            found.append(data[position : position + length])
        position += length
    return found


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units between start codes."""
    pieces = data.split(b"\x00\x00\x01")[1:]
    stripped = [piece.rstrip(b"\x00") for piece in pieces]
    return [piece for piece in stripped if piece]


def _take_sets(extradata: bytes, position: int, count: int, found: list[bytes]) -> int:
    for _ in range(count):
        length = int.from_bytes(extradata[position : position + 2], "big")
        found.append(extradata[position + 2 : position + 2 + length])
        position += 2 + length
    return position


def _with_sizes(nal_units: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(nal_unit)) + nal_unit for nal_unit in nal_units)


def _parts(nal_unit: bytes, header_bytes: int, room: int) -> Iterator[tuple[int, bytes]]:
    """(start and end bits, part) of each fragment."""
    for start in range(header_bytes, len(nal_unit), room):
        first, last = start == header_bytes, start + room >= len(nal_unit)
        yield (0x80 if first else 0) | (0x40 if last else 0), nal_unit[start : start + room]
