"""The ledger: who saw or did what, when, from where and why, each row chained to the one before.

A row's hash is the SHA-256 of its fields and the hash of the row before, so a row that is changed, taken out or put
in breaks the chain from there on (domain.md L7, L12, L13). Rows are only ever added. What the end of the chain was
must be kept elsewhere too (`haechi ledger verify --head`), because a cut tail leaves a chain that fits.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from control_center.accounts import SignedIn
from control_center.database import Database, LedgerRow

FIRST_PREVIOUS = "0" * 64
MAX_BATCH = 200
_READ_AT_ONCE = 2_000

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
    "view.refused",
    "view.snapshot",
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
    """`broken_at` is the sequence number of the first row that does not fit; None when the whole chain does."""

    rows: int
    head: str
    broken_at: int | None = None
    fault: str = ""


async def append(session: AsyncSession, *entries: Entry) -> None:
    """Add rows inside a write of the database, so that the act and its row are committed together."""
    last = await session.scalar(select(LedgerRow).order_by(LedgerRow.sequence.desc()).limit(1))
    sequence, previous = (last.sequence, last.hash) if last else (0, FIRST_PREVIOUS)
    for entry in entries:
        sequence += 1
        row = _row(entry, sequence, previous)
        session.add(row)
        previous = row.hash
    await session.flush()


class Ledger:
    """Rows that stand by themselves (a view, a refusal), and reading."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._writer = asyncio.Lock()

    async def record(self, entry: Entry) -> None:
        """When this returns the row is committed; those that ask at the same time share one commit.

        Raises SQLAlchemyError.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        async with self._writer:
            if not done.done():
                await self._write()
        await done

    async def _write(self) -> None:
        batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        try:
            async with self._database.write() as session:
                await append(session, *(entry for entry, _ in batch))
        except BaseException as error:
            for _, done in batch:
                if not done.done():
                    done.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            raise
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    async def verify(self) -> Verification:
        """Go through the whole chain."""
        expected, previous = 1, FIRST_PREVIOUS
        async with self._database.read() as session:
            while True:
                rows = await _rows_from(session, expected)
                for row in rows:
                    fault = _fault(row, expected, previous)
                    if fault:
                        return Verification(expected - 1, previous, row.sequence, fault)
                    expected, previous = expected + 1, row.hash
                session.expunge_all()
                if len(rows) < _READ_AT_ONCE:
                    return Verification(expected - 1, previous)


async def _rows_from(session: AsyncSession, sequence: int) -> list[LedgerRow]:
    query = select(LedgerRow).where(LedgerRow.sequence >= sequence).order_by(LedgerRow.sequence).limit(_READ_AT_ONCE)
    return list(await session.scalars(query))


def _fault(row: LedgerRow, expected: int, previous: str) -> str:
    if row.sequence != expected:
        return f"row {expected} is missing"
    if row.previous_hash != previous:
        return "it does not follow from the row before"
    if row.hash != hash_of(row):
        return "its content was changed after it was written"
    return ""


def _row(entry: Entry, sequence: int, previous: str) -> LedgerRow:
    row = LedgerRow(
        sequence=sequence,
        at=datetime.now(UTC),
        account_id=entry.actor.account_id,
        account_name=entry.actor.name[:64],
        address=entry.actor.address[:64],
        action=entry.action,
        camera_id=entry.camera_id,
        incident_id=entry.incident_id,
        subject=entry.subject,
        reason=entry.reason,
        details=_canonical(dict(entry.details)) if entry.details else "",
        previous_hash=previous,
    )
    row.hash = hash_of(row)
    return row


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


def hash_of(row: LedgerRow) -> str:
    """SHA-256 (hex) of the row's fields and the hash before, as canonical JSON; times in UTC to the microsecond."""
    fields: list[object] = [row.previous_hash, row.sequence, row.at.astimezone(UTC).isoformat(timespec="microseconds")]
    fields += [getattr(row, name) for name in _HASHED]
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
