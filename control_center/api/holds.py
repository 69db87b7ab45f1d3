"""Holds: ranges of recordings that are not deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from config.settings import Identifier
from control_center.api.authorization import guarded_router, requires
from control_center.api.cameras import refuse_never_registered
from control_center.api.deps import CurrentActor, CurrentCenter, CurrentPerson, IncidentId
from control_center.api.problems import Problem
from control_center.api.whep import known_incident
from control_center.center import Center
from control_center.hold_views import HoldsView, HoldView
from control_center.ledger import Actor
from control_center.reach import incident_limit
from control_center.recording_holds import HoldUnknown, TooManyHolds, incident_range
from control_center.rights import Right
from streams.holds import Hold, HoldError

router = guarded_router(prefix="/api/v1", tags=["holds"])

LONGEST_RANGE = timedelta(days=32)
LONGEST_HOLD = timedelta(days=10 * 366)

Reason = Annotated[str, Field(min_length=1, max_length=500)]
HoldId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
IncidentQuery = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class HoldForm(_Form):
    camera_id: Identifier
    since: AwareDatetime
    until: AwareDatetime
    reason: Reason
    expires_at: AwareDatetime
    incident_id: Annotated[str | None, Field(pattern=r"^[0-9a-f]{32}$")] = None


class IncidentHoldForm(_Form):
    reason: Reason
    expires_at: AwareDatetime


class ReleaseForm(_Form):
    reason: Reason


@router.get("/holds")
@requires(Right.VIEW_HOLDS)
async def list_holds(
    center: CurrentCenter,
    camera: Annotated[str | None, Query(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] = None,
    incident: IncidentQuery = None,
) -> HoldsView:
    """What is held, in order of its beginning; of one camera, of one incident, or all."""
    found = HoldsView.of(await center.holds.found(camera), datetime.now(UTC))
    if incident is None:
        return found
    return found.model_copy(update={"holds": [one for one in found.holds if one.incident_id == incident]})


@router.post("/holds", status_code=HTTPStatus.CREATED)
@requires(Right.HOLD_RECORDINGS)
async def hold_recordings(form: HoldForm, center: CurrentCenter, actor: CurrentActor) -> HoldView:
    """Keep a camera's recordings of some time (32 days at most) until `expires_at`; a row of the ledger."""
    refuse_never_registered(center, form.camera_id)
    if form.until - form.since > LONGEST_RANGE:
        raise _invalid("until", f"must be within {LONGEST_RANGE.days} days of `since`")
    incident_id = await known_incident(center, form.incident_id)
    return await _placed(center, actor, form.model_dump() | {"incident_id": incident_id})


@router.post("/incidents/{incident_id}/hold", status_code=HTTPStatus.CREATED)
@requires(Right.HOLD_RECORDINGS)
async def hold_incident(
    incident_id: IncidentId, form: IncidentHoldForm, center: CurrentCenter, person: CurrentPerson, actor: CurrentActor
) -> HoldView:
    """Keep what its camera recorded of an incident: from a minute before it began until it was closed, but no longer
    than an hour after its last event; of an open one also what is still to be recorded."""
    incident = await center.incidents.one(incident_id, incident_limit(person))
    since, until = incident_range(incident)
    about = {"camera_id": incident.camera_id, "since": since, "until": until, "incident_id": incident_id}
    return await _placed(center, actor, form.model_dump() | about)


@router.post("/holds/{hold_id}/release", status_code=HTTPStatus.NO_CONTENT)
@requires(Right.RELEASE_HOLDS)
async def release_hold(hold_id: HoldId, form: ReleaseForm, center: CurrentCenter, actor: CurrentActor) -> None:
    """End a hold: what it held is deleted when its time has come. A row of the ledger."""
    try:
        await center.holds.release(actor, hold_id, form.reason)
    except HoldUnknown as error:
        raise Problem(HTTPStatus.NOT_FOUND, str(error), "not-found") from error
    except HoldError as error:
        raise _storage(error) from error


async def _placed(center: Center, actor: Actor, asked: dict[str, object]) -> HoldView:
    """Raises Problem (409, 422, 507)."""
    now = datetime.now(UTC)
    since, until, expires_at = (asked[name] for name in ("since", "until", "expires_at"))
    assert isinstance(since, datetime) and isinstance(until, datetime) and isinstance(expires_at, datetime)
    if until <= since:
        raise _invalid("until", "must be later than `since`")
    if not now < expires_at <= now + LONGEST_HOLD:
        raise _invalid("expires_at", "must lie in the future, within ten years")
    hold = Hold.model_validate({**asked, "placed_by": actor.name, "placed_at": now})
    try:
        await center.holds.place(actor, hold)
    except TooManyHolds as error:
        raise Problem(HTTPStatus.CONFLICT, str(error), "too-many-holds") from error
    except HoldError as error:
        raise _storage(error) from error
    return HoldView.of(hold, now)


def _invalid(field: str, message: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{field}: {message}", "invalid")


def _storage(error: HoldError) -> Problem:
    return Problem(HTTPStatus.INSUFFICIENT_STORAGE, str(error), "storage")
