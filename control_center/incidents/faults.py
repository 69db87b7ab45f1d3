"""Camera faults as incidents: one for as long as the fault lasts; one that nobody took on closes by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from control_center import ledger
from control_center.database import Incident, IncidentStep
from control_center.identifiers import new_id
from control_center.incidents.finding import Finding
from control_center.incidents.transitions import OPEN_STATES
from control_center.ledger import CENTER, Entry


async def incident_of(session: AsyncSession, finding: Finding) -> Incident | None:
    """The open incident of this fault, however old; for a recovery the last one, open or closed."""
    query = (
        select(Incident)
        .where(Incident.camera_id == finding.camera_id, Incident.kind == finding.kind)
        .order_by(Incident.id.desc())
        .limit(1)
        .with_for_update(of=Incident)
    )
    if not finding.is_recovery:
        query = query.where(Incident.state.in_(OPEN_STATES))
    found: Incident | None = await session.scalar(query)
    return found


async def recover(session: AsyncSession, incident: Incident, finding: Finding, now: datetime) -> None:
    """The machine's step. Nobody has anything to judge, so what nobody took on is closed, without a verdict."""
    if incident.state == "closed":
        return
    incident.updated_at = now
    incident.dwell_seconds = finding.dwell_seconds
    if incident.state == "new":
        incident.state, incident.closed_at = "closed", now
        reason = "the camera is sound again, or not to be watched any more"
        await ledger.append(session, Entry(CENTER, "incident.closed", incident.camera_id, incident.id, reason=reason))
    session.add(_step(incident, "recovered", now))


def raise_again(session: AsyncSession, incident: Incident, finding: Finding, now: datetime) -> None:
    """It came back while a person had it: their steps must not end with a recovery that is over."""
    session.add(_step(incident, "raised_again", now))


def _step(incident: Incident, action: str, now: datetime) -> IncidentStep:
    return IncidentStep(
        id=new_id(),
        incident_id=incident.id,
        at=now,
        account=None,
        action=action,
        state_after=incident.state,
        note="",
    )
