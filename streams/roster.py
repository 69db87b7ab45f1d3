"""The cameras of a worker: those of its shard, each as it was defined last."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from typing import Any

from config.settings import Camera
from streams.camera_list import CameraList
from streams.recording_index import Keeping
from streams.running_camera import CameraSite, RunningCamera
from streams.shards import Shard, cameras_of

log = logging.getLogger(__name__)

_CHECK_SECONDS = 1.0
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # the center takes no other in a heartbeat


class Roster:
    """Starts, changes and ends cameras; a fault of one harms no other.

    `faults` says, by camera id, which definitions of the last list could not be used; such a camera goes on as before.
    """

    def __init__(self, shard: Shard, site: CameraSite) -> None:
        self.cameras: dict[str, RunningCamera] = {}
        self.faults: dict[str, str] = {}
        self._shard = shard
        self._site = site

    async def apply(self, wanted: CameraList) -> None:
        """Make the cameras what the list says; those that did not change are not touched."""
        faults = {fault.camera_id: fault.reason for fault in wanted.faults}
        for camera_id, reason in faults.items():
            log.error("camera %s is left as it is: %s", camera_id or "without a readable id", reason)
        self.faults = {
            camera_id: text for camera_id, text in faults.items() if not camera_id or camera_id in self._shard
        }
        cameras = {camera.id: camera for camera in cameras_of(self._shard, wanted.cameras)}
        gone = [camera_id for camera_id in self.cameras if camera_id not in cameras and camera_id not in faults]
        changed = [camera for camera in cameras.values() if self._differs(camera)]
        new = [camera.id for camera in changed if camera.id not in self.cameras]
        for camera_id in new:
            self.cameras[camera_id] = RunningCamera(camera_id, self._site)
        await self._all_of({camera.id: self.cameras[camera.id].become(camera) for camera in changed})
        await self._all_of({camera_id: self._remove(camera_id) for camera_id in gone})
        if self.faults or changed or gone:
            others = len(changed) - len(new)
            log.info("cameras: %d new, %d changed, %d removed, %d now", len(new), others, len(gone), len(self.cameras))
        if self._site.store is not None:
            keeping = {camera.id: camera.recording for camera in cameras.values()}
            self._site.store.keep({name: Keeping(one.keep_days, one.keep_bytes) for name, one in keeping.items()})
        self._site.on_change()

    def unusable(self) -> dict[str, str]:
        """Cameras that do not run at all because of their definition, and why."""
        return {
            camera_id: reason
            for camera_id, reason in self.faults.items()
            if camera_id not in self.cameras and _IDENTIFIER.fullmatch(camera_id)
        }

    async def run(self) -> None:
        """Look after the cameras, for ever."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            for camera in self.cameras.values():
                camera.look_at_the_clock()
            away = [camera for camera in self.cameras.values() if camera.is_to_switch()]
            await self._all_of({camera.camera_id: camera.switch() for camera in away})

    async def end(self) -> None:
        """End them all."""
        await self._all_of({camera_id: self._remove(camera_id) for camera_id in self.cameras})

    def _differs(self, camera: Camera) -> bool:
        running = self.cameras.get(camera.id)
        return running is None or running.definition != camera

    async def _remove(self, camera_id: str) -> None:
        await self.cameras[camera_id].become(None)
        del self.cameras[camera_id]

    async def _all_of(self, work: Mapping[str, Coroutine[Any, Any, None]]) -> None:
        """Do it for all cameras at the same time; what fails is told and harms no other."""
        results = await asyncio.gather(*work.values(), return_exceptions=True)
        for camera_id, error in zip(work, results, strict=True):
            if isinstance(error, Exception):
                log.error("camera %s could not be changed", camera_id, exc_info=error)
                self.faults[camera_id] = f"internal fault: {type(error).__name__}: {error}"
