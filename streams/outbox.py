"""Events on disk until the center has them: one SQLite file a worker, WAL, `synchronous=FULL`.

`put` returns once the event is on disk. The identity of an event makes sending it again harmless. The file is bounded:
near the bound an event loses its snapshot, at the bound it is refused (OutboxFull); both are counted as faults.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from detectors.event import FAMILY, Event
from streams.picture_link import event_from_json, event_to_json
from streams.records import LinkError

log = logging.getLogger(__name__)
T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    fields TEXT NOT NULL,
    snapshot BLOB,
    stored_at REAL NOT NULL,
    accepted_at REAL,
    refused_reason TEXT
);
CREATE INDEX IF NOT EXISTS events_pending ON events (sequence) WHERE accepted_at IS NULL AND refused_reason IS NULL;
CREATE INDEX IF NOT EXISTS events_stored ON events (stored_at);
"""
_FAULT_KINDS = ", ".join(f"'{kind}'" for kind, family in FAMILY.items() if family == "fault")
_LAST_FAULTS = f"""
    SELECT max(sequence) FROM events
    WHERE json_extract(fields, '$.kind') IN ({_FAULT_KINDS}) AND refused_reason IS NULL
    GROUP BY json_extract(fields, '$.camera_id'), json_extract(fields, '$.kind')
"""  # what was told last of each camera's faults: kept for as long as it may stand
_PENDING = "accepted_at IS NULL AND refused_reason IS NULL"


class OutboxError(Exception):
    """The outbox cannot be read or written; the text says which file and why."""


class OutboxFull(OutboxError):
    """So many events wait for the center that no more are taken."""


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """`max_pending` events wait at most; their snapshots take at most `max_snapshot_bytes`; what the center has
    accepted is kept for `kept_seconds`, so that a restarted pictures process knows what it has raised."""

    max_pending: int = 50_000
    max_snapshot_bytes: int = 1024 * 1024 * 1024
    kept_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """`depth` events wait for the center; `refused_by_center` stay in the file and are not sent again."""

    depth: int = 0
    snapshot_bytes: int = 0
    stored: int = 0
    accepted: int = 0
    repeated: int = 0
    refused_full: int = 0
    refused_by_center: int = 0
    snapshots_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    event: Event
    snapshot_jpeg: bytes | None


class Outbox:
    """Use as an asynchronous context manager. All SQLite work is done by one thread of its own, one call at a time."""

    def __init__(self, path: Path, limits: OutboxLimits | None = None) -> None:
        self.path = path
        self.limits = limits or OutboxLimits()
        self.arrived = asyncio.Event()
        self._counts = dict.fromkeys(OutboxStatus.__dataclass_fields__, 0)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._database: sqlite3.Connection

    async def __aenter__(self) -> Outbox:
        """Open or make the file. Raises OutboxError."""
        await self._call(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._call(lambda: self._database.close())
        self._thread.shutdown()

    @property
    def status(self) -> OutboxStatus:
        return OutboxStatus(**self._counts)

    async def put(self, event: Event, snapshot_jpeg: bytes) -> bool:
        """Write `event`; False when it is known already. Raises OutboxFull, OutboxError."""
        is_new = await self._call(lambda: self._put(event, snapshot_jpeg))
        if is_new:
            self.arrived.set()
        return is_new

    async def pending(self, max_events: int = 20, max_bytes: int = 4 * 1024 * 1024) -> list[Pending]:
        """The oldest events the center does not have, together about `max_bytes`. Raises OutboxError."""
        return await self._call(lambda: self._pending(max_events, max_bytes))

    async def accept(self, event_ids: Iterable[str]) -> None:
        """The center has these. Raises OutboxError."""
        accepted = list(event_ids)
        await self._call(lambda: self._accept(accepted))

    async def refuse(self, event_id: str, reason: str) -> None:
        """The center will never take this one: keep it, do not send it again. Raises OutboxError."""
        await self._call(lambda: self._refuse(event_id, reason))

    async def recent(self, seconds: float, camera_id: str | None = None) -> tuple[Event, ...]:
        """Events of the last `seconds`, of one camera if so asked, newest last. Raises OutboxError."""
        return await self._call(lambda: self._recent(seconds, camera_id))

    async def standing_faults(self) -> tuple[Event, ...]:
        """Faults of cameras that were told and not taken back, however long ago. Raises OutboxError."""
        return await self._call(self._standing_faults)

    async def prune(self) -> int:
        """Drop what the center accepted more than `kept_seconds` ago; how many. Raises OutboxError.

        What was told last of a camera's fault stays.
        """
        return await self._call(self._prune)

    async def _call(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise OutboxError(f"{self.path}: {error}") from error
        except OSError as error:
            raise OutboxError(f"{self.path}: {error.strerror}") from error

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
            log.error("%s is damaged (%s); set aside as %s, a new one begins", self.path, error, aside.name)
            self.path.rename(aside)
            self._database = self._connect()
        self._count_pending()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=5.0)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.executescript(_SCHEMA)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _count_pending(self) -> None:
        row = self._database.execute(
            f"SELECT count(*), coalesce(sum(length(snapshot)), 0) FROM events WHERE {_PENDING}"
        ).fetchone()
        self._counts["depth"], self._counts["snapshot_bytes"] = row

    def _put(self, event: Event, snapshot_jpeg: bytes) -> bool:
        if self._counts["depth"] >= self.limits.max_pending:
            self._counts["refused_full"] += 1
            raise OutboxFull(f"{self.path}: {self.limits.max_pending} events wait for the center; this one is lost")
        snapshot: bytes | None = snapshot_jpeg or None
        if snapshot and self._counts["snapshot_bytes"] + len(snapshot) > self.limits.max_snapshot_bytes:
            self._counts["snapshots_dropped"] += 1
            snapshot = None
        changed = self._database.execute(
            "INSERT INTO events (event_id, fields, snapshot, stored_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (event.event_id, event_to_json(event), snapshot, time.time()),
        ).rowcount
        if not changed:
            self._counts["repeated"] += 1
            return False
        self._counts["stored"] += 1
        self._counts["depth"] += 1
        self._counts["snapshot_bytes"] += len(snapshot or b"")
        return True

    def _pending(self, max_events: int, max_bytes: int) -> list[Pending]:
        rows = self._database.execute(
            f"SELECT event_id, fields, snapshot FROM events WHERE {_PENDING} ORDER BY sequence LIMIT ?", (max_events,)
        ).fetchall()
        found: list[Pending] = []
        size = 0
        for event_id, fields, snapshot in rows:
            size += len(fields) + len(snapshot or b"")
            if found and size > max_bytes:
                break
            try:
                found.append(Pending(event_from_json(fields), snapshot))
            except LinkError as error:
                log.error("%s: event %s cannot be read: %s", self.path, event_id, error)
                self._refuse(event_id, str(error))
        return found

    def _accept(self, event_ids: list[str]) -> None:
        statement = f"UPDATE events SET accepted_at = ?, snapshot = NULL WHERE event_id = ? AND {_PENDING}"
        self._database.execute("BEGIN IMMEDIATE")
        try:
            now = time.time()
            changed = sum(self._database.execute(statement, (now, event_id)).rowcount for event_id in event_ids)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        self._counts["accepted"] += changed
        self._count_pending()

    def _refuse(self, event_id: str, reason: str) -> None:
        statement = f"UPDATE events SET refused_reason = ? WHERE event_id = ? AND {_PENDING}"
        self._counts["refused_by_center"] += self._database.execute(statement, (reason, event_id)).rowcount
        self._count_pending()

    def _recent(self, seconds: float, camera_id: str | None) -> tuple[Event, ...]:
        rows = self._database.execute(
            "SELECT fields FROM events WHERE stored_at >= ?1 AND refused_reason IS NULL"
            " AND (?2 IS NULL OR json_extract(fields, '$.camera_id') = ?2) ORDER BY sequence",
            (time.time() - seconds, camera_id),
        )
        return tuple(event_from_json(fields) for (fields,) in rows)

    def _standing_faults(self) -> tuple[Event, ...]:
        rows = self._database.execute(f"SELECT fields FROM events WHERE sequence IN ({_LAST_FAULTS})")
        events = (event_from_json(fields) for (fields,) in rows)
        return tuple(event for event in events if event.ended_at is None)

    def _prune(self) -> int:
        return self._database.execute(
            f"DELETE FROM events WHERE accepted_at < ? AND sequence NOT IN ({_LAST_FAULTS})",
            (time.time() - self.limits.kept_seconds,),
        ).rowcount
