"""What a worker has recorded, as its index says; the open file as far as it is written."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from streams.fmp4 import TIME_SCALE
from streams.playback.errors import LibraryUnavailable, NothingRecorded
from streams.playback.layout import BadLayout, Initialization, Layout, read_initialization, read_layout

# Files that follow each other closer than this are one recording: each file's start is the time its first packet came
# at, which the network makes late by parts of a second.
GAP_US = 1_000_000
# No segment is longer: ten times the longest `segment_seconds`, for a stream without key frames.
_LONGEST_US = 6_100_000_000
_SLOT_US = 900_000_000
_MOST_LAYOUTS = 1024
_MOST_INITIALIZATIONS = 8192
_COLUMNS = "segment_id, path, started_us, ended_us, state"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A file; times in µs since 1970 UTC. The end of one that `is_open` is where its whole fragments end now."""

    segment_id: str
    path: Path
    started_us: int
    ended_us: int
    is_open: bool

    @property
    def duration_90k(self) -> int:
        return round((self.ended_us - self.started_us) * TIME_SCALE / 1_000_000)

    def time_90k(self, at_us: int) -> int:
        """`at_us` in the file's own time."""
        return round((at_us - self.started_us) * TIME_SCALE / 1_000_000)


@dataclass(frozen=True, slots=True)
class RecordedRange:
    """An unbroken run of files. `codec` (RFC 6381), `width` and `height` are those of its first file."""

    started_us: int
    ended_us: int
    codec: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """`day` as 2026-11-22 in the asked time zone; `seconds` recorded by files that began in it."""

    day: str
    seconds: float


class Library:
    """`data_dir` holds the files, `index_path` is the worker's recording index, which is only read here.

    Methods block and may be called from several threads; all raise LibraryUnavailable.
    """

    def __init__(self, data_dir: Path, index_path: Path) -> None:
        self._data_dir = data_dir
        self._index_path = index_path
        self._lock = threading.Lock()
        self._layouts: OrderedDict[Path, Layout] = OrderedDict()
        self._initializations: OrderedDict[Path, Initialization] = OrderedDict()
        self._by_digest: dict[str, Initialization] = {}

    def segments(self, camera_id: str, begin_us: int, end_us: int) -> list[StoredSegment]:
        """Files with a part in [begin, end), in order of time; without those that are gone or hold nothing."""
        condition = "camera_id = ? AND started_us >= ? AND started_us < ? AND (ended_us > ? OR state = 'open')"
        values = (camera_id, begin_us - _LONGEST_US, end_us, begin_us)
        with self._index() as index:
            rows = index.execute(
                f"SELECT {_COLUMNS} FROM segments WHERE {condition} ORDER BY started_us, path", values
            ).fetchall()
        found = [segment for row in rows if (segment := self._segment(*row)) is not None]
        return [segment for segment in found if segment.ended_us > begin_us]

    def segment(self, camera_id: str, segment_id: str) -> StoredSegment:
        """Raises NothingRecorded."""
        with self._index() as index:
            row = index.execute(
                f"SELECT {_COLUMNS} FROM segments WHERE segment_id = ? AND camera_id = ?", (segment_id, camera_id)
            ).fetchone()
        segment = self._segment(*row) if row is not None else None
        if segment is None:
            raise NothingRecorded(f"camera {camera_id}: the file {segment_id} is not there any more")
        return segment

    def ranges(self, camera_id: str, begin_us: int, end_us: int) -> list[RecordedRange]:
        """What is recorded in [begin, end), cut to it."""
        runs: list[list[StoredSegment]] = []
        for segment in self.segments(camera_id, begin_us, end_us):
            if runs and segment.started_us - runs[-1][-1].ended_us <= GAP_US:
                runs[-1].append(segment)
            else:
                runs.append([segment])
        found = []
        for run in runs:
            last_us = max(segment.ended_us for segment in run)
            about = next((one for segment in run if (one := self._try_initialization(segment)) is not None), None)
            if about is not None:
                times = max(run[0].started_us, begin_us), min(last_us, end_us)
                found.append(RecordedRange(*times, about.codec, about.width, about.height))
        return found

    def days(self, camera_id: str, zone: ZoneInfo) -> list[RecordedDay]:
        """Days with recordings, oldest first. Counted in quarters of an hour, which every zone's midnight fits."""
        query = (
            "SELECT started_us / ?, sum(max(ended_us - started_us, 0)) FROM segments "
            "WHERE camera_id = ? AND state != 'missing' GROUP BY 1"
        )
        with self._index() as index:
            slots = index.execute(query, (_SLOT_US, camera_id)).fetchall()
        days: dict[str, float] = {}
        for slot, duration_us in sorted(slots):
            day = (_EPOCH + timedelta(microseconds=slot * _SLOT_US)).astimezone(zone).date().isoformat()
            days[day] = days.get(day, 0.0) + duration_us / 1e6
        return [RecordedDay(day, round(seconds, 1)) for day, seconds in days.items()]

    def layout(self, segment: StoredSegment) -> Layout:
        """Its fragments; kept for files that do not grow any more. Raises NothingRecorded when the file is gone."""
        with self._lock:
            if (known := self._layouts.get(segment.path)) is not None:
                self._layouts.move_to_end(segment.path)
                return known
        try:
            layout = read_layout(segment.path)
        except FileNotFoundError as error:
            raise NothingRecorded(f"{segment.path.name} is not there any more") from error
        except (BadLayout, OSError) as error:
            raise LibraryUnavailable(f"{segment.path.name} cannot be read: {error}") from error
        if not segment.is_open:
            with self._lock:
                self._layouts[segment.path] = layout
                if len(self._layouts) > _MOST_LAYOUTS:
                    self._layouts.popitem(last=False)
        return layout

    def initialization(self, segment: StoredSegment) -> Initialization:
        """What a decoder needs first. Raises NothingRecorded when the file is gone."""
        with self._lock:
            if (known := self._initializations.get(segment.path)) is not None:
                self._initializations.move_to_end(segment.path)
                return known
        try:
            found = read_initialization(segment.path)
        except FileNotFoundError as error:
            raise NothingRecorded(f"{segment.path.name} is not there any more") from error
        except (BadLayout, OSError) as error:
            raise LibraryUnavailable(f"{segment.path.name} cannot be read: {error}") from error
        with self._lock:
            found = self._by_digest.setdefault(found.digest, found)
            self._initializations[segment.path] = found
            if len(self._initializations) > _MOST_INITIALIZATIONS:
                self._initializations.popitem(last=False)
                self._by_digest = {one.digest: one for one in self._initializations.values()}
        return found

    def _try_initialization(self, segment: StoredSegment) -> Initialization | None:
        try:
            return self.initialization(segment)
        except (NothingRecorded, LibraryUnavailable):
            return None

    def _segment(self, segment_id: str, path: str, started_us: int, ended_us: int, state: str) -> StoredSegment | None:
        if state == "missing":
            return None
        segment = StoredSegment(segment_id, self._data_dir / path, started_us, ended_us, state == "open")
        if segment.is_open:
            try:
                end_90k = self.layout(segment).end_90k
            except (NothingRecorded, LibraryUnavailable):
                return None
            segment = replace(segment, ended_us=started_us + end_90k * 1_000_000 // TIME_SCALE)
        return segment if segment.ended_us > segment.started_us else None

    @contextmanager
    def _index(self) -> Iterator[sqlite3.Connection]:
        """The index, not to be written. Where there is none yet, an empty one."""
        try:
            if not self._index_path.exists():
                with closing(sqlite3.connect(":memory:")) as empty:
                    empty.execute("CREATE TABLE segments (segment_id, camera_id, path, started_us, ended_us, state)")
                    yield empty
                return
            address = f"file:{quote(str(self._index_path.absolute()))}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=5)) as index:
                yield index
        except sqlite3.Error as error:
            raise LibraryUnavailable(f"the recording index cannot be read: {error}") from error
