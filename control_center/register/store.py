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
from control_center.register.definition import (
    camera_of,
    changed_fields,
    digest_of,
    fill,
    shown_digest_of,
    version_of,
    wipe,
)

logger = logging.getLogger(__name__)

_TICK = timedelta(microseconds=1)
_ASKED_BY_ID = 200
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
        self._read: dict[str, _ReadCamera] = {}
        self._loading = asyncio.Lock()

    async def load(self) -> RegisterState:
        """Read the register."""
        async with self._database.read() as session:
            rows = list(await session.scalars(select(RegisteredCamera).order_by(RegisteredCamera.place)))
        self._read = _read_cameras(rows, self._read)
        self.loaded = _state(rows, self._read)
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
            edit = await _Edit.begin(session, actor, [camera])
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
            edit = await _Edit.begin(session, actor, [camera])
            edit.row(camera.id)
            edit.put(camera)
            await edit.finish()
            return camera_of(edit.rows[camera.id])

    async def remove(self, actor: Actor, camera_id: str) -> None:
        """Raises CameraUnknown."""
        async with self._database.write() as session:
            edit = await _Edit.begin(session, actor, [camera_id])
            edit.remove(edit.row(camera_id))
            await edit.finish()

    async def take(self, actor: Actor, cameras: Sequence[Camera], *, dry_run: bool = False) -> ImportResult:
        """Add and change cameras, all or none; passwords as in `change`. Cameras not named stay as they are."""
        if dry_run:
            async with self._database.read() as session:
                rows = await _rows(session, cameras)
            return _result([(camera.id, _outcome(rows.get(camera.id), _resolved(camera, rows))) for camera in cameras])
        async with self._database.write() as session:
            edit = await _Edit.begin(session, actor, cameras, "import")
            outcomes = []
            for camera in cameras:
                outcomes.append((camera.id, edit.put(camera)))
                await asyncio.sleep(0)  # a thousand of them must not hold up everything else
            await edit.finish()
        return _result(outcomes)

    async def take_settings(self, cameras: Sequence[Camera]) -> ImportResult:
        """Take over what the settings file says anew: cameras it never named, and definitions that changed in it.

        What it said before does not undo what was changed or removed here since.
        """
        outcomes: list[tuple[str, Outcome]] = []
        left_out: list[str] = []
        async with self._database.write() as session:
            edit = await _Edit.begin(session, CENTER, cameras, "settings file")
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
        self._next_place = 0
        self.rows = rows

    @classmethod
    async def begin(
        cls, session: AsyncSession, actor: Actor, wanted: Sequence[Camera | str], source: Source = ""
    ) -> _Edit:
        newest, now = await _newest(session), datetime.now(UTC)
        # A clock that was set back must not hide a change from `refresh`.
        now = max(now, newest + _TICK) if newest else now
        edit = cls(session, actor, source, await _rows(session, wanted), now)
        last = await session.scalar(select(func.max(RegisteredCamera.place)))
        edit._next_place = 0 if last is None else last + 1
        return edit

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


@dataclass(frozen=True, slots=True)
class _ReadCamera:
    """A row that was read; as long as `changed_at` stands it need not be read again."""

    changed_at: datetime
    camera: Camera
    digest: str


def _read_cameras(rows: Sequence[RegisteredCamera], before: Mapping[str, _ReadCamera]) -> dict[str, _ReadCamera]:
    """In the order of the rows."""
    found: dict[str, _ReadCamera] = {}
    for row in rows:
        if row.removed_at is not None:
            continue
        known = before.get(row.id)
        if known is not None and known.changed_at == row.updated_at:
            found[row.id] = known
        elif (camera := _readable(row)) is not None:
            found[row.id] = _ReadCamera(row.updated_at, camera, shown_digest_of(camera, row.updated_at))
        else:
            logger.error("camera %s: its row in the register cannot be read; import or change it anew", row.id)
    return found


def _state(rows: Sequence[RegisteredCamera], read: Mapping[str, _ReadCamera]) -> RegisterState:
    return RegisterState(
        version_of(one.digest for one in read.values()),
        tuple(one.camera for one in read.values()),
        {row.id: _former(row, row.removed_at) for row in rows if row.removed_at is not None},
        max((row.updated_at for row in rows), default=None),
    )


def _former(row: RegisteredCamera, removed_at: datetime) -> FormerCamera:
    position = None
    if row.latitude is not None and row.longitude is not None:
        position = Position(latitude=row.latitude, longitude=row.longitude)
    return FormerCamera(row.id, row.name, row.category, row.purpose, position, removed_at)


async def _rows(session: AsyncSession, wanted: Sequence[Camera | str]) -> dict[str, RegisteredCamera]:
    query = select(RegisteredCamera)
    if len(wanted) <= _ASKED_BY_ID:
        query = query.where(RegisteredCamera.id.in_([one if isinstance(one, str) else one.id for one in wanted]))
    return {row.id: row for row in await session.scalars(query)}


async def _newest(session: AsyncSession) -> datetime | None:
    return await session.scalar(select(func.max(RegisteredCamera.updated_at)))
