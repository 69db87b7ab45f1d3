"""HLS playlists (RFC 8216) of a range: fragmented MP4 straight from the stored files.

Short ranges are listed by their fragments, in parts that begin at key frames, so that a player fetches little to begin
anywhere. Longer ones are listed file by file (about a minute each): a day then costs no look into 1,440 files.
The pictures' times in what `media` gives are those of the playlist: 0 at its beginning, gaps left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from streams.fmp4 import TIME_SCALE
from streams.playback.errors import LibraryUnavailable, NothingRecorded
from streams.playback.layout import Layout, seconds
from streams.playback.library import GAP_US, Library, StoredSegment

BY_FRAGMENT_US = 3_600_000_000
_PART_90K = 4 * TIME_SCALE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """Fragments `first` to `last` of a file, its whole when `last` is None; they begin at `at_us`, `begin_90k` in the
    file, and last `duration_90k`.
    """

    segment: StoredSegment
    first: int
    last: int | None
    begin_90k: int
    duration_90k: int

    @property
    def at_us(self) -> int:
        return self.segment.started_us + self.begin_90k * 1_000_000 // TIME_SCALE


def playlist(library: Library, camera_id: str, begin_us: int, end_us: int, token: str) -> str:
    """From the key frame at or before `begin_us`, else the first after, to the fragment with `end_us`.

    `token` is put behind every address. Raises NothingRecorded, LibraryUnavailable.
    """
    lines: list[str] = []
    longest = position_90k = 0
    before: Part | None = None
    digest = ""
    for part in _parts(library, camera_id, begin_us, end_us):
        try:
            found = library.initialization(part.segment).digest
        except (NothingRecorded, LibraryUnavailable):
            continue
        if before is None or part.segment is not before.segment:
            if before is not None and (found != digest or _is_gap(before, part)):
                lines.append("#EXT-X-DISCONTINUITY")
            if found != digest:
                lines.append(f'#EXT-X-MAP:URI="init/{part.segment.segment_id}?token={token}"')
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{iso(part.at_us)}")
        digest, before = found, part
        lines.append(f"#EXTINF:{seconds(part.duration_90k):.5f},")
        last = "" if part.last is None else f"&last={part.last}"
        where = f"first={part.first}{last}&shift={position_90k - part.begin_90k}"
        lines.append(f"media/{part.segment.segment_id}?{where}&token={token}")
        position_90k += part.duration_90k
        longest = max(longest, part.duration_90k)
    if before is None:
        raise NothingRecorded(f"camera {camera_id} has no recording between {iso(begin_us)} and {iso(end_us)}")
    head = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:VOD"]
    head += [f"#EXT-X-TARGETDURATION:{ceil(seconds(longest))}", "#EXT-X-MEDIA-SEQUENCE:0"]
    return "\n".join([*head, *lines, "#EXT-X-ENDLIST", ""])


def _parts(library: Library, camera_id: str, begin_us: int, end_us: int) -> Iterator[Part]:
    is_by_fragment = end_us - begin_us <= BY_FRAGMENT_US
    for segment in library.segments(camera_id, begin_us, end_us):
        is_cut = segment.started_us < begin_us or segment.ended_us > end_us
        if is_by_fragment or is_cut or segment.is_open:
            try:
                layout = library.layout(segment)
            except (NothingRecorded, LibraryUnavailable):
                continue
            yield from _parts_of(segment, layout, begin_us, end_us)
        else:
            yield Part(segment, 0, None, 0, segment.duration_90k)


def _parts_of(segment: StoredSegment, layout: Layout, begin_us: int, end_us: int) -> Iterator[Part]:
    bounds = fragments_between(segment, layout, begin_us, end_us)
    if bounds is None:
        return
    first, stop = bounds
    fragments = layout.fragments
    begin = first
    for number in range(first + 1, stop + 1):
        begin_90k = fragments[begin].time_90k
        is_end = number == stop
        if is_end or (fragments[number].is_key and fragments[number].time_90k - begin_90k >= _PART_90K):
            end_90k = fragments[number - 1].end_90k if is_end else fragments[number].time_90k
            yield Part(segment, begin, number - 1, begin_90k, max(end_90k - begin_90k, 1))
            begin = number


def fragments_between(segment: StoredSegment, layout: Layout, begin_us: int, end_us: int) -> tuple[int, int] | None:
    """(first, behind the last) of the fragments for [begin, end), from a key frame on; None when there is none.

    A file that begins before the range gives from its last key frame before on, a later one from its beginning on.
    """
    first: int | None = 0
    if segment.started_us < begin_us:
        first = layout.key_at(segment.time_90k(begin_us))
    end_90k = segment.time_90k(end_us)
    stop = sum(1 for fragment in layout.fragments if fragment.time_90k < end_90k)
    return None if first is None or first >= stop else (first, stop)


def _is_gap(before: Part, part: Part) -> bool:
    return part.at_us - before.segment.ended_us > GAP_US


def iso(at_us: int) -> str:
    """RFC 3339, to the millisecond."""
    at = _EPOCH + timedelta(microseconds=at_us)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
