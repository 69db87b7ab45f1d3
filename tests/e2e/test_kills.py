"""`kill -9` of each process of a worker, seen from the browser and on disk."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import av
import pytest

from streams.virtual import VirtualCameraServer
from tests.city import running_city, wait_for
from tests.e2e.test_console import CAMERAS, mounts, moves, playing, settings_for, signed_in_page

WATCH_GAPS = """
() => {
  const gaps = window.gapsMs = {};
  for (const tile of document.querySelectorAll('.tile')) {
    let last = performance.now(), video = null, frames = 0;
    setInterval(() => {
      // A player that connects anew has another video, which counts from nought.
      const shown = tile.querySelector('haechi-player').video;
      const now = performance.now(), count = shown?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
      gaps[tile.dataset.camera] = Math.max(gaps[tile.dataset.camera] ?? 0, now - last);
      if (count && (shown !== video || count !== frames)) [last, video, frames] = [now, shown, count];
    }, 50);
  }
}
"""
STATES = "[...document.querySelectorAll('.tile haechi-player')].map(p => p.dataset.state)"
NAMES = [f"c{n}" for n in range(CAMERAS)]


@pytest.mark.alone
async def test_live_never_breaks_when_the_pictures_process_is_killed(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts()) as server, running_city(tmp_path, settings_for(server, NAMES)) as city:
        await city.wait_live(CAMERAS)
        async with signed_in_page(city) as page:
            await playing(page, CAMERAS)
            first = await wait_for(city.pictures_pid, "a pictures process")
            await page.evaluate(WATCH_GAPS)
            os.kill(first, signal.SIGKILL)

            async def back() -> bool:
                return await city.pictures_pid() not in {None, first}

            await wait_for(back, "another pictures process")
            await moves(page, ".tile[data-camera=c1]")
            assert await page.evaluate(STATES) == ["playing"] * CAMERAS
            gaps = await page.evaluate("window.gapsMs")
            print(f"longest time without a new frame, in ms: {gaps}")
            assert set(gaps) == set(NAMES) and max(gaps.values()) < 4_000


@pytest.mark.alone
@pytest.mark.no_rerun
async def test_tiles_come_back_and_recordings_play_after_the_packets_process_is_killed(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts()) as server, running_city(tmp_path, settings_for(server, NAMES)) as city:
        await city.wait_live(CAMERAS)
        async with signed_in_page(city) as page:
            await playing(page, CAMERAS)
            first = await city.packets_pid()
            await page.evaluate(WATCH_GAPS)
            os.kill(first, signal.SIGKILL)

            async def restarted() -> bool:
                worker = (await city.status())["workers"]["by_id"]["w0"]
                return bool(worker["answering"] and worker["pid"] != first)

            await wait_for(restarted, "another packets process")
            for name in NAMES:
                await moves(page, f".tile[data-camera={name}]")
            gaps = await page.evaluate("window.gapsMs")
            print(f"longest time without a new frame, in ms: {gaps}")
            assert set(gaps) == set(NAMES) and max(gaps.values()) < 60_000
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
