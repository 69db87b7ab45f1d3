"""Where a worker's cameras come from: the center; while it is away, the list it gave last; else the settings file."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from config.settings import Camera
from streams import camera_list
from streams.camera_list import CameraList, CameraListError
from streams.center_link import CenterLink, CenterUnavailable, NoCameraList

log = logging.getLogger(__name__)

_FIRST_SECONDS = 4.0
_AGAIN_SECONDS = 60.0
_WHENCE = {
    "center": "as the center says",
    "kept": "as the center said last; it does not answer",
    "settings": "as the settings file says",
}


class CameraSource:
    """`current` is the list that was understood last. `fault` says why a newer one was not, empty while all is well."""

    def __init__(self, center: CenterLink, folder: Path, in_settings: Sequence[Camera]) -> None:
        self.current = CameraList("settings", cameras=tuple(in_settings))
        self.fault = ""
        self._center = center
        self._folder = folder
        self._news = asyncio.Event()
        self._told_version = self._answered_version = ""
        self._answered_at = 0.0

    async def first(self) -> CameraList:
        """What to start with; never waits long for the center."""
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                await self._fetch()
        except NoCameraList:
            log.info("the center keeps no list of cameras")
        except (CenterUnavailable, TimeoutError):
            await self._take_kept()
        except CameraListError as error:
            self._refuse(str(error))
            await self._take_kept()
        log.info("%d cameras in all, %s", len(self.current.cameras), _WHENCE[self.current.source])
        return self.current

    def note_version(self, version: str | None) -> None:
        """The center's list has this version now; a center without lists has none."""
        if version is None or version == self.current.version:
            return
        if version == self._answered_version and time.monotonic() - self._answered_at < _AGAIN_SECONDS:
            return  # what came for it was not understood, or is of another version
        self._told_version = version
        self._news.set()

    async def follow(self, apply: Callable[[CameraList], Awaitable[None]]) -> None:
        """Fetch each newer list and `apply` it, for ever. One that is not understood is logged and passed over."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._fetch()
            except CenterUnavailable as error:
                log.debug("the cameras cannot be fetched: %s", error)  # the next heartbeat tells of them again
                continue
            except CameraListError as error:
                self._refuse(str(error))
                continue
            await apply(self.current)

    async def _fetch(self) -> None:
        """Raises CenterUnavailable, CameraListError."""
        version = self._told_version
        content = await self._center.cameras()
        self._answered_version, self._answered_at = version, time.monotonic()
        self.current = camera_list.parse(content, "center")
        self.fault = ""
        try:
            await asyncio.to_thread(camera_list.keep, self._folder, content)
        except OSError as error:
            log.error("%s: the list of cameras cannot be kept: %s", self._folder, error.strerror)

    async def _take_kept(self) -> None:
        try:
            kept = await asyncio.to_thread(camera_list.kept, self._folder)
        except CameraListError as error:
            log.error("the kept list cannot be used: %s", error)
            return
        if kept is not None:
            self.current = kept

    def _refuse(self, reason: str) -> None:
        if reason != self.fault:
            log.error("%s; the cameras stay as they are", reason)
        self.fault = reason
