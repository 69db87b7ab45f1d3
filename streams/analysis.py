"""The packets process's share of analysis: a gate for each watched camera, and the pictures process behind them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from config.settings import AnalysisSettings, Camera
from detectors.event import Event, EventKind
from streams.access_unit import AccessUnit
from streams.gate import GateKeeper, GateStatus, PacketGate
from streams.gop_buffer import GopBuffer
from streams.outbox import Outbox
from streams.picture_link import CameraStats, Hello
from streams.picture_process import PictureLimits, PictureProcess
from streams.supervision import BackOff, supervise
from streams.utc_clock import UtcClock

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


class Analysis:
    """Feeds the pictures process from `buffers` (camera id → the stream that is watched) of `cameras`.

    Cameras without a rule are not watched. `on_event` gets each event with its snapshot and must not wait.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        buffers: Mapping[str, GopBuffer],
        settings: AnalysisSettings,
        clock: UtcClock,
        outbox: Outbox,
        on_event: Callable[[Event, bytes], None],
        limits: PictureLimits | None = None,
    ) -> None:
        self.cameras = tuple(camera for camera in cameras if any(zone.rules for zone in camera.zones))
        self.incident_cameras: frozenset[str] = frozenset()
        self.keeper = GateKeeper(settings.decode_share)
        self._settings = settings
        self._outbox = outbox
        self._buffers = buffers
        self._costs: dict[int, CameraStats] = {}
        self.process = PictureProcess(
            clock,
            self._hello,
            on_event=on_event,
            on_ready=self.keeper.attach,
            on_gone=self.keeper.detach,
            limits=limits,
        )
        for index, camera in enumerate(self.cameras):
            self.keeper.add(camera.id, PacketGate(buffers[camera.id], self._sender(index)))

    async def run(self) -> None:
        """Watch until cancelled; then the pictures process has ended. Without a watched camera there is none."""
        if not self.cameras:
            await asyncio.Event().wait()
        with self._listening():
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
        return {self.cameras[one.camera_index].id: one for one in found if one.camera_index < len(self.cameras)}

    def _sender(self, index: int) -> Callable[[AccessUnit], bool]:
        return lambda unit: self.process.offer(index, unit)

    async def _hello(self) -> Hello:
        now = datetime.now(UTC)
        recent = tuple(
            event
            for event in await self._outbox.recent(max(REMEMBERED_SECONDS.values()))
            if now - event.raised_at < timedelta(seconds=REMEMBERED_SECONDS[event.kind])
        )
        return Hello(cameras=self.cameras, analysis=self._settings, recent_events=recent)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        stops = [self._buffers[camera_id].listen(gate.offer) for camera_id, gate in self.keeper.items()]
        try:
            yield
        finally:
            for stop in stops:
                stop()

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
