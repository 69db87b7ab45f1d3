"""What stream workers tell the center. Not for people: the worker token is asked."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Body, Header, Path
from pydantic import BaseModel, ValidationError

from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentCenter
from control_center.api.problems import Problem
from control_center.fleet import Heartbeat
from control_center.incidents.finding import Finding
from control_center.rights import Right

logger = logging.getLogger(__name__)
router = guarded_router(prefix="/internal/v1", tags=["internal"], include_in_schema=False)

MAX_BATCH = 500


class Refusal(BaseModel):
    """An event that will never be accepted, and why: the worker should set it aside, not send it again."""

    event_id: str | None
    reason: str


class IngestAnswer(BaseModel):
    """`accepted`: committed here, now or before."""

    accepted: list[str]
    refused: list[Refusal]


@router.post("/workers/{worker_id}/heartbeat", status_code=HTTPStatus.NO_CONTENT)
@requires(Right.WORKER)
async def take_heartbeat(
    worker_id: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")], heartbeat: Heartbeat, center: CurrentCenter
) -> None:
    """Every 2 s and at each change of a stream's state."""
    center.tell_cameras(center.fleet.hear(worker_id, heartbeat))


@router.post("/events")
@requires(Right.WORKER)
async def take_events(
    center: CurrentCenter,
    batch: Annotated[list[dict[str, Any]], Body(max_length=MAX_BATCH)],
    x_worker_id: Annotated[str, Header(max_length=63)] = "unknown",
) -> IngestAnswer:
    """Answered only after the commit. One event that is not understood does not hold up the others."""
    began = time.monotonic()
    findings, refused = _sort_out(batch)
    try:
        result = await center.ingest.take(x_worker_id, findings)
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
    center.metrics.refused.inc(len(refused))
    center.metrics.ingest_seconds.observe(time.monotonic() - began)
    return IngestAnswer(accepted=[finding.event_id for finding in findings], refused=refused)


def _sort_out(batch: list[dict[str, Any]]) -> tuple[list[Finding], list[Refusal]]:
    findings: list[Finding] = []
    refused: list[Refusal] = []
    for item in batch:
        try:
            findings.append(Finding.model_validate(item))
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            reason = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            event_id = item.get("event_id")
            logger.error("event %r refused: %s", event_id, reason)
            refused.append(Refusal(event_id=event_id if isinstance(event_id, str) else None, reason=reason))
    return findings, refused
