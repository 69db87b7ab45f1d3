"""Main or sub by what the way carries, in real Chromium behind a path that narrows to 500 kbit/s and widens again.

`python -m tests.benchmarks.bandwidth --json [--cycles 3]`: a 720p stream of 2 Mbit/s, a sub stream of 200 kbit/s, the
wish `auto`. Each cycle opens over the narrow path (how soon is there a picture, and which), stays for two trials, then
the path widens (how soon is it the main stream, and does the picture stand still while it changes). The last line is
one JSON object: medians over the cycles, and the longest gap between two pictures shown while trials ran or the stream
changed upwards.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.settings import WorkerSettings
from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.relay import Relay
from tests.browser import chromium, serve
from tests.clips import make_clip
from tests.live_feed import LiveFeed, load_units
from tests.narrow_path import NarrowPath, lead_page_through, narrow_path

if TYPE_CHECKING:
    from playwright.async_api import Page

FPS, GOP_SECONDS, CARRIES = 15, 4, 500_000
NARROW_SECONDS, MOST_SECONDS = 40, 300


@dataclass(frozen=True, slots=True)
class Cycle:
    """Seconds since the click or since the way widened; gaps in ms."""

    first_picture: float
    down: float
    up: float
    trial_gap: float
    up_gap: float


async def _shown(page: Page, number: int) -> list[float]:
    """When pictures were shown, in ms since the click."""
    times: list[float] = await page.evaluate("number => players[number].shown.map(([at]) => at)", number)
    return times


async def _width(page: Page, number: int) -> int:
    stats = await page.evaluate("stats", number)
    return int(stats.get("frameWidth", 0))


def _gap(times: list[float], since: float) -> float:
    """The longest time between two pictures, ms."""
    later = [at for at in times if at >= since]
    return max((b - a for a, b in itertools.pairwise(later)), default=math.nan)


async def cycle(page: Page, path: NarrowPath, relay: Relay) -> Cycle:
    """One opening over the narrow path, and what comes of it."""
    path.carries = CARRIES
    number = await page.evaluate("open", "/whep/cam?stream=auto")
    clicked = await page.evaluate("performance.now()")
    down = math.nan
    for _ in range(NARROW_SECONDS * 20):
        await asyncio.sleep(0.05)
        if math.isnan(down) and relay.viewer_counts().get(("cam", "sub")):
            down = (await page.evaluate("performance.now()") - clicked) / 1000
    times = await _shown(page, number)
    settled = times[0] + 5000 if times else math.inf
    trial_gap = _gap(times, settled)
    path.carries = math.inf
    widened = times[-1] if times else 0.0
    up = math.nan
    for _ in range(MOST_SECONDS * 4):
        await asyncio.sleep(0.25)
        if await _width(page, number) > 1000:
            up = ((await _shown(page, number))[-1] - widened) / 1000
            break
    await asyncio.sleep(3)
    up_gap = _gap(await _shown(page, number), widened)
    await page.evaluate("close", number)
    return Cycle(times[0] / 1000 if times else math.nan, down, up, trial_gap, up_gap)


async def run(cycles: int) -> dict[str, Any]:
    """All cycles, one after the other."""
    main, sub = GopBuffer(), GopBuffer()
    relay = Relay({("cam", "main"): main, ("cam", "sub"): sub}, WorkerSettings())
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        units = _clips(Path(name))
    async with (
        chromium() as browser,
        serve(relay) as base,
        LiveFeed(main, units[0], FPS, 30),
        LiveFeed(sub, units[1], FPS, 37),
        narrow_path() as path,
    ):
        page = await browser.new_page()
        await page.goto(base)
        await lead_page_through(page, path)
        found = [await cycle(page, path, relay) for _ in range(cycles)]
        counters = relay.counters()
        await relay.close()
    return {
        "benchmark": "bandwidth",
        "cycles": cycles,
        "carries": CARRIES,
        "first_picture_s": round(statistics.median(one.first_picture for one in found), 2),
        "down_s": round(statistics.median(one.down for one in found), 2),
        "up_s": round(statistics.median(one.up for one in found), 1),
        "trial_gap_ms": round(max(one.trial_gap for one in found)),
        "up_gap_ms": round(max(one.up_gap for one in found)),
        "switches": counters["switches"],
        "load_average": round(load, 1),
    }


def _clips(folder: Path) -> tuple[list[AccessUnit], list[AccessUnit]]:
    gop = GOP_SECONDS * FPS
    main = make_clip(folder / "main.mp4", 8, FPS, (1280, 720), gop, 2_000_000, "high")
    sub = make_clip(folder / "sub.mp4", 8, FPS, (320, 180), gop, 200_000, "baseline")
    return load_units(main), load_units(sub)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="no more than the last line")
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.cycles))
    if not arguments.json:
        for key, value in result.items():
            print(f"{key}: {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
