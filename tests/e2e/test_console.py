"""The console in a real browser, on a real city of virtual cameras."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.browser import chromium
from tests.city import OPERATOR, PASSWORD, City, running_city, wait_for
from tests.clips import cached_clip
from tests.requirements import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Page

CAMERAS = 4
PLAYING = "[...document.querySelectorAll('.tile haechi-player')].filter(p => p.dataset.state === 'playing').length"
FRAMES = (
    "selector => document.querySelector(selector + ' haechi-player video').getVideoPlaybackQuality().totalVideoFrames"
)


def settings_for(server: VirtualCameraServer, names: list[str], **extra: Any) -> dict[str, Any]:
    """A settings file's content for the mounts `names` of `server`."""
    cameras = [
        {
            "id": name,
            "name": f"Camera {name}",
            "purpose": "crime prevention",
            "main": server.url(name, "main"),
            "sub": server.url(name, "sub"),
            "zones": [{"name": "all", "rules": [{"kind": "intrusion"}]}],
            **extra.get(name, {}),
        }
        for name in names
    ]
    return {"cameras": cameras}


def mounts(count: int = CAMERAS) -> list[Mount]:
    main = cached_clip(seconds=8, size=(1280, 720), gop=60, bitrate=1_500_000)
    sub = cached_clip(seconds=8, size=(640, 360), gop=60, bitrate=300_000)
    return [Mount(name=f"c{n}", main=main, sub=sub, phase_seconds=n * 0.9) for n in range(count)]


@asynccontextmanager
async def signed_in_page(city: City) -> AsyncIterator[Page]:
    """The console in Chromium, signed in through the form as an operator."""
    if not (ROOT / "operator_ui" / "dist" / "index.html").exists():
        pytest.skip("needs the built operator UI (make builds it)")
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        await page.goto(city.url)
        await page.fill("input[name=account]", OPERATOR)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_selector(".tile")
        yield page


async def playing(page: Page, count: int, seconds: float = 30) -> None:
    async def enough() -> bool:
        return bool(await page.evaluate(PLAYING) >= count)

    await wait_for(enough, f"{count} tiles playing", seconds)


async def moves(page: Page, selector: str, seconds: float = 30) -> None:
    """Fails unless the picture under `selector` presents new frames."""
    before = await page.evaluate(FRAMES, selector)

    async def more() -> bool:
        return bool(await page.evaluate(FRAMES, selector) > before + 5)

    await wait_for(more, f"new frames in {selector}", seconds)


async def test_tiles_move_and_one_touch_makes_a_picture_large(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts()) as server:
        names = [f"c{n}" for n in range(CAMERAS)]
        async with running_city(tmp_path, settings_for(server, names)) as city:
            await city.wait_live(CAMERAS)
            async with signed_in_page(city) as page:
                await playing(page, CAMERAS)
                for name in names:
                    await moves(page, f".tile[data-camera={name}]")
                await page.click(".tile[data-camera=c2]")
                await page.wait_for_selector(".stage-picture haechi-player[data-state=playing]")
                await moves(page, ".stage-picture")
                width = await page.evaluate("document.querySelector('.stage-picture video').videoWidth")
                assert width == 1280
                await page.keyboard.press("Escape")
                await page.wait_for_selector(".stage", state="detached")
                await page.click("button:has-text('한국어')")
                await page.wait_for_selector("text=통합관제 화면")


async def test_a_wrong_password_at_the_form_is_said_and_lets_nobody_in(tmp_path: Path) -> None:
    async with running_city(tmp_path, {"cameras": []}) as city, chromium() as browser:
        page = await browser.new_page(locale="en-GB")
        await page.goto(city.url)
        await page.fill("input[name=account]", "admin")
        await page.fill("input[name=password]", "not-the-password")
        await page.click("button.primary")
        await page.locator(".form-error:not(:empty)").wait_for()
        assert await page.query_selector(".console") is None


async def test_bad_cameras_say_what_is_wrong_and_the_good_one_goes_on(tmp_path: Path) -> None:
    bad = mounts(3)
    bad[0] = bad[0].model_copy(update={"faults": Faults(not_video=True)})
    bad[1] = bad[1].model_copy(update={"faults": Faults(wrong_password=True)})
    async with VirtualCameraServer(bad) as server:
        settings = settings_for(server, ["c0", "c1", "c2"], c1={"username": "eye", "password": "s3cret-of-c1"})
        gone = {**settings["cameras"][2], "id": "gone", "name": "Gone"}
        gone |= {"main": "rtsp://127.0.0.1:9/x", "sub": "rtsp://127.0.0.1:9/y"}
        settings["cameras"].append(gone)
        async with running_city(tmp_path, settings) as city:
            await city.wait_live(1)

            async def told() -> Any:
                cameras = await city.cameras()
                return cameras if all(cameras[name]["reason"] for name in ("c0", "c1", "gone")) else None

            cameras = await wait_for(told, "every bad camera has a reason")
            assert cameras["c2"]["state"] == "live"
            assert "not video" in cameras["c0"]["reason"]
            assert "password" in cameras["c1"]["reason"]
            assert "refused" in cameras["gone"]["reason"]
            assert "s3cret-of-c1" not in city.log.read_text() + str(cameras)
            async with signed_in_page(city) as page:
                await playing(page, 1)
                await moves(page, ".tile[data-camera=c2]")
                note = page.locator(".tile[data-camera=c0] .picture-note small")
                await note.wait_for()
                assert "not video" in await note.inner_text()
