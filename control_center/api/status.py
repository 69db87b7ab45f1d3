"""Figures for machines and people."""

from __future__ import annotations

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST

from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentCenter
from control_center.center import Center
from control_center.database.connection import DatabaseError
from control_center.fleet import SILENT_AFTER_SECONDS
from control_center.rights import Right
from control_center.views import HealthPart, HealthView, StatusView

router = guarded_router(tags=["status"])


@router.get("/healthz", responses={503: {"model": HealthView, "description": "A part is failing"}})
@requires(Right.PUBLIC)
async def get_health(response: Response, center: CurrentCenter) -> HealthView:
    """200 when every part works, else 503; says nothing but the parts' state."""
    parts = {"database": await _database_part(center), "workers": _workers_part(center)}
    is_well = all(part.ok for part in parts.values())
    response.status_code = 200 if is_well else 503
    return HealthView(status="ok" if is_well else "failing", parts=parts)


@router.get("/api/v1/status")
@requires(Right.READ_STATUS)
async def get_status(center: CurrentCenter) -> StatusView:
    """Cameras, incidents and workers, counted. Open to this machine, else for those signed in."""
    return await center.status()


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text"}},
)
@requires(Right.READ_STATUS)
async def get_metrics(center: CurrentCenter) -> Response:
    """The same rights as the status."""
    return Response(center.metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def _database_part(center: Center) -> HealthPart:
    try:
        await center.database.ping()
    except DatabaseError as error:
        return HealthPart(ok=False, detail=str(error))
    return HealthPart(ok=True, detail="answers")


def _workers_part(center: Center) -> HealthPart:
    workers = center.fleet.workers()
    silent = [worker.worker_id for worker in workers if not worker.is_answering]
    if silent:
        return HealthPart(ok=False, detail=f"not heard for {SILENT_AFTER_SECONDS:.0f} s: {', '.join(silent)}")
    return HealthPart(ok=True, detail=f"{len(workers)} answering")
