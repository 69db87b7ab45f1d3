"""Bytes of stored fragments with other times in their headers; a whole range as one MP4. Memory stays bounded."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from streams.fmp4 import TIME_SCALE
from streams.playback.errors import LibraryUnavailable, NothingRecorded, ParametersChange
from streams.playback.layout import DECODE_TIME_AT, HEAD_BYTES, MEDIA_TIME_AT, SEQUENCE_AT, Fragment
from streams.playback.library import GAP_US, Library, StoredSegment
from streams.playback.playlist import fragments_between, iso

_PIECE_BYTES = 256 * 1024


def byte_count(fragments: Sequence[Fragment]) -> int:
    return sum(fragment.size for fragment in fragments)


def shifted(path: Path, fragments: Sequence[Fragment], shift_90k: int, first_sequence: int) -> Iterator[bytes]:
    """The fragments as they are stored, their times moved by `shift_90k` and numbered anew.

    Raises LibraryUnavailable: what was announced is no longer there, so the answer must break off.
    """
    try:
        with path.open("rb") as file:
            for sequence, fragment in enumerate(fragments, first_sequence):
                yield _head(_read(file.fileno(), HEAD_BYTES, fragment.position), shift_90k, sequence)
                position, end = fragment.position + HEAD_BYTES, fragment.position + fragment.size
                while position < end:
                    piece = _read(file.fileno(), min(_PIECE_BYTES, end - position), position)
                    yield piece
                    position += len(piece)
    except OSError as error:
        raise LibraryUnavailable(f"{path.name} cannot be read: {error}") from error


def clip(library: Library, camera_id: str, begin_us: int, end_us: int) -> Iterator[bytes]:
    """One MP4 of [begin, end), from the key frame at or before `begin_us` on; time 0 is its first picture.

    In a gap the last picture stands still for as long as the gap lasted. What is not allowed is raised here, before
    the first byte: NothingRecorded, ParametersChange, LibraryUnavailable.
    """
    segments = library.segments(camera_id, begin_us, end_us)
    while segments and fragments_between(segments[0], library.layout(segments[0]), begin_us, end_us) is None:
        segments = segments[1:]
    if not segments:
        raise NothingRecorded(f"camera {camera_id} has no recording in this range")
    first = library.initialization(segments[0])
    for segment in segments:
        other = library.initialization(segment)
        if other.digest != first.digest:
            change = f"{first.codec} {first.width}×{first.height} → {other.codec} {other.width}×{other.height}"
            at = iso(segment.started_us)
            raise ParametersChange(f"the video's format changes at {at} ({change}); export up to there and from there")
    return _clip(library, segments, first.data, begin_us, end_us)


def _clip(
    library: Library, segments: Sequence[StoredSegment], initialization: bytes, begin_us: int, end_us: int
) -> Iterator[bytes]:
    yield initialization
    position_90k, sequence = 0, 1
    before: StoredSegment | None = None
    for segment in segments:
        layout = library.layout(segment)
        bounds = fragments_between(segment, layout, begin_us, end_us)
        if bounds is None:
            continue
        if before is not None and (gap_us := segment.started_us - before.ended_us) > GAP_US:
            position_90k += gap_us * TIME_SCALE // 1_000_000
        fragments = layout.fragments[bounds[0] : bounds[1]]
        begin_90k = fragments[0].time_90k
        yield from shifted(segment.path, fragments, position_90k - begin_90k, sequence)
        position_90k += fragments[-1].end_90k - begin_90k
        sequence += len(fragments)
        before = segment


def _head(head: bytes, shift_90k: int, sequence: int) -> bytes:
    changed = bytearray(head)
    for at in (MEDIA_TIME_AT, DECODE_TIME_AT):
        (time_90k,) = struct.unpack_from(">Q", head, at)
        struct.pack_into(">Q", changed, at, max(time_90k + shift_90k, 0))
    struct.pack_into(">I", changed, SEQUENCE_AT, sequence)
    return bytes(changed)


def _read(descriptor: int, size: int, position: int) -> bytes:
    data = os.pread(descriptor, size, position)
    if len(data) < size:
        raise LibraryUnavailable("the file became shorter")
    return data
