"""Grants: the cameras that a desk sees because of an incident, until it closes or the time is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Camera, DeskSettings
from control_center import ledger
from control_center.database import Grant, Incident
from control_center.geography import meters_between
from control_center.identifiers import new_id
from control_center.ledger import CENTER, Actor, Entry
from control_center.rights import Desk


def cameras_near(cameras: Mapping[str, Camera], camera_id: str, desks: DeskSettings) -> list[str]:
    """The camera itself, then those within the radius, nearest first; alone when nobody knows where it stands."""
    own = cameras.get(camera_id)
    here = own.position if own else None
    if here is None:
        return [camera_id]
    distances = {
        camera.id: meters_between(here, camera.position)
        for camera in cameras.values()
        if camera.enabled and camera.position is not None and camera.id != camera_id
    }
    near = sorted(
        (id_ for id_, meters in distances.items() if meters <= desks.radius_meters),
        key=lambda id_: (distances[id_], id_),
    )
    return [camera_id, *near][: desks.max_cameras]


def is_valid(grant: Grant, now: datetime) -> bool:
    """Expiry is a fact of time: a grant that nobody has ended yet is over all the same."""
    return grant.ended_at is None and now < grant.expires_at


def valid_camera_ids(grants: Iterable[Grant], now: datetime, desk: Desk | None = None) -> list[str]:
    """Of the grants of `desk`, or of every desk; nearest first, each once."""
    valid = [grant for grant in grants if is_valid(grant, now) and desk in {None, grant.desk}]
    return list(dict.fromkeys(camera_id for grant in valid for camera_id in grant.camera_ids))


def give(incident: Incident, desk: Desk, camera_ids: list[str], desks: DeskSettings, now: datetime) -> Grant:
    grant = Grant(
        id=new_id(),
        incident_id=incident.id,
        desk=desk,
        camera_ids=camera_ids,
        radius_meters=desks.radius_meters,
        granted_at=now,
        expires_at=now + timedelta(hours=desks.grant_hours),
        ended_at=None,
    )
    incident.grants.append(grant)
    return grant


def given(actor: Actor, incident: Incident, grant: Grant) -> Entry:
    """The ledger's row of a grant that was given."""
    return Entry(
        actor,
        "grant.given",
        incident.camera_id,
        incident.id,
        subject=grant.desk,
        details={
            "grant": grant.id,
            "cameras": list(grant.camera_ids),
            "radius_meters": round(grant.radius_meters),
            "expires_at": grant.expires_at.isoformat(),
        },
    )


def ended(actor: Actor, camera_id: str, grant: Grant, reason: str) -> Entry:
    """The ledger's row of a grant that has ended."""
    return Entry(
        actor, "grant.ended", camera_id, grant.incident_id, grant.desk, reason, {"cameras": list(grant.camera_ids)}
    )


def end_all(incident: Incident, actor: Actor, now: datetime, reason: str) -> list[Entry]:
    """End what is left of the incident's grants; gives the ledger's rows."""
    left = [grant for grant in incident.grants if grant.ended_at is None]
    for grant in left:
        grant.ended_at = now
    return [ended(actor, incident.camera_id, grant, reason) for grant in left]


async def any_expired(session: AsyncSession, now: datetime) -> bool:
    query = select(Grant.id).where(Grant.ended_at.is_(None), Grant.expires_at <= now).limit(1)
    return await session.scalar(query) is not None


async def end_expired(session: AsyncSession, now: datetime) -> list[Incident]:
    """End those whose time is over, with their ledger rows, in a write of the database; gives their incidents."""
    expired = list(await session.scalars(select(Grant).where(Grant.ended_at.is_(None), Grant.expires_at <= now)))
    for grant in expired:
        grant.ended_at = grant.expires_at
    concerned = select(Incident).where(Incident.id.in_({grant.incident_id for grant in expired}))
    incidents = {incident.id: incident for incident in await session.scalars(concerned)}
    entries = [ended(CENTER, incidents[grant.incident_id].camera_id, grant, "expired") for grant in expired]
    await ledger.append(session, *entries)
    return list(incidents.values())
