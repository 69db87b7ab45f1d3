"""What the API shows of the register: everything but passwords."""

from __future__ import annotations

from pydantic import BaseModel, Field

from config.settings import Camera, CameraRecording, Category, Transport, Zone
from control_center.register.store import ImportResult
from control_center.views import PositionView, View


class RegisteredCameraView(View):
    """The fields of a camera as in the settings file; of its password only whether there is one."""

    id: str
    name: str
    category: Category
    purpose: str
    position: PositionView | None
    main: str
    sub: str | None
    username: str | None
    has_password: bool
    transport: Transport
    record: bool
    recording: CameraRecording
    enabled: bool
    zones: list[Zone]

    @classmethod
    def of(cls, camera: Camera) -> RegisteredCameraView:
        shown = {name: getattr(camera, name) for name in cls.model_fields if name not in {"has_password", "position"}}
        position = PositionView(**camera.position.model_dump()) if camera.position else None
        return cls(**shown, position=position, has_password=bool(camera.password))


class RegisterView(View):
    """`version` is another one after each change."""

    version: str
    cameras: list[RegisteredCameraView]


class ImportForm(BaseModel):
    yaml: str = Field(description="a `cameras` list as in the settings file, which may be the whole file")
    dry_run: bool = Field(default=False, description="only tell what it would do")


class ImportView(View):
    """Ids. Cameras of the register that the list does not name stay as they are."""

    added: list[str]
    changed: list[str]
    unchanged: list[str]

    @classmethod
    def of(cls, result: ImportResult) -> ImportView:
        return cls(added=list(result.added), changed=list(result.changed), unchanged=list(result.unchanged))
