"""From a touch on the mayor's screen to the first presented frame, on a whole running city.

`python -m tests.benchmarks.one_touch --json [--opens 30]`: `haechi run` with cameras over RTSP that are recorded and
analysed, its ledger, and headless Chromium on the mayor's page; a camera is touched, its picture is watched, the page
goes back. Touches are spread over the cameras and at random over their GOPs. The last line is one JSON object, in ms:

- first: from the browser's `pointerdown` to the first frame that was presented,
- moving: to the first frame that shows another picture than the first.

`--stream sub` has the pictures opened with the sub stream instead, to compare.
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
    from playwright.async_api import Page, Route

GOP_SECONDS = 4
FPS = 15
WARM_UP = 3
SHOWN_WITHIN_SECONDS = 20

# Listens before the page does, so that nothing of the page's own work is left out.
_WATCH = """
() => addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".camera-target")) return;
  window.touched = new Promise((resolve) => {
    const times = [];
    let media = null;
    const look = () => {
      const video = document.querySelector("[data-testid=viewer] video");
      if (!video) return requestAnimationFrame(look);
      const onFrame = (_, frame) => {
        if (frame.mediaTime !== media) times.push(performance.now() - event.timeStamp);
        media = frame.mediaTime;
        if (times.length === 2) resolve(times);
        else video.requestVideoFrameCallback(onFrame);
      };
      video.requestVideoFrameCallback(onFrame);
    };
    look();
  });
}, { capture: true })
"""


async def touch(page: Page, camera: str) -> tuple[float, float]:
    """Touch a camera, wait for its picture, go back: ms to the first frame, and to the first that differs."""
    target = page.locator(f".camera-target[data-camera={camera}]")
    await target.scroll_into_view_if_needed()
    box = await target.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    times = await asyncio.wait_for(page.evaluate("window.touched"), SHOWN_WITHIN_SECONDS)
    await page.keyboard.press("Escape")
    await page.wait_for_selector("[data-testid=viewer]", state="detached")
    return times[0], times[1]


async def run(opens: int, cameras: int, size: tuple[int, int], kilobits: int, stream: str) -> dict[str, Any]:
    """A city of `cameras`, touched `opens` times."""
    gop = GOP_SECONDS * FPS
    main = cached_clip(seconds=2 * GOP_SECONDS, size=size, gop=gop, bitrate=kilobits * 1000)
    sub = cached_clip(seconds=2 * GOP_SECONDS, size=(640, 360), gop=gop, bitrate=300_000)
    names = [f"c{n}" for n in range(cameras)]
    mounts = [Mount(name=name, main=main, sub=sub, phase_seconds=n * 0.7) for n, name in enumerate(names)]
    first: list[float] = []
    moving: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            VirtualCameraServer(mounts) as server,
            running_city(Path(folder), {"cameras": [_camera(server, n) for n in range(cameras)]}) as city,
        ):
            await city.wait_live(cameras)
            async with room(city, "ko") as people:
                page = await people.sit("mayor", (1920, 1080))
                await page.evaluate(_WATCH)
                if stream == "sub":
                    await page.route("**/whep?stream=main*", _with_sub)
                await page.click("[data-category=traffic]")
                for number in range(opens + WARM_UP):
                    await asyncio.sleep(random.uniform(0.2, GOP_SECONDS / 2))
                    shown, moved = await touch(page, names[number % cameras])
                    if number >= WARM_UP:
                        first.append(shown)
                        moving.append(moved)
                has_map = await page.locator("[data-testid=map]").get_attribute("data-map")
    return {
        "benchmark": "one_touch",
        "opens": opens,
        "cameras": cameras,
        "stream": stream,
        "clip": f"{size[0]}x{size[1]}, {FPS} fps, GOP {GOP_SECONDS} s, {kilobits} kbit/s",
        "map": has_map,
        "load_average": round(os.getloadavg()[0], 1),
        "p50_ms": percentile(first, 50),
        "p95_ms": percentile(first, 95),
        "max_ms": percentile(first, 100),
        "moving_p50_ms": percentile(moving, 50),
        "moving_p95_ms": percentile(moving, 95),
    }


async def _with_sub(route: Route) -> None:
    await route.continue_(url=route.request.url.replace("stream=main", "stream=sub"))


def _camera(server: VirtualCameraServer, number: int) -> dict[str, Any]:
    name = f"c{number}"
    return {
        "id": name,
        "name": f"중부대로 {number} Jungbu-daero",
        "purpose": "traffic",
        "category": "traffic",
        "position": {"latitude": 37.26 + 0.004 * (number % 4), "longitude": 127.0 + 0.005 * (number // 4)},
        "main": server.url(name, "main"),
        "sub": server.url(name, "sub"),
        "zones": [{"name": "all", "rules": [{"kind": "intrusion"}]}],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--opens", type=int, default=30)
    parser.add_argument("--cameras", type=int, default=12)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--kilobits", type=int, default=1500)
    parser.add_argument("--stream", choices=("main", "sub"), default="main")
    arguments = parser.parse_args()
    width, _, height = arguments.size.partition("x")
    size = (int(width), int(height))
    result = asyncio.run(run(arguments.opens, arguments.cameras, size, arguments.kilobits, arguments.stream))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:18} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
