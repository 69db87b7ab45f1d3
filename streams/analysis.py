"""The packets process's share of analysis: a gate for each watched camera, and the pictures process behind them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from config.settings import AnalysisSettings, Camera
from detectors.event import Event, EventKind
from streams.gate import GateKeeper, GateStatus, PacketGate
from streams.gop_buffer import GopBuffer
from streams.outbox import Outbox, OutboxError
from streams.picture_link import CAMERA_INDEXES, CameraStats, Hello, WatchOrder
from streams.picture_process import PictureLimits, PictureProcess
from streams.supervision import BackOff, supervise
from streams.utc_clock import UtcClock

log = logging.getLogger(__name__)

REMEMBERED_SECONDS: dict[EventKind, float] = {
    "intrusion": 60.0,
    "loitering": 60.0,
    "fire": 300.0,
    "dumping": 1800.0,
    "parking": 1800.0,
}
"""How long ago an event may have been raised to be told to a new pictures process, which then does not raise the same
standing thing again. People come and go, things stay."""

_DECIDE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Watched:
    """`stop_listening` ends what the camera's ring sends to the gate."""

    index: int
    camera: Camera
    buffer: GopBuffer
    stop_listening: Callable[[], None]


class Analysis:
    """Feeds the pictures process from the rings of the cameras that are to be watched; these may change at any time.

    `on_event` gets each event with its snapshot and must not wait.
    """

    def __init__(
        self,
        settings: AnalysisSettings,
        clock: UtcClock,
        outbox: Outbox,
        on_event: Callable[[Event, bytes], None],
        limits: PictureLimits | None = None,
    ) -> None:
        self.incident_cameras: frozenset[str] = frozenset()
        self.keeper = GateKeeper(settings.decode_share)
        self._settings = settings
        self._outbox = outbox
        self._watched: dict[str, _Watched] = {}
        self._ids: dict[int, str] = {}  # by index
        self._indexes = itertools.count()
        self._is_wanted = asyncio.Event()
        self._costs: dict[int, CameraStats] = {}
        self.process = PictureProcess(
            clock,
            self._hello,
            on_event=on_event,
            on_ready=self.keeper.attach,
            on_gone=self.keeper.detach,
            limits=limits,
        )

    async def watch(self, camera: Camera, buffer: GopBuffer) -> None:
        """Watch `camera` from `buffer` from now on. One that is watched goes on with another definition or ring.

        To be called for one camera at a time. A camera without a rule is not to be watched.
        """
        recent = await self._recent(camera.id) if self.process.is_told else ()  # else its hello will say
        before = self._watched.get(camera.id)
        if before is not None and before.buffer is buffer:
            watched = replace(before, camera=camera)
        else:
            watched = self._attach(camera, buffer, self._free_index() if before is None else before.index)
            if before is not None:
                before.stop_listening()
        self._watched[camera.id] = watched
        self._ids[watched.index] = camera.id
        self.process.watch(_order(watched, recent))
        self._is_wanted.set()

    def unwatch(self, camera_id: str) -> None:
        """The camera is not watched any more."""
        watched = self._watched.pop(camera_id, None)
        if watched is not None:
            watched.stop_listening()
            self.keeper.remove(camera_id)
            self.process.unwatch(watched.index)
            del self._ids[watched.index]
            self._costs.pop(watched.index, None)

    async def run(self) -> None:
        """Watch until cancelled; then the pictures process has ended. It starts with the first watched camera."""
        await self._is_wanted.wait()
        supervisor = supervise("pictures", self.process.run, back_off=BackOff(0.5, 30.0))
        tasks = [asyncio.create_task(supervisor), asyncio.create_task(self._keep_gates())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def note_incidents(self, camera_ids: frozenset[str]) -> None:
        """Cameras with an open incident are watched first."""
        self.incident_cameras = camera_ids
        self.process.pay_attention(camera_ids)

    def gates(self) -> dict[str, GateStatus]:
        """By camera id."""
        return {camera_id: gate.status() for camera_id, gate in self.keeper.items()}

    def camera_stats(self) -> dict[str, CameraStats]:
        """By camera id, of the present pictures process."""
        stats = self.process.stats
        found = stats.cameras if stats else ()
        return {self._ids[one.camera_index]: one for one in found if one.camera_index in self._ids}

    def _attach(self, camera: Camera, buffer: GopBuffer, index: int) -> _Watched:
        """A new gate behind the ring; it begins at the newest key frame."""
        gate = PacketGate(buffer, lambda unit: self.process.offer(index, unit))
        self.keeper.remove(camera.id)
        self.keeper.add(camera.id, gate)
        if self.process.state == "running":
            gate.restart()
        return _Watched(index, camera, buffer, buffer.listen(gate.offer))

    def _free_index(self) -> int:
        while (index := next(self._indexes) % CAMERA_INDEXES) in self._ids:
            pass
        return index

    async def _recent(self, camera_id: str) -> tuple[Event, ...]:
        try:
            return _remembered(await self._outbox.recent(max(REMEMBERED_SECONDS.values()), camera_id))
        except OutboxError as error:
            log.error("camera %s: what was raised before is not known: %s", camera_id, error)
            return ()

    async def _hello(self) -> Hello:
        recent = _remembered(await self._outbox.recent(max(REMEMBERED_SECONDS.values())))
        orders = tuple(_order(watched, recent) for watched in self._watched.values())
        return Hello(analysis=self._settings, cameras=orders)

    async def _keep_gates(self) -> None:
        while True:
            await asyncio.sleep(_DECIDE_SECONDS)
            stats = self.camera_stats()
            for camera_id, now in stats.items():
                before = self._costs.get(now.camera_index)
                self._costs[now.camera_index] = now
                if before is not None and now.units - before.units > 0:
                    seconds = (now.decode_seconds - before.decode_seconds) / (now.units - before.units)
                    self.keeper.measured(camera_id, seconds)
            active = frozenset(camera_id for camera_id, one in stats.items() if one.is_active)
            self.keeper.decide(time.monotonic(), self.incident_cameras, active)


def _order(watched: _Watched, recent: Sequence[Event]) -> WatchOrder:
    own = tuple(event for event in recent if event.camera_id == watched.camera.id)
    return WatchOrder(camera_index=watched.index, camera=watched.camera, recent_events=own)


def _remembered(events: Sequence[Event]) -> tuple[Event, ...]:
    now = datetime.now(UTC)
    return tuple(
        event for event in events if now - event.raised_at < timedelta(seconds=REMEMBERED_SECONDS.get(event.kind, 0.0))
    )
