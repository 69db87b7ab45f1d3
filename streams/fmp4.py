"""Fragmented MP4 with one H.264 or H.265 video track (ISO/IEC 14496-12 and -15). Never a sound track.

A file is an initialization (ftyp, moov), then fragments (prft, moof, mdat). `prft` holds the UTC of the fragment's
first picture, so that the times of a recording can be had from the file alone. The time scale is 90,000.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain, pairwise

from streams.access_unit import AccessUnit, CodecParameters
from streams.codecs.bits import BitReader, unescape
from streams.errors import MalformedNal

TIME_SCALE = 90_000
TRACK_ID = 1
NTP_EPOCH_SECONDS = 2_208_988_800

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SYNC_SAMPLE = 0x0200_0000  # depends on no other (8.8.3.1)
_OTHER_SAMPLE = 0x0101_0000  # depends on others, is no sync sample
_H264_WITH_FORMAT = frozenset({100, 110, 122, 144, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})

_FRAGMENT_HEAD = struct.Struct(
    ">I4sIIQQ"  # prft version 1
    "I4s"  # moof
    "I4sII"  # mfhd
    "I4s"  # traf
    "I4sIII"  # tfhd: default-base-is-moof, default sample flags
    "I4sIQ"  # tfdt version 1
    "I4sIIiI"  # trun: sample count, data offset, first sample's flags
)
_PRFT_SIZE = 32
_MOOF_HEAD_SIZE = _FRAGMENT_HEAD.size - _PRFT_SIZE


def initialization(parameters: CodecParameters, reorder_90k: int = 0) -> bytes:
    """ftyp and moov for pictures of `parameters`, shown `reorder_90k` after they are decoded (B frames).

    Raises MalformedNal when its parameter sets cannot be read.
    """
    entry = _sample_entry(parameters)
    table = _full(b"stsd", 0, struct.pack(">I", 1), entry)
    table += b"".join(_full(kind, 0, bytes(4)) for kind in (b"stts", b"stsc", b"stco")) + _full(b"stsz", 0, bytes(8))
    data_reference = _box(b"dinf", _full(b"dref", 0, struct.pack(">I", 1), _full(b"url ", 1)))
    media_information = _box(b"minf", _full(b"vmhd", 1, bytes(8)), data_reference, _box(b"stbl", table))
    media = _box(
        b"mdia",
        _full(b"mdhd", 0, struct.pack(">IIIIHH", 0, 0, TIME_SCALE, 0, 0x55C4, 0)),
        _full(b"hdlr", 0, bytes(4), b"vide", bytes(12), b"video\0"),
        media_information,
    )
    size = struct.pack(">II", parameters.width << 16, parameters.height << 16)
    track_header = _full(b"tkhd", 3, struct.pack(">IIIII", 0, 0, TRACK_ID, 0, 0), bytes(16), _MATRIX, size)
    movie_header = struct.pack(">IIIIIH10x", 0, 0, TIME_SCALE, 0, 0x10000, 0x100) + _MATRIX + bytes(24)
    extends = _full(b"trex", 0, struct.pack(">IIIII", TRACK_ID, 1, 0, 0, _OTHER_SAMPLE))
    movie = _box(
        b"moov",
        _full(b"mvhd", 0, movie_header, struct.pack(">I", TRACK_ID + 1)),
        _box(b"trak", track_header, _edit_list(reorder_90k), media),
        _box(b"mvex", extends),
    )
    return _box(b"ftyp", b"iso6", struct.pack(">I", 0x200), b"iso6", b"iso5", b"mp41") + movie


def fragment(
    units: Sequence[AccessUnit],
    *,
    sequence: int,
    base_pts_90k: int,
    end_pts_90k: int,
    reorder_90k: int | None,
    utc_ns: int,
) -> bytes:
    """prft, moof and mdat of `units`.

    `base_pts_90k` is time 0 of the file, `end_pts_90k` where the last picture ends, `utc_ns` when the first came.
    `reorder_90k` is None while no unit is shown before one that came earlier, else (B frames) by how much all are
    shown later than decoded, as in the initialization; the nth unit is then decoded at the nth presentation time.

    This is a hot loop: once a fragment for every picture of every camera (tests.benchmarks.record).
    """
    pieces: list[bytes] = []
    sizes: list[int] = []
    for unit in units:
        total = 0
        for nal in unit.nal_units:
            length = len(nal)
            pieces.append(length.to_bytes(4, "big"))
            pieces.append(nal)
            total += length + 4
        sizes.append(total)
    count = len(units)
    times = [unit.pts_90k for unit in units]
    first_flags = _SYNC_SAMPLE if units[0].is_key else _OTHER_SAMPLE
    if reorder_90k is not None:
        decode_times = sorted(times)
        durations = [later - earlier for earlier, later in pairwise(decode_times)]
        durations.append(max(end_pts_90k - decode_times[-1], 0))
        offsets = [pts - dts + reorder_90k for pts, dts in zip(times, decode_times, strict=True)]
        table = struct.pack(">" + "IIi" * count, *chain.from_iterable(zip(durations, sizes, offsets, strict=True)))
        first_time, run_flags = decode_times[0], 0x0100_0B05
    else:
        durations = [later - earlier for earlier, later in pairwise(times)]
        durations.append(max(end_pts_90k - times[-1], 0))
        table = struct.pack(f">{2 * count}I", *chain.from_iterable(zip(durations, sizes, strict=True)))
        first_time, run_flags = times[0], 0x0000_0305
    first_time = max(first_time - base_pts_90k, 0)
    table_size = len(table)
    moof_size = _MOOF_HEAD_SIZE + table_size
    media_size = sum(sizes) + 8
    head = _FRAGMENT_HEAD.pack(
        *(_PRFT_SIZE, b"prft", 0x0100_0000, TRACK_ID, ntp_time(utc_ns), times[0] - base_pts_90k),
        *(moof_size, b"moof"),
        *(16, b"mfhd", 0, sequence),
        *(moof_size - 24, b"traf"),
        *(20, b"tfhd", 0x0002_0020, TRACK_ID, _OTHER_SAMPLE),
        *(20, b"tfdt", 0x0100_0000, first_time),
        *(24 + table_size, b"trun", run_flags, count, moof_size + 8, first_flags),
    )
    return b"".join((head, table, struct.pack(">I4s", media_size, b"mdat"), *pieces))


def reordering(units: Sequence[AccessUnit]) -> int:
    """By how much pictures must be shown later than decoded, so that each is decoded before it is shown."""
    times = [unit.pts_90k for unit in units]
    return max(dts - pts for dts, pts in zip(sorted(times), times, strict=True))


def ntp_time(utc_ns: int) -> int:
    """Nanoseconds since 1970 as a 64-bit NTP time (RFC 5905)."""
    seconds, rest = divmod(utc_ns, 1_000_000_000)
    return (seconds + NTP_EPOCH_SECONDS) << 32 | (rest << 32) // 1_000_000_000


def utc_ns_of_ntp(ntp: int) -> int:
    """The inverse of `ntp_time`, to the nanosecond below."""
    seconds = (ntp >> 32) - NTP_EPOCH_SECONDS
    return seconds * 1_000_000_000 + ((ntp & 0xFFFF_FFFF) * 1_000_000_000 >> 32)


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _edit_list(reorder_90k: int) -> bytes:
    """Have the presentation start at 0 although the first picture is decoded earlier than shown (8.6.6)."""
    if not reorder_90k:
        return b""
    return _box(b"edts", _full(b"elst", 0, struct.pack(">IIiI", 1, 0, reorder_90k, 0x10000)))


def _full(kind: bytes, flags: int, *content: bytes) -> bytes:
    """A box with version (the highest byte of `flags`) and flags."""
    return _box(kind, struct.pack(">I", flags), *content)


def _sample_entry(parameters: CodecParameters) -> bytes:
    visual = struct.pack(">6xH16xHHIII", 1, parameters.width, parameters.height, 0x48_0000, 0x48_0000, 0)
    visual += struct.pack(">H32xHh", 1, 24, -1)
    if parameters.codec == "h264":
        return _box(b"avc1", visual, _box(b"avcC", _avc_configuration(parameters.parameter_sets)))
    return _box(b"hvc1", visual, _box(b"hvcC", _hevc_configuration(parameters.parameter_sets)))


def _avc_configuration(parameter_sets: Sequence[bytes]) -> bytes:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1)."""
    by_type: dict[int, list[bytes]] = {7: [], 8: [], 13: []}
    for nal in parameter_sets:
        by_type.setdefault(nal[0] & 0x1F, []).append(nal)
    sequence_sets, picture_sets = by_type[7], by_type[8]
    if not sequence_sets or not picture_sets or len(sequence_sets[-1]) < 4:
        raise MalformedNal("SPS or PPS is missing")
    profile, compatibility, level = sequence_sets[-1][1:4]
    record = bytes((1, profile, compatibility, level, 0xFF, 0xE0 | len(sequence_sets)))
    record += b"".join(map(_with_length, sequence_sets))
    record += bytes((len(picture_sets),)) + b"".join(map(_with_length, picture_sets))
    if profile in _H264_WITH_FORMAT:
        reader = BitReader(unescape(sequence_sets[-1][4:64]))
        reader.unsigned()
        chroma = reader.unsigned()
        if chroma == 3:
            reader.flag()
        luma_depth, chroma_depth = reader.unsigned(), reader.unsigned()
        record += bytes((0xFC | chroma & 3, 0xF8 | luma_depth & 7, 0xF8 | chroma_depth & 7, len(by_type[13])))
        record += b"".join(map(_with_length, by_type[13]))
    return record


def _hevc_configuration(parameter_sets: Sequence[bytes]) -> bytes:
    """HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1)."""
    by_type: dict[int, list[bytes]] = {}
    for nal in parameter_sets:
        by_type.setdefault(nal[0] >> 1 & 0x3F, []).append(nal)
    if not all(kind in by_type for kind in (32, 33, 34)):
        raise MalformedNal("VPS, SPS or PPS is missing")
    content = unescape(by_type[33][-1][2:])
    reader = BitReader(content[:1024])
    reader.bits(4)
    sub_layers = reader.bits(3)
    is_nested = reader.bits(1)
    profile_tier_level = content[1:13]
    reader.bits(96)
    present = [(reader.flag(), reader.flag()) for _ in range(sub_layers)]
    reader.bits(2 * (8 - sub_layers) if sub_layers else 0)
    for has_profile, has_level in present:
        reader.bits(88 * has_profile + 8 * has_level)
    reader.unsigned()
    chroma = reader.unsigned()
    if chroma == 3:
        reader.flag()
    reader.unsigned()
    reader.unsigned()
    if reader.flag():
        for _ in range(4):
            reader.unsigned()
    depths = 0xF8 | reader.unsigned() & 7, 0xF8 | reader.unsigned() & 7
    layers = (sub_layers + 1) << 3 | is_nested << 2 | 3
    record = b"\x01" + profile_tier_level + struct.pack(">HBBBBHB", 0xF000, 0xFC, 0xFC | chroma & 3, *depths, 0, layers)
    record += bytes((len(by_type),))
    for kind, nal_units in sorted(by_type.items()):
        record += struct.pack(">BH", 0x80 | kind, len(nal_units)) + b"".join(map(_with_length, nal_units))
    return record


def _with_length(nal: bytes) -> bytes:
    return struct.pack(">H", len(nal)) + nal
