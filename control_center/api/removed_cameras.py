"""Cameras that were removed: what was recorded of them stays to be looked at until retention takes it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

import httpx
from pydantic import AwareDatetime

from config.settings import Category
from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentCenter, CurrentPerson
from control_center.api.problems import Problem
from control_center.api.whep import worker_with
from control_center.center import Center
from control_center.fleet import WorkerStatus
from control_center.rights import Right
from control_center.views import View

router = guarded_router(prefix="/api/v1/removed-cameras", tags=["recordings"])


class RemovedCameraView(View):
    id: str
    name: str
    category: Category
    removed_at: AwareDatetime


class RemovedCamerasView(View):
    cameras: list[RemovedCameraView]


@router.get("")
@requires(Right.VIEW_RECORDINGS)
async def list_removed_cameras(center: CurrentCenter, person: CurrentPerson) -> RemovedCamerasView:
    """Those with recordings still on the disk, by name; a desk has those of its incidents."""
    seen = await center.reach.cameras(person, Right.VIEW_RECORDINGS)
    former = [one for one in center.register.loaded.former.values() if seen is None or one.id in seen]
    recorded = await asyncio.to_thread(_recorded, center.settings.data_dir, [one.id for one in former])
    found = [
        RemovedCameraView.model_validate(
            {"id": one.id, "name": one.name, "category": one.category, "removed_at": one.removed_at}
        )
        for one in former
        if one.id in recorded
    ]
    return RemovedCamerasView(cameras=sorted(found, key=lambda camera: camera.name))


async def worker_with_recordings(center: Center, camera_id: str) -> WorkerStatus:
    """The worker that shows what was recorded of a camera, registered or removed. Raises Problem (404, 503).

    No worker tells of a removed camera any more; the one whose index has most of it shows it, and is remembered.
    """
    if camera_id in center.fleet.cameras or camera_id not in center.register.loaded.former:
        return worker_with(center, camera_id)
    workers = [one for one in center.fleet.workers() if one.is_answering and one.playback_url is not None]
    for worker in workers:
        if center.former_workers.get(camera_id) == worker.worker_id:
            return worker
    seconds = await asyncio.gather(*(_recorded_seconds(center, worker, camera_id) for worker in workers))
    best = max(zip(seconds, workers, strict=True), key=lambda pair: pair[0], default=None)
    if best is None or best[0] < 0:
        status, detail = HTTPStatus.SERVICE_UNAVAILABLE, f"camera {camera_id} was removed, and no worker answers"
        raise Problem(status, detail, "no-worker", {"Retry-After": "2"})
    if best[0] > 0 and min(seconds) >= 0:
        center.former_workers[camera_id] = best[1].worker_id
    return best[1]


async def _recorded_seconds(center: Center, worker: WorkerStatus, camera_id: str) -> float:
    """-1 where it does not answer."""
    headers = {"Authorization": f"Bearer {center.worker_token}"}
    try:
        answer = await center.workers.get(f"{worker.playback_url}/recordings/{camera_id}/days", headers=headers)
        return float(sum(day["seconds"] for day in answer.raise_for_status().json()["days"]))
    except (httpx.HTTPError, ValueError, KeyError):
        return -1.0


def _recorded(directory: Path, camera_ids: list[str]) -> set[str]:
    """Those with a folder of some year."""
    found = set()
    for camera_id in camera_ids:
        folder = directory / "recordings" / camera_id
        if folder.is_dir() and any(entry.is_dir() for entry in folder.iterdir()):
            found.add(camera_id)
    return found
