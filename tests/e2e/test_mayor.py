"""The mayor's screen in a real browser: one touch leads to a picture that moves, a swipe to the next nearest one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.virtual import VirtualCameraServer
from tests.city import City, running_city, wait_for
from tests.e2e.test_console import mounts, moves, settings_for
from tests.people import Language, Room, room

if TYPE_CHECKING:
    from playwright.async_api import Page

VIEWER = "[data-testid=viewer]"
PHONE = (390, 844)
# c0 in the middle; c1 is nearer to it than c2 is, and c3 nobody has placed yet.
PLACES: dict[str, dict[str, Any]] = {
    "c0": {"category": "school_zone", "position": {"latitude": 37.2660, "longitude": 127.0100}},
    "c1": {"category": "school_zone", "position": {"latitude": 37.2660, "longitude": 127.0180}},
    "c2": {"category": "underpass", "position": {"latitude": 37.2660, "longitude": 127.0000}},
    "c3": {"category": "underpass"},
}
WALK = ["c0", "c1", "c2", "c3"]
WORDS: dict[Language, dict[str, str]] = {
    "ko": {"title": "시장실 상황판", "school": "스쿨존", "chosen": "선택한 카메라", "next": "다음 가까운 곳"},
    "en": {"title": "Mayor's screen", "school": "School zone", "chosen": "chosen", "next": "Next nearest"},
}


@asynccontextmanager
async def _city(folder: Path) -> AsyncIterator[City]:
    async with (
        VirtualCameraServer(mounts(4)) as server,
        running_city(folder, settings_for(server, WALK, **PLACES)) as city,
    ):
        await city.wait_live(4)
        yield city


async def shown(page: Page, camera: str) -> None:
    """Camera `camera` is large and its picture moves."""
    await page.wait_for_selector(f"{VIEWER}[data-camera={camera}]")
    await page.wait_for_selector(f"{VIEWER} haechi-player[data-state=playing]")
    await moves(page, VIEWER)


async def drag(page: Page, pixels: int) -> None:
    """With the mouse, across the middle of the screen."""
    size = page.viewport_size
    assert size is not None
    x, y = size["width"] / 2, size["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + pixels, y, steps=4)
    await page.mouse.up()


async def swipe(page: Page, pixels: int) -> None:
    """With a finger, as the browser hears it from a touch screen."""
    size = page.viewport_size
    assert size is not None
    x, y = size["width"] / 2, size["height"] / 2
    touch = await page.context.new_cdp_session(page)
    for kind, at in (("touchStart", x), ("touchMove", x + pixels / 2), ("touchMove", x + pixels)):
        await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at, "y": y}]})
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.timeout(240)
async def test_one_touch_shows_a_moving_picture_and_a_swipe_the_next_nearest(tmp_path: Path) -> None:
    async with _city(tmp_path) as city:
        async with room(city, "ko") as people:
            await _touched_and_walked(people)
        async with room(city, "en") as people:
            await _touched_and_walked(people)
            await _swiped_on_a_phone(people)
        await _every_look_is_written_down(city)


async def _touched_and_walked(people: Room) -> None:
    said = WORDS[people.language]
    page = await people.sit("mayor", (1920, 1080))
    await page.wait_for_selector("[data-testid=categories]")
    assert said["title"] in await page.locator(".top-bar").inner_text()
    await _the_day_is_told(page)
    tile = page.locator("[data-category=school_zone]")
    assert said["school"] in await tile.inner_text() and "2/2" in (await tile.inner_text()).replace("\n", "")
    await tile.click()
    await page.click(".camera-target[data-camera=c0]")
    await shown(page, "c0")
    assert said["chosen"] in await page.locator(VIEWER).inner_text()
    assert said["next"] in await page.locator("[data-testid=viewer-next]").inner_text()
    await drag(page, 300)  # back from the first leads nowhere
    assert await page.locator("[data-testid=viewer-previous]").count() == 0
    for camera in WALK[1:3]:
        await drag(page, -300)
        await shown(page, camera)
    await drag(page, 300)
    await shown(page, "c1")
    await page.keyboard.press("ArrowRight")
    await shown(page, "c2")
    await page.click("[data-testid=viewer-next]")
    await shown(page, "c3")
    await page.keyboard.press("ArrowRight")
    await shown(page, "c0")  # every camera was shown once before one comes again
    await page.keyboard.press("Escape")
    await page.wait_for_selector(VIEWER, state="detached")
    assert await page.locator("haechi-player").count() == 0
    await page.click("[data-testid=all-categories]")
    await page.wait_for_selector("[data-testid=categories]")


async def _the_day_is_told(page: Page) -> None:
    cameras = page.locator("[data-figure=cameras] strong")
    await wait_for(lambda: _reads(cameras, "4/4"), "the figure of live cameras")
    await wait_for(lambda: _reads(page.locator("[data-figure=dispatches] strong"), "0"), "the dispatches of today")


async def _reads(locator: Any, text: str) -> bool:
    return bool(await locator.inner_text() == text)


async def _swiped_on_a_phone(people: Room) -> None:
    page = await people.sit("mayor", PHONE)
    await page.click("[data-category=underpass]")
    await page.click(".camera-target[data-camera=c2]")
    await shown(page, "c2")
    await swipe(page, -200)
    await shown(page, "c0")  # from c2, the middle is the nearest
    await swipe(page, -200)
    await shown(page, "c1")
    await swipe(page, 200)
    await shown(page, "c0")
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    await page.click("[data-testid=viewer-close]")
    await page.wait_for_selector(VIEWER, state="detached")


async def _every_look_is_written_down(city: City) -> None:
    privacy = await city.sign_in("privacy_officer")
    rows = (await privacy.get("/api/v1/ledger", params={"action": "view.live", "limit": 200})).json()["rows"]
    assert {row["camera_id"] for row in rows} == set(WALK)
    assert {row["account"] for row in rows} == {"mayor"} and {row["reason"] for row in rows} == {"touch"}


async def test_a_touch_on_the_map_shows_that_camera_and_without_webgl_there_is_a_list(tmp_path: Path) -> None:
    async with _city(tmp_path) as city, room(city, "ko") as people:
        page = await people.sit("mayor")
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.reload()
        await page.wait_for_selector("[data-testid=map][data-map=ready]", timeout=60_000)
        await _touched_on_the_map(page)
        assert not [text for text in complaints if "Content Security Policy" in text]
        await page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
        await page.reload()
        await page.wait_for_selector("[data-testid=map][data-map=list]")
        await page.click("[data-testid=map] button[data-camera=c1]")
        await shown(page, "c1")


async def _touched_on_the_map(page: Page) -> None:
    """c0 stands in the middle of the map, because the map is fitted to the cameras that have a place."""
    box = await page.locator("[data-testid=map] canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def over() -> bool:
        await page.mouse.move(x - 40, y - 40)
        await page.mouse.move(x, y)
        return bool(await page.locator("[data-testid=map]").get_attribute("data-over") == "c0")

    await wait_for(over, "the camera in the middle of the map is found under the pointer")
    await page.mouse.click(x, y)
    await shown(page, "c0")
