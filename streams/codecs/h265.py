"""H.265 NAL units: kinds, key frames, picture size (ITU-T H.265, 7.3 and 7.4)."""

from __future__ import annotations

from collections.abc import Iterable

from streams.access_unit import Codec
from streams.codecs.bits import BitReader, unescape
from streams.codecs.syntax import NalKind
from streams.errors import MalformedNal

VPS, SPS, PPS = 32, 33, 34
_RASL = (8, 9)
_HEADER_LIMIT = 1024
_MAX_SIDE = 16_384

_KINDS = tuple(
    NalKind.SLICE
    if nal_type <= 9 or 16 <= nal_type <= 21
    else NalKind.PARAMETERS
    if nal_type in (VPS, SPS, PPS)
    else NalKind.NEEDLESS
    if 35 <= nal_type <= 38
    else NalKind.SEI
    if nal_type in (39, 40)
    else NalKind.UNKNOWN
    for nal_type in range(64)
)


def nal_unit_type(nal: bytes) -> int:
    return nal[0] >> 1 & 0x3F


class H265Syntax:
    """Implements `streams.codecs.syntax.NalSyntax`."""

    codec: Codec = "h265"
    header_bytes = 2

    def kind(self, nal: bytes) -> NalKind:
        return _KINDS[nal[0] >> 1 & 0x3F]

    def starts_picture(self, nal: bytes) -> bool:
        return len(nal) > 2 and nal[2] & 0x80 != 0  # first_slice_segment_in_pic_flag

    def is_key(self, nal_units: Iterable[bytes]) -> bool:
        return any(16 <= nal[0] >> 1 & 0x3F <= 23 for nal in nal_units)  # IRAP

    def refreshes_gradually(self, nal_units: Iterable[bytes]) -> bool:
        return any(nal_unit_type(nal) == 39 and nal[2:3] == b"\x06" for nal in nal_units)  # recovery point

    def is_reference(self, nal: bytes) -> bool:
        nal_type = nal[0] >> 1 & 0x3F
        return nal_type < 32 and (nal_type > 14 or nal_type % 2 == 1)  # even below 16: sub-layer non-reference

    def needs_earlier_gop(self, nal: bytes) -> bool:
        return nal[0] >> 1 & 0x3F in _RASL

    def parameter_key(self, nal: bytes) -> tuple[int, int]:
        nal_type = nal_unit_type(nal)
        reader = BitReader(unescape(nal[2:_HEADER_LIMIT]))
        if nal_type == VPS:
            return nal_type, reader.bits(4)
        if nal_type == SPS:
            _skip_to_sps_id(reader)
        return nal_type, reader.unsigned()

    def required_types(self) -> tuple[int, ...]:
        return VPS, SPS, PPS

    def picture_size(self, parameter_set: bytes) -> tuple[int, int] | None:
        return _picture_size(parameter_set) if nal_unit_type(parameter_set) == SPS else None


def _skip_to_sps_id(reader: BitReader) -> None:
    """Past profile_tier_level (7.3.3)."""
    reader.bits(4)
    sub_layers = reader.bits(3)
    reader.bits(1 + 88 + 8)
    present = [(reader.flag(), reader.flag()) for _ in range(sub_layers)]
    if sub_layers:
        reader.bits(2 * (8 - sub_layers))
    for profile, level in present:
        reader.bits((88 if profile else 0) + (8 if level else 0))


def _picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height inside the conformance window (7.4.3.2.1)."""
    reader = BitReader(unescape(sps[2:_HEADER_LIMIT]))
    _skip_to_sps_id(reader)
    reader.unsigned()
    chroma = reader.unsigned()
    if chroma == 3 and reader.flag():
        chroma = 0
    width, height = reader.unsigned(), reader.unsigned()
    if reader.flag():
        left, right, top, bottom = (reader.unsigned() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (top + bottom)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise MalformedNal(f"picture size {width}x{height} cannot be")
    return width, height
