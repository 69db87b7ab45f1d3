"""From click to first presented frame in headless Chromium, on a whole running city: idle, and with 200 cameras live.

`python -m tests.benchmarks.first_picture --json [--opens 100] [--others 200]`: `haechi run` with one worker, sign-in,
ledger row and WHEP through the center; the console's own player is opened by a click, over all phases of the camera's
GOP in random order. The camera (1080p15, GOP 4 s, RTSP) has its number burned into each picture, and the time at which
it sends each is known, so that a shown picture has an age. The last line is one JSON object, in ms:

- `p50_ms`, `p95_ms`: from the browser's click event to the first presented frame,
- `live_p95_ms`: to the first presented frame that is younger than 250 ms,
- `lost`: packets lost for good, of all opens together,
- `wait_…`: the same clip from a relay that waits for the next key frame instead of sending the cached GOP,
- `loaded_…`: with `--others` more cameras live in the same worker (not recorded, not analysed).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from config.settings import WorkerSettings
from streams.gop_buffer import GopBuffer
from streams.relay import Relay
from streams.virtual import LoopTimeline, Mount, VirtualCameraServer
from tests.browser import chromium, serve
from tests.city import City, running_city
from tests.counted_clip import READ_NUMBER, make_counted_clip
from tests.live_feed import LiveFeed, load_units
from tests.people import room
from tests.requirements import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Page

GOP_SECONDS = 4
FPS = 15
LOOP_SECONDS = 16
YOUNG_MS = 250
WARM_UP = 4
SIZE, SUB_SIZE = (1920, 1080), (640, 360)
BITRATE, SUB_BITRATE = 2_000_000, 300_000


@dataclass(frozen=True, slots=True)
class Opening:
    """One open, in ms from the click. `phase_seconds`: into the GOP, when it was clicked."""

    phase_seconds: float
    first_ms: float
    first_age_ms: float
    live_ms: float
    lost: int


@dataclass(frozen=True, slots=True)
class Clips:
    main: Path
    sub: Path


def make_clips(folder: Path) -> Clips:
    """Both streams of the measured camera."""
    gop = GOP_SECONDS * FPS
    return Clips(
        make_counted_clip(folder / "main.mp4", LOOP_SECONDS, SIZE, gop, BITRATE, FPS),
        make_counted_clip(folder / "sub.mp4", LOOP_SECONDS, SUB_SIZE, gop, SUB_BITRATE, FPS),
    )


async def prepare(page: Page) -> None:
    """Make `openAtClick` known to a page of the operator UI that shows no live picture by itself."""
    chunks = (ROOT / "operator_ui" / "dist" / "assets").glob("*.js")
    player = next(chunk.name for chunk in chunks if 'customElements.define("haechi-player"' in _as_written(chunk))
    await page.evaluate(f"() => import('/assets/{player}').then(() => true)")
    script = (ROOT / "tests" / "media" / "open_pictures.js").read_text()
    await page.evaluate(f"() => {{ {script}\nconst readNumber = {READ_NUMBER}; window.openAtClick = openAtClick; }}")


def _as_written(chunk: Path) -> str:
    return chunk.read_text(encoding="utf-8").replace("`", '"')


async def open_all(page: Page, camera: str, timeline: LoopTimeline, opens: int, seed: int = 5) -> list[Opening]:
    """Open `camera` large `opens` times, at every `opens`th of its GOP once, after a few that count for nothing."""
    chance = random.Random(seed)
    phases = [(n + chance.random()) / opens * GOP_SECONDS for n in range(opens)]
    chance.shuffle(phases)
    found = []
    warm_up = phases[:WARM_UP]
    for number, phase in enumerate(warm_up + phases):
        zero = await _browser_clock(page, timeline.started_at) - timeline.phase_seconds * 1000
        clock = {"zero": zero, "step": 1000 / FPS, "loop": timeline.duration_seconds * 1000}
        result = asyncio.ensure_future(page.evaluate("args => openAtClick(...args)", [camera, "main", clock, YOUNG_MS]))
        elapsed = timeline.elapsed_seconds(datetime.now(UTC)) + 0.3
        await asyncio.sleep(0.3 + (phase - elapsed) % GOP_SECONDS)
        phase = timeline.elapsed_seconds(datetime.now(UTC)) % GOP_SECONDS
        await page.mouse.click(20, 20)
        first, age, live, lost, _ = await result
        if number >= len(warm_up):
            found.append(Opening(phase, first, math.nan if age is None else age, live, lost))
    return found


async def _browser_clock(page: Page, at: datetime) -> float:
    """`at` as the page's performance.now(), from the nearest of a few looks at both clocks."""
    best = (math.inf, 0.0)
    for _ in range(5):
        before = time.time()
        there = await page.evaluate("performance.now()")
        after = time.time()
        best = min(best, (after - before, there - ((before + after) / 2 - at.timestamp()) * 1000))
    return best[1]


@asynccontextmanager
async def other_cameras(folder: Path, clips: Clips, count: int) -> AsyncIterator[list[str]]:
    """URLs of `count` cameras that play the main clip, each at another place of it, from a process of their own."""
    if not count:
        yield []
        return
    mounts = [{"name": f"o{n}", "main": str(clips.main), "phase_seconds": n * 0.37} for n in range(count)]
    settings = folder / "others.yaml"
    settings.write_text(json.dumps({"mounts": mounts}), encoding="utf-8")
    command = [sys.executable, "-m", "streams.virtual", str(settings), "--control"]
    pipe = asyncio.subprocess.PIPE
    limit = 1024 * 1024  # the line that names them all
    server = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=limit)
    assert server.stdin is not None and server.stdout is not None
    try:
        yield [mount["main"] for mount in json.loads(await server.stdout.readline())["mounts"]]
    finally:
        server.stdin.close()
        await server.wait()


@asynccontextmanager
async def measured_city(folder: Path, clips: Clips, others: int) -> AsyncIterator[tuple[City, LoopTimeline]]:
    """A city whose camera `c0` is measured, all cameras live; and that camera's clock."""
    folder.mkdir()
    mount = Mount(name="c0", main=clips.main, sub=clips.sub, phase_seconds=1.3)
    async with VirtualCameraServer([mount]) as server, other_cameras(folder, clips, others) as urls:
        cameras: list[dict[str, Any]] = [
            {"id": "c0", "name": "measured", "main": server.url("c0"), "sub": server.url("c0", "sub")},
            *({"id": f"o{n}", "name": f"other {n}", "main": url} for n, url in enumerate(urls)),
        ]
        for camera in cameras:
            camera |= {"purpose": "traffic", "category": "traffic", "record": False}
        async with running_city(folder, {"cameras": cameras, "workers": {"count": 1}}) as city:
            await city.wait_live(len(cameras), 120)
            yield city, server.timeline("c0")


async def measure(folder: Path, clips: Clips, opens: int, others: int) -> list[Opening]:
    """Opens in a whole city with `others` more cameras."""
    async with measured_city(folder, clips, others) as (city, timeline), room(city, "en") as people:
        page = await people.sit("operator")
        await page.goto(f"{city.url}/playback")
        await page.wait_for_selector("[data-testid=account]")
        await prepare(page)
        found = await open_all(page, "c0", timeline, opens)
        assert (await city.status())["cameras"]["live"] == others + 1
        return found


async def measure_waiting(clips: Clips, opens: int, seed: int = 5) -> list[float]:
    """ms to the first frame from a relay that sends no cached GOP."""
    chance = random.Random(seed)
    buffer = GopBuffer()
    relay = Relay({("c0", "main"): buffer}, WorkerSettings(), max_burst_bytes=0)
    times = []
    async with LiveFeed(buffer, load_units(clips.main), FPS), chromium() as browser, serve(relay) as base:
        page = await browser.new_page()
        await page.goto(base)
        for number in range(opens + 1):
            await asyncio.sleep(chance.uniform(0, GOP_SECONDS))
            opened = await page.evaluate("open", "/whep/c0")
            shown = cast(list[list[float]], await page.evaluate("([n, ms]) => shown(n, 1, ms)", [opened, 20_000]))
            await page.evaluate("close", opened)
            if number:
                times.append(shown[0][0])
        await relay.close()
    return times


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Nearest rank, so that nothing is interpolated away."""
    if not values:
        return None
    return round(sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)], 1)


def figures(openings: Sequence[Opening], prefix: str = "") -> dict[str, float | int | None]:
    """What is told of some opens."""
    first = [one.first_ms for one in openings]
    live = [one.live_ms for one in openings]
    found = {
        "p50_ms": percentile(first, 50),
        "p95_ms": percentile(first, 95),
        "max_ms": percentile(first, 100),
        "live_p50_ms": percentile(live, 50),
        "live_p95_ms": percentile(live, 95),
        "live_max_ms": percentile(live, 100),
        "lost": sum(one.lost for one in openings),
    }
    return {f"{prefix}{name}": value for name, value in found.items()}


async def run(opens: int, others: int, waits: int) -> dict[str, Any]:
    """Idle, loaded, and waiting for a key frame."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = make_clips(folder)
        result: dict[str, Any] = {
            "benchmark": "first_picture",
            "opens": opens,
            "clip": f"{SIZE[0]}x{SIZE[1]}, {FPS} fps, GOP {GOP_SECONDS} s, {_kilobits(clips.main)} kbit/s",
            "load_average": round(os.getloadavg()[0], 1),
        }
        idle = await measure(folder / "idle", clips, opens, 0)
        result |= figures(idle)
        loaded = await measure(folder / "loaded", clips, opens, others) if others else []
        if loaded:
            result |= {"others": others} | figures(loaded, "loaded_")
        waited = await measure_waiting(clips, waits)
        result |= {"wait_p50_ms": percentile(waited, 50), "wait_p95_ms": percentile(waited, 95)}
        result["load_average_after"] = round(os.getloadavg()[0], 1)
    result["slowest"] = [
        [round(one.phase_seconds, 2), round(one.first_ms), round(one.live_ms)]
        for one in sorted(idle + loaded, key=lambda one: -one.live_ms)[:8]
    ]
    return result


def _kilobits(clip: Path) -> int:
    return clip.stat().st_size * 8 // LOOP_SECONDS // 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--opens", type=int, default=100)
    parser.add_argument("--others", type=int, default=200, help="cameras beside it in the loaded runs; 0: none")
    parser.add_argument("--waits", type=int, default=40, help="opens that wait for a key frame")
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.opens, arguments.others, arguments.waits))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:18} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
