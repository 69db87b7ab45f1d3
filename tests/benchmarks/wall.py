"""How long a wall of 16 tiles takes to open with all its pictures, in the real console.

`python -m tests.benchmarks.wall --json [--opens 40]`: `haechi run` with 16 cameras over RTSP (the tiles show their 360p
sub streams, GOP 4 s), sign-in, 16 ledger rows and WHEP through the center; headless Chromium on the console, 1920x1080.
A camera is large, the operator goes back to the wall: from the browser's `pointerdown` on that button to the first
presented frame of each of the 16 tiles. Opens are spread at random over the GOPs. The last line is one JSON object, ms:

- `p50_ms`, `p95_ms`: until all 16 pictures are there; `first_p50_ms`: until the first of them is.
- `turn_…`: the same for turning the page of a wall of 32 cameras: 16 pictures end while 16 open.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.virtual import Mount, VirtualCameraServer
from tests.benchmarks.first_picture import percentile
from tests.city import running_city
from tests.clips import cached_clip
from tests.people import room

if TYPE_CHECKING:
    from playwright.async_api import Page

TILES = 16
GOP_SECONDS = 4
FPS = 15
WARM_UP = 2
PAUSE_SECONDS = 1.5  # what was closed has ended, as it has for a person

# From the next pointerdown on `selector`: ms to the first frame of each of the tiles that it brings, in their order.
_WATCH = """
([selector, tiles]) => {
  const before = new Set(document.querySelectorAll(".wall haechi-player"));
  window.shown = new Promise((resolve) => {
    const onDown = (event) => {
      if (!event.target.closest(selector)) return;
      removeEventListener("pointerdown", onDown, { capture: true });
      const times = [];
      const videos = new Map();
      const done = new Set(before);
      const look = () => {
        for (const player of document.querySelectorAll(".wall haechi-player")) {
          // One that connects anew, because its camera had no picture yet, has another video.
          if (done.has(player) || !player.video || videos.get(player) === player.video) continue;
          videos.set(player, player.video);
          player.video.requestVideoFrameCallback(() => {
            if (!done.has(player)) times.push(performance.now() - event.timeStamp);
            done.add(player);
            if (times.length === tiles) resolve(times);
          });
        }
        if (times.length < tiles) requestAnimationFrame(look);
      };
      look();
    };
    addEventListener("pointerdown", onDown, { capture: true });
  });
}
"""


async def click_and_watch(page: Page, selector: str, tiles: int = TILES) -> list[float]:
    """Click; ms to the first frame of each of the tiles that come."""
    await page.evaluate(_WATCH, [selector, tiles])
    await page.click(selector)
    times: list[float] = await asyncio.wait_for(page.evaluate("window.shown"), 30)
    return times


async def back_to_the_wall(page: Page, opens: int, chance: random.Random) -> list[list[float]]:
    """A camera large, and back."""
    found = []
    for _ in range(opens + WARM_UP):
        await page.click(".wall .tile[data-place='0']")
        await page.wait_for_selector(".stage-picture haechi-player[data-state=playing]")
        await asyncio.sleep(PAUSE_SECONDS + chance.uniform(0, GOP_SECONDS))
        found.append(await click_and_watch(page, ".stage .back"))
        await asyncio.sleep(PAUSE_SECONDS)
    return found[WARM_UP:]


async def turn_pages(page: Page, opens: int, chance: random.Random) -> list[list[float]]:
    """To the other 16 cameras, and back."""
    found = []
    for number in range(opens + WARM_UP):
        await asyncio.sleep(PAUSE_SECONDS + chance.uniform(0, GOP_SECONDS))
        found.append(await click_and_watch(page, f".pager button:nth-of-type({1 + (number + 1) % 2})"))
    return found[WARM_UP:]


async def run(opens: int, turns: int) -> dict[str, Any]:
    """A city of 16 cameras; then, for the turns, one of 32."""
    main = cached_clip(seconds=2 * GOP_SECONDS, size=(1280, 720), gop=GOP_SECONDS * FPS, bitrate=1_500_000)
    sub = cached_clip(seconds=2 * GOP_SECONDS, size=(640, 360), gop=GOP_SECONDS * FPS, bitrate=300_000)
    chance = random.Random(16)
    result: dict[str, Any] = {
        "benchmark": "wall",
        "tiles": TILES,
        "opens": opens,
        "turns": turns,
        "load_average": round(os.getloadavg()[0], 1),
    }
    for count, way, times in ((TILES, back_to_the_wall, opens), (2 * TILES, turn_pages, turns)):
        if not times:
            continue
        names = [f"c{number}" for number in range(count)]
        mounts = [Mount(name=name, main=main, sub=sub, phase_seconds=n * 0.53) for n, name in enumerate(names)]
        with tempfile.TemporaryDirectory() as folder:
            async with (
                VirtualCameraServer(mounts) as server,
                running_city(Path(folder), {"cameras": [_camera(server, name) for name in names]}) as city,
            ):
                await city.wait_live(count)
                async with room(city, "ko") as people:
                    page = await people.sit("operator", (1920, 1080))
                    await page.wait_for_selector(f".wall[data-tiles='{TILES}']")
                    found = await way(page, times, chance)
        prefix = "" if way is back_to_the_wall else "turn_"
        result |= {
            f"{prefix}p50_ms": percentile([max(one) for one in found], 50),
            f"{prefix}p95_ms": percentile([max(one) for one in found], 95),
            f"{prefix}max_ms": percentile([max(one) for one in found], 100),
            f"{prefix}first_p50_ms": percentile([min(one) for one in found], 50),
        }
    result["load_average_after"] = round(os.getloadavg()[0], 1)
    return result


def _camera(server: VirtualCameraServer, name: str) -> dict[str, Any]:
    urls = {"main": server.url(name, "main"), "sub": server.url(name, "sub")}
    return {"id": name, "name": f"Camera {name}", "purpose": "traffic", "category": "traffic", "record": False, **urls}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--opens", type=int, default=40)
    parser.add_argument("--turns", type=int, default=20, help="turns of the page of a wall of 32; 0: none")
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.opens, arguments.turns))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:18} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
