"""The player in a real browser: another stream at another size, what it says of lag, and back to live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.virtual import LoopTimeline, Mount, VirtualCameraServer
from tests.benchmarks.first_picture import make_clips, open_all, prepare
from tests.benchmarks.loss import watch
from tests.benchmarks.wall import click_and_watch
from tests.city import running_city, wait_for
from tests.e2e.test_console import settings_for
from tests.impaired_path import Impairment, impaired_paths, lead_through
from tests.people import room

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

TILE = ".wall .tile[data-camera=c0]"
SMALL = "player => (player.style.cssText = 'position:fixed;inset:auto;width:320px;height:180px')"
LARGE = "player => (player.style.cssText = 'position:fixed;inset:0;width:1280px;height:720px')"

# Looks at each frame of the page at what the player shows: the widths in their order, and how often there was nothing.
_WATCH_PICTURE = """
(player) => {
  window.seen = { widths: [], black: 0 };
  const look = () => {
    const video = [...player.querySelectorAll("video")].findLast((one) => one.videoWidth && one.readyState >= 2);
    if (!video) seen.black += 1;
    else if (seen.widths.at(-1) !== video.videoWidth) seen.widths.push(video.videoWidth);
    requestAnimationFrame(look);
  };
  look();
}
"""


@pytest.mark.timeout(240)
async def test_a_live_picture_keeps_moving_at_every_size_and_says_when_it_is_not_live(tmp_path: Path) -> None:
    clips = make_clips(tmp_path)
    mount = Mount(name="c0", main=clips.main, sub=clips.sub)
    async with VirtualCameraServer([mount]) as server, running_city(tmp_path, settings_for(server, ["c0"])) as city:
        await city.wait_live(1)
        async with room(city, "en") as people:
            await _it_grows_and_shrinks(await people.sit("operator"))
            await _it_falls_behind_and_comes_back(await people.sit("operator"))
        async with room(city, "en") as people:
            await _what_benchmarks_watch_is_seen(await people.sit("operator"), server.timeline("c0"))


async def _seen(page: Page, condition: str, what: str) -> Any:
    """Waits until `condition`, JavaScript on `seen`, holds."""

    async def holds() -> bool:
        return bool(await page.evaluate(condition))

    await wait_for(holds, what)
    return await page.evaluate("seen")


async def _it_grows_and_shrinks(page: Page) -> None:
    """Another stream comes with another size, and there is a picture all the time."""
    open_sessions = _count_sessions(page)
    await page.reload()
    await page.wait_for_selector(f"{TILE} haechi-player[data-state=playing]")
    player = page.locator(f"{TILE} haechi-player")
    await player.evaluate(SMALL)
    await wait_for(lambda: _has_width(page, 640), "the sub stream in a small tile")
    await player.evaluate(_WATCH_PICTURE)
    await player.evaluate(LARGE)
    seen = await _seen(page, "seen.widths.at(-1) === 1920", "the main stream in a large tile")
    assert seen["widths"][0] == 640 and seen["black"] == 0
    await player.evaluate(SMALL)
    seen = await _seen(page, "seen.widths.at(-1) === 640", "the sub stream again")
    assert set(seen["widths"]) == {640, 1920} and seen["black"] == 0
    await page.wait_for_selector(f"{TILE} haechi-player[data-state=playing]")
    await wait_for(lambda: _is_true(lambda: open_sessions() == 1), "the sessions before it have ended")
    await page.close()


async def _it_falls_behind_and_comes_back(page: Page) -> None:
    """The path's queue grows to three seconds, a little at a time, as before a thin line; a new session's is empty."""
    slow = Impairment()
    async with impaired_paths() as make:
        opened, is_behind = 0, False

        async def through_the_path(route: Route) -> None:
            nonlocal opened
            opened += 1
            if not is_behind:
                slow.delay_seconds = 0.0  # what a session lags is counted from where it began
            await lead_through(route, await make(Impairment() if is_behind else slow))

        async def further_behind() -> bool:
            slow.delay_seconds += 0.06
            return await page.locator(f"{TILE} .picture-pace >> text=behind live by").count() > 0

        await page.route("**/whep?*", through_the_path)
        await page.reload()
        await page.wait_for_selector(f"{TILE} haechi-player[data-state=playing]")
        note = page.locator(f"{TILE} .picture-pace")
        await note.wait_for(state="detached")
        await wait_for(further_behind, "the tile says that it is behind", 120)
        is_behind, before = True, opened
        await page.click("button:has-text('한국어')")
        await page.wait_for_selector(f"{TILE} .picture-pace >> text=실시간보다 늦음")
        while opened == before and slow.delay_seconds < 6.0:
            slow.delay_seconds += 0.06
            await asyncio.sleep(0.2)
        await wait_for(lambda: _is_true(lambda: opened > before), "a new session")
        await page.wait_for_selector(f"{TILE} haechi-player[data-state=playing][data-pace=live]")
        await note.wait_for(state="detached")
        await page.unroute_all(behavior="wait")
        await page.close()


async def _what_benchmarks_watch_is_seen(page: Page, timeline: LoopTimeline) -> None:
    """Short forms of first_picture, wall and loss: that they see what they count, no figures."""
    await page.wait_for_selector(f"{TILE} haechi-player[data-state=playing]")
    await page.click(TILE)
    await page.wait_for_selector(".stage-picture haechi-player[data-state=playing]")
    assert len(await click_and_watch(page, ".stage .back", 1)) == 1
    await page.goto(f"{page.url.partition('/console')[0]}/playback")
    await page.wait_for_selector("[data-testid=account]")
    await prepare(page)
    (opened,) = await open_all(page, "c0", timeline, 1)
    assert 0 < opened.first_ms <= opened.live_ms
    watched = await watch(page, "c0", 2)
    assert watched["frames"] > 0 and watched["sessions"] >= 1
    await page.close()


async def _has_width(page: Page, width: int) -> bool:
    found = await page.evaluate("selector => document.querySelector(selector)?.videoWidth", f"{TILE} video:last-child")
    return bool(found == width)


def _count_sessions(page: Page) -> Callable[[], int]:
    """How many were asked for and not given back yet, counted from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    return lambda: sum("whep?stream=" in one for one in asked) - sum(one.startswith("DELETE") for one in asked)


async def _is_true(condition: Callable[[], bool]) -> bool:
    return condition()
