"""Who sees which incident and which camera: asked of the database each time, never of what was true a moment ago."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, select

from control_center.accounts import SignedIn
from control_center.database import Database, Dispatch, Grant, Incident
from control_center.rights import DESKS, Desk, Right, Scope

# Who hears which live news: `city` all of it, `cameras` no incidents, a desk what was dispatched to it.
Audience = Literal["city", "cameras", "police", "fire"]


@dataclass(frozen=True, slots=True)
class CameraSight:
    """`incident_id` is that of the grant that lets a desk see it; `reason` says why not."""

    allowed: bool
    incident_id: str | None
    reason: str


# What led to an incident is part of it.
BEFORE_INCIDENT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class RecordingSight:
    """As CameraSight; recordings are seen from `earliest` on, all of them where it is None."""

    allowed: bool
    incident_id: str | None
    reason: str
    earliest: datetime | None = None


def _now() -> datetime:
    return datetime.now(UTC)


class Reach:
    """`clock` gives the aware time at which a grant must be valid. All methods raise SQLAlchemyError."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    async def sees_camera(self, person: SignedIn, camera_id: str, right: Right = Right.VIEW_LIVE) -> CameraSight:
        """Whether `right` holds at this camera, by the role or by a grant of the person's desk."""
        scope = person.rights.get(right)
        if scope is Scope.CITY:
            return CameraSight(True, None, "")
        if scope is None or person.desk is None:
            return CameraSight(False, None, f"a {person.role} has not the right {right.value}")
        for grant in await self.grants(person.desk):
            if camera_id in grant.camera_ids:
                return CameraSight(True, grant.incident_id, "")
        return CameraSight(False, None, f"no incident dispatched to the {person.desk} desk opens this camera now")

    async def sees_recordings(self, person: SignedIn, camera_id: str) -> RecordingSight:
        """Whether the person may look back at this camera; a desk from a minute before its incident began on."""
        sight = await self.sees_camera(person, camera_id, Right.VIEW_RECORDINGS)
        if not sight.allowed or person.desk is None:
            return RecordingSight(sight.allowed, sight.incident_id, sight.reason)
        ids = [grant.incident_id for grant in await self.grants(person.desk) if camera_id in grant.camera_ids]
        query = select(Incident.id, Incident.started_at).where(Incident.id.in_(ids)).order_by(Incident.started_at)
        async with self._database.read() as session:
            oldest = (await session.execute(query.limit(1))).one_or_none()
        if oldest is None:
            return RecordingSight(False, None, "the incident that opened this camera is over")
        return RecordingSight(True, oldest.id, "", oldest.started_at - BEFORE_INCIDENT)

    async def cameras(self, person: SignedIn, right: Right = Right.VIEW_CAMERAS) -> frozenset[str] | None:
        """Ids of the cameras that the person sees; None means all."""
        scope = person.rights.get(right)
        if scope is Scope.CITY:
            return None
        if scope is None or person.desk is None:
            return frozenset()
        return frozenset(camera_id for grant in await self.grants(person.desk) for camera_id in grant.camera_ids)

    async def grants(self, desk: Desk | None = None) -> list[Grant]:
        """The desk's grants that are valid now, newest first; of all desks without one."""
        query = select(Grant).where(Grant.ended_at.is_(None), Grant.expires_at > self._clock())
        if desk is not None:
            query = query.where(Grant.desk == desk)
        async with self._database.read() as session:
            return list(await session.scalars(query.order_by(Grant.id.desc())))

    async def sees_incident(self, person: SignedIn, incident_id: str) -> bool:
        """Open or closed; a desk keeps seeing what was once dispatched to it."""
        limit = incident_limit(person)
        if limit is None:
            return True
        async with self._database.read() as session:
            return bool(await session.scalar(select(Incident.id).where(Incident.id == incident_id, limit)))

    def desks_of_incident(self, incident: Incident) -> frozenset[Desk]:
        """The desks that it was dispatched to."""
        return desks_of(incident)


def desks_of(incident: Incident) -> frozenset[Desk]:
    named = {dispatch.desk for dispatch in incident.dispatches}
    return frozenset(desk for desk in DESKS if desk in named)


def incident_limit(person: SignedIn) -> ColumnElement[bool] | None:
    """The condition that incidents must meet to be shown to the person; None means all are."""
    if person.rights.get(Right.VIEW_INCIDENTS) is Scope.CITY:
        return None
    # Someone without a desk matches none.
    return Incident.id.in_(select(Dispatch.incident_id).where(Dispatch.desk == (person.desk or "")))


def audience_of(person: SignedIn) -> Audience | None:
    """What the person hears of the live news; None means nothing."""
    if person.rights.get(Right.VIEW_INCIDENTS) is Scope.CITY:
        return "city"
    if person.desk is not None:
        return person.desk
    return "cameras" if person.rights.get(Right.VIEW_CAMERAS) is Scope.CITY else None
