"""The administrator's page in a real browser: accounts, the camera register, import, health."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml

from streams.virtual import VirtualCameraServer
from tests.city import City, running_city, wait_for
from tests.e2e.test_console import mounts
from tests.e2e.test_playback import pictured
from tests.people import room

if TYPE_CHECKING:
    from playwright.async_api import Page

NO_CAMERAS = {"cameras": []}


async def _fill_camera(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        await page.fill(f".camera-form [name={name}]", value)


async def _registered(city: City) -> dict[str, dict[str, Any]]:
    answer = await city.admin.get("/api/v1/register")
    return {camera["id"]: camera for camera in answer.json()["cameras"]}


async def test_a_new_account_works_with_the_password_that_is_shown_once(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "en") as people:
        page = await people.sit("administrator")
        await page.click("[data-tab=accounts]")
        await page.click("[data-testid=add-account]")
        await page.fill(".account-add [name=name]", "kim")
        await page.select_option(".account-add [name=role]", "police_desk")
        await page.click(".account-add .primary")
        password = await page.locator("[data-testid=made-password]").inner_text()
        async with httpx.AsyncClient(base_url=city.url, trust_env=False, timeout=60) as kim:
            answer = await kim.post("/api/v1/session", json={"name": "kim", "password": password})
            assert answer.status_code == 200 and answer.json()["role"] == "police_desk"
            await page.click("[data-testid=put-away]")
            assert password not in await page.content()
            await page.click("[data-account=kim] [data-testid=disable]")
            await page.click("[data-testid=confirm]")
            await page.wait_for_selector("[data-account=kim][data-disabled=true]")
            assert (await kim.get("/api/v1/session")).status_code == 401
            await page.click("[data-account=kim] [data-testid=enable]")
            await page.wait_for_selector("[data-account=kim][data-disabled=false]")
            await page.select_option("[data-account=kim] select", "mayor")
            await page.click("[data-testid=confirm]")
            await page.wait_for_selector("[data-account=kim][data-role=mayor]")
            await page.click("[data-account=kim] [data-testid=new-password]")
            await page.click("[data-testid=confirm]")
            renewed = await page.locator("[data-testid=made-password]").inner_text()
            assert renewed != password
            answer = await kim.post("/api/v1/session", json={"name": "kim", "password": renewed})
            assert answer.status_code == 200 and answer.json()["role"] == "mayor"


async def test_the_last_administrator_stays_and_the_page_says_why(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "ko") as people:
        page = await people.sit("administrator")
        await page.click("[data-tab=accounts]")
        await page.click("[data-account=admin] [data-testid=disable]")
        await page.click("[data-testid=confirm]")
        refusal = page.locator("[data-account=admin] .form-error")
        await refusal.wait_for()
        assert "마지막 관리자" in await refusal.inner_text()
        await page.select_option("[data-account=admin] select", "operator")
        await page.click("dialog button:not(.primary):not(.quiet)")  # thought better of it
        assert await page.input_value("[data-account=admin] select") == "administrator"
        assert await page.locator("[data-account=admin][data-disabled=false]").count() == 1


async def test_a_camera_added_in_the_form_becomes_live_and_is_edited_and_removed(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(VirtualCameraServer(mounts(1)))
        city = await stack.enter_async_context(running_city(tmp_path, NO_CAMERAS))
        page = await (await stack.enter_async_context(room(city, "en"))).sit("administrator")
        await page.get_by_text("No camera is registered yet.").wait_for()
        await page.click("[data-testid=add-camera]")
        await _fill_camera(page, id="gate", name="정문 Gate", purpose="crime prevention", main="ftp://wrong")
        await page.click("[data-testid=add-zone]")
        await page.click("[data-testid=save-camera]")
        await page.wait_for_selector("[data-field=main][data-faulty=true] .fault")
        assert "rtsp://" in await page.locator("[data-field=main] .fault").inner_text()
        await _fill_camera(page, main=server.url("c0", "main"), sub=server.url("c0", "sub"))
        await page.fill("[name=camera-password]", "never-shown-again")
        await page.fill("[name=camera-user]", "eye")
        await page.click("[data-testid=save-camera]")
        await page.wait_for_selector("[data-camera=gate][data-state=live]", timeout=60_000)
        await _edit_and_remove(page, city)


async def _edit_and_remove(page: Page, city: City) -> None:
    """The password is kept though it is not shown; zones and rules are what the form said."""
    await page.click("[data-camera=gate] [data-testid=edit-camera]")
    await page.wait_for_selector(".camera-form")
    assert "never-shown-again" not in await page.content()
    assert await page.input_value("[name=camera-password]") == ""
    assert not await page.locator("[name=id]").is_editable()
    await _fill_camera(page, latitude="37.2636", longitude="126.9906")
    await page.select_option(".rule [name=kind]", "loitering")
    await page.fill(".rule [name=seconds]", "12")
    await page.fill(".points input >> nth=0", "0.25")
    await page.click("[data-testid=save-camera]")
    await page.wait_for_selector("[data-testid=cameras] [data-camera=gate]")
    gate = (await _registered(city))["gate"]
    assert gate["has_password"] and gate["position"] == {"latitude": 37.2636, "longitude": 126.9906}
    (zone,) = gate["zones"]
    assert zone["polygon"][0] == [0.25, 0] and zone["rules"][0]["dwell_seconds"] == 12
    await page.click("[data-camera=gate] [data-testid=remove-camera]")
    await page.click("[data-testid=confirm]")
    await page.get_by_text("No camera is registered yet.").wait_for()
    assert await _registered(city) == {}


def _yaml(*cameras: tuple[str, str]) -> str:
    listed = [
        {"id": name, "name": name, "purpose": purpose, "main": f"rtsp://127.0.0.1:9/{name}", "enabled": False}
        for name, purpose in cameras
    ]
    return yaml.safe_dump({"cameras": listed}, allow_unicode=True)


async def test_when_a_camera_is_recorded_is_set_in_its_form(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "en") as people:
        page = await people.sit("administrator")
        await page.click("[data-testid=add-camera]")
        await _fill_camera(page, id="gate", name="Gate", purpose="crime prevention", main="rtsp://127.0.0.1:9/gate")
        await page.uncheck(".camera-form [name=enabled]")
        assert await page.locator("[name=pre-event]").count() == 0
        await page.select_option("[name=recording-mode]", "on_event")
        await _fill_camera(page, **{"pre-event": "7", "post-event": "0", "keep-days": "15", "keep-gigabytes": "200"})
        await page.click("[data-testid=add-hours]")
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday"):
            await page.click(f"[data-day={day}]")
        await _fill_camera(page, **{"hours-start": "0:00", "hours-end": "24:00"})
        await page.select_option("[name=hours-mode]", "off")
        await pictured(page, "admin-recording")
        await page.click("[data-testid=save-camera]")
        await page.wait_for_selector("[data-field='recording.post_event_seconds'][data-faulty=true] .fault")
        await page.wait_for_selector("[data-testid=hours] .fault")
        assert await _registered(city) == {}
        await _fill_camera(page, **{"post-event": "40", "hours-start": "00:00"})
        await page.click("[data-testid=save-camera]")
        await page.wait_for_selector("[data-camera=gate]")
        weekend = {"days": ["saturday", "sunday"], "start": "00:00", "end": "24:00", "mode": "off"}
        assert (await _registered(city))["gate"]["recording"] == {
            "mode": "on_event",
            "hours": [weekend],
            "pre_event_seconds": 7.0,
            "post_event_seconds": 40.0,
            "keep_days": 15.0,
            "keep_bytes": 200_000_000_000,
        }
        await page.click("button:has-text('한국어')")
        await page.click("[data-camera=gate] [data-testid=edit-camera]")
        assert await page.input_value("[name=recording-mode]") == "on_event"
        assert await page.input_value("[name=keep-gigabytes]") == "200"
        assert await page.locator("[data-testid=hours] [aria-pressed=true]").count() == 2
        await pictured(page, "admin-recording-ko")
        await page.click("[aria-label='시간대 삭제']")
        await page.click("[data-testid=save-camera]")
        await page.wait_for_selector("[data-camera=gate]")
        assert (await _registered(city))["gate"]["recording"]["hours"] == []


async def test_an_import_shows_what_would_change_before_it_is_done(tmp_path: Path) -> None:
    listed = yaml.safe_load(_yaml(("a", "방범"), ("b", "방범")))
    async with running_city(tmp_path, listed) as city, room(city, "en") as people:
        page = await people.sit("administrator")
        await page.click("[data-testid=import-cameras]")
        await page.fill("[name=yaml]", _yaml(("a", "방범"), ("b", "교통"), ("c", "방범")))
        assert not await page.locator("[data-testid=import-do]").is_enabled()
        await page.click("[data-testid=import-look]")
        shown = page.locator("[data-testid=import-result]")
        parts = {part: f"[data-part={part}] dd" for part in ("added", "changed", "unchanged")}
        told = {part: await shown.locator(place).inner_text() for part, place in parts.items()}
        assert told == {"added": "c", "changed": "b", "unchanged": "a"}
        assert set(await _registered(city)) == {"a", "b"}
        await page.click("[data-testid=import-do]")
        await page.wait_for_selector("[data-testid=import-result][data-done=true]")
        assert set(await _registered(city)) == {"a", "b", "c"}
        await page.fill("[name=yaml]", _yaml(("d", "")))
        await page.click("[data-testid=import-look]")
        fault = await page.locator("[data-testid=import-faults]").inner_text()
        assert "purpose" in fault and "d" in fault


async def test_search_category_and_state_find_cameras_and_the_export_holds_no_password(tmp_path: Path) -> None:
    cameras = [
        {"id": f"c{n}", "name": f"골목 {n} Alley", "purpose": "p", "main": f"rtsp://127.0.0.1:9/{n}"} for n in range(3)
    ]
    cameras[1] |= {"category": "underpass", "username": "eye", "password": "s3cret-in-the-register"}
    cameras[2] |= {"enabled": False}  # type: ignore[dict-item]
    async with running_city(tmp_path, {"cameras": cameras}) as city, room(city, "ko") as people:
        page = await people.sit("administrator")
        rows = page.locator("[data-testid=cameras] li")
        await rows.nth(2).wait_for()
        await page.fill("[name=search]", "ALLEY c1")
        assert await rows.count() == 1
        await page.fill("[name=search]", "")
        await page.select_option("[name=category]", "underpass")
        assert [await row.get_attribute("data-camera") for row in await rows.all()] == ["c1"]
        await page.select_option("[name=category]", "")
        await page.wait_for_selector("[data-camera=c2][data-state=disabled]")
        await page.select_option("[name=state]", "disabled")
        assert [await row.get_attribute("data-camera") for row in await rows.all()] == ["c2"]
        async with page.expect_download() as started:
            await page.click("a[download]")
        text = Path(await (await started.value).path()).read_text(encoding="utf-8")
        assert len(yaml.safe_load(text)["cameras"]) == 3
        assert "s3cret-in-the-register" not in text


async def test_health_names_the_worker_and_why_a_camera_is_not_live(tmp_path: Path) -> None:
    gone = {"id": "gone", "name": "Gone", "purpose": "p", "main": "rtsp://127.0.0.1:9/x"}
    async with running_city(tmp_path, {"cameras": [gone]}) as city, room(city, "en") as people:
        page = await people.sit("administrator")
        await page.click("[data-tab=health]")
        await page.wait_for_selector("[data-worker=w0][data-ok=true]")
        await page.wait_for_selector("[data-part=database][data-ok=true]")

        async def told() -> bool:
            return "refused" in await page.locator(".health-row[data-camera=gone]").inner_text()

        await page.wait_for_selector(".health-row[data-camera=gone]")
        await wait_for(told, "the reason that the camera gives")
        assert await page.locator("[data-testid=health-live]").inner_text() == "0/1"


async def test_the_administrator_has_no_page_with_pictures(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "en") as people:
        page = await people.sit("administrator")
        for path in ("/console", "/desk", "/mayor"):
            await page.goto(city.url + path)
            await page.locator("[data-testid=refusal]").wait_for()
            assert await page.locator("haechi-player").count() == 0


async def test_nothing_is_left_for_the_next_person_at_the_screen(tmp_path: Path) -> None:
    """A half-filled form survives a look at another tab, and neither it nor a shown password a sign-out."""
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "en") as people:
        page = await people.sit("administrator")
        await page.click("[data-testid=add-camera]")
        await _fill_camera(page, id="half", name="Half filled in")
        await page.click("[data-tab=accounts]")
        await page.click("[data-account=operator] [data-testid=new-password]")
        await page.click("[data-testid=confirm]")
        password = await page.locator("[data-testid=made-password]").inner_text()
        await page.click("[data-tab=cameras]")
        assert await page.input_value(".camera-form [name=name]") == "Half filled in"
        await page.click("[data-testid=account]")
        await page.click("[data-testid=sign-out]")
        await people.sign_in(page, "administrator")
        await page.wait_for_selector("[data-testid=add-camera]")
        await page.click("[data-tab=accounts]")
        await page.wait_for_selector("[data-account=operator]")
        assert password not in await page.content()
