"""Events in, incidents out: one transaction a batch, each event counted once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from control_center.database import Database, Event, Incident, IncidentStep, Snapshot
from control_center.identifiers import new_id
from control_center.incidents import faults
from control_center.incidents.finding import Finding
from control_center.incidents.joining import SAME_PLACE, is_same_thing
from control_center.incidents.snapshots import SnapshotFiles, StoredSnapshot
from control_center.incidents.transitions import OPEN_STATES

SEVERITIES = ("attention", "caution", "alert", "serious")


@dataclass(slots=True)
class Ingested:
    """What a batch did. `stored` are the events that were new; a repeat is accepted and changes nothing."""

    stored: list[Finding] = field(default_factory=list)
    created: list[Incident] = field(default_factory=list)
    updated: list[Incident] = field(default_factory=list)


class Ingest:
    """Snapshots go to disk first, then events, incidents and the snapshots' rows are committed together."""

    def __init__(self, database: Database, snapshots: SnapshotFiles) -> None:
        self._database = database
        self._snapshots = snapshots

    async def take(self, worker_id: str, findings: list[Finding]) -> Ingested:
        """When this returns, every event of the batch is committed. Raises SQLAlchemyError, OSError."""
        result = Ingested()
        pictures = await self._store_pictures(findings)
        now = datetime.now(UTC)
        async with self._database.write() as session:
            known = await _known(session, [finding.event_id for finding in findings])
            fresh = {finding.event_id: finding for finding in findings if finding.event_id not in known}
            await _add_snapshots(session, [pictures[key] for key in fresh if key in pictures], now)
            for finding in sorted(fresh.values(), key=lambda one: one.raised_at):
                picture = pictures.get(finding.event_id)
                await _take_one(session, worker_id, finding, picture.hash if picture else None, now, result)
        return result

    async def _store_pictures(self, findings: list[Finding]) -> dict[str, StoredSnapshot]:
        jpegs = {finding.event_id: jpeg for finding in findings if (jpeg := finding.snapshot())}
        return dict(zip(jpegs, await self._snapshots.write(list(jpegs.values())), strict=True))


async def _known(session: AsyncSession, event_ids: list[str]) -> set[str]:
    return set(await session.scalars(select(Event.event_id).where(Event.event_id.in_(event_ids))))


async def _add_snapshots(session: AsyncSession, pictures: list[StoredSnapshot], now: datetime) -> None:
    wanted = {picture.hash: picture for picture in pictures}
    known = set(await session.scalars(select(Snapshot.hash).where(Snapshot.hash.in_(wanted))))
    for digest, picture in wanted.items():
        if digest not in known:
            session.add(Snapshot(hash=digest, path=picture.path, size_bytes=picture.size_bytes, created_at=now))
    await session.flush()


async def _take_one(
    session: AsyncSession, worker_id: str, finding: Finding, picture: str | None, now: datetime, result: Ingested
) -> None:
    incident = await _incident_of(session, finding)
    if finding.is_recovery:
        if incident is None:
            return  # it was raised at another center, or lost on its way
        await faults.recover(session, incident, finding, now)
        _note_updated(incident, result)
    elif incident is None:
        incident = _new_incident(finding, picture, now)
        session.add(incident)
        await session.flush()
        session.add(_created(incident, now))
        result.created.append(incident)
    else:
        _join(incident, finding, picture, now)
        if finding.family == "fault":
            faults.raise_again(session, incident, finding, now)
        _note_updated(incident, result)
    await session.flush()
    shared = finding.model_dump(exclude={"snapshot_jpeg", "box", "track_ids", "ended_at"})
    session.add(
        Event(
            **shared,
            box=list(finding.box),
            track_ids=list(finding.track_ids),
            incident_id=incident.id,
            worker_id=worker_id,
            received_at=now,
            snapshot_hash=picture,
        )
    )
    result.stored.append(finding)


def _note_updated(incident: Incident, result: Ingested) -> None:
    if incident not in result.created and incident not in result.updated:
        result.updated.append(incident)


async def _incident_of(session: AsyncSession, finding: Finding) -> Incident | None:
    """The incident that it belongs to, None for a new one."""
    if finding.family == "fault":
        return await faults.incident_of(session, finding)
    return await _open_incident(session, finding)


async def _open_incident(session: AsyncSession, finding: Finding) -> Incident | None:
    candidates = await session.scalars(
        select(Incident)
        .where(
            Incident.camera_id == finding.camera_id,
            Incident.kind == finding.kind,
            Incident.zone == finding.zone,
            Incident.state.in_(OPEN_STATES),
            Incident.last_raised_at >= finding.raised_at - SAME_PLACE,
            Incident.last_raised_at <= finding.raised_at + SAME_PLACE,
        )
        .order_by(Incident.last_raised_at.desc())
        .limit(20)
    )
    for incident in candidates:
        if is_same_thing(incident.last_raised_at, incident.last_box, finding.raised_at, finding.box):
            return incident
    return None


def _new_incident(finding: Finding, picture: str | None, now: datetime) -> Incident:
    return Incident(
        id=new_id(),
        camera_id=finding.camera_id,
        kind=finding.kind,
        family=finding.family,
        zone=finding.zone,
        severity=finding.severity,
        label=finding.label,
        state="new",
        started_at=finding.started_at,
        raised_at=finding.raised_at,
        received_at=now,
        last_raised_at=finding.raised_at,
        updated_at=now,
        note="",
        event_count=1,
        score=finding.score,
        box=list(finding.box),
        last_box=list(finding.box),
        dwell_seconds=finding.dwell_seconds,
        snapshot_hash=picture,
        owner=None,
        acknowledged_by=None,
        closed_by=None,
        dispatches=[],
        grants=[],
    )


def _created(incident: Incident, now: datetime) -> IncidentStep:
    """The machine's step. Events that join are no steps: nobody did anything, and there may be hundreds."""
    return IncidentStep(
        id=new_id(), incident_id=incident.id, at=now, account=None, action="created", state_after="new", note=""
    )


def _join(incident: Incident, finding: Finding, picture: str | None, now: datetime) -> None:
    incident.event_count += 1
    incident.updated_at = now
    incident.started_at = min(incident.started_at, finding.started_at)
    incident.score = max(incident.score, finding.score)
    incident.dwell_seconds = max(filter(None, (incident.dwell_seconds, finding.dwell_seconds)), default=None)
    incident.severity = max(incident.severity, finding.severity, key=SEVERITIES.index)
    if incident.snapshot_hash is None:
        incident.snapshot_hash = picture
    if finding.raised_at >= incident.last_raised_at:
        incident.last_raised_at = finding.raised_at
        incident.last_box = list(finding.box)
