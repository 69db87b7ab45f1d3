"""Holds on recordings, placed and released by people, and those that a verdict places.

They are files beside the recordings (streams.holds), so that retention finds them when this database is away, empty or
older (ADR 0109). Every change is a row of the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import exists, select

from control_center.database import Database, Incident, LedgerRow
from control_center.ledger import CENTER, Actor, Entry, Ledger, LedgerAction, LedgerFailed
from control_center.reach import BEFORE_INCIDENT
from streams.holds import Hold, HoldError, holds_of, place, recorded_cameras, release

logger = logging.getLogger(__name__)

# What came of an incident is on its camera soon; an incident that stays open for days holds no days of recordings.
AFTER_INCIDENT = timedelta(hours=1)
MOST_HOLDS = 2_000
SWEEP_SECONDS = 600.0
_REMOVED_AFTER_SECONDS = 86_400.0
_JUDGED_REAL = "judged real"
_IS_OVER = "its time is over"


class TooManyHolds(Exception):
    """A camera has as many holds as there may be."""


class HoldUnknown(Exception):
    """There is no hold with this id."""


@dataclass(frozen=True, slots=True)
class FoundHolds:
    """In order of their beginning; `faults` say which cameras' holds cannot be read, which holds all of them."""

    holds: list[Hold]
    faults: list[str]


def incident_range(incident: Incident) -> tuple[datetime, datetime]:
    """What of its camera's recordings belongs to an incident; of an open one also what is still to be recorded."""
    longest = incident.last_raised_at + AFTER_INCIDENT
    until = min(incident.closed_at, longest) if incident.closed_at else longest
    return incident.started_at - BEFORE_INCIDENT, max(until, incident.last_raised_at)


class RecordingHolds:
    """`directory` is the data folder, `keep_real_days` for how long a verdict `real` holds, 0 for not at all.

    `monotonic` gives seconds. Methods raise HoldError where the disk refuses, LedgerFailed, SQLAlchemyError.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        directory: Path,
        keep_real_days: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._directory = directory
        self._keep_real = timedelta(days=keep_real_days)
        self._monotonic = monotonic
        self._over_since: dict[str, float] = {}

    async def found(self, camera_id: str | None = None) -> FoundHolds:
        """The holds on one camera, or on all."""
        return await asyncio.to_thread(self._found, camera_id)

    async def place(self, actor: Actor, hold: Hold) -> None:
        """On the disk and in the ledger when it returns, or in neither. Raises TooManyHolds too."""
        if len(await asyncio.to_thread(holds_of, self._directory, hold.camera_id)) >= MOST_HOLDS:
            raise TooManyHolds(f"camera {hold.camera_id} has {MOST_HOLDS} holds; release some first")
        await asyncio.to_thread(place, self._directory, hold)
        try:
            await self._ledger.record(_entry(actor, "recording.held", hold, hold.reason))
        except LedgerFailed:
            await asyncio.to_thread(release, self._directory, hold.hold_id)
            raise

    async def release(self, actor: Actor, hold_id: str, reason: str) -> Hold:
        """Its row first: what cannot be written down stays held. Raises HoldUnknown too."""
        holds = (await self.found()).holds
        hold = next((one for one in holds if one.hold_id == hold_id), None)
        if hold is None:
            raise HoldUnknown(f"there is no hold {hold_id}")
        await self._ledger.record(_entry(actor, "recording.released", hold, reason))
        await asyncio.to_thread(release, self._directory, hold_id)
        return hold

    async def keep_real(self, incident: Incident) -> None:
        """Hold what a person judged real; nothing where the verdict or the kind is another.

        The hold has the incident's id, so that doing it again after a crash makes no second one.
        """
        is_meant = incident.verdict == "real" and incident.family != "fault"
        if not is_meant or incident.closed_at is None or not self._keep_real:
            return
        since, until = incident_range(incident)
        hold = Hold(
            hold_id=incident.id,
            camera_id=incident.camera_id,
            since=since,
            until=until,
            reason=_JUDGED_REAL,
            placed_by=CENTER.name,
            placed_at=datetime.now(UTC),
            expires_at=incident.closed_at + self._keep_real,
            incident_id=incident.id,
        )
        await self.place(CENTER, hold)

    async def watch(self) -> None:
        """Make up for what a crash or a full disk kept from being held, take over holds away; until cancelled."""
        while True:
            await self.sweep(datetime.now(UTC))
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self, now: datetime) -> None:
        """One look. What cannot be held is tried at the next."""
        for incident in await self._owed(now):
            try:
                await self.keep_real(incident)
            except (HoldError, TooManyHolds) as error:
                logger.error("incident %s was judged real and is not held: %s", incident.id, error)
        await self._remove_over(now)

    async def _owed(self, now: datetime) -> list[Incident]:
        """Judged real, their time is not over, and the ledger knows of no hold that the center placed for them."""
        held = exists().where(
            LedgerRow.incident_id == Incident.id,
            LedgerRow.action == "recording.held",
            LedgerRow.account_id.is_(None),
            LedgerRow.account_name == CENTER.name,
        )
        query = select(Incident).where(
            Incident.verdict == "real",
            Incident.family != "fault",
            Incident.closed_at > now - self._keep_real,
            ~held,
        )
        async with self._database.read() as session:
            return list(await session.scalars(query))

    async def _remove_over(self, now: datetime) -> None:
        """Files of holds that are over for a day, by a clock that cannot be set: a clock set ahead by mistake holds
        nothing while it is wrong, and has taken nothing away when it is right again."""
        holds = [hold for hold in (await self.found()).holds if hold.is_over(now)]
        seen = self._monotonic()
        self._over_since = {hold.hold_id: self._over_since.get(hold.hold_id, seen) for hold in holds}
        for hold in holds:
            if seen - self._over_since[hold.hold_id] >= _REMOVED_AFTER_SECONDS:
                await self.release(CENTER, hold.hold_id, _IS_OVER)

    def _found(self, camera_id: str | None) -> FoundHolds:
        holds: list[Hold] = []
        faults: list[str] = []
        for one in recorded_cameras(self._directory) if camera_id is None else [camera_id]:
            try:
                holds += holds_of(self._directory, one)
            except HoldError as error:
                faults.append(str(error))
        return FoundHolds(sorted(holds, key=lambda hold: hold.since), faults)


def _entry(actor: Actor, action: LedgerAction, hold: Hold, reason: str) -> Entry:
    subject = f"{hold.since.isoformat()} to {hold.until.isoformat()}"
    until = hold.expires_at.isoformat() if hold.expires_at else None
    details = {"hold": hold.hold_id, "expires": until}
    return Entry(actor, action, hold.camera_id, hold.incident_id, subject, reason, details)
