"""Events from the pictures process on their way to disk: a bounded queue that survives a full disk for a while."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from detectors.event import Event
from streams.outbox import Outbox, OutboxError, OutboxFull
from streams.supervision import BackOff

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IntakeStatus:
    """`waiting` for the disk now; `lost` since the worker started: the queue or the outbox was full."""

    waiting: int
    lost: int


class EventIntake:
    """`take` never waits; `run` writes to the outbox, one event at a time."""

    def __init__(self, outbox: Outbox, max_waiting: int = 64) -> None:
        self._outbox = outbox
        self._queue: asyncio.Queue[tuple[Event, bytes]] = asyncio.Queue(max_waiting)
        self._lost = 0

    @property
    def status(self) -> IntakeStatus:
        return IntakeStatus(self._queue.qsize(), self._lost)

    def take(self, event: Event, snapshot_jpeg: bytes) -> None:
        """Let an event wait for the disk; when too many wait, it is lost, counted and logged."""
        try:
            self._queue.put_nowait((event, snapshot_jpeg))
        except asyncio.QueueFull:
            self._lose(event, "too many wait for the disk")

    async def run(self) -> None:
        """Write what comes, for ever; while the disk fails, try again."""
        while True:
            event, snapshot_jpeg = await self._queue.get()
            try:
                await self._write(event, snapshot_jpeg)
            finally:
                self._queue.task_done()

    async def drain(self, seconds: float) -> None:
        """Wait until all is written, at most so long."""
        try:
            await asyncio.wait_for(self._queue.join(), seconds)
        except TimeoutError:
            log.error("%d events were not written before the end", self._queue.qsize())

    async def _write(self, event: Event, snapshot_jpeg: bytes) -> None:
        back_off = BackOff(0.5, 10.0)
        while True:
            try:
                if await self._outbox.put(event, snapshot_jpeg):
                    log.info(
                        "event %s: %s at camera %s, zone %s", event.event_id, event.kind, event.camera_id, event.zone
                    )
                return
            except OutboxFull as error:
                self._lose(event, str(error))
                return
            except OutboxError as error:
                seconds = back_off.next_seconds()
                log.error("event %s is not on disk yet (%s); again in %.1f s", event.event_id, error, seconds)
                await asyncio.sleep(seconds)

    def _lose(self, event: Event, reason: str) -> None:
        self._lost += 1
        log.error("event %s (%s at camera %s) is lost: %s", event.event_id, event.kind, event.camera_id, reason)
