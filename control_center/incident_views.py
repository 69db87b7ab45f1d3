"""What the API shows of incidents, their dispatches and their steps."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from config.settings import Camera, Category, Severity
from control_center.database import Account, Dispatch, Incident, IncidentStep
from control_center.incidents.grants import valid_camera_ids
from control_center.incidents.transitions import State, Verdict
from control_center.register.store import FormerCamera
from control_center.rights import Desk
from control_center.views import PositionView, View
from detectors.event import EventFamily, EventKind


class DispatchView(View):
    """An incident at a desk. Names and times are null until they are; a desk does not read the other desk's words."""

    desk: Desk
    note: str
    dispatched_by: str
    dispatched_at: AwareDatetime
    received_by: str | None
    received_at: AwareDatetime | None
    received_note: str
    arrived_by: str | None
    arrived_at: AwareDatetime | None
    arrived_note: str
    outcome: str
    outcome_by: str | None
    outcome_at: AwareDatetime | None

    @classmethod
    def of(cls, dispatch: Dispatch, reader: Desk | None) -> DispatchView:
        is_read = reader in {None, dispatch.desk}
        return cls.model_validate(
            {
                "desk": dispatch.desk,
                "dispatched_at": dispatch.dispatched_at,
                "received_at": dispatch.received_at,
                "arrived_at": dispatch.arrived_at,
                "outcome_at": dispatch.outcome_at,
                "dispatched_by": dispatch.dispatched_by.name,
                "received_by": _name(dispatch.received_by),
                "arrived_by": _name(dispatch.arrived_by),
                "outcome_by": _name(dispatch.outcome_by),
                "note": dispatch.note if is_read else "",
                "received_note": dispatch.received_note if is_read else "",
                "arrived_note": dispatch.arrived_note if is_read else "",
                "outcome": dispatch.outcome if is_read else "",
            }
        )


class IncidentView(View):
    """Also the data of the live events `incident.created` and `incident.updated`."""

    id: str
    camera_id: str
    camera_name: str
    category: Category | None = Field(description="of the camera; null when it was never registered")
    position: PositionView | None
    kind: EventKind
    family: EventFamily
    severity: Severity
    zone: str
    label: str = Field(description="what was seen, such as `person`")
    state: State
    started_at: AwareDatetime
    raised_at: AwareDatetime
    received_at: AwareDatetime
    updated_at: AwareDatetime
    owner: str | None
    owner_id: str | None
    acknowledged_by: str | None
    acknowledged_at: AwareDatetime | None
    dispatched_at: AwareDatetime | None
    arrived_at: AwareDatetime | None
    closed_by: str | None
    closed_at: AwareDatetime | None
    verdict: Verdict | None
    note: str
    event_count: int
    dwell_seconds: float | None
    score: float
    box: tuple[float, float, float, float] = Field(description="x1, y1, x2, y2 as fractions of the picture")
    snapshot_url: str | None
    dispatches: list[DispatchView]
    granted_cameras: list[str] = Field(description="that its desks see now because of it, nearest first")

    @classmethod
    def of(
        cls, incident: Incident, camera: Camera | FormerCamera | None, reader: Desk | None, now: datetime
    ) -> IncidentView:
        """As the staff reads it (`reader` None), or a desk. `camera` is None when it was never registered."""
        position = camera.position if camera else None
        return cls.model_validate(
            {
                **{name: getattr(incident, name) for name in _COPIED},
                "camera_name": camera.name if camera else incident.camera_id,
                "category": camera.category if camera else None,
                "position": PositionView(**position.model_dump()) if position else None,
                "owner": _name(incident.owner),
                "owner_id": incident.owner.id if incident.owner else None,
                "acknowledged_by": _name(incident.acknowledged_by),
                "closed_by": _name(incident.closed_by),
                "snapshot_url": f"/api/v1/incidents/{incident.id}/snapshot" if incident.snapshot_hash else None,
                "dispatches": [DispatchView.of(dispatch, reader) for dispatch in incident.dispatches],
                "granted_cameras": valid_camera_ids(incident.grants, now, reader),
            }
        )


_COPIED = set(IncidentView.model_fields) - {
    "camera_name",
    "category",
    "position",
    "owner",
    "owner_id",
    "acknowledged_by",
    "closed_by",
    "snapshot_url",
    "dispatches",
    "granted_cameras",
}


class IncidentsView(View):
    """Newest first. `next_before` is the `before` of the next page, null on the last."""

    incidents: list[IncidentView]
    next_before: str | None


class StepView(View):
    """`action` is `created` or one of control_center.incidents.transitions; `by` is null for the machine."""

    at: AwareDatetime
    by: str | None
    action: str
    state_after: State
    desk: Desk | None
    note: str

    @classmethod
    def of(cls, step: IncidentStep, reader: Desk | None) -> StepView:
        is_read = reader is None or step.desk in {None, reader}
        return cls.model_validate(
            {
                "at": step.at,
                "by": _name(step.account),
                "action": step.action,
                "state_after": step.state_after,
                "desk": step.desk,
                "note": step.note if is_read else "",
            }
        )


class StepsView(View):
    """In the order they were taken."""

    steps: list[StepView]


def _name(account: Account | None) -> str | None:
    return account.name if account else None
