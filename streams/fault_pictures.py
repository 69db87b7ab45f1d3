"""The last picture that came of a camera, for the alarm that it is lost or frozen.

It lies in the camera's ring still. The packets process decodes nothing (a decoder may crash), so the playback process
makes it a JPEG.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any

import httpx

from config.settings import StreamName
from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.relay import StreamKey

log = logging.getLogger(__name__)

# Hundreds that vanish together are told after so long, with the pictures that were made until then.
TOGETHER_SECONDS = 5.0
_AT_ONCE = 2
_STREAMS: tuple[StreamName, ...] = ("sub", "main")


class FaultPictures:
    """`async with FaultPictures(rings, playback_url, token)`. `rings` by camera and stream, as they are now."""

    def __init__(self, rings: Mapping[StreamKey, GopBuffer], playback_url: str, token: str) -> None:
        self._rings = rings
        self._client = httpx.AsyncClient(
            base_url=playback_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TOGETHER_SECONDS,
            limits=httpx.Limits(max_connections=_AT_ONCE),
            trust_env=False,
        )

    async def __aenter__(self) -> FaultPictures:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self._client.__aexit__(*exception)

    async def of(self, camera_ids: Collection[str]) -> dict[str, bytes]:
        """JPEG of the newest key frame by camera, as far as there is one and it was made in time. Raises nothing."""
        units = {camera_id: unit for camera_id in camera_ids if (unit := self._last_key_frame(camera_id)) is not None}
        if not units:
            return {}
        places = asyncio.Semaphore(_AT_ONCE)
        tasks = {camera_id: asyncio.create_task(self._jpeg(unit, places)) for camera_id, unit in units.items()}
        _, late = await asyncio.wait(tasks.values(), timeout=TOGETHER_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
            log.warning("%d of %d alarms of cameras go without their last picture: no time", len(late), len(tasks))
        found = {camera_id: task.result() for camera_id, task in tasks.items() if not task.cancelled()}
        return {camera_id: jpeg for camera_id, jpeg in found.items() if jpeg}

    def _last_key_frame(self, camera_id: str) -> AccessUnit | None:
        """Of the sub stream, which rules watch, or of the main one; the newer."""
        found: list[AccessUnit] = []
        for name in _STREAMS:
            ring = self._rings.get((camera_id, name))
            if ring is not None and ring.last_key_index is not None:
                unit = ring.get(ring.last_key_index)
                if unit is not None:
                    found.append(unit)
        return max(found, key=lambda unit: unit.received_ns, default=None)

    async def _jpeg(self, unit: AccessUnit, places: asyncio.Semaphore) -> bytes:
        async with places:
            try:
                query = {"codec": unit.parameters.codec}
                answer = await self._client.post("/key-frame", params=query, content=unit.annex_b())
            except httpx.HTTPError as error:
                log.warning("the last picture of a camera could not be made (%s)", type(error).__name__)
                return b""
        return answer.content if answer.status_code == 200 else b""
