"""Reading and changing the register. Each change and its ledger row are one commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import SecretStr, ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Camera, Position
from control_center import ledger
from control_center.database import Database, RegisteredCamera
from control_center.ledger import CENTER, Actor, Entry
from control_center.register.definition import camera_of, changed_fields, digest_of, fill, version_of, wipe

logger = logging.getLogger(__name__)

_TICK = timedelta(microseconds=1)
Outcome = Literal["added", "changed", "unchanged"]
Source = Literal["", "import", "settings file"]


class RegisterError(Exception):
    """A change of the register is refused; the text says why."""


class CameraUnknown(RegisterError):
    def __init__(self, camera_id: str) -> None:
        super().__init__(f"there is no camera {camera_id} in the register")


class CameraExists(RegisterError):
    def __init__(self, camera_id: str) -> None:
        super().__init__(f"there is a camera {camera_id} in the register already; take another id, or change that one")


@dataclass(frozen=True, slots=True)
class FormerCamera:
    """What is kept of a camera that was removed: what its incidents need."""

    id: str
    name: str
    category: str
    purpose: str
    position: Position | None
    removed_at: datetime


@dataclass(frozen=True, slots=True)
class RegisterState:
    """One state of the register. `changed_at` is the time of its newest change, None when it was never used."""

    version: str = version_of(())
    cameras: tuple[Camera, ...] = ()
    former: Mapping[str, FormerCamera] = field(default_factory=dict)
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Ids, in the order of what was imported. `left_out` were removed here; only a settings file leaves them out."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    left_out: tuple[str, ...] = ()


class Register:
    """The cameras in the database. `loaded` is what `load` saw last: what the fleet and the workers go by."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.loaded = RegisterState()
        self._loading = asyncio.Lock()

    async def load(self) -> RegisterState:
        """Read the register."""
        async with self._database.read() as session:
            rows = list(await session.scalars(select(RegisteredCamera).order_by(RegisteredCamera.place)))
        self.loaded = _state(rows)
        return self.loaded

    async def refresh(self) -> bool:
        """Load it anew where somebody, perhaps another process, changed it since; says whether."""
        async with self._loading:
            async with self._database.read() as session:
                newest = await _newest(session)
            if newest == self.loaded.changed_at:
                return False
            await self.load()
            return True

    async def add(self, actor: Actor, camera: Camera) -> Camera:
        """Raises CameraExists."""
        async with self._database.write() as session:
            edit = await _Edit.begin(session, actor)
            row = edit.rows.get(camera.id)
            if row is not None and row.removed_at is None:
                raise CameraExists(camera.id)
            edit.put(camera)
            await edit.finish()
            return camera_of(edit.rows[camera.id])

    async def change(self, actor: Actor, camera: Camera) -> Camera:
        """Give a camera a new definition; no password keeps the one it has, an empty one takes it away.

        Raises CameraUnknown.
        """
        async with self._database.write() as session:
            edit = await _Edit.begin(session, actor)
            edit.row(camera.id)
            edit.put(camera)
            await edit.finish()
            return camera_of(edit.rows[camera.id])

    async def remove(self, actor: Actor, camera_id: str) -> None:
        """Raises CameraUnknown."""
        async with self._database.write() as session:
            edit = await _Edit.begin(session, actor)
            edit.remove(edit.row(camera_id))
            await edit.finish()

    async def take(self, actor: Actor, cameras: Sequence[Camera], *, dry_run: bool = False) -> ImportResult:
        """Add and change cameras, all or none; passwords as in `change`. Cameras not named stay as they are."""
        if dry_run:
            async with self._database.read() as session:
                rows = await _all_rows(session)
            return _result([(camera.id, _outcome(rows.get(camera.id), _resolved(camera, rows))) for camera in cameras])
        async with self._database.write() as session:
            edit = await _Edit.begin(session, actor, "import")
            outcomes = [(camera.id, edit.put(camera)) for camera in cameras]
            await edit.finish()
        return _result(outcomes)

    async def take_settings(self, cameras: Sequence[Camera]) -> ImportResult:
        """Take over what the settings file says anew: cameras it never named, and definitions that changed in it.

        What it said before does not undo what was changed or removed here since.
        """
        outcomes: list[tuple[str, Outcome]] = []
        left_out: list[str] = []
        async with self._database.write() as session:
            edit = await _Edit.begin(session, CENTER, "settings file")
            for camera in cameras:
                row, digest = edit.rows.get(camera.id), digest_of(camera)
                if row is None or row.imported_digest != digest:
                    whole = camera if camera.password else camera.model_copy(update={"password": SecretStr("")})
                    outcomes.append((camera.id, edit.put(whole)))
                    edit.rows[camera.id].imported_digest = digest
                elif row.removed_at is not None:
                    left_out.append(camera.id)
                else:
                    outcomes.append((camera.id, "unchanged"))
            await edit.finish()
        return _result(outcomes, left_out)


class _Edit:
    """One write: the rows as they are, and the ledger's rows for what is done to them."""

    def __init__(
        self, session: AsyncSession, actor: Actor, source: Source, rows: dict[str, RegisteredCamera], now: datetime
    ) -> None:
        self._session, self._actor, self._source, self._now = session, actor, source, now
        self._entries: list[Entry] = []
        self._next_place = max((row.place for row in rows.values()), default=-1) + 1
        self.rows = rows

    @classmethod
    async def begin(cls, session: AsyncSession, actor: Actor, source: Source = "") -> _Edit:
        newest, now = await _newest(session), datetime.now(UTC)
        # A clock that was set back must not hide a change from `refresh`.
        now = max(now, newest + _TICK) if newest else now
        return cls(session, actor, source, await _all_rows(session), now)

    def row(self, camera_id: str) -> RegisteredCamera:
        """Raises CameraUnknown."""
        row = self.rows.get(camera_id)
        if row is None or row.removed_at is not None:
            raise CameraUnknown(camera_id)
        return row

    def put(self, camera: Camera) -> Outcome:
        row = self.rows.get(camera.id)
        resolved = _resolved(camera, self.rows)
        outcome = _outcome(row, resolved)
        if outcome == "unchanged":
            return outcome
        if outcome == "changed" and row is not None:
            self._note("camera.changed", camera.id, fields=changed_fields(_readable(row), resolved))
        else:
            self._note("camera.added", camera.id, name=resolved.name)
            row = self._new_row(camera.id, row)
        fill(row, resolved)
        row.updated_at = self._now
        return outcome

    def remove(self, row: RegisteredCamera) -> None:
        self._note("camera.removed", row.id, name=row.name)
        wipe(row)
        row.removed_at = row.updated_at = self._now

    async def finish(self) -> None:
        if self._entries:
            await ledger.append(self._session, *self._entries)

    def _new_row(self, camera_id: str, former: RegisteredCamera | None) -> RegisteredCamera:
        row = former or RegisteredCamera(id=camera_id)
        row.place, row.created_at, row.removed_at = self._next_place, self._now, None
        self._next_place += 1
        if former is None:
            self._session.add(row)
            self.rows[camera_id] = row
        return row

    def _note(
        self,
        action: Literal["camera.added", "camera.changed", "camera.removed"],
        camera_id: str,
        **details: str | list[str],
    ) -> None:
        if self._source:
            details["from"] = self._source
        self._entries.append(Entry(self._actor, action, camera_id=camera_id, details=details))


def _outcome(row: RegisteredCamera | None, resolved: Camera) -> Outcome:
    if row is None or row.removed_at is not None:
        return "added"
    return "unchanged" if _readable(row) == resolved else "changed"


def _readable(row: RegisteredCamera) -> Camera | None:
    """None for a row that this version cannot read: whatever replaces it is a change."""
    try:
        return camera_of(row)
    except ValidationError:
        return None


def _resolved(camera: Camera, rows: Mapping[str, RegisteredCamera]) -> Camera:
    """With the password it will have: not named keeps the present one, an empty one means none."""
    password = camera.password
    if password is None:
        row = rows.get(camera.id)
        password = SecretStr(row.password) if row is not None and row.password else None
    return camera.model_copy(update={"password": password or None})


def _result(outcomes: Sequence[tuple[str, Outcome]], left_out: Sequence[str] = ()) -> ImportResult:
    def those(wanted: Outcome) -> tuple[str, ...]:
        return tuple(camera_id for camera_id, outcome in outcomes if outcome == wanted)

    return ImportResult(those("added"), those("changed"), those("unchanged"), tuple(left_out))


def _state(rows: Sequence[RegisteredCamera]) -> RegisterState:
    known: list[tuple[Camera, datetime]] = []
    former: dict[str, FormerCamera] = {}
    for row in rows:
        if row.removed_at is not None:
            former[row.id] = _former(row, row.removed_at)
            continue
        camera = _readable(row)
        if camera is None:
            logger.error("camera %s: its row in the register cannot be read; import or change it anew", row.id)
        else:
            known.append((camera, row.updated_at))
    changed_at = max((row.updated_at for row in rows), default=None)
    return RegisterState(version_of(known), tuple(camera for camera, _ in known), former, changed_at)


def _former(row: RegisteredCamera, removed_at: datetime) -> FormerCamera:
    position = None
    if row.latitude is not None and row.longitude is not None:
        position = Position(latitude=row.latitude, longitude=row.longitude)
    return FormerCamera(row.id, row.name, row.category, row.purpose, position, removed_at)


async def _all_rows(session: AsyncSession) -> dict[str, RegisteredCamera]:
    return {row.id: row for row in await session.scalars(select(RegisteredCamera))}


async def _newest(session: AsyncSession) -> datetime | None:
    return await session.scalar(select(func.max(RegisteredCamera.updated_at)))
