"""`python -m tests.recording_process DIRECTORY CLIP`: records the clip for ever, says what it was given.

One line for each access unit, before it is appended: its pts_90k.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

from config.settings import RecordingSettings
from streams.gop_buffer import GopBuffer
from streams.recorder import Recorder
from streams.recording_store import RecordingStore
from tests.live_feed import load_units

FPS = 15


async def record(directory: Path, clip: Path) -> None:
    units = load_units(clip)
    buffer = GopBuffer()
    settings = RecordingSettings(segment_seconds=4, fragment_seconds=1, sync_seconds=0.5)
    async with RecordingStore(directory, settings) as store:
        await store.recovered()
        recording = asyncio.create_task(Recorder("gate", buffer, store).run())
        begun = time.monotonic()
        for number in range(1_000_000):
            await asyncio.sleep(max(0.0, begun + number / FPS - time.monotonic()))
            unit = replace(units[number % len(units)], pts_90k=number * 90_000 // FPS, received_ns=time.monotonic_ns())
            print(unit.pts_90k, flush=True)
            buffer.append(unit)
        await recording


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1]), Path(sys.argv[2])))
