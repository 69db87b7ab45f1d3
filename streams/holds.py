"""Holds: ranges of time of a camera whose recordings are not deleted, however old they are or full the disk is.

Each is a small file beside the recordings, `recordings/<camera_id>/hold-<hold_id>.json`: it goes wherever they go, and
no database can lose it.
"""

from __future__ import annotations

import os
import uuid
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from config.settings import Identifier
from streams.recording_index import Range


class HoldError(Exception):
    """A hold cannot be placed, read or released; the text says which and why."""


class Hold(BaseModel):
    """From `since` to `until`; `reason` is why a person wants it, `placed_by` whom.

    It stands until `expires_at`, or until it is released where that is None.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    hold_id: str = Field(pattern=r"^[0-9a-f]{32}$", default_factory=lambda: uuid.uuid4().hex)
    camera_id: Identifier
    since: AwareDatetime
    until: AwareDatetime
    reason: str = Field(min_length=1, max_length=500)
    placed_by: str = Field(min_length=1, max_length=200)
    placed_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    incident_id: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Hold:
        if self.until <= self.since:
            raise ValueError("a hold must end after it starts")
        return self

    @property
    def range(self) -> Range:
        """Since when, until when."""
        return self.since, self.until

    def is_over(self, now: datetime) -> bool:
        """Whether its time has come."""
        return self.expires_at is not None and self.expires_at <= now


def place(directory: Path, hold: Hold) -> None:
    """Write a hold; on the disk when it returns. `directory` is the data folder. One with the same id is replaced.

    Blocking. Raises HoldError.
    """
    folder = directory / "recordings" / hold.camera_id
    path = _path(folder, hold.hold_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        with beside.open("wb") as file:
            file.write(hold.model_dump_json(indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        for changed in (folder, folder.parent, directory):
            _sync_folder(changed)
    except OSError as error:
        raise HoldError(f"{path}: the hold cannot be written ({error.strerror})") from error


def holds_of(directory: Path, camera_id: str) -> list[Hold]:
    """Every hold on the camera, by time. Raises HoldError where one cannot be read: then delete nothing."""
    found: list[Hold] = []
    try:
        with os.scandir(directory / "recordings" / camera_id) as entries:
            names = [entry.name for entry in entries if entry.name.startswith("hold-") and entry.name.endswith(".json")]
        for name in names:
            hold = _read(directory / "recordings" / camera_id / name)
            if hold is not None:  # None: it was released meanwhile; the others hold on
                found.append(hold)
    except FileNotFoundError:
        return sorted(found, key=lambda hold: hold.since)
    except (OSError, ValidationError) as error:
        raise HoldError(f"a hold of camera {camera_id} cannot be read: {error}; nothing of it is deleted") from error
    return sorted(found, key=lambda hold: hold.since)


def _read(path: Path) -> Hold | None:
    """The hold in a file, None where there is none any more. Raises HoldError, OSError and ValidationError."""
    while True:
        try:
            return Hold.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            if path.is_symlink():
                raise HoldError(f"{path}: this hold leads nowhere; nothing of its camera is deleted") from None
            if not path.exists():
                return None
            # It was placed again between the two looks.


def recorded_cameras(directory: Path) -> list[str]:
    """Ids of the cameras with a folder for recordings, whether or not something of them is held."""
    root = directory / "recordings"
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def all_holds(directory: Path) -> list[Hold]:
    """The holds on every camera. Raises HoldError."""
    return [hold for camera_id in recorded_cameras(directory) for hold in holds_of(directory, camera_id)]


def release(directory: Path, hold_id: str) -> Hold:
    """Take a hold away; what it held falls under retention again. Blocking. Raises HoldError."""
    for hold in all_holds(directory):
        if hold.hold_id == hold_id:
            folder = directory / "recordings" / hold.camera_id
            try:
                _path(folder, hold_id).unlink()
                _sync_folder(folder)
            except OSError as error:
                raise HoldError(f"hold {hold_id} cannot be released ({error.strerror})") from error
            return hold
    raise HoldError(f"there is no hold {hold_id}")


def merged(holds: list[Hold], now: datetime) -> list[Range]:
    """The ranges of those `holds` that stand at `now`, without overlaps. They are in order of their start."""
    ranges: list[Range] = []
    for hold in holds:
        if hold.is_over(now):
            continue
        if ranges and hold.since <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], hold.until))
        else:
            ranges.append(hold.range)
    return ranges


def touches(ranges: list[Range], started_at: datetime, ended_at: datetime) -> bool:
    """Whether one of `ranges` has a part of what lies between."""
    return any(started_at < until and ended_at > since for since, until in ranges)


def _path(folder: Path, hold_id: str) -> Path:
    return folder / f"hold-{hold_id}.json"


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
