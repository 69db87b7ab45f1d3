"""Incidents, and the steps that people take with them."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Annotated

from fastapi import Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentActor, CurrentCenter, CurrentPerson, IncidentId
from control_center.api.problems import Problem
from control_center.center import Center
from control_center.database import Incident
from control_center.incident_views import IncidentsView, IncidentView, StepsView, StepView
from control_center.incidents.life import NotAssignable
from control_center.incidents.store import IncidentFilter
from control_center.incidents.transitions import State, Verdict
from control_center.ledger import Entry, LedgerFailed
from control_center.reach import incident_limit
from control_center.recording_holds import TooManyHolds
from control_center.rights import Desk, Right
from detectors.event import EventKind
from streams.holds import HoldError

logger = logging.getLogger(__name__)
router = guarded_router(prefix="/api/v1/incidents", tags=["incidents"])

# The rail shows a picture with each alarm, again and again; one look in so long is one row (ADR 0087).
SNAPSHOT_SECONDS = 600.0

# By the cookie too: who signs in next at the same browser asks anew, and is asked for their right.
_KEPT = {"Cache-Control": "private, max-age=3600", "Vary": "Cookie"}

Note = Annotated[str, Field(max_length=2000)]
WrittenNote = Annotated[str, Field(min_length=1, max_length=2000)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class AssignmentForm(_Form):
    account_id: Annotated[str, Field(min_length=1, max_length=32)]
    note: Note = ""


class DispatchForm(_Form):
    desks: Annotated[list[Desk], Field(min_length=1, max_length=8)]
    note: Note = ""


class NoteForm(_Form):
    note: WrittenNote


class ClosingForm(_Form):
    verdict: Verdict
    note: Note = ""


class AnswerForm(_Form):
    note: Note = ""


class OutcomeForm(_Form):
    outcome: WrittenNote


@router.get("")
@requires(Right.VIEW_INCIDENTS)
async def list_incidents(
    center: CurrentCenter,
    person: CurrentPerson,
    state: State | None = None,
    kind: EventKind | None = None,
    camera: Annotated[str | None, Query(max_length=63)] = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    is_fault: Annotated[
        bool | None, Query(alias="faults", description="true: faults of cameras alone; false: all but those")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> IncidentsView:
    """Newest first, of those the caller may see; `before` is `next_before` of the page before."""
    wanted = IncidentFilter(state, kind, camera, is_open, is_fault)
    page = await center.incidents.page(wanted, limit + 1, before, incident_limit(person))
    shown = page[:limit]
    return IncidentsView(
        incidents=[center.incident_view(incident, person.desk) for incident in shown],
        next_before=shown[-1].id if len(page) > limit else None,
    )


@router.get("/{incident_id}")
@requires(Right.VIEW_INCIDENTS)
async def get_incident(incident_id: IncidentId, center: CurrentCenter, person: CurrentPerson) -> IncidentView:
    """One incident. 404 when there is none, or it is out of the caller's reach."""
    return center.incident_view(await center.incidents.one(incident_id, incident_limit(person)), person.desk)


@router.get("/{incident_id}/steps")
@requires(Right.VIEW_INCIDENTS)
async def list_incident_steps(incident_id: IncidentId, center: CurrentCenter, person: CurrentPerson) -> StepsView:
    """What was done with it, in order. A desk does not read the other desk's notes."""
    await center.incidents.one(incident_id, incident_limit(person))
    return StepsView(steps=[StepView.of(step, person.desk) for step in await center.incidents.steps(incident_id)])


@router.get(
    "/{incident_id}/snapshot",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The picture of its first event"}},
)
@requires(Right.VIEW_INCIDENTS)
async def get_incident_snapshot(
    incident_id: IncidentId, center: CurrentCenter, person: CurrentPerson, actor: CurrentActor
) -> FileResponse:
    """The picture of its first event, JPEG. 404 when there is none. Looking at it is a row of the ledger."""
    incident = await center.incidents.one(incident_id, incident_limit(person))
    path = await center.incidents.snapshot_path(incident)
    if path is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"incident {incident_id} has no snapshot", "not-found")
    full = center.snapshots.full_path(path)
    if not full.is_file():
        raise Problem(HTTPStatus.NOT_FOUND, f"the snapshot file {path} is missing in the data folder", "not-found")
    await center.ledger.record_once(Entry(actor, "view.snapshot", incident.camera_id, incident_id), SNAPSHOT_SECONDS)
    return FileResponse(full, media_type="image/jpeg", headers=_KEPT)


@router.post("/{incident_id}/acknowledge")
@requires(Right.HANDLE_INCIDENTS)
async def acknowledge_incident(incident_id: IncidentId, center: CurrentCenter, actor: CurrentActor) -> IncidentView:
    """Take it on: new → acknowledged; the caller is its owner. 409 when it is not new any more; it says who has it."""
    return _told(center, await center.life.acknowledge(incident_id, actor))


@router.post("/{incident_id}/take-over")
@requires(Right.HANDLE_INCIDENTS)
async def take_over_incident(incident_id: IncidentId, center: CurrentCenter, actor: CurrentActor) -> IncidentView:
    """Become the owner of an incident that somebody else has."""
    return _told(center, await center.life.take_over(incident_id, actor))


@router.post("/{incident_id}/assign")
@requires(Right.ASSIGN_INCIDENTS)
async def assign_incident(
    incident_id: IncidentId, form: AssignmentForm, center: CurrentCenter, actor: CurrentActor
) -> IncidentView:
    """Give it to an operator or a shift lead (`GET /api/v1/staff`). 422 for anybody else."""
    try:
        incident = await center.life.assign(incident_id, actor, form.account_id, form.note)
    except NotAssignable as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"account_id: {error}", "invalid") from error
    return _told(center, incident)


@router.post("/{incident_id}/dispatch")
@requires(Right.HANDLE_INCIDENTS)
async def dispatch_incident(
    incident_id: IncidentId, form: DispatchForm, center: CurrentCenter, actor: CurrentActor
) -> IncidentView:
    """Hand it to desks, each with a grant of the cameras around; a desk that has it already keeps what it has."""
    return _told(center, await center.life.dispatch(incident_id, actor, form.desks, form.note))


@router.post("/{incident_id}/notes")
@requires(Right.HANDLE_INCIDENTS)
async def note_on_incident(
    incident_id: IncidentId, form: NoteForm, center: CurrentCenter, actor: CurrentActor
) -> IncidentView:
    """Write something down beside its steps."""
    return _told(center, await center.life.add_note(incident_id, actor, form.note))


@router.post("/{incident_id}/close")
@requires(Right.HANDLE_INCIDENTS)
async def close_incident(
    incident_id: IncidentId, form: ClosingForm, center: CurrentCenter, actor: CurrentActor
) -> IncidentView:
    """Judge it: closed with a verdict; its grants end. 409 when it is closed already or has another owner.

    What was recorded of one that is `real` is held for `recording.keep_real_days`.
    """
    incident = await center.life.close(incident_id, actor, form.verdict, form.note)
    view = _told(center, incident)
    try:
        await center.holds.keep_real(incident)
    except (HoldError, TooManyHolds, LedgerFailed) as error:
        # It is closed all the same; the watch over holds tries again, and says so.
        logger.error("incident %s was judged real and is not held yet: %s", incident_id, error)
    return view


@router.post("/{incident_id}/receive")
@requires(Right.ANSWER_DISPATCHES)
async def receive_dispatch(
    incident_id: IncidentId, form: AnswerForm, center: CurrentCenter, person: CurrentPerson, actor: CurrentActor
) -> IncidentView:
    """The caller's desk has it."""
    return _told(center, await center.life.receive(incident_id, actor, form.note), person.desk)


@router.post("/{incident_id}/arrive")
@requires(Right.ANSWER_DISPATCHES)
async def arrive_at_incident(
    incident_id: IncidentId, form: AnswerForm, center: CurrentCenter, person: CurrentPerson, actor: CurrentActor
) -> IncidentView:
    """The desk's people are there: dispatched → arrived."""
    return _told(center, await center.life.arrive(incident_id, actor, form.note), person.desk)


@router.post("/{incident_id}/outcome")
@requires(Right.ANSWER_DISPATCHES)
async def report_outcome(
    incident_id: IncidentId, form: OutcomeForm, center: CurrentCenter, person: CurrentPerson, actor: CurrentActor
) -> IncidentView:
    """What the desk's people found and did."""
    return _told(center, await center.life.report_outcome(incident_id, actor, form.outcome), person.desk)


def _told(center: Center, incident: Incident, desk: Desk | None = None) -> IncidentView:
    """The step is committed: tell everyone, then answer."""
    center.tell_incident("incident.updated", incident)
    return center.incident_view(incident, desk)
