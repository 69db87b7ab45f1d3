"""A lost camera on the console and on the administrator's page, in a real browser."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from streams.virtual import Faults, VirtualCameraServer
from tests.city import running_city
from tests.e2e.test_console import mounts, settings_for
from tests.e2e.test_playback import pictured
from tests.people import room


async def test_a_lost_camera_is_marked_blind_and_told_calmly_until_it_is_back(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(VirtualCameraServer(mounts(2)))
        settings = settings_for(server, ["c0", "c1"]) | {"faults": {"lost_seconds": 8}}
        city = await stack.enter_async_context(running_city(tmp_path, settings))
        people = await stack.enter_async_context(room(city, "ko"))
        await city.wait_live(2)
        page, admin = await people.sit("operator"), await people.sit("administrator")
        await admin.click("[data-tab=health]")
        server.set_faults("c1", Faults(refuse="close"))
        server.reset("c1")
        mark = page.locator(".tile[data-camera=c1][data-blind=camera_lost] [data-testid=blind]")
        await mark.wait_for(timeout=90_000)
        assert "감지 불가" in (await mark.get_attribute("title") or "")
        assert await page.locator(".tile[data-blind]").count() == 1
        card = page.locator(".alarm[data-kind=camera_lost][data-family=fault][data-severity=attention]")
        await card.wait_for()
        assert "카메라 연결 끊김" in await card.inner_text()
        await card.locator("img").wait_for()  # the last picture that came
        await page.click("[data-testid=live-count]")
        lost = page.locator("[data-testid=camera-states] [data-camera=c1]")
        assert await page.locator("[data-testid=camera-states] [data-camera]").count() == 1
        main = lost.locator("[data-stream=main]:not([data-state=live])")
        await main.wait_for()
        assert "주 영상" in await main.inner_text() and "시작" in await main.inner_text()
        await lost.locator("[data-state=backing_off] [data-testid=next-try]").first.wait_for(timeout=60_000)
        await pictured(page, "camera-states")
        await page.select_option("[data-testid=state-filter]", "live")
        await page.locator("[data-testid=camera-states] [data-camera=c0]").wait_for()
        await page.keyboard.press("Escape")
        await card.click()
        await page.locator("[data-testid=snapshot] figcaption").wait_for()
        await pictured(page, "fault-card")
        row = admin.locator(".health-row[data-camera=c1] [data-blind=camera_lost]")
        await row.wait_for()
        assert "감지 불가" in await row.inner_text()
        server.set_faults("c1", Faults())
        await mark.wait_for(state="detached", timeout=90_000)
        await card.wait_for(state="detached", timeout=90_000)
        await page.click("[data-filter=closed]")
        await card.click()
        step = page.locator("[data-testid=timeline] [data-action=recovered]")
        await step.wait_for()
        assert "정상화" in await step.inner_text()
