"""Reading incidents, and the steps people take with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from control_center.accounts import SignedIn
from control_center.database import Account, Database, Incident, Snapshot
from control_center.incidents.transitions import OPEN_STATES, Verdict, step


class IncidentUnknown(Exception):
    """There is no incident with this id."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(f"there is no incident {incident_id}")


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """None means any."""

    state: str | None = None
    kind: str | None = None
    camera_id: str | None = None


class Incidents:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: IncidentFilter, limit: int, before: str | None) -> list[Incident]:
        """Newest first; `before` is the id of the last one of the page before."""
        query = select(Incident).order_by(Incident.id.desc()).limit(limit)
        if wanted.state is not None:
            query = query.where(Incident.state == wanted.state)
        if wanted.kind is not None:
            query = query.where(Incident.kind == wanted.kind)
        if wanted.camera_id is not None:
            query = query.where(Incident.camera_id == wanted.camera_id)
        if before is not None:
            query = query.where(Incident.id < before)
        async with self._database.read() as session:
            return list(await session.scalars(query))

    async def one(self, incident_id: str) -> Incident:
        """Raises IncidentUnknown."""
        async with self._database.read() as session:
            incident = await session.get(Incident, incident_id)
        if incident is None:
            raise IncidentUnknown(incident_id)
        return incident

    async def snapshot_path(self, incident_id: str) -> str | None:
        """Path below the data folder, None when the incident has no picture. Raises IncidentUnknown."""
        async with self._database.read() as session:
            incident = await session.get(Incident, incident_id)
            if incident is None:
                raise IncidentUnknown(incident_id)
            if incident.snapshot_hash is None:
                return None
            snapshot = await session.get(Snapshot, incident.snapshot_hash)
        return snapshot.path if snapshot else None

    async def counts(self) -> list[tuple[str, str, int]]:
        """(kind, state, number) for every pair there is."""
        query = select(Incident.kind, Incident.state, func.count()).group_by(Incident.kind, Incident.state)
        async with self._database.read() as session:
            return [(kind, state, number) for kind, state, number in (await session.execute(query)).all()]

    async def cameras_with_open(self, since: datetime) -> frozenset[str]:
        """Cameras with an open incident whose last event was raised after `since`."""
        query = select(Incident.camera_id).where(Incident.state.in_(OPEN_STATES), Incident.last_raised_at > since)
        async with self._database.read() as session:
            return frozenset(await session.scalars(query.distinct()))

    async def acknowledge(self, incident_id: str, who: SignedIn) -> Incident:
        """A person takes it on. Raises IncidentUnknown, TransitionRefused."""
        async with self._database.write() as session:
            incident = await _locked(session, incident_id)
            incident.state = step(incident_id, incident.state, "acknowledge", who.role).after
            _acknowledged(incident, await session.get_one(Account, who.account_id), datetime.now(UTC))
        return incident

    async def close(self, incident_id: str, who: SignedIn, verdict: Verdict, note: str) -> Incident:
        """A person has judged it; closing a new incident acknowledges it too.

        Raises IncidentUnknown, TransitionRefused.
        """
        async with self._database.write() as session:
            incident = await _locked(session, incident_id)
            was_new = incident.state == "new"
            is_free = incident.owner_id in {None, who.account_id}
            incident.state = step(incident_id, incident.state, "close", who.role, is_free).after
            account, now = await session.get_one(Account, who.account_id), datetime.now(UTC)
            if was_new:
                _acknowledged(incident, account, now)
            incident.closed_by, incident.closed_at, incident.updated_at = account, now, now
            incident.verdict, incident.note = verdict, note
        return incident


async def _locked(session: AsyncSession, incident_id: str) -> Incident:
    # `of`: PostgreSQL refuses to lock the nullable side of the joins to accounts.
    incident = await session.get(Incident, incident_id, with_for_update={"of": Incident})
    if incident is None:
        raise IncidentUnknown(incident_id)
    return incident


def _acknowledged(incident: Incident, account: Account, now: datetime) -> None:
    incident.acknowledged_by, incident.acknowledged_at, incident.updated_at = account, now, now
    incident.owner = account
