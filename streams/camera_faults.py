"""Cameras that are lost or frozen: raised once as an event, marked while it lasts, taken back when they see again."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from config.settings import Camera, Category, FaultSettings, Severity
from detectors.event import FAMILY, Event, FaultKind
from streams.analysis import Analysis
from streams.outbox import Outbox
from streams.picture_link import CameraStats
from streams.running_camera import RunningCamera

log = logging.getLogger(__name__)

ZONE = "camera"
SOUND_SECONDS = 10.0
"""A camera that is live for so long (or `lost_seconds` where those are fewer) is found again; one that comes and goes
faster stays in the same fault."""
_CHECK_SECONDS = 1.0
_NAMED = 5
_WHOLE_PICTURE = (0.0, 0.0, 1.0, 1.0)
_GRAVER: frozenset[Category] = frozenset({"school_zone", "underpass"})


@dataclass(slots=True)
class _Clock:
    """Monotonic seconds: since when a camera is away, and since when live again; None while it is not."""

    away_since: float | None = None
    live_since: float | None = None


class CameraFaults:
    """Looks at all cameras of a worker once a second. `on_change` is called when a camera's mark comes or goes.
    `pictures` gives the last picture of each camera (JPEG), where there is one.

    An event goes straight to disk, at the pace of the disk, and counts as told only then: hundreds of cameras that
    vanish together fill no queue. What stood when the worker ended still stands when it starts again.
    """

    def __init__(
        self,
        settings: FaultSettings,
        cameras: Mapping[str, RunningCamera],
        analysis: Analysis,
        outbox: Outbox,
        on_change: Callable[[], None],
        pictures: Callable[[Collection[str]], Awaitable[Mapping[str, bytes]]],
    ) -> None:
        self._settings = settings
        self._cameras = cameras
        self._analysis = analysis
        self._outbox = outbox
        self._on_change = on_change
        self._pictures = pictures
        self._standing: dict[tuple[str, FaultKind], Event] = {}
        self._clocks: dict[str, _Clock] = {}
        self._changes: dict[str, int] = {}  # of the picture, when it was told to be frozen
        self._is_restored = False

    def blind(self) -> dict[str, Event]:
        """The fault of each camera whose rules see nothing now, by camera id; of two, that it is lost."""
        faults = sorted(self._standing.items(), key=lambda item: item[0][1] == "camera_lost")
        return {camera_id: event for (camera_id, _), event in faults if camera_id in self._cameras}

    async def run(self) -> None:
        """Look, for ever. Raises OutboxError; then it is to be run again."""
        if not self._is_restored:
            for event in await self._outbox.standing_faults():
                self._standing[event.camera_id, _fault_kind(event)] = event
            self._is_restored = True
        while True:
            await self.check(time.monotonic())
            await asyncio.sleep(_CHECK_SECONDS)

    async def check(self, now: float) -> None:
        """Raise and take back what is due at `now` (monotonic seconds). Raises OutboxError."""
        self._clocks = {camera_id: clock for camera_id, clock in self._clocks.items() if camera_id in self._cameras}
        lost = [camera for camera in list(self._cameras.values()) if self._is_newly_lost(camera, now)]
        stats = self._analysis.camera_stats()
        frozen = [camera for camera in list(self._cameras.values()) if self._is_newly_frozen(camera, stats)]
        over = [fault for fault in self._standing.values() if self._is_over(fault, now, stats)]
        for camera in frozen:
            self._changes[camera.camera_id] = stats[camera.camera_id].picture_changes
        seconds = {camera.camera_id: now - (self._clocks[camera.camera_id].away_since or now) for camera in lost}
        pictures = await self._pictures([camera.camera_id for camera in (*lost, *frozen)]) if lost or frozen else {}
        for camera in lost:
            await self._raise(camera, "camera_lost", seconds[camera.camera_id], pictures)
        for camera in frozen:
            await self._raise(camera, "camera_frozen", stats[camera.camera_id].still_seconds, pictures)
        for fault in over:
            await self._take_back(fault)
        _say("lost", [camera.camera_id for camera in lost])
        _say("frozen", [camera.camera_id for camera in frozen])
        _say("sound again, or not to be watched any more", [fault.camera_id for fault in over])

    def _is_newly_lost(self, camera: RunningCamera, now: float) -> bool:
        """Keeps the camera's clock."""
        sight = camera.sight()
        if sight is None:
            self._clocks.pop(camera.camera_id, None)
            return False
        clock = self._clocks.setdefault(camera.camera_id, _Clock())
        if sight.is_live:
            clock.away_since = None
            clock.live_since = now if clock.live_since is None else clock.live_since
            return False
        clock.live_since = None
        clock.away_since = now if clock.away_since is None else clock.away_since
        is_known = (camera.camera_id, "camera_lost") in self._standing
        return not is_known and now - clock.away_since >= self._settings.lost_seconds

    def _is_newly_frozen(self, camera: RunningCamera, stats: Mapping[str, CameraStats]) -> bool:
        one, sight = stats.get(camera.camera_id), camera.sight()
        if one is None or sight is None or not sight.is_live or (camera.camera_id, "camera_frozen") in self._standing:
            return False
        return one.still_seconds >= self._settings.frozen_seconds

    def _has_moved(self, camera_id: str, stats: Mapping[str, CameraStats]) -> bool:
        """Since it was told to be frozen; unknown while no pictures process says anything, so then it has not."""
        one = stats.get(camera_id)
        if one is None:
            return False
        # A new pictures process counts from 0.
        before = min(self._changes.get(camera_id, one.picture_changes), one.picture_changes)
        self._changes[camera_id] = before
        return one.picture_changes > before

    def _is_over(self, fault: Event, now: float, stats: Mapping[str, CameraStats]) -> bool:
        camera = self._cameras.get(fault.camera_id)
        if camera is None or camera.definition is None or not camera.definition.enabled:
            return True
        if fault.kind == "camera_frozen":
            return self._has_moved(fault.camera_id, stats) or not camera.is_watched
        clock = self._clocks.get(fault.camera_id)
        return (
            clock is not None
            and clock.live_since is not None
            and now - clock.live_since >= min(SOUND_SECONDS, self._settings.lost_seconds)
        )

    async def _raise(
        self, camera: RunningCamera, kind: FaultKind, seconds: float, pictures: Mapping[str, bytes]
    ) -> None:
        definition = camera.definition
        if definition is None:  # it was removed a moment ago
            return
        event = _event(definition, kind, seconds)
        await self._outbox.put(event, pictures.get(event.camera_id, b""))
        self._standing[event.camera_id, kind] = event
        self._on_change()

    async def _take_back(self, fault: Event) -> None:
        ended_at = datetime.now(UTC)
        lasted = (ended_at - fault.started_at).total_seconds()
        again = replace(
            fault, event_id=uuid.uuid4().hex, raised_at=ended_at, ended_at=ended_at, dwell_seconds=round(lasted, 1)
        )
        await self._outbox.put(again, b"")
        del self._standing[fault.camera_id, _fault_kind(fault)]
        if fault.kind == "camera_frozen":
            self._changes.pop(fault.camera_id, None)
        self._on_change()


def severity_of(category: Category) -> Severity:
    """Where a blind camera may cost a life it is more than a matter of maintenance."""
    return "caution" if category in _GRAVER else "attention"


def _event(camera: Camera, kind: FaultKind, seconds: float) -> Event:
    now = datetime.now(UTC)
    return Event(
        event_id=uuid.uuid4().hex,
        camera_id=camera.id,
        kind=kind,
        zone=ZONE,
        severity=severity_of(camera.category),
        started_at=now - timedelta(seconds=seconds),
        raised_at=now,
        box=_WHOLE_PICTURE,
        score=1.0,
        label="camera",
        dwell_seconds=round(seconds, 1),
    )


def _fault_kind(event: Event) -> FaultKind:
    assert FAMILY[event.kind] == "fault"
    return "camera_frozen" if event.kind == "camera_frozen" else "camera_lost"


def _say(what: str, camera_ids: list[str]) -> None:
    """One log line, however many cameras."""
    if camera_ids:
        named = ", ".join(camera_ids[:_NAMED]) + (" ..." if len(camera_ids) > _NAMED else "")
        log.warning("cameras %s: %d (%s)", what, len(camera_ids), named)
