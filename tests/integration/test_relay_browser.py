"""The relay with a real browser: a picture at once, and it moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.settings import WorkerSettings
from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.relay import Relay
from tests.browser import chromium, serve
from tests.clips import make_clip
from tests.live_feed import LiveFeed, load_units

if TYPE_CHECKING:
    from playwright.async_api import Page

FPS, GOP_SECONDS = 15, 4


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[AccessUnit]]:
    folder = tmp_path_factory.mktemp("clips")
    paths = [
        make_clip(folder / f"{profile}.mp4", 8, FPS, (640, 360), GOP_SECONDS * FPS, 500_000, profile)
        for profile in ("baseline", "high")
    ]
    return {path.stem: load_units(path) for path in paths}


@dataclass
class Wall:
    """A page of a browser, and the relay it talks to."""

    page: Page
    relay: Relay
    buffer: GopBuffer

    async def open(self) -> int:
        number: int = await self.page.evaluate("open", "/whep/cam")
        return number

    async def shown(self, number: int, count: int, seconds: float = 90) -> list[tuple[float, int]]:
        """[ms since the click, RTP time stamp] of the pictures that were shown."""
        script = "([number, count, ms]) => shown(number, count, ms)"
        shown: list[tuple[float, int]] = await self.page.evaluate(script, [number, count, seconds * 1000])
        return shown

    async def close(self, number: int) -> None:
        await self.page.evaluate("close", number)


@pytest.fixture
async def wall() -> AsyncIterator[Wall]:
    buffer = GopBuffer()
    relay = Relay({("cam", "main"): buffer}, WorkerSettings())
    async with chromium() as browser, serve(relay) as base:
        page = await browser.new_page()
        await page.goto(base)
        yield Wall(page, relay, buffer)
        await relay.close()


@pytest.mark.parametrize("profile", ["baseline", "high"])
async def test_the_picture_comes_at_once_and_moves(
    wall: Wall, clips: dict[str, list[AccessUnit]], profile: str
) -> None:
    async with LiveFeed(wall.buffer, clips[profile], FPS, phase=20):
        number = await wall.open()
        shown = await wall.shown(number, 2 * FPS)
        assert len(shown) >= 2 * FPS
        stats = await wall.page.evaluate("stats", number)
        assert stats["framesDecoded"] >= 2 * FPS and (stats["frameWidth"], stats["frameHeight"]) == (640, 360)
        colours = await wall.page.evaluate(_COLOURS)
        assert len(colours) > 20, "it is a picture, not one colour"
        await wall.close(number)


async def test_a_warm_camera_shows_its_first_picture_within_a_blink_at_any_phase_of_its_gop(
    wall: Wall, tmp_path: Path
) -> None:
    """The figure is the benchmark's business (p95 in tests.benchmarks.first_picture); here: it never waits for a key
    frame, the next of which is not due before half a minute has gone."""
    one_gop = load_units(make_clip(tmp_path / "long.mp4", 40, 10, (320, 180), 400, 100_000, "high"))
    for phase in (1, 17, 60, 99):
        async with LiveFeed(wall.buffer, one_gop, 10, phase) as feed:
            number = await wall.open()
            assert await wall.shown(number, 1, 90)
            assert feed.played < len(one_gop), "it waited for the next key frame"
            await wall.close(number)


async def test_tiles_share_a_camera_and_one_that_closes_leaves_the_others_moving(
    wall: Wall, clips: dict[str, list[AccessUnit]]
) -> None:
    async with LiveFeed(wall.buffer, clips["baseline"], FPS):
        numbers = [await wall.open() for _ in range(4)]
        for number in numbers:
            assert await wall.shown(number, 5)
        assert wall.relay.viewer_counts() == {("cam", "main"): 4}
        await wall.close(numbers[0])
        before = [len(await wall.shown(number, 0)) for number in numbers[1:]]
        after = [len(await wall.shown(number, count + FPS)) for number, count in zip(numbers[1:], before, strict=True)]
        assert all(count >= least + FPS for count, least in zip(after, before, strict=True))


async def test_a_new_run_of_the_camera_goes_on_in_the_same_tile(wall: Wall, clips: dict[str, list[AccessUnit]]) -> None:
    """A camera that reconnects starts its clock anywhere."""
    number = None
    for run, phase in enumerate((45, 7_000)):
        async with LiveFeed(wall.buffer, clips["high"], FPS, phase, run=run):
            number = await wall.open() if number is None else number
            count = len(await wall.shown(number, 0))
            assert len(await wall.shown(number, count + FPS)) >= count + FPS


_COLOURS = """() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 36];
  const context = canvas.getContext("2d");
  context.drawImage(document.querySelector("video"), 0, 0, 64, 36);
  const data = context.getImageData(0, 0, 64, 36).data;
  return [...new Set(Array.from({ length: 64 * 36 }, (_, i) => data.slice(4 * i, 4 * i + 3).join()))];
}"""
