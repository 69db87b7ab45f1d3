"""Which segments there are: a worker's SQLite file (WAL, `synchronous=FULL`). One thread uses a connection."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)

SegmentState = Literal["open", "closed", "recovered", "missing"]

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
CREATE INDEX IF NOT EXISTS segments_by_time ON segments (camera_id, started_us);
CREATE INDEX IF NOT EXISTS segments_open ON segments (path) WHERE state = 'open';
"""
_COLUMNS = "segment_id, camera_id, path, started_us, ended_us, duration_seconds, bytes, sha256, state"
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


class RecordingIndex:
    """The table of segments. An unreadable file is put aside, never deleted: rows are rebuilt from the recordings."""

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
        found = self._connection.execute(f"{query} ORDER BY started_us, path", (camera_id, state))
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
        return None if newest is None else _EPOCH + timedelta(microseconds=newest)


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
    started, ended = (round((at - _EPOCH) / timedelta(microseconds=1)) for at in (row.started_at, row.ended_at))
    figures = (started, ended, row.duration_seconds, row.byte_count, row.sha256, row.state)
    return (row.segment_id, row.camera_id, row.path, *figures)


def _from_values(values: tuple[str, str, str, int, int, float, int, str | None, SegmentState]) -> SegmentRow:
    segment_id, camera_id, path, started, ended, duration, byte_count, sha256, state = values
    times = _EPOCH + timedelta(microseconds=started), _EPOCH + timedelta(microseconds=ended)
    return SegmentRow(segment_id, camera_id, path, *times, duration, byte_count, sha256, state)
