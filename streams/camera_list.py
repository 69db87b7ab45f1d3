"""The list of cameras as the center gives it and as a worker keeps it: one JSON document, passwords included."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.settings import Camera

ListSource = Literal["center", "kept", "settings"]
_FILE_NAME = "cameras.json"


class CameraListError(Exception):
    """The list cannot be understood; the text says why, without any of its values."""


@dataclass(frozen=True, slots=True)
class DefinitionFault:
    """A camera of the list that cannot be understood. `camera_id` is empty where not even that is known."""

    camera_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CameraList:
    """`version` is the center's, empty for the settings file. `faults` are the cameras left out of `cameras`."""

    source: ListSource
    version: str = ""
    cameras: tuple[Camera, ...] = ()
    faults: tuple[DefinitionFault, ...] = ()


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    version: str = Field(min_length=1, max_length=200)
    cameras: list[Any]


def parse(content: bytes, source: ListSource) -> CameraList:
    """Each camera is read by itself, so that one that cannot be understood harms no other. Raises CameraListError."""
    try:
        document = _Document.model_validate_json(content)
    except ValidationError as error:
        raise CameraListError(f"the list of cameras is not understood: {_told(error)}") from None
    cameras: dict[str, Camera] = {}
    faults: list[DefinitionFault] = []
    for number, definition in enumerate(document.cameras):
        try:
            camera = Camera.model_validate(definition)
        except ValidationError as error:
            given = definition.get("id") if isinstance(definition, dict) else None
            faults.append(
                DefinitionFault(given if isinstance(given, str) else "", f"cameras[{number}]: {_told(error)}")
            )
            continue
        if camera.id in cameras:
            faults.append(DefinitionFault("", f"cameras[{number}]: its id {camera.id} stands twice"))
        else:
            cameras[camera.id] = camera
    return CameraList(source, document.version, tuple(cameras.values()), tuple(faults))


def keep(folder: Path, content: bytes) -> None:
    """Write a list to the worker's folder, for its owner's eyes alone. Blocking. Raises OSError."""
    path = folder / _FILE_NAME
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


def kept(folder: Path) -> CameraList | None:
    """The list of an earlier life, None where there is none. Blocking. Raises CameraListError."""
    path = folder / _FILE_NAME
    try:
        return parse(path.read_bytes(), "kept")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CameraListError(f"{path}: {error.strerror}") from error


def _id_of(definition: object) -> str:
    given = definition.get("id") if isinstance(definition, dict) else None
    return given if isinstance(given, str) else ""


def _told(error: ValidationError) -> str:
    """Which fields, and what is wrong with them; never the value, which may be a password."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in faults[:3]]
    return "; ".join(told)
