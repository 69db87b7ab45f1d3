"""The camera register: for those who put cameras up."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi.responses import Response

from config.load import SettingsError, read_cameras
from config.settings import Camera
from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CameraId, CurrentActor, CurrentCenter
from control_center.api.problems import FieldFault, Problem
from control_center.ledger import Entry
from control_center.register import CameraExists, CameraUnknown
from control_center.register.views import ImportForm, ImportView, RegisteredCameraView, RegisterView
from control_center.register.yaml_form import to_yaml
from control_center.rights import Right

router = guarded_router(prefix="/api/v1/register", tags=["register"])

_SHOWN_FAULTS = 100


@router.get("")
@requires(Right.MANAGE_CAMERAS)
async def get_register(center: CurrentCenter) -> RegisterView:
    """Every camera with its addresses, zones and rules; no passwords."""
    state = center.register.loaded
    return RegisterView(version=state.version, cameras=[RegisteredCameraView.of(camera) for camera in state.cameras])


@router.post("/cameras", status_code=HTTPStatus.CREATED)
@requires(Right.MANAGE_CAMERAS)
async def add_camera(camera: Camera, center: CurrentCenter, actor: CurrentActor) -> RegisteredCameraView:
    """Add a camera; its worker opens it within seconds."""
    try:
        added = await center.register.add(actor, camera)
    except CameraExists as error:
        raise Problem(HTTPStatus.CONFLICT, str(error), "camera-exists") from error
    await center.follow_register()
    return RegisteredCameraView.of(added)


@router.put("/cameras/{camera_id}")
@requires(Right.MANAGE_CAMERAS)
async def change_camera(
    camera_id: CameraId, camera: Camera, center: CurrentCenter, actor: CurrentActor
) -> RegisteredCameraView:
    """Give a camera another definition. Without `password` it keeps the one it has; an empty one takes it away."""
    if camera.id != camera_id:
        fault = FieldFault(field="id", message=f"must be {camera_id}: an id stays with its camera for good")
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{fault.field}: {fault.message}", "invalid", errors=[fault])
    try:
        changed = await center.register.change(actor, camera)
    except CameraUnknown as error:
        raise Problem(HTTPStatus.NOT_FOUND, str(error), "not-found") from error
    await center.follow_register()
    return RegisteredCameraView.of(changed)


@router.delete("/cameras/{camera_id}", status_code=HTTPStatus.NO_CONTENT)
@requires(Right.MANAGE_CAMERAS)
async def remove_camera(camera_id: CameraId, center: CurrentCenter, actor: CurrentActor) -> None:
    """Take a camera out. Its recordings and incidents stay; its address and password are wiped."""
    try:
        await center.register.remove(actor, camera_id)
    except CameraUnknown as error:
        raise Problem(HTTPStatus.NOT_FOUND, str(error), "not-found") from error
    await center.follow_register()


@router.post("/import")
@requires(Right.MANAGE_CAMERAS)
async def import_cameras(form: ImportForm, center: CurrentCenter, actor: CurrentActor) -> ImportView:
    """Add and change cameras by a list in YAML, all or none. Passwords as when one camera is changed."""
    try:
        # A long list takes a second of reading, in which the loop must go on.
        cameras = await asyncio.to_thread(read_cameras, form.yaml, "import")
    except SettingsError as error:
        raise _refused(error) from error
    result = await center.register.take(actor, cameras, dry_run=form.dry_run)
    await center.follow_register()
    return ImportView.of(result)


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"content": {"application/yaml": {}}, "description": "The register as YAML, without passwords"}},
)
@requires(Right.MANAGE_CAMERAS)
async def export_cameras(center: CurrentCenter, actor: CurrentActor) -> Response:
    """The list that `import` reads, without passwords."""
    cameras = center.register.loaded.cameras
    text = await asyncio.to_thread(to_yaml, cameras, with_passwords=False)
    details = {"cameras": len(cameras), "passwords": False}
    await center.ledger.record(Entry(actor, "camera.exported", details=details))
    headers = {"Content-Disposition": 'attachment; filename="cameras.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


def _refused(error: SettingsError) -> Problem:
    told = [
        FieldFault(field=fault.field or "yaml", message=fault.message, camera=fault.camera, line=fault.line)
        for fault in error.faults[:_SHOWN_FAULTS]
    ]
    more = len(error.faults) - len(told)
    detail = "\n".join(str(error).splitlines()[:_SHOWN_FAULTS]) + (f"\nand {more} more faults" if more else "")
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, "invalid", errors=told)
