"""A camera as its row in the database, and what two definitions of it have in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from config.settings import Camera, Position, Zone
from control_center.database import RegisteredCamera

_COLUMNS = ("name", "category", "purpose", "main", "sub", "username", "transport", "record", "enabled")


def camera_of(row: RegisteredCamera) -> Camera:
    """Raises pydantic.ValidationError where an older version wrote what this one does not take."""
    position = None
    if row.latitude is not None and row.longitude is not None:
        position = {"latitude": row.latitude, "longitude": row.longitude}
    columns = {name: getattr(row, name) for name in _COLUMNS}
    return Camera.model_validate(
        {
            **columns,
            "id": row.id,
            "position": position,
            "password": row.password,
            "zones": row.zones,
            "recording": row.recording,
        }
    )


def fill(row: RegisteredCamera, camera: Camera) -> None:
    """Write every field of `camera` but its id into its row."""
    for name in _COLUMNS:
        setattr(row, name, getattr(camera, name))
    position: Position | None = camera.position
    row.latitude = position.latitude if position else None
    row.longitude = position.longitude if position else None
    row.password = camera.password.get_secret_value() if camera.password is not None else None
    row.zones = camera.model_dump(mode="json", include={"zones"})["zones"]
    row.recording = camera.recording.model_dump(mode="json", exclude_defaults=True)


def wipe(row: RegisteredCamera) -> None:
    """Keep what the incidents of a removed camera still need, and nothing that opens it."""
    row.main, row.sub, row.username, row.password, row.zones = "", None, None, None, []


def changed_fields(before: Camera | None, after: Camera) -> list[str]:
    """Names of the fields that differ, in the order of the model; all of them where there is nothing to compare."""
    return [name for name in Camera.model_fields if before is None or getattr(before, name) != getattr(after, name)]


def digest_of(camera: Camera) -> str:
    """SHA-256 of what a definition says beyond the defaults, password included: it is stored beside it, shown nowhere.

    A field that a later version adds leaves the digest as it is: an upgrade is no change of the file.
    """
    said = camera.model_dump(mode="json", exclude_defaults=True, exclude={"zones", "password"})
    zones = [_said_of_zone(zone) for zone in camera.zones]
    return _digest({**said, "zones": zones, "password": whole(camera)["password"]})


def _said_of_zone(zone: Zone) -> dict[str, Any]:
    rules = [{"kind": rule.kind, **rule.model_dump(mode="json", exclude_defaults=True)} for rule in zone.rules]
    return {**zone.model_dump(mode="json", exclude_defaults=True, exclude={"rules"}), "rules": rules}


def shown_digest_of(camera: Camera, changed_at: datetime) -> str:
    """SHA-256 of a definition, in which the time of its last change stands in for the password.

    A digest of the password itself could be guessed at by whoever sees the register's version.
    """
    at = changed_at.astimezone(UTC).isoformat(timespec="microseconds")
    return _digest({**whole(camera), "password": None, "changed_at": at})


def version_of(digests: Iterable[str]) -> str:
    """SHA-256 of the cameras' `shown_digest_of`, in the order of the register."""
    return _digest(list(digests))


def whole(camera: Camera) -> dict[str, Any]:
    """A camera as JSON has it, password included; what comes out is secret."""
    password = camera.password.get_secret_value() if camera.password is not None else None
    return {**camera.model_dump(mode="json"), "password": password}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
