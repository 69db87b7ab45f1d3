"""`kill -9` of each process of a worker, seen from the browser and on disk."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import av

from streams.virtual import VirtualCameraServer
from tests.city import running_city, wait_for
from tests.e2e.test_console import CAMERAS, mounts, moves, playing, settings_for, signed_in_page

FRAME_GAP = """
() => { window.longestGapMs = 0; let last = performance.now();
  const video = document.querySelector('.tile[data-camera=c1] video');
  const onFrame = now => { window.longestGapMs = Math.max(window.longestGapMs, now - last); last = now;
    video.requestVideoFrameCallback(onFrame); };
  video.requestVideoFrameCallback(onFrame); }
"""
STATES = "[...document.querySelectorAll('.tile haechi-player')].map(p => p.dataset.state)"
NAMES = [f"c{n}" for n in range(CAMERAS)]


async def test_live_never_breaks_when_the_pictures_process_is_killed(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts()) as server, running_city(tmp_path, settings_for(server, NAMES)) as city:
        await city.wait_live(CAMERAS)
        async with signed_in_page(city) as page:
            await playing(page, CAMERAS)
            first = await wait_for(city.pictures_pid, "a pictures process")
            await page.evaluate(FRAME_GAP)
            os.kill(first, signal.SIGKILL)

            async def back() -> bool:
                return await city.pictures_pid() not in {None, first}

            await wait_for(back, "another pictures process")
            await moves(page, ".tile[data-camera=c1]")
            assert await page.evaluate(STATES) == ["playing"] * CAMERAS
            assert await page.evaluate("window.longestGapMs") < 3_000


async def test_tiles_come_back_and_recordings_play_after_the_packets_process_is_killed(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts()) as server, running_city(tmp_path, settings_for(server, NAMES)) as city:
        await city.wait_live(CAMERAS)
        async with signed_in_page(city) as page:
            await playing(page, CAMERAS)
            first = await city.packets_pid()
            os.kill(first, signal.SIGKILL)
            killed = time.monotonic()

            async def restarted() -> bool:
                worker = (await city.status())["workers"]["by_id"]["w0"]
                return bool(worker["answering"] and worker["pid"] != first)

            await wait_for(restarted, "another packets process")
            for name in NAMES:
                await moves(page, f".tile[data-camera={name}]")
            print(f"all tiles moved again {time.monotonic() - killed:.1f} s after the kill")
            await wait_for(lambda: two_segments(city.data_dir), "a second segment of each camera")
        process = city.process
        process.send_signal(signal.SIGTERM)
        await process.wait()
    files = sorted((tmp_path / "data" / "recordings").rglob("*.mp4"))
    assert len(files) >= 2 * CAMERAS
    for file in files:
        with av.open(str(file)) as container:
            assert [stream.type for stream in container.streams] == ["video"]
            assert sum(1 for _ in container.decode(video=0)) > 0


async def two_segments(data_dir: Path) -> bool:
    folders = [data_dir / "recordings" / name for name in NAMES]
    return all(len([f for f in folder.rglob("*.mp4") if f.stat().st_size > 50_000]) >= 2 for folder in folders)
