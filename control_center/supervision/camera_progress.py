"""How many cameras are live, asked of a running center."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from control_center.supervision.installation import Installation


@dataclass(frozen=True, slots=True)
class CameraProgress:
    live: int
    total: int
    seconds: float

    @property
    def all_live(self) -> bool:
        return self.live == self.total


async def wait_for_cameras(
    installation: Installation, timeout_seconds: float, on_change: Callable[[CameraProgress], None]
) -> CameraProgress:
    """Until all are live or the time is over; `on_change` hears each new number."""
    began = time.monotonic()
    last = CameraProgress(-1, 0, 0.0)
    async with httpx.AsyncClient(trust_env=False, headers=installation.status_headers()) as client:
        while True:
            now = await _ask(client, installation.url, time.monotonic() - began)
            if now is not None and (now.live, now.total) != (last.live, last.total):
                on_change(now)
                last = now
            if (now is not None and now.all_live) or time.monotonic() - began > timeout_seconds:
                return last
            await asyncio.sleep(0.5)


async def _ask(client: httpx.AsyncClient, url: str, seconds: float) -> CameraProgress | None:
    try:
        answer = await client.get(f"{url}/api/v1/status")
        counts = answer.raise_for_status().json()["cameras"]
    except httpx.HTTPError:
        return None
    # Cameras that are switched off are not waited for.
    return CameraProgress(counts["live"], counts["total"] - counts["disabled"], seconds)
