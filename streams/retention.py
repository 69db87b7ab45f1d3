"""Deleting what is older, more, or nearer to a full disk than the settings allow; runs in the writer's thread.

Two steps: the row is marked, the file deleted and its folder synced, the row removed. Only files that the index knows
are ever looked at, so an index that is empty, gone or older than the files deletes none.
"""

from __future__ import annotations

import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from config.settings import RecordingSettings
from streams.disk import Disk
from streams.holds import HoldError, holds_of, merged, touches
from streams.recording_index import Destroyed, Keeping, Range, RecordingIndex, SegmentRow

logger = logging.getLogger(__name__)

PASS_SECONDS = 30.0
MORE_SECONDS = 0.5
RATE = 4.0
_BURST_SECONDS = 3600.0
_FILES_AT_ONCE = 16
_SPARED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class _Due:
    row: SegmentRow
    reason: str


class _Stays(Exception):
    """A file is not deleted; the text says why."""


class Retention:
    """`step()` deletes at most a handful of files, the oldest of all cameras first.

    No more than `RATE` seconds of recordings a second, for each camera that has any, counted from the start of the
    process by a clock that cannot be set: whatever the system's clock or the disk's free space say, a mistake costs
    hours, and there is time to notice. `last_error` is for people. Raises nothing.
    """

    def __init__(
        self,
        directory: Path,
        index: RecordingIndex,
        settings: RecordingSettings,
        disk: Disk,
        camera_ids: Container[str] | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.destroyed_segments: dict[str, int] = {}
        self.error_count = 0
        self.last_error = ""
        self._directory = directory
        self._index = index
        self._settings = settings
        self._disk = disk
        self._camera_ids = camera_ids
        self._monotonic = monotonic
        self._utc_now = utc_now
        self._keeping: dict[str, Keeping] = {}
        self._allowance_seconds = 0.0
        self._counted_at = self._spared_at = monotonic()
        self._spared: set[str] = set()
        self._is_unfinished = True

    def resume(self) -> None:
        """After a start: what was said last of each camera, and the deletion that was cut short."""
        try:
            self._finish()
            self._keeping = self._index.keeping() | self._keeping
        except sqlite3.Error as error:
            self._report(f"recording index: {error}")

    def keep(self, keeping: Mapping[str, Keeping]) -> None:
        """How long and how much these cameras keep from now on; what was said of others still holds."""
        self._keeping |= keeping
        try:
            self._index.keep(keeping)
        except sqlite3.Error as error:
            self._report(f"recording index: {error}")

    def step(self) -> float:
        """Delete what is due, a few files at most; gives the seconds until it should be called again."""
        try:
            if self._is_unfinished:
                self._finish()
            due = self._due()
            if not due:
                return PASS_SECONDS
            self._is_unfinished = True
            for reason in sorted({one.reason for one in due}):
                self._index.mark([one.row for one in due if one.reason == reason], reason)
            self._delete(due)
            self._is_unfinished = False
        except (OSError, sqlite3.Error) as error:
            self._report(f"retention: {error}")
            return PASS_SECONDS
        return MORE_SECONDS

    def _finish(self) -> None:
        """A deletion that was cut short: where the file is gone the row goes, where it is not it stays."""
        marked = [_Due(row, reason) for row, reason in self._index.marked()]
        left = [one for one in marked if (self._directory / one.row.path).exists()]
        self._index.unmark([one.row.path for one in left])
        self._forget([one for one in marked if one not in left])
        self._is_unfinished = False

    def _due(self) -> list[_Due]:
        """The oldest segments to be deleted now, as many as one step and the allowance bear."""
        now, found = self._utc_now(), list[_Due]()
        if self._monotonic() - self._spared_at > _SPARED_SECONDS:
            self._spared_at = self._monotonic()
            self._spared.clear()
        missing = self._settings.keep_free_bytes - self._disk.free_bytes(self._directory)
        cameras = self._cameras()
        for camera_id in cameras:
            try:
                held = merged(holds_of(self._directory, camera_id), now)
            except HoldError as error:
                self._report(str(error))
                continue
            found += self._due_of(camera_id, held, now, missing > 0)
        found.sort(key=lambda one: (one.reason == "space", one.row.started_at))
        self._earn(len(cameras))
        taken: list[_Due] = []
        for one in found[:_FILES_AT_ONCE]:
            if one.reason == "space" and missing <= 0:
                break
            cost = max(one.row.duration_seconds, 1.0)
            if cost > self._allowance_seconds:
                break
            self._allowance_seconds -= cost
            missing -= one.row.byte_count
            taken.append(one)
        return taken

    def _cameras(self) -> list[str]:
        """Those of this worker; none whose folder is not there: a disk that is not mounted is no disk without files."""
        return [
            camera_id
            for camera_id in self._index.camera_ids()
            if (self._camera_ids is None or camera_id in self._camera_ids)
            and (self._directory / "recordings" / camera_id).is_dir()
        ]

    def _due_of(self, camera_id: str, held: list[Range], now: datetime, is_full: bool) -> list[_Due]:
        keeping = self._keeping.get(camera_id, Keeping())
        keep_bytes = keeping.keep_bytes or self._settings.keep_bytes
        expired_before = now - timedelta(days=keeping.keep_days or self._settings.keep_days)
        over = self._index.bytes_of(camera_id, held) - keep_bytes if keep_bytes else 0
        ended_before = None if over > 0 or is_full else expired_before
        due: list[_Due] = []
        for row in self._index.oldest(camera_id, held, _FILES_AT_ONCE + len(self._spared), ended_before):
            if row.path in self._spared:
                continue
            if row.ended_at < expired_before:
                due.append(_Due(row, "days"))
            elif over > 0:
                due.append(_Due(row, "bytes"))
            elif is_full:
                due.append(_Due(row, "space"))
            over -= row.byte_count
        return due

    def _earn(self, cameras: int) -> None:
        now = self._monotonic()
        earned = (now - self._counted_at) * RATE * cameras
        self._counted_at = now
        self._allowance_seconds = min(self._allowance_seconds + earned, _BURST_SECONDS * RATE * cameras)

    def _delete(self, due: list[_Due]) -> None:
        """Files, then their folders, then their rows. What cannot be deleted is left alone for an hour."""
        gone: list[_Due] = []
        vanished: list[SegmentRow] = []
        for one in due:
            path = self._directory / one.row.path
            try:
                self._refuse_wrong(one.row, path)
                self._disk.remove(path)
                gone.append(one)
            except FileNotFoundError:
                logger.warning("%s was no longer there when it was to be deleted", one.row.path)
                vanished.append(one.row)
            except (OSError, HoldError, _Stays) as error:
                self._spared.add(one.row.path)
                self._report(f"{one.row.path} is not deleted: {error}")
        folders = {(self._directory / one.row.path).parent for one in gone}
        for folder in folders:
            self._disk.sync_folder(folder)
        self._forget(gone)
        self._index.remove(vanished, (), 0.0)
        self._index.unmark([one.row.path for one in due if one.row.path in self._spared])
        for folder in folders:
            self._tidy(folder)

    def _refuse_wrong(self, row: SegmentRow, path: Path) -> None:
        """Asked right before: the file is the one the row means, and nobody has put a hold on it meanwhile.

        Raises _Stays, HoldError, OSError.
        """
        parts = PurePosixPath(row.path).parts
        if parts[:2] != ("recordings", row.camera_id) or ".." in parts or path.suffix != ".mp4":
            raise _Stays(f"that is no recording of camera {row.camera_id}")
        if path.stat().st_size != row.byte_count:
            raise _Stays("it is not as its row says; `haechi recordings recover` looks at it anew")
        held = merged(holds_of(self._directory, row.camera_id), self._utc_now())
        if touches(held, row.started_at, row.ended_at):
            raise _Stays("somebody has put a hold on it")

    def _forget(self, gone: list[_Due]) -> None:
        """Remove rows whose files are gone, and count them."""
        if gone:
            self._index.remove([one.row for one in gone], map(_destroyed, gone), self._utc_now().timestamp())
        for one in gone:
            self.destroyed_segments[one.reason] = self.destroyed_segments.get(one.reason, 0) + 1

    def _tidy(self, folder: Path) -> None:
        """The folder of a day, a month and a year goes when it is empty; not of these days, which is written to."""
        now = self._utc_now()
        recent = [(now + timedelta(days=days)).strftime("%Y/%m/%d") for days in (-1, 0, 1)]
        if "/".join(folder.parts[-3:]) not in recent:
            with suppress(OSError):
                for empty in (folder, *folder.parents[:2]):
                    empty.rmdir()

    def _report(self, message: str) -> None:
        self.error_count += 1
        if message != self.last_error:
            logger.error("%s", message)
        self.last_error = message


def _destroyed(one: _Due) -> Destroyed:
    row = one.row
    day = row.started_at.strftime("%Y-%m-%d")
    figures = (1, row.byte_count, row.duration_seconds, row.started_at, row.ended_at)
    return Destroyed(uuid.uuid4().hex, row.camera_id, day, one.reason, *figures)
