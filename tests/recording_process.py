"""`python -m tests.recording_process DIRECTORY CLIP SECONDS`: records the clip, kills itself (SIGKILL) after SECONDS.

One line for each access unit, before it is appended: how many were appended, and how many bytes wait for the disk.
It dies later where the disk has not yet written the first fragment by then.
"""

from __future__ import annotations

import asyncio
import os
import signal
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


async def record(directory: Path, clip: Path, seconds: float) -> None:
    units = load_units(clip)
    buffer = GopBuffer()
    settings = RecordingSettings(segment_seconds=8, fragment_seconds=1, sync_seconds=0.5)
    async with RecordingStore(directory, settings) as store:
        await store.recovered()
        recorder = Recorder("gate", buffer, store)
        recording = asyncio.create_task(recorder.run())
        begun = time.monotonic()
        number, is_on_disk = 0, False
        while not (is_on_disk and time.monotonic() - begun > seconds):
            await asyncio.sleep(max(0.0, begun + number / FPS - time.monotonic()))
            unit = replace(units[number % len(units)], pts_90k=number * 90_000 // FPS, received_ns=time.monotonic_ns())
            is_on_disk = is_on_disk or (recorder.counts.fragments > 0 and store.queued_bytes == 0)
            print(number, store.queued_bytes, flush=True)
            buffer.append(unit)
            number += 1
        os.kill(os.getpid(), signal.SIGKILL)
        await recording


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
