"""The fragments of a stored file, found by their headers (ISO/IEC 14496-12, as streams.fmp4 writes them).

Of each fragment only the first kilobytes are read, so a file of a minute costs some thirty small reads.
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from streams.fmp4 import TIME_SCALE

# Where streams.fmp4.fragment puts things, from the fragment's first byte (its prft) on.
MEDIA_TIME_AT = 24
MOOF_AT = 32
SEQUENCE_AT = 52
DECODE_TIME_AT = 96
HEAD_BYTES = 104
_RUN_AT = 104
_RUN = struct.Struct(">I4sIIiI")
_READ_BYTES = 4096
_LARGEST_INITIALIZATION = 1 << 20
_WITH_OFFSETS = 0x800
_DEPENDS_ON_OTHERS = 0x0001_0000


class BadLayout(Exception):
    """The file does not begin as ours do."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """`position` and `size` are bytes in the file; `time_90k` counts from the file's first picture.

    `first_size` is the size of its first picture; `media_at` is where that lies in the file.
    """

    position: int
    size: int
    time_90k: int
    duration_90k: int
    is_key: bool
    media_at: int
    first_size: int

    @property
    def end_90k(self) -> int:
        return self.time_90k + self.duration_90k


@dataclass(frozen=True, slots=True)
class Initialization:
    """ftyp and moov; equal `digest`s say that pictures may follow each other in one decoder."""

    data: bytes
    digest: str
    codec: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """All whole fragments of a file, in order."""

    initialization: Initialization
    fragments: tuple[Fragment, ...]

    @property
    def end_90k(self) -> int:
        """Where its last fragment ends; 0 without one."""
        return self.fragments[-1].end_90k if self.fragments else 0

    def key_at(self, time_90k: int) -> int | None:
        """Number of the last fragment with a key frame that begins at or before `time_90k`, else of the first after."""
        found = None
        for number, fragment in enumerate(self.fragments):
            if fragment.is_key:
                if fragment.time_90k > time_90k and found is not None:
                    break
                found = number
                if fragment.time_90k > time_90k:
                    break
        return found


def read_initialization(path: Path) -> Initialization:
    """What stands before the first fragment. Raises BadLayout, OSError."""
    with path.open("rb") as file:
        return _initialization(file.fileno())


def read_layout(path: Path) -> Layout:
    """Up to the last fragment that is whole: the file may still be growing. Raises BadLayout, OSError."""
    with path.open("rb") as file:
        descriptor = file.fileno()
        file_bytes = os.fstat(descriptor).st_size
        initialization = _initialization(descriptor)
        position = len(initialization.data)
        fragments: list[Fragment] = []
        while (fragment := _fragment(descriptor, position, file_bytes)) is not None:
            fragments.append(fragment)
            position += fragment.size
    return Layout(initialization, tuple(fragments))


def _initialization(descriptor: int) -> Initialization:
    data = os.pread(descriptor, _READ_BYTES, 0)
    size = 0
    for kind in (b"ftyp", b"moov"):
        if data[size + 4 : size + 8] != kind:
            raise BadLayout(f"no {kind.decode()} at byte {size}")
        size += int.from_bytes(data[size : size + 4], "big")
        if size > _LARGEST_INITIALIZATION:
            raise BadLayout(f"{kind.decode()} ends at byte {size}")
        if size + 8 > len(data):
            data = os.pread(descriptor, size + _READ_BYTES, 0)
    data = data[:size]
    codec, width, height = _describe(data)
    return Initialization(data, hashlib.sha256(data).hexdigest()[:16], codec, width, height)


def _describe(data: bytes) -> tuple[str, int, int]:
    """(codec as in RFC 6381, width, height) from the sample entry."""
    at = data.find(b"avcC")
    entry = data.find(b"avc1")
    if 0 <= entry < at and len(data) >= at + 8:
        codec = "avc1." + data[at + 5 : at + 8].hex()
    else:
        at, entry = data.find(b"hvcC"), data.find(b"hvc1")
        if not 0 <= entry < at or len(data) < at + 17:
            raise BadLayout("neither H.264 nor H.265")
        codec = _hevc_codec(data[at + 4 : at + 17])
    width, height = struct.unpack_from(">HH", data, entry + 28)
    return codec, width, height


def _hevc_codec(record: bytes) -> str:
    """As ISO/IEC 14496-15, annex E.3: space and profile, compatibility bits reversed, tier and level, constraints."""
    space = ("", "A", "B", "C")[record[1] >> 6]
    compatibility = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = ".".join(f"{byte:x}" for byte in record[6:12].rstrip(b"\0"))
    tier = "H" if record[1] & 0x20 else "L"
    text = f"hvc1.{space}{record[1] & 0x1F}.{compatibility:x}.{tier}{record[12]}"
    return f"{text}.{constraints}" if constraints else text


def _fragment(descriptor: int, position: int, file_bytes: int) -> Fragment | None:
    """The fragment at `position`; None when there is none, or it is not whole yet."""
    if position + HEAD_BYTES > file_bytes:
        return None
    head = os.pread(descriptor, _READ_BYTES, position)
    if len(head) < _RUN_AT + _RUN.size or head[4:8] != b"prft" or head[MOOF_AT + 4 : MOOF_AT + 8] != b"moof":
        return None
    if head[DECODE_TIME_AT - 8 : DECODE_TIME_AT - 4] != b"tfdt":
        return None
    moof_bytes = int.from_bytes(head[MOOF_AT : MOOF_AT + 4], "big")
    media_at = MOOF_AT + moof_bytes
    if position + media_at + 8 > file_bytes:
        return None
    if media_at + 8 > len(head):
        head = os.pread(descriptor, media_at + 8, position)
    _, kind, flags, count, _, first_flags = _RUN.unpack_from(head, _RUN_AT)
    size = media_at + int.from_bytes(head[media_at : media_at + 4], "big")
    step = 3 if flags & _WITH_OFFSETS else 2
    table_at = _RUN_AT + _RUN.size
    if kind != b"trun" or head[media_at + 4 : media_at + 8] != b"mdat" or position + size > file_bytes:
        return None
    if count == 0 or table_at + count * step * 4 > media_at:
        return None
    table = struct.unpack_from(f">{count * step}I", head, table_at)
    time_90k = int.from_bytes(head[DECODE_TIME_AT:HEAD_BYTES], "big")
    is_key = not first_flags & _DEPENDS_ON_OTHERS
    return Fragment(position, size, time_90k, sum(table[::step]), is_key, position + media_at + 8, table[1])


def seconds(time_90k: int) -> float:
    return time_90k / TIME_SCALE
