"""Reading incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from control_center.database import Database, Incident, IncidentStep, Snapshot
from control_center.incidents.transitions import OPEN_STATES


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
    is_open: bool | None = None
    is_fault: bool | None = None


class Incidents:
    """`within` is the condition that incidents must meet to be shown (`reach.incident_limit`), None for all.

    What lies outside is unknown: nobody learns that it is there.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, wanted: IncidentFilter, limit: int, before: str | None, within: ColumnElement[bool] | None = None
    ) -> list[Incident]:
        """Newest first; `before` is the id of the last one of the page before."""
        query = select(Incident).order_by(Incident.id.desc()).limit(limit)
        if wanted.state is not None:
            query = query.where(Incident.state == wanted.state)
        if wanted.kind is not None:
            query = query.where(Incident.kind == wanted.kind)
        if wanted.camera_id is not None:
            query = query.where(Incident.camera_id == wanted.camera_id)
        if wanted.is_open is not None:
            query = query.where(Incident.state.in_(OPEN_STATES if wanted.is_open else ("closed",)))
        if wanted.is_fault is not None:
            query = query.where((Incident.family == "fault") if wanted.is_fault else (Incident.family != "fault"))
        if before is not None:
            query = query.where(Incident.id < before)
        if within is not None:
            query = query.where(within)
        async with self._database.read() as session:
            return list(await session.scalars(query))

    async def one(self, incident_id: str, within: ColumnElement[bool] | None = None) -> Incident:
        """Raises IncidentUnknown."""
        query = select(Incident).where(Incident.id == incident_id)
        async with self._database.read() as session:
            incident = await session.scalar(query if within is None else query.where(within))
        if incident is None:
            raise IncidentUnknown(incident_id)
        return incident

    async def snapshot_path(self, incident: Incident) -> str | None:
        """Path below the data folder, None when the incident has no picture."""
        if incident.snapshot_hash is None:
            return None
        async with self._database.read() as session:
            snapshot = await session.get(Snapshot, incident.snapshot_hash)
        return snapshot.path if snapshot else None

    async def steps(self, incident_id: str) -> list[IncidentStep]:
        """What was done with it, in order."""
        query = select(IncidentStep).where(IncidentStep.incident_id == incident_id)
        async with self._database.read() as session:
            return list(await session.scalars(query.order_by(IncidentStep.at, IncidentStep.id)))

    async def counts(self) -> list[tuple[str, str, int]]:
        """(kind, state, number) for every pair there is."""
        query = select(Incident.kind, Incident.state, func.count()).group_by(Incident.kind, Incident.state)
        async with self._database.read() as session:
            return [(kind, state, number) for kind, state, number in (await session.execute(query)).all()]

    async def cameras_with_open(self, since: datetime) -> frozenset[str]:
        """Cameras with an open incident whose last event was raised after `since`; faults are none to watch."""
        query = select(Incident.camera_id).where(
            Incident.state.in_(OPEN_STATES), Incident.last_raised_at > since, Incident.family != "fault"
        )
        async with self._database.read() as session:
            return frozenset(await session.scalars(query.distinct()))
