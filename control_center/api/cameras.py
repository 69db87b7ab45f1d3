"""The cameras and how they do."""

from __future__ import annotations

from http import HTTPStatus

from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CameraId, CurrentCenter, CurrentPerson
from control_center.api.problems import Problem
from control_center.center import Center
from control_center.rights import Right
from control_center.views import CamerasView, CameraView

router = guarded_router(prefix="/api/v1/cameras", tags=["cameras"])


@router.get("")
@requires(Right.VIEW_CAMERAS)
async def list_cameras(center: CurrentCenter, person: CurrentPerson) -> CamerasView:
    """Every camera of the register, in its order; a desk has those of its incidents."""
    seen = await center.reach.cameras(person)
    cameras = center.fleet.cameras
    return CamerasView(
        cameras=[
            CameraView.of_camera(cameras[status.camera_id], status)
            for status in center.fleet.camera_statuses()
            if seen is None or status.camera_id in seen
        ]
    )


@router.get("/{camera_id}")
@requires(Right.VIEW_CAMERAS)
async def get_camera(camera_id: CameraId, center: CurrentCenter, person: CurrentPerson) -> CameraView:
    """One camera."""
    sight = await center.reach.sees_camera(person, camera_id, Right.VIEW_CAMERAS)
    if not sight.allowed:
        raise Problem(HTTPStatus.FORBIDDEN, f"camera {camera_id}: {sight.reason}", "out-of-reach")
    refuse_unknown(center, camera_id)
    return CameraView.of_camera(center.fleet.cameras[camera_id], center.fleet.camera_status(camera_id))


def refuse_unknown(center: Center, camera_id: str) -> None:
    """Raises Problem (404)."""
    if camera_id not in center.fleet.cameras:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no camera {camera_id}", "not-found")


def refuse_never_registered(center: Center, camera_id: str) -> None:
    """As `refuse_unknown`, but a camera that was removed is known still. Raises Problem (404)."""
    if camera_id not in center.register.loaded.former:
        refuse_unknown(center, camera_id)
