"""H.264 NAL units: kinds, key frames, picture size (ITU-T H.264, 7.3 and 7.4)."""

from __future__ import annotations

from collections.abc import Iterable

from streams.access_unit import Codec
from streams.codecs.bits import BitReader, unescape
from streams.codecs.syntax import NalKind
from streams.errors import MalformedNal

SLICE_IDR, SEI, SPS, PPS = 5, 6, 7, 8
_RECOVERY_POINT = 6
_HEADER_LIMIT = 1024  # bytes of a parameter set or SEI that are looked at
_MAX_SIDE = 16_384

# profiles whose SPS says chroma format, bit depth and scaling lists (7.3.2.1.1)
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})

_KINDS = tuple(
    NalKind.SLICE
    if 1 <= nal_type <= 5
    else NalKind.SEI
    if nal_type == SEI
    else NalKind.PARAMETERS
    if nal_type in (SPS, PPS, 13, 15)  # with SPS extension and subset SPS
    else NalKind.NEEDLESS
    if 9 <= nal_type <= 12
    else NalKind.UNKNOWN
    for nal_type in range(32)
)


class H264Syntax:
    """Implements `streams.codecs.syntax.NalSyntax`."""

    codec: Codec = "h264"
    header_bytes = 1

    def kind(self, nal: bytes) -> NalKind:
        return _KINDS[nal[0] & 0x1F]

    def starts_picture(self, nal: bytes) -> bool:
        return len(nal) > 1 and nal[1] & 0x80 != 0  # first_mb_in_slice is 0, written as a single 1 bit

    def is_key(self, nal_units: Iterable[bytes]) -> bool:
        for nal in nal_units:
            nal_type = nal[0] & 0x1F
            if nal_type == SLICE_IDR or (nal_type == SEI and recovery_frames(nal) == 0):
                return True
        return False

    def refreshes_gradually(self, nal_units: Iterable[bytes]) -> bool:
        return any(nal[0] & 0x1F == SEI and (recovery_frames(nal) or 0) > 0 for nal in nal_units)

    def is_reference(self, nal: bytes) -> bool:
        return nal[0] & 0x60 != 0  # nal_ref_idc

    def needs_earlier_gop(self, nal: bytes) -> bool:
        return False

    def parameter_key(self, nal: bytes) -> tuple[int, int]:
        nal_type = nal[0] & 0x1F
        reader = BitReader(unescape(nal[1:64]))
        if nal_type in (SPS, 15):
            reader.bits(24)
        return nal_type, reader.unsigned()

    def required_types(self) -> tuple[int, ...]:
        return SPS, PPS

    def picture_size(self, parameter_set: bytes) -> tuple[int, int] | None:
        return _picture_size(parameter_set) if parameter_set[0] & 0x1F == SPS else None


def recovery_frames(sei: bytes) -> int | None:
    """recovery_frame_cnt of a recovery point message in the SEI NAL unit, None without one (D.1.8)."""
    sei = unescape(sei[:_HEADER_LIMIT])
    end = len(sei)
    pos = 1
    while pos + 2 <= end:
        numbers = []
        for _ in range(2):  # payload type, payload size: bytes of 255 add up (7.3.2.3.1)
            value = 0
            while pos < end and sei[pos] == 0xFF:
                value += 255
                pos += 1
            if pos >= end:
                return None
            numbers.append(value + sei[pos])
            pos += 1
        if numbers[0] == _RECOVERY_POINT:
            try:
                return BitReader(sei[pos : pos + 8]).unsigned()
            except MalformedNal:
                return None
        if sei[pos : pos + 1] == b"\x80":
            return None
        pos += numbers[1]
    return None


def _skip_scaling_lists(reader: BitReader, count: int) -> None:
    for index in range(count):
        if not reader.flag():
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + reader.signed()) % 256
            last = following or last


def _chroma_format(reader: BitReader, profile: int) -> int:
    """chroma_format_idc, 3 with separate planes counted as 0 (monochrome cropping units)."""
    if profile not in _HIGH_PROFILES:
        return 1
    chroma = reader.unsigned()
    separate = chroma == 3 and reader.flag()
    reader.unsigned()  # bit depths
    reader.unsigned()
    reader.flag()
    if reader.flag():
        _skip_scaling_lists(reader, 12 if chroma == 3 else 8)
    return 0 if separate else chroma


def _skip_picture_order(reader: BitReader) -> None:
    order_type = reader.unsigned()
    if order_type == 0:
        reader.unsigned()
    elif order_type == 1:
        reader.flag()
        reader.signed()
        reader.signed()
        for _ in range(min(reader.unsigned(), 255)):
            reader.signed()


def _picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height after cropping (7.4.2.1.1)."""
    reader = BitReader(unescape(sps[1:_HEADER_LIMIT]))
    profile = reader.bits(8)
    reader.bits(16)
    reader.unsigned()
    chroma = _chroma_format(reader, profile)
    reader.unsigned()
    _skip_picture_order(reader)
    reader.unsigned()
    reader.flag()
    width = (reader.unsigned() + 1) * 16
    map_units = reader.unsigned() + 1
    frames_only = reader.flag()
    height = map_units * 16 * (1 if frames_only else 2)
    if not frames_only:
        reader.flag()
    reader.flag()
    if reader.flag():
        unit_x = 2 if chroma in (1, 2) else 1
        unit_y = (2 if chroma == 1 else 1) * (1 if frames_only else 2)
        left, right, top, bottom = (reader.unsigned() for _ in range(4))
        width -= unit_x * (left + right)
        height -= unit_y * (top + bottom)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise MalformedNal(f"picture size {width}x{height} cannot be")
    return width, height
