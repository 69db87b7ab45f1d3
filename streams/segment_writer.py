"""The one thread of a worker that writes recordings: files, hashes, syncs and index rows.

It takes whole fragments, already built, so that it holds the GIL only between system calls, hashing and SQLite.
"""

from __future__ import annotations

import hashlib
import logging
import math
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue

from streams.disk import Disk
from streams.recording_index import Keeping, RecordingIndex, SegmentRow
from streams.retention import Retention

logger = logging.getLogger(__name__)

_LOG_SECONDS = 10.0
_MAX_UNSTORED_ROWS = 100_000


@dataclass(slots=True, eq=False)
class Segment:
    """A file being written. The loop sets what stands first; the rest belongs to the writer's thread.

    `is_doubtful`: what was written last may not be on the disk; its row stays open, and the next start looks at it.
    `failure` is set by the thread and read by the loop, empty while all is well: nothing is written after it.
    """

    camera_id: str
    started_utc_ns: int
    segment_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    path: str = ""
    descriptor: int = -1
    byte_count: int = 0
    duration_seconds: float = 0.0
    synced_seconds: float = 0.0
    failure: str = ""
    is_dirty: bool = False
    is_doubtful: bool = False
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    @property
    def failed(self) -> bool:
        """Whether nothing more can be written to it."""
        return bool(self.failure)

    def row(self, closed: bool) -> SegmentRow:
        """How it stands in the index."""
        started_at = datetime.fromtimestamp(self.started_utc_ns // 1000 / 1e6, UTC)
        return SegmentRow(
            self.segment_id,
            self.camera_id,
            self.path,
            started_at,
            started_at + timedelta(seconds=self.duration_seconds),
            self.duration_seconds,
            self.byte_count,
            self.digest.hexdigest() if closed else None,
            "closed" if closed else "open",
        )


@dataclass(frozen=True, slots=True)
class Append:
    """Write `data` to the segment, which then lasts `end_seconds`. `seconds` is what is lost when it fails."""

    segment: Segment
    data: bytes
    end_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """End the segment: on the disk, hashed, in the index."""

    segment: Segment


@dataclass(frozen=True, slots=True)
class StoreRow:
    """Put a row that recovery found into the index."""

    row: SegmentRow


@dataclass(frozen=True, slots=True)
class MarkComplete:
    """All files that these cameras had at the start are in the index now."""

    camera_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Flush:
    """Sync everything, then call `done` (in the writer's thread) with what went wrong, or nothing."""

    done: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Keep:
    """How long these cameras' recordings are kept. Deleting begins when it is known and `is_recovered`."""

    keeping: Mapping[str, Keeping]
    is_recovered: bool


@dataclass(frozen=True, slots=True)
class ForgetDestroyed:
    """The center has these reports of what was destroyed."""

    report_ids: tuple[str, ...]


Job = Append | Close | StoreRow | MarkComplete | Flush | Keep | ForgetDestroyed


class SegmentWriter:
    """`run` takes jobs in order until None comes. Several cameras' files and rows are synced together."""

    def __init__(
        self, directory: Path, index: RecordingIndex, sync_seconds: float, disk: Disk, retention: Retention
    ) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.bytes_done = 0
        self.error_count = 0
        self.segment_count = 0
        self.last_error = ""
        self.lost_seconds: dict[str, float] = {}
        self._directory = directory
        self._index = index
        self._sync_seconds = sync_seconds
        self._disk = disk
        self._retention = retention
        self._retention_due = math.inf
        self._segments: dict[str, Segment] = {}
        self._closing: list[Segment] = []
        self._rows: dict[str, SegmentRow] = {}
        self._folders: set[Path] = set()
        self._complete_cameras: set[str] = set()
        self._flushes: list[Flush] = []
        self._logged = -_LOG_SECONDS
        self._unsafe = ""  # what went wrong since a flush was told

    def run(self) -> None:
        """Work until told to end; then everything is on the disk."""
        sync_due = time.monotonic() + self._sync_seconds
        ended = False
        while not ended:
            ended = self._take_jobs(max(min(sync_due, self._retention_due) - time.monotonic(), 0.0))
            is_due = time.monotonic() >= sync_due
            if ended:
                self._closing.extend(self._segments.values())
                self._segments.clear()
            if is_due or ended or self._flushes:
                self._sync([*self._segments.values(), *self._closing])
                sync_due = time.monotonic() + self._sync_seconds
            elif self._closing:
                self._sync(self._closing)
            if time.monotonic() >= self._retention_due and not ended:
                self._retention_due = time.monotonic() + self._retention.step()

    def _take_jobs(self, wait_seconds: float) -> bool:
        """Do what is there, waiting for the first; whether the end was among it."""
        try:
            job = self.jobs.get(timeout=wait_seconds) if wait_seconds else self.jobs.get_nowait()
            while True:
                if job is None:
                    return True
                self._do(job)
                job = self.jobs.get_nowait()
        except Empty:
            return False

    def _do(self, job: Job) -> None:
        if isinstance(job, Append):
            self._append(job)
            self.bytes_done += len(job.data)
        elif isinstance(job, Close):
            if self._segments.pop(job.segment.segment_id, None) is not None:
                self._closing.append(job.segment)
        elif isinstance(job, StoreRow):
            self._rows[job.row.path] = job.row
        elif isinstance(job, MarkComplete):
            self._complete_cameras.update(job.camera_ids)
        elif isinstance(job, Flush):
            self._flushes.append(job)
        elif isinstance(job, Keep):
            self._retention.keep(job.keeping)
            if job.is_recovered:
                self._retention_due = time.monotonic()
        else:
            self._forget_destroyed(job)

    def _append(self, job: Append) -> None:
        segment = job.segment
        if segment.failed:
            self._lose(segment.camera_id, job.seconds)
            return
        try:
            if segment.descriptor < 0:
                self._create(segment)
            self._disk.write(segment.descriptor, job.data)
        except OSError as error:
            segment.failure = f"recording cannot be written: {error.strerror or error}"
            self._lose(segment.camera_id, job.seconds)
            self._report(f"camera {segment.camera_id}: recording cannot be written: {error}")
            self._cut_back(segment)
            return
        segment.digest.update(job.data)
        segment.byte_count += len(job.data)
        segment.duration_seconds = job.end_seconds
        segment.is_dirty = True

    def _create(self, segment: Segment) -> None:
        """recordings/<camera>/<year>/<month>/<day>/<HHMMSS>.mp4, with a number behind when that is taken."""
        started_at = datetime.fromtimestamp(segment.started_utc_ns / 1e9, UTC)
        folder = Path("recordings", segment.camera_id, started_at.strftime("%Y/%m/%d"))
        self._folders.update(self._disk.make_folder(self._directory / folder))
        name, number = started_at.strftime("%H%M%S"), 1
        while segment.descriptor < 0:
            path = folder / (f"{name}.mp4" if number == 1 else f"{name}-{number}.mp4")
            try:
                segment.descriptor = self._disk.create(self._directory / path)
            except FileExistsError:
                number += 1
        segment.path = str(path)
        self._folders.add(self._directory / folder)
        self._segments[segment.segment_id] = segment
        self.segment_count += 1

    def _lose(self, camera_id: str, seconds: float) -> None:
        self.lost_seconds[camera_id] = self.lost_seconds.get(camera_id, 0.0) + seconds

    def _cut_back(self, segment: Segment) -> None:
        """After a failed write: leave only whole fragments; a file that never had one is taken back."""
        if segment.descriptor < 0:
            return
        try:
            self._disk.truncate(segment.descriptor, segment.byte_count)
            if segment.byte_count == 0:
                del self._segments[segment.segment_id]
                self._disk.take_back(segment.descriptor, self._directory / segment.path)
        except OSError as error:
            self._report(f"camera {segment.camera_id}: {segment.path} may have an incomplete end: {error}")

    def _sync(self, segments: list[Segment]) -> None:
        """Files, then their folders, then their rows; then those who waited are told."""
        closing, errors = set(self._closing), self.error_count
        for segment in segments:
            if segment.is_dirty:
                self._sync_segment(segment)
            self._rows[segment.path] = segment.row(closed=segment in closing and not segment.is_doubtful)
        self._folders = {folder for folder in self._folders if not self._succeeds(self._disk.sync_folder, folder)}
        for segment in self._closing:
            self._succeeds(self._disk.close, segment.descriptor)
        self._closing.clear()
        self._store_rows()
        if self.error_count != errors:
            self._unsafe = self.last_error
        if self._flushes:
            for flush in self._flushes:
                flush.done(self._unsafe)
            self._flushes.clear()
            self._unsafe = ""

    def _sync_segment(self, segment: Segment) -> None:
        segment.is_dirty = False
        if self._succeeds(self._disk.sync_file, segment.descriptor):
            segment.synced_seconds = segment.duration_seconds
            return
        # The kernel tells of it once: a second try would succeed, and the pictures be lost all the same.
        segment.failure = segment.failure or self.last_error
        segment.is_doubtful = True
        self._lose(segment.camera_id, segment.duration_seconds - segment.synced_seconds)

    def _succeeds(self, call: Callable[[int], None] | Callable[[Path], None], target: int | Path) -> bool:
        try:
            call(target)  # type: ignore[arg-type]
        except OSError as error:
            self._report(f"recordings cannot be brought to the disk: {error}")
            return False
        return True

    def _store_rows(self) -> None:
        if not self._rows and not self._complete_cameras:
            return
        while len(self._rows) > _MAX_UNSTORED_ROWS:  # their files stay, and are found at the next start
            del self._rows[next(iter(self._rows))]
        if self._folders:
            return  # a row never comes before the name of its file is on the disk
        try:
            self._index.put(self._rows.values(), self._complete_cameras)
        except sqlite3.Error as error:
            self._report(f"recording index {self._index.path}: {error}; the rows are tried again")
        else:
            self._rows.clear()
            self._complete_cameras.clear()

    def _forget_destroyed(self, job: ForgetDestroyed) -> None:
        try:
            self._index.forget_destroyed(job.report_ids)
        except sqlite3.Error as error:
            self._report(f"recording index {self._index.path}: {error}; the center is told again what was destroyed")

    def _report(self, message: str) -> None:
        self.error_count += 1
        self.last_error = message
        if time.monotonic() - self._logged >= _LOG_SECONDS:
            self._logged = time.monotonic()
            logger.error("%s", message)
