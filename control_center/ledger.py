"""The ledger: who saw or did what, when, from where and why, each row chained to the one before.

A row's hash is the SHA-256 of its fields and the hash of the row before, so a row that is changed, taken out or put
in breaks the chain from there on (domain.md L7, L12, L13). Rows are only ever added. What the end of the chain was
must be kept elsewhere too (`haechi ledger verify --head`), because a cut tail leaves a chain that fits.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, Row, String, insert, select, type_coerce
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from control_center.database import Database, DatabaseError, LedgerRow
from control_center.database.connection import first_line

if TYPE_CHECKING:
    from control_center.accounts import SignedIn

logger = logging.getLogger(__name__)

FIRST_PREVIOUS = "0" * 64
MAX_BATCH = 200
_MOST_REMEMBERED = 2_000
# Hashing so many takes some milliseconds, which is how long nothing else in the process runs.
_READ_AT_ONCE = 500

LedgerAction = Literal[
    "session.signed_in",
    "session.refused",
    "session.signed_out",
    "account.created",
    "account.role_changed",
    "account.disabled",
    "account.enabled",
    "account.password_changed",
    "view.live",
    "view.failed",
    "view.ended",
    "view.refused",
    "view.snapshot",
    "playback.opened",
    "playback.thumbnails",
    "recording.exported",
    "recording.destroyed",
    "recording.held",
    "recording.released",
    "incident.acknowledged",
    "incident.taken_over",
    "incident.assigned",
    "incident.dispatched",
    "incident.noted",
    "incident.closed",
    "dispatch.received",
    "dispatch.arrived",
    "dispatch.outcome",
    "grant.given",
    "grant.ended",
    "camera.added",
    "camera.changed",
    "camera.removed",
    "camera.exported",
    "ledger.read",
    "ledger.verified",
    "ledger.exported",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person at an address, or the machine itself (`account_id` None)."""

    account_id: str | None
    name: str
    address: str

    @classmethod
    def of(cls, person: SignedIn, address: str) -> Actor:
        return cls(person.account_id, person.name, address)


COMMAND_LINE = Actor(None, "command line", "this machine")
CENTER = Actor(None, "center", "this machine")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written down. `subject` is who or what it was done to, where that is no camera or incident."""

    actor: Actor
    action: LedgerAction
    camera_id: str | None = None
    incident_id: str | None = None
    subject: str = ""
    reason: str = ""
    details: Mapping[str, str | int | bool | list[str] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verification:
    """`broken_at` is the number of the first row that does not fit; `rows` before it do, and `head` is the last one's
    hash. Where the chain fits but lacks a hash that was kept elsewhere, there is a fault without a number."""

    rows: int
    head: str
    broken_at: int | None = None
    fault: str = ""


class LedgerFailed(DatabaseError):
    """What was to be written down could not be; nothing that needs its row may go on."""


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which rows; None takes all. `account` is an id or a name."""

    account: str | None = None
    action: str | None = None
    camera_id: str | None = None
    incident_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted = {"action": self.action, "camera_id": self.camera_id, "incident_id": self.incident_id}
        found = [getattr(LedgerRow, name) == value for name, value in wanted.items() if value is not None]
        if self.account is not None:
            found.append((LedgerRow.account_id == self.account) | (LedgerRow.account_name == self.account))
        return found

    def text(self) -> str:
        """What was looked for, for the ledger itself."""
        names = ("account", "action", "camera_id", "incident_id")
        return " ".join(f"{name}={value}" for name in names if (value := getattr(self, name)) is not None)


async def append(session: AsyncSession, *entries: Entry) -> None:
    """Add rows inside a write of the database, so that the act and its row are committed together."""
    last = select(LedgerRow.sequence, LedgerRow.hash).order_by(LedgerRow.sequence.desc()).limit(1)
    sequence, previous = (await session.execute(last)).one_or_none() or (0, FIRST_PREVIOUS)
    rows = []
    for entry in entries:
        sequence += 1
        rows.append(_row(entry, sequence, previous))
        previous = rows[-1]["hash"]
    if rows:
        await session.execute(insert(LedgerRow), rows)


class Ledger:
    """Rows that stand by themselves (a view, a refusal), and reading."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[tuple[Entry, asyncio.Future[None]]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._once: dict[tuple[str | None, ...], tuple[float, asyncio.Task[None]]] = {}

    async def record(self, entry: Entry) -> None:
        """When this returns the row is committed; those that ask at the same time share one commit.

        A caller that is cancelled harms no other, and its row is written all the same. Raises LedgerFailed.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="ledger")
        await done

    async def record_once(self, entry: Entry, seconds: float) -> None:
        """As `record`, but one row in `seconds` for the same account, action, camera and incident (ADR 0087)."""
        now, key = time.monotonic(), (entry.actor.account_id, entry.action, entry.camera_id, entry.incident_id)
        if len(self._once) > _MOST_REMEMBERED:
            self._once = {key: one for key, one in self._once.items() if one[0] > now}
        until, recording = self._once.get(key, (0.0, None))
        if recording is None or until <= now or (recording.done() and recording.exception()):
            recording = asyncio.create_task(self.record(entry))
            self._once[key] = (now + seconds, recording)
        await asyncio.shield(recording)

    async def close(self) -> None:
        """Wait until all that was asked for is written."""
        if self._writer is not None:
            await asyncio.wait((self._writer,))

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await self._write([self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))])
        finally:
            self._writer = None

    async def _write(self, batch: list[tuple[Entry, asyncio.Future[None]]]) -> None:
        fault = "it was ended"
        try:
            async with self._database.write() as session:
                await append(session, *(entry for entry, _ in batch))
            fault = ""
        except (SQLAlchemyError, DatabaseError, OSError) as error:
            fault = first_line(error)
            logger.error("%d rows could not be written: %s", len(batch), fault)
        finally:
            for _, done in batch:
                if done.done():
                    continue  # who asked has been cancelled
                if fault:
                    done.set_exception(LedgerFailed(f"the ledger cannot be written: {fault}"))
                else:
                    done.set_result(None)

    async def page(self, wanted: LedgerFilter, limit: int, before: int | None = None) -> list[LedgerRow]:
        """Rows, newest first, with a sequence number below `before`."""
        query = select(LedgerRow).where(*wanted.conditions()).order_by(LedgerRow.sequence.desc()).limit(limit)
        if before is not None:
            query = query.where(LedgerRow.sequence < before)
        async with self._database.read() as session:
            return list(await session.scalars(query))

    async def between(self, begin: datetime | None, end: datetime | None) -> AsyncIterator[LedgerRow]:
        """Rows of the time from `begin` until before `end`, oldest first, a few at a time."""
        query = select(LedgerRow).order_by(LedgerRow.sequence).limit(_READ_AT_ONCE)
        if begin is not None:
            query = query.where(LedgerRow.at >= begin)
        if end is not None:
            query = query.where(LedgerRow.at < end)
        async with self._database.read() as session:
            rows = list(await session.scalars(query))
            while rows:
                for row in rows:
                    yield row
                session.expunge_all()
                rows = list(await session.scalars(query.where(LedgerRow.sequence > rows[-1].sequence)))

    async def verify(self, kept_head: str | None = None) -> Verification:
        """Go through the whole chain, in bounded memory. `kept_head`: the hash of some row that was kept elsewhere."""
        chain = _Chain(kept_head)
        async with self._database.read() as session:
            last, at_once = None, _READ_AT_ONCE
            while not chain.fault:
                try:
                    rows = await _rows_after(session, last, at_once)
                except OperationalError as error:
                    if "decode" not in str(error):
                        raise
                    if at_once == 1:
                        chain.meet_unreadable()
                    at_once = 1  # SQLite gives bytes that are no text; which row it is shows one by one
                    continue
                if not rows:
                    break
                last = rows[-1].sequence
                chain.take(rows)
        return chain.verification()


_CHANGED = "its content was changed after it was written"


class _Chain:
    """Goes along the rows and stops at the first that does not fit."""

    def __init__(self, kept_head: str | None) -> None:
        self._kept = kept_head
        self._is_kept_seen = kept_head in {None, FIRST_PREVIOUS}
        self._rows, self._previous = 0, FIRST_PREVIOUS
        self._broken_at: int | None = None
        self.fault = ""

    def take(self, rows: Sequence[Row[Any]]) -> None:
        for row in rows:
            self.fault = self._fault(row._asdict())
            if self.fault:
                return
            self._rows, self._previous = self._rows + 1, row.hash
            self._is_kept_seen = self._is_kept_seen or row.hash == self._kept

    def meet_unreadable(self) -> None:
        """The next row cannot even be read."""
        self._broken_at, self.fault = self._rows + 1, _CHANGED

    def _fault(self, row: Mapping[str, Any]) -> str:
        expected = self._rows + 1
        self._broken_at = expected
        if row["sequence"] != expected:
            if isinstance(row["sequence"], int) and row["sequence"] > expected:
                return f"row {expected} is missing"
            self._broken_at = row["sequence"] if isinstance(row["sequence"], int) else expected
            return "it was put in before the first row"
        if row["previous_hash"] != self._previous:
            return "it does not follow from the row before"
        try:
            matches = row["hash"] == hash_of(row)
        except (TypeError, ValueError):
            matches = False
        if not matches:
            return _CHANGED
        self._broken_at = None
        return ""

    def verification(self) -> Verification:
        if not self.fault and not self._is_kept_seen:
            self.fault = "the kept hash is in no row: rows were cut off at the end, or written anew"
        return Verification(self._rows, self._previous, self._broken_at, self.fault)


# Times as they are stored: one that was made unreadable is a row that was changed.
_STORED = [
    type_coerce(column, String).label(column.name) if column.name == "at" else column
    for column in LedgerRow.__table__.columns
]


async def _rows_after(session: AsyncSession, sequence: int | None, limit: int) -> Sequence[Row[Any]]:
    query = select(*_STORED).order_by(LedgerRow.sequence).limit(limit)
    if sequence is not None:
        query = query.where(LedgerRow.sequence > sequence)
    return (await session.execute(query)).all()


def _row(entry: Entry, sequence: int, previous: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "sequence": sequence,
        "at": datetime.now(UTC),
        "account_id": entry.actor.account_id,
        "account_name": _storable(entry.actor.name)[:64],
        "address": _storable(entry.actor.address)[:64],
        "action": entry.action,
        "camera_id": entry.camera_id,
        "incident_id": entry.incident_id,
        "subject": _storable(entry.subject),
        "reason": _storable(entry.reason),
        "details": _storable(_canonical(dict(entry.details))) if entry.details else "",
        "previous_hash": previous,
    }
    return row | {"hash": hash_of(row)}


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL, and no database half a surrogate pair; people type both."""
    return text.replace("\0", "").encode(errors="replace").decode()


_HASHED = (
    "account_id",
    "account_name",
    "address",
    "action",
    "camera_id",
    "incident_id",
    "subject",
    "reason",
    "details",
)


def hash_of(row: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the row's fields and the hash before, as canonical JSON; times in UTC to the microsecond.

    Raises TypeError, ValueError: what stands in a field cannot be from here.
    """
    fields = [row["previous_hash"], row["sequence"], _moment(row["at"])]
    fields += [row[name] for name in _HASHED]
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


def _moment(at: object) -> str:
    """As it is hashed; SQLite gives its text, which is in UTC without saying so."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    if not isinstance(moment, datetime):  # SQLite stores in a column whatever it is given
        raise TypeError(f"no time: {moment!r}")
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="microseconds")


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
