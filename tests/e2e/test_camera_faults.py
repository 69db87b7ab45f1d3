"""A lost camera on the console and on the administrator's page, in a real browser."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from streams.virtual import Faults, VirtualCameraServer
from tests.city import running_city
from tests.e2e.test_console import mounts, settings_for
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
