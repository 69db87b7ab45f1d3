"""Recordings made in a moment: a clip's pictures given to a real recorder as if they had come over hours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from config.settings import RecordingSettings
from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.playback.process import PlaybackProcess
from streams.recorder import Recorder
from streams.recording_store import RecordingStore
from streams.supervision import running, supervise

TOKEN = "worker-token-of-the-tests"
FPS = 15
SETTINGS = RecordingSettings(segment_seconds=4, fragment_seconds=1, sync_seconds=0.5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Take:
    """`seconds` of `units` over and over, received from `seconds_ago` on."""

    units: Sequence[AccessUnit]
    seconds: float
    seconds_ago: float


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


@asynccontextmanager
async def opened(data_dir: Path, settings: RecordingSettings, **options: Any) -> AsyncIterator[RecordingStore]:
    """A store that has looked at what was there: the pictures of these tests are said to have come some time ago, and
    their files could be taken for those of an earlier life.
    """
    async with RecordingStore(data_dir, settings, **options) as store:
        await store.recovered()
        yield store


async def record(
    data_dir: Path, takes: Sequence[Take], camera_id: str = "gate", settings: RecordingSettings = SETTINGS
) -> None:
    """Each take is a run of its own."""
    async with opened(data_dir, settings) as store:
        buffer = GopBuffer()
        recording = asyncio.create_task(Recorder(camera_id, buffer, store).run())
        await asyncio.sleep(0)
        for run, take in enumerate(takes):
            begun_ns = time.monotonic_ns() - round(take.seconds_ago * 1e9)
            for n in range(round(take.seconds * FPS)):
                unit = take.units[n % len(take.units)]
                received_ns = begun_ns + n * 1_000_000_000 // FPS
                loop_90k = n // len(take.units) * len(take.units) * 90_000 // FPS
                pts_90k = loop_90k + unit.pts_90k - take.units[0].pts_90k
                buffer.append(replace(unit, pts_90k=pts_90k, received_ns=received_ns, run=run))
        buffer.close()
        await asyncio.wait_for(recording, 90)


@asynccontextmanager
async def playing(data_dir: Path, index: Path | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real playback process over `data_dir`."""
    process = PlaybackProcess(data_dir, index or data_dir / "recordings.sqlite", TOKEN)
    try:
        async with (
            running(supervise("playback", process.run)),
            httpx.AsyncClient(
                base_url=process.base_url,
                headers={"Authorization": f"Bearer {TOKEN}"},
                trust_env=False,
                timeout=30,
            ) as client,
        ):
            yield client
    finally:
        process.close()
