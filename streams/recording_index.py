"""Which segments there are: a worker's SQLite file (WAL, `synchronous=FULL`). One thread uses a connection."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)

SegmentState = Literal["open", "closed", "recovered", "missing"]
Range = tuple[datetime, datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (
    segment_id TEXT PRIMARY KEY,
    camera_id TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    started_us INTEGER NOT NULL,
    ended_us INTEGER NOT NULL,
    duration_seconds REAL NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'recovered', 'missing'))
);
CREATE TABLE IF NOT EXISTS complete_cameras (camera_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS deletions (path TEXT PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS destroyed (
    report_id TEXT PRIMARY KEY,
    camera_id TEXT NOT NULL,
    day TEXT NOT NULL,
    reason TEXT NOT NULL,
    segments INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    seconds REAL NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    changed_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS keeping (camera_id TEXT PRIMARY KEY, keep_days REAL, keep_bytes INTEGER);
CREATE INDEX IF NOT EXISTS segments_by_time ON segments (camera_id, started_us);
CREATE INDEX IF NOT EXISTS segments_open ON segments (path) WHERE state = 'open';
"""
_COLUMNS = "segment_id, camera_id, path, started_us, ended_us, duration_seconds, bytes, sha256, state"
_IS_KEPT = "path NOT IN (SELECT path FROM deletions)"
_RANGES_A_GROUP = 100
_CAMERAS = """
WITH RECURSIVE found (id) AS (
    SELECT min(camera_id) FROM segments
    UNION ALL SELECT (SELECT min(camera_id) FROM segments WHERE camera_id > found.id) FROM found WHERE id IS NOT NULL
) SELECT id FROM found WHERE id IS NOT NULL
"""
_UPSERT = f"""
INSERT INTO segments ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (path) DO UPDATE SET started_us = excluded.started_us, ended_us = excluded.ended_us,
    duration_seconds = excluded.duration_seconds, bytes = excluded.bytes, sha256 = excluded.sha256,
    state = excluded.state
"""


class RecordingIndexError(Exception):
    """The index cannot be opened; the text says which file and why."""


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A stored file. `path` is relative to the store's directory. `sha256` (hex) is None while it is open.

    `state`: open (being written, or its writer died), closed (ended in good order), recovered (its end was found
    after a crash; lasts 0 s when there is nothing to play in it), missing (it was open when the machine died and is
    not on the disk).
    """

    segment_id: str
    camera_id: str
    path: str
    started_at: datetime
    ended_at: datetime
    duration_seconds: float
    byte_count: int
    sha256: str | None
    state: SegmentState


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long and how much of a camera is kept at most; None is as the settings say for all cameras."""

    keep_days: float | None = None
    keep_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What retention deleted of a camera's recordings of one UTC `day` (2026-03-01), between two times, and why."""

    report_id: str
    camera_id: str
    day: str
    reason: str
    segments: int
    byte_count: int
    seconds: float
    first_at: datetime
    last_at: datetime


class RecordingIndex:
    """The recordings of one worker. Rows that are marked for deletion are not shown any more.

    The table of segments. An unreadable file is put aside, never deleted: rows are rebuilt from the recordings."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = _connect(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise RecordingIndexError(f"{path}: {error}") from error
            aside = path.with_name(f"{path.name}.unreadable-{time.time_ns()}")
            logger.error("recording index %s is unreadable (%s); kept as %s, rebuilding it", path, error, aside.name)
            path.rename(aside)
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._connection = _connect(path)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def put(self, rows: Iterable[SegmentRow], complete_cameras: Iterable[str] = ()) -> None:
        """Insert or replace by path, all in one transaction, on disk when it returns. Raises sqlite3.Error."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_UPSERT, map(_to_values, rows))
            cameras = ((camera_id,) for camera_id in complete_cameras)
            self._connection.executemany("INSERT OR IGNORE INTO complete_cameras VALUES (?)", cameras)

    def rows(self, camera_id: str | None = None, state: SegmentState | None = None) -> list[SegmentRow]:
        """Segments in order of time, of one camera or in one state if so asked."""
        query = f"SELECT {_COLUMNS} FROM segments WHERE (?1 IS NULL OR camera_id = ?1) AND (?2 IS NULL OR state = ?2)"
        found = self._connection.execute(f"{query} AND {_IS_KEPT} ORDER BY started_us, path", (camera_id, state))
        return [_from_values(values) for values in found]

    def knows(self, path: str) -> bool:
        """Whether there is a row for `path`."""
        return self._connection.execute("SELECT 1 FROM segments WHERE path = ?", (path,)).fetchone() is not None

    def complete_cameras(self) -> set[str]:
        """Cameras whose older files are all known; of the others every file on the disk must be looked at."""
        return {camera_id for (camera_id,) in self._connection.execute("SELECT camera_id FROM complete_cameras")}

    def newest_start(self) -> datetime | None:
        """When the newest segment started; None when there is no row at all."""
        (newest,) = self._connection.execute("SELECT max(started_us) FROM segments").fetchone()
        return None if newest is None else _from_us(newest)

    def camera_ids(self) -> list[str]:
        """Cameras that have a row, those that were removed too."""
        return [camera_id for (camera_id,) in self._connection.execute(_CAMERAS)]

    def oldest(
        self, camera_id: str, held: Iterable[Range], limit: int, ended_before: datetime | None = None
    ) -> list[SegmentRow]:
        """The camera's oldest segments that are not being written, outside `held`, in order of time."""
        condition, values = _outside(held)
        if ended_before is not None:
            condition, values = f"{condition} AND ended_us < ?", [*values, _to_us(ended_before)]
        query = f"SELECT {_COLUMNS} FROM segments WHERE camera_id = ? AND state != 'open' AND {_IS_KEPT}{condition}"
        found = self._connection.execute(f"{query} ORDER BY started_us LIMIT ?", (camera_id, *values, limit))
        return [_from_values(values) for values in found]

    def bytes_of(self, camera_id: str, held: Iterable[Range]) -> int:
        """Bytes of the camera's segments outside `held`."""
        condition, values = _outside(held)
        query = f"SELECT coalesce(sum(bytes), 0) FROM segments WHERE camera_id = ? AND {_IS_KEPT}{condition}"
        (found,) = self._connection.execute(query, (camera_id, *values)).fetchone()
        return int(found)

    def mark(self, rows: Iterable[SegmentRow], reason: str) -> None:
        """Say that these files are about to be deleted; on disk when it returns. Raises sqlite3.Error."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            marks = ((row.path, reason) for row in rows)
            self._connection.executemany("INSERT OR IGNORE INTO deletions VALUES (?, ?)", marks)

    def unmark(self, paths: Iterable[str]) -> None:
        """They stay after all. Raises sqlite3.Error."""
        if not (paths := list(paths)):
            return
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("DELETE FROM deletions WHERE path = ?", ((path,) for path in paths))

    def marked(self) -> list[tuple[SegmentRow, str]]:
        """Rows marked for deletion, and why."""
        query = f"SELECT {_COLUMNS}, reason FROM segments JOIN deletions USING (path)"
        return [(_from_values(values[:-1]), values[-1]) for values in self._connection.execute(query)]

    def remove(self, rows: Iterable[SegmentRow], destroyed: Iterable[Destroyed], now: float) -> None:
        """Forget rows whose files are gone, and remember what was destroyed. Raises sqlite3.Error.

        `now` (UTC seconds) is when; what a camera had on one day grows in one report until it is sent.
        """
        paths = [(row.path,) for row in rows]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("DELETE FROM segments WHERE path = ?", paths)
            self._connection.executemany("DELETE FROM deletions WHERE path = ?", paths)
            for one in destroyed:
                self._add_destroyed(one, now)

    def _add_destroyed(self, one: Destroyed, now: float) -> None:
        first, last = _to_us(one.first_at), _to_us(one.last_at)
        grown = self._connection.execute(
            "UPDATE destroyed SET segments = segments + ?, bytes = bytes + ?, seconds = seconds + ?,"
            " first_us = min(first_us, ?), last_us = max(last_us, ?), changed_at = ?"
            " WHERE camera_id = ? AND day = ? AND reason = ?",
            (one.segments, one.byte_count, one.seconds, first, last, now, one.camera_id, one.day, one.reason),
        )
        if grown.rowcount == 0:
            figures = (one.segments, one.byte_count, one.seconds, first, last, now)
            values = (one.report_id, one.camera_id, one.day, one.reason, *figures)
            self._connection.execute("INSERT INTO destroyed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def destroyed(self, changed_before: float, limit: int = 100) -> list[Destroyed]:
        """What was destroyed, is not acknowledged, and has not grown since `changed_before` (UTC seconds)."""
        columns = "report_id, camera_id, day, reason, segments, bytes, seconds, first_us, last_us"
        query = f"SELECT {columns} FROM destroyed WHERE changed_at <= ? ORDER BY changed_at LIMIT ?"
        found = self._connection.execute(query, (changed_before, limit))
        return [
            Destroyed(report_id, camera_id, day, reason, segments, byte_count, seconds, _from_us(first), _from_us(last))
            for report_id, camera_id, day, reason, segments, byte_count, seconds, first, last in found
        ]

    def forget_destroyed(self, report_ids: Iterable[str]) -> None:
        """The center has these reports. Raises sqlite3.Error."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("DELETE FROM destroyed WHERE report_id = ?", ((one,) for one in report_ids))

    def keep(self, keeping: Mapping[str, Keeping]) -> None:
        """Remember how long the recordings of these cameras are kept. Raises sqlite3.Error."""
        rows = [(camera_id, one.keep_days, one.keep_bytes) for camera_id, one in keeping.items()]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO keeping VALUES (?, ?, ?)", rows)
            self._connection.execute("DELETE FROM keeping WHERE keep_days IS NULL AND keep_bytes IS NULL")

    def keeping(self) -> dict[str, Keeping]:
        """What `keep` was told last of each camera, also of those that were removed since."""
        return {camera_id: Keeping(*rest) for camera_id, *rest in self._connection.execute("SELECT * FROM keeping")}


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
        connection.execute("SELECT count(*) FROM segments WHERE state = 'open'")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _to_values(row: SegmentRow) -> tuple[str | int | float | None, ...]:
    started, ended = _to_us(row.started_at), _to_us(row.ended_at)
    figures = (started, ended, row.duration_seconds, row.byte_count, row.sha256, row.state)
    return (row.segment_id, row.camera_id, row.path, *figures)


def _from_values(values: tuple[str, str, str, int, int, float, int, str | None, SegmentState]) -> SegmentRow:
    segment_id, camera_id, path, started, ended, duration, byte_count, sha256, state = values
    times = _from_us(started), _from_us(ended)
    return SegmentRow(segment_id, camera_id, path, *times, duration, byte_count, sha256, state)


def _to_us(at: datetime) -> int:
    return round((at - _EPOCH) / timedelta(microseconds=1))


def _from_us(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _outside(held: Iterable[Range]) -> tuple[str, list[int]]:
    """What stands behind a WHERE, and its values, for segments that no range touches.

    In groups: SQLite refuses an expression that is nested deeper than 1,000, and a chain of ANDs is.
    """
    bounds = [(_to_us(until), _to_us(since)) for since, until in held]
    groups = [len(bounds[first : first + _RANGES_A_GROUP]) for first in range(0, len(bounds), _RANGES_A_GROUP)]
    condition = "".join(f" AND ({' AND '.join(['NOT (started_us < ? AND ended_us > ?)'] * size)})" for size in groups)
    return condition, [us for bound in bounds for us in bound]
