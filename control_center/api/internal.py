"""What stream workers tell the center. Not for people: the worker token is asked."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import Body, Header, Path
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field

from config.settings import Identifier
from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentCenter
from control_center.api.problems import Problem
from control_center.fleet import Heartbeat
from control_center.incidents.finding import Finding
from control_center.ledger import Actor, Entry
from control_center.register.definition import whole
from control_center.rights import Right

logger = logging.getLogger(__name__)
router = guarded_router(prefix="/internal/v1", tags=["internal"], include_in_schema=False)

MAX_BATCH = 500


class HeartbeatAnswer(BaseModel):
    """`open_incidents`: cameras with an open incident of the last minutes, which the worker then watches first.

    `cameras_version` is another one when the worker should fetch the cameras anew.
    """

    open_incidents: list[str]
    cameras_version: str


class DestroyedReport(BaseModel):
    """What retention deleted of a camera's recordings of one UTC day, and why: days, bytes or space."""

    report_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    camera_id: Identifier
    day: date
    reason: Annotated[str, Field(max_length=40)]
    segments: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    first_at: AwareDatetime
    last_at: AwareDatetime


class IngestAnswer(BaseModel):
    """`accepted`: committed here, now or before."""

    accepted: list[str]


@router.post("/workers/{worker_id}/heartbeat")
@requires(Right.WORKER)
async def take_heartbeat(
    worker_id: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")], heartbeat: Heartbeat, center: CurrentCenter
) -> HeartbeatAnswer:
    """Every 2 s and at each change of a stream's state."""
    center.tell_cameras(center.fleet.hear(worker_id, heartbeat))
    center.viewers.hear(heartbeat.base_url, heartbeat.viewers)
    return HeartbeatAnswer(open_incidents=sorted(center.open_cameras), cameras_version=center.register.loaded.version)


@router.post("/destroyed", status_code=HTTPStatus.NO_CONTENT)
@requires(Right.WORKER)
async def take_destroyed(
    center: CurrentCenter,
    reports: Annotated[list[DestroyedReport], Body(max_length=MAX_BATCH)],
    x_haechi_worker: Annotated[str, Header(max_length=63)] = "unknown",
) -> None:
    """A ledger row for each; answered after the commit. One sent again, as its answer was lost, has the same id."""
    actor = Actor(None, f"worker {x_haechi_worker}", "this machine")
    entries = [
        Entry(
            actor,
            "recording.destroyed",
            one.camera_id,
            subject=one.day.isoformat(),
            reason=one.reason,
            details={
                "report": one.report_id,
                "files": one.segments,
                "bytes": one.bytes,
                "seconds": round(one.seconds),
                "from": one.first_at.isoformat(),
                "to": one.last_at.isoformat(),
            },
        )
        for one in reports
    ]
    await asyncio.gather(*map(center.ledger.record, entries))


@router.get("/cameras")
@requires(Right.WORKER)
async def give_cameras(center: CurrentCenter) -> Response:
    """`{version, cameras}`: every camera as in the settings file, passwords included; workers take their shard."""
    state = center.register.loaded
    # Cameras were validated when they were written; as a model they would be validated once more, a second for 1,000.
    text = json.dumps({"version": state.version, "cameras": [whole(camera) for camera in state.cameras]})
    return Response(text, media_type="application/json")


@router.post("/events")
@requires(Right.WORKER)
async def take_events(
    center: CurrentCenter,
    findings: Annotated[list[Finding], Body(max_length=MAX_BATCH)],
    x_haechi_worker: Annotated[str, Header(max_length=63)] = "unknown",
) -> IngestAnswer:
    """Answered only after the commit. A batch with an event that is not understood is 422: send them one by one."""
    began = time.monotonic()
    try:
        result = await center.ingest.take(x_haechi_worker, findings)
    except OSError as error:
        logger.error("snapshots cannot be written: %s", error)
        raise Problem(
            HTTPStatus.INSUFFICIENT_STORAGE, f"snapshots cannot be written ({error.strerror})", "storage"
        ) from error
    for incident in result.created:
        center.metrics.incidents.labels(incident.kind).inc()
        center.tell_incident("incident.created", incident)
    for incident in result.updated:
        center.tell_incident("incident.updated", incident)
    for finding in result.stored:
        center.metrics.events.labels(finding.kind).inc()
    center.metrics.repeats.inc(len(findings) - len(result.stored))
    center.metrics.ingest_seconds.observe(time.monotonic() - began)
    return IngestAnswer(accepted=[finding.event_id for finding in findings])
