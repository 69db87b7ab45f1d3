"""From click to first picture in headless Chromium, with the cached GOP and waiting for the next key frame.

`python -m tests.benchmarks.first_picture --json --opens 20`: the last line is one JSON object, times in ms.
Opens are spread over the GOP at random. `live` is the first picture after the cached ones.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from config.settings import WorkerSettings
from streams.gop_buffer import GopBuffer
from streams.relay import Relay
from tests.browser import chromium, serve
from tests.clips import make_clip
from tests.live_feed import LiveFeed, load_units

if TYPE_CHECKING:
    from playwright.async_api import Page

GOP_SECONDS = 4
FPS = 15
_LIVE_STEP_90K = 3000  # pictures of a fast start are 1 ms apart


async def measure(page: Page, url: str, pictures: int) -> tuple[float, float]:
    """Open once and close: ms to the first picture, ms to the first live one."""
    number = await page.evaluate("open", url)
    shown = await page.evaluate("([n, count]) => shown(n, count, 20000)", [number, pictures])
    await page.evaluate("close", number)
    if not shown:
        raise RuntimeError("no picture was shown in 20 s")
    live = next(
        (after[0] for before, after in itertools.pairwise(shown) if after[1] - before[1] > _LIVE_STEP_90K), math.nan
    )
    return shown[0][0], live


async def run(opens: int, size: tuple[int, int], kilobits: int) -> dict[str, object]:
    """Feed one camera, open and close a player `opens` times both ways."""
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(
            Path(folder) / "clip.mp4", 2 * GOP_SECONDS, FPS, size, GOP_SECONDS * FPS, kilobits * 1000, "high"
        )
        units = load_units(clip)
    buffer = GopBuffer()
    fast = Relay({("camera", "main"): buffer}, WorkerSettings())
    slow = Relay({("camera", "main"): buffer}, WorkerSettings(), max_burst_bytes=0)
    first: list[float] = []
    live: list[float] = []
    waited: list[float] = []
    async with LiveFeed(buffer, units, FPS), chromium() as browser, serve(fast) as base, serve(slow) as slow_base:
        for relay_base, times in ((base, first), (slow_base, waited)):
            page = await browser.new_page()
            await page.goto(relay_base)
            await measure(page, "/whep/camera", 2)  # warms up the browser
            for _ in range(opens):
                await asyncio.sleep(random.uniform(0, GOP_SECONDS))
                shown, first_live = await measure(page, "/whep/camera", 8 if relay_base == base else 1)
                times.append(shown)
                if relay_base == base and not math.isnan(first_live):
                    live.append(first_live)
            await page.close()
        counters = fast.counters()
        await fast.close()
        await slow.close()
    return {
        "benchmark": "first_picture",
        "opens": opens,
        "clip": f"{size[0]}x{size[1]}, {FPS} fps, GOP {GOP_SECONDS} s, {kilobits} kbit/s, High",
        "p50_ms": percentile(first, 50),
        "p95_ms": percentile(first, 95),
        "max_ms": percentile(first, 100),
        "live_p50_ms": percentile(live, 50),
        "live_p95_ms": percentile(live, 95),
        "wait_p50_ms": percentile(waited, 50),
        "wait_p95_ms": percentile(waited, 95),
        "repeated_packets": counters["repeated"],
        "plis": counters["plis"],
    }


def percentile(values: list[float], percent: float) -> float | None:
    """Nearest rank, so that nothing is interpolated away."""
    if not values:
        return None
    return round(sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--opens", type=int, default=20)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--kilobits", type=int, default=1500)
    arguments = parser.parse_args()
    width, _, height = arguments.size.partition("x")
    result = uvloop.run(run(arguments.opens, (int(width), int(height)), arguments.kilobits))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:18} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
