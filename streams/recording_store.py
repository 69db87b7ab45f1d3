"""Where a worker's recordings go: the directory, its index, the writer's thread, and recovery at the start."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from config.settings import RecordingSettings
from streams.disk import Disk
from streams.recording_index import Destroyed, Keeping, RecordingIndex, SegmentRow
from streams.recovery import recover
from streams.retention import Retention
from streams.segment_writer import (
    Append,
    Close,
    Flush,
    ForgetDestroyed,
    Keep,
    MarkComplete,
    Segment,
    SegmentWriter,
    StoreRow,
)
from streams.utc_clock import UtcClock

logger = logging.getLogger(__name__)

MAX_QUEUED_BYTES = 128 * 1024 * 1024
_TICK_SECONDS = 0.5
_SETTLED_SECONDS = 600.0


class RecordingError(Exception):
    """The writer's thread ended; nothing can be recorded until the store is opened anew."""


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """`queued_bytes` wait for the disk. `segments` were begun since the start. `last_error` is for people.

    `destroyed_segments` were deleted by retention since the start, by reason: days, bytes, space.
    """

    queued_bytes: int
    segments: int
    errors: int
    last_error: str
    is_recovered: bool
    recovered_segments: int
    destroyed_segments: dict[str, int]
    retention_error: str


class RecordingStore:
    """`async with RecordingStore(data_dir, settings) as store`.

    Files lie in `directory`/recordings/<camera_id>/<YYYY>/<MM>/<DD>/<HHMMSS>.mp4 (UTC), the index in `index_path`
    (default `directory`/recordings.sqlite; each worker has its own). Recovery runs beside recording, in a thread of
    its own; several workers on one directory name their cameras in `camera_ids`, so that each recovers only its own.
    On exit everything taken is on the disk. Raises RecordingIndexError and OSError on entry.
    """

    def __init__(
        self,
        directory: Path,
        settings: RecordingSettings | None = None,
        *,
        index_path: Path | None = None,
        camera_ids: Container[str] | None = None,
        disk: Disk | None = None,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
    ) -> None:
        self.directory = directory
        self.settings = settings or RecordingSettings()
        self.index_path = index_path or directory / "recordings.sqlite"
        self.clock = UtcClock()
        self.recovered_segments = 0
        self._camera_ids = camera_ids
        self._disk = disk or Disk()
        self._max_queued_bytes = max_queued_bytes
        self._bytes_taken = 0
        self._is_index_whole = False
        self._keeping: dict[str, Keeping] | None = None
        self._tickers: dict[object, Callable[[int], None]] = {}
        self._lifetime = AsyncExitStack()
        self._recovered = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        started_at = datetime.now(UTC)
        async with AsyncExitStack() as stack:
            self._index = await asyncio.to_thread(self._open_index)
            stack.callback(self._index.close)
            self._retention = Retention(self.directory, self._index, self.settings, self._disk, self._camera_ids)
            await asyncio.to_thread(self._retention.resume)
            sync_seconds = self.settings.sync_seconds
            self._writer = SegmentWriter(self.directory, self._index, sync_seconds, self._disk, self._retention)
            threads = ThreadPoolExecutor(2, "recording")
            stack.callback(threads.shutdown)
            self._writing = loop.run_in_executor(threads, self._writer.run)
            stack.push_async_callback(self._end_writer)
            self._stopping = False
            recovering = loop.run_in_executor(threads, self._recover, started_at)
            stack.push_async_callback(self._end_recovery, recovering)
            recovering.add_done_callback(self._recovery_ended)
            self._tick_handle = loop.call_later(_TICK_SECONDS, self._tick)
            stack.callback(lambda: self._tick_handle.cancel())
            self._lifetime = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lifetime.aclose()

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for the disk."""
        return self._bytes_taken - self._writer.bytes_done

    def lost_seconds(self, camera_id: str) -> float:
        """Seconds of this camera that were taken and could not be written."""
        return self._writer.lost_seconds.get(camera_id, 0.0)

    def status(self) -> StoreStatus:
        """Figures for people and metrics."""
        writer = self._writer
        figures = writer.segment_count, writer.error_count, writer.last_error
        retention = dict(self._retention.destroyed_segments), self._retention.last_error
        return StoreStatus(self.queued_bytes, *figures, self._recovered.is_set(), self.recovered_segments, *retention)

    def append(self, segment: Segment, data: bytes, end_seconds: float, seconds: float) -> bool:
        """Take a whole fragment (the first with the initialization before it) that lasts `seconds`; never waits.

        False when it was refused: the disk is too far behind. Raises RecordingError.
        """
        if self._writing.done():
            raise RecordingError("the recorder's writing thread ended; see the log, then restart the worker")
        if self.queued_bytes + len(data) > self._max_queued_bytes:
            return False
        self._bytes_taken += len(data)
        self._writer.jobs.put(Append(segment, data, end_seconds, seconds))
        return True

    def close_segment(self, segment: Segment) -> None:
        """Nothing more comes for `segment`."""
        self._writer.jobs.put(Close(segment))

    def keep(self, keeping: Mapping[str, Keeping]) -> None:
        """How long and how much of these cameras is kept. Nothing is ever deleted before this was called once."""
        self._keeping = {**(self._keeping or {}), **keeping}
        self._writer.jobs.put(Keep(keeping, self._is_index_whole))

    async def destroyed(self) -> list[Destroyed]:
        """What retention deleted, a report for each camera, day and reason, once it has not grown for ten minutes."""
        return await asyncio.to_thread(self._read_destroyed, time.time() - _SETTLED_SECONDS)

    def forget_destroyed(self, report_ids: Iterable[str]) -> None:
        """The center has these reports."""
        self._writer.jobs.put(ForgetDestroyed(tuple(report_ids)))

    async def flush(self) -> None:
        """When it returns, what was taken before is on the disk and in the index. Raises RecordingError: it is not."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()

        def tell(error: str) -> None:
            loop.call_soon_threadsafe(_resolve, done, error)

        self._writer.jobs.put(Flush(tell))
        either: set[asyncio.Future[Any]] = {done, self._writing}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not done.done():
            raise RecordingError("the recorder's writing thread ended")
        if error := done.result():
            raise RecordingError(error)

    async def recovered(self) -> None:
        """Wait until every file of an earlier life has been looked at and is in the index."""
        await self._recovered.wait()
        with suppress(RecordingError):
            await self.flush()

    async def rows(self, camera_id: str | None = None) -> list[SegmentRow]:
        """What the index holds, in order of time; the segments being written as of the last sync."""
        return await asyncio.to_thread(self._read_rows, camera_id)

    def every_tick(self, call: Callable[[int], None]) -> Callable[[], None]:
        """Have `call(monotonic_ns)` called twice a second; gives how to stop it. One timer for all recorders."""
        key = object()
        self._tickers[key] = call
        return lambda: self._tickers.pop(key, None) and None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._tick_handle = loop.call_later(_TICK_SECONDS, self._tick)
        now_ns = time.monotonic_ns()
        for call in tuple(self._tickers.values()):
            call(now_ns)

    def _open_index(self) -> RecordingIndex:
        self.directory.mkdir(parents=True, exist_ok=True)
        return RecordingIndex(self.index_path)

    def _read_rows(self, camera_id: str | None) -> list[SegmentRow]:
        index = RecordingIndex(self.index_path)
        try:
            return index.rows(camera_id)
        finally:
            index.close()

    def _read_destroyed(self, changed_before: float) -> list[Destroyed]:
        index = RecordingIndex(self.index_path)
        try:
            return index.destroyed(changed_before)
        finally:
            index.close()

    def _recover(self, started_at: datetime) -> None:
        for found in recover(self.directory, self.index_path, self._camera_ids, started_at):
            if self._stopping:
                return
            if isinstance(found, SegmentRow):
                self._writer.jobs.put(StoreRow(found))
                self.recovered_segments += 1
            else:
                self._writer.jobs.put(MarkComplete(found))

    async def _end_recovery(self, recovering: asyncio.Future[None]) -> None:
        self._stopping = True
        await asyncio.wait({recovering})

    def _recovery_ended(self, recovering: asyncio.Future[None]) -> None:
        self._recovered.set()
        if not recovering.cancelled() and (error := recovering.exception()) is not None:
            logger.error("recordings of an earlier life could not all be recovered", exc_info=error)
            return
        self._is_index_whole = True
        if self._keeping is not None:
            self._writer.jobs.put(Keep(self._keeping, is_recovered=True))

    async def _end_writer(self) -> None:
        self._writer.jobs.put(None)
        await self._writing


def _resolve(future: asyncio.Future[str], error: str) -> None:
    if not future.done():
        future.set_result(error)
