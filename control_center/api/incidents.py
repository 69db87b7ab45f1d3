"""Incidents, and the two steps a person takes with one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentCenter, CurrentPerson, IncidentId
from control_center.api.problems import Problem
from control_center.incidents.store import IncidentFilter
from control_center.incidents.transitions import State, Verdict
from control_center.rights import Right
from control_center.views import IncidentsView, IncidentView
from detectors.event import EventKind

router = guarded_router(prefix="/api/v1/incidents", tags=["incidents"])


class ClosingForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    note: Annotated[str, Field(max_length=2000)] = ""


@router.get("")
@requires(Right.VIEW_INCIDENTS)
async def list_incidents(
    center: CurrentCenter,
    state: State | None = None,
    kind: EventKind | None = None,
    camera: Annotated[str | None, Query(max_length=63)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> IncidentsView:
    """Newest first; `before` is `next_before` of the page before."""
    page = await center.incidents.page(IncidentFilter(state, kind, camera), limit + 1, before)
    shown = page[:limit]
    return IncidentsView(
        incidents=[center.incident_view(incident) for incident in shown],
        next_before=shown[-1].id if len(page) > limit else None,
    )


@router.get("/{incident_id}")
@requires(Right.VIEW_INCIDENTS)
async def get_incident(incident_id: IncidentId, center: CurrentCenter) -> IncidentView:
    """One incident."""
    return center.incident_view(await center.incidents.one(incident_id))


@router.post("/{incident_id}/acknowledge")
@requires(Right.HANDLE_INCIDENTS)
async def acknowledge_incident(incident_id: IncidentId, center: CurrentCenter, person: CurrentPerson) -> IncidentView:
    """Take it on: new → acknowledged, by the person signed in. 409 when it is not new any more."""
    incident = await center.incidents.acknowledge(incident_id, person)
    center.tell_incident("incident.updated", incident)
    return center.incident_view(incident)


@router.post("/{incident_id}/close")
@requires(Right.HANDLE_INCIDENTS)
async def close_incident(
    incident_id: IncidentId, form: ClosingForm, center: CurrentCenter, person: CurrentPerson
) -> IncidentView:
    """Judge it: new or acknowledged → closed with a verdict. 409 when it is closed already."""
    incident = await center.incidents.close(incident_id, person, form.verdict, form.note)
    center.tell_incident("incident.updated", incident)
    return center.incident_view(incident)


@router.get(
    "/{incident_id}/snapshot",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The picture of its first event"}},
)
@requires(Right.VIEW_INCIDENTS)
async def get_incident_snapshot(incident_id: IncidentId, center: CurrentCenter) -> FileResponse:
    """The picture of its first event, JPEG. 404 when there is none."""
    path = await center.incidents.snapshot_path(incident_id)
    if path is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"incident {incident_id} has no snapshot", "not-found")
    full = center.snapshots.full_path(path)
    if not full.is_file():
        raise Problem(HTTPStatus.NOT_FOUND, f"the snapshot file {path} is missing in the data folder", "not-found")
    return FileResponse(full, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})
