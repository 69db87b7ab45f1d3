"""Looking back in a real browser: at a camera that is being recorded now, from its alarm on."""

from __future__ import annotations

import io
import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from streams.virtual import VirtualCameraServer
from tests.browser import chromium
from tests.city import PASSWORD, City, running_city, wait_for
from tests.e2e.test_console import mounts, settings_for, signed_in_page
from tests.integration.control_center.conftest import event

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

MOMENT = "() => Date.parse(document.querySelector('[data-testid=taken]')?.dataset.at ?? '') || null"
VIDEO = """() => {
    const video = document.querySelector('.playback-picture video');
    return {paused: video.paused, rate: video.playbackRate, width: video.videoWidth, at: video.currentTime,
        frames: video.getVideoPlaybackQuality().totalVideoFrames};
}"""
READY = "[data-testid=playback-picture][data-state=ready]"


async def recorded(city: City, seconds: float) -> Any:
    query = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}

    async def enough() -> Any:
        now = datetime.now().astimezone()
        day = {"from": now.replace(hour=0, minute=0, second=0).isoformat(), "to": now.isoformat()} | {}
        answer = await city.client.get("/api/v1/cameras/c0/recordings", params=day)
        ranges = answer.json().get("ranges", [])
        return ranges if sum(one["duration_seconds"] for one in ranges) > seconds else None

    assert (await city.client.get("/api/v1/cameras/c0/recordings", params=query)).status_code in {200, 503}
    return await wait_for(enough, f"{seconds} s recorded")


async def raise_alarm(city: City) -> None:
    """As the worker itself would, with its token, which only its process knows."""
    status = await city.status()
    pid = status["workers"]["by_id"]["w0"]["pid"]
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    token = dict(one.partition("=")[::2] for one in variables if one)["HAECHI_WORKER_TOKEN"]
    one = event("look-back", 3600 - 6, camera_id="c0", zone="all")
    headers = {"Authorization": f"Bearer {token}", "X-Haechi-Worker": "w0"}
    answer = await city.client.post("/internal/v1/events", json=[one], headers=headers)
    assert answer.status_code == 200, answer.text


async def plays(page: Page, frames: int = 5) -> None:
    await page.wait_for_selector(READY, timeout=90_000)
    before = (await page.evaluate(VIDEO))["frames"]

    async def more() -> bool:
        return bool((await page.evaluate(VIDEO))["frames"] > before + frames)

    await wait_for(more, "the recorded picture moves")


async def pictured(page: Page, name: str) -> None:
    """Screenshots at three sizes, where HAECHI_SCREENSHOTS names a folder."""
    folder = os.environ.get("HAECHI_SCREENSHOTS")
    if folder:
        for width, height in ((1920, 1080), (1280, 800), (390, 844)):
            await page.set_viewport_size({"width": width, "height": height})
            await page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=width == 390)
        await page.set_viewport_size({"width": 1280, "height": 800})


async def test_an_operator_looks_back_from_an_alarm_and_exports_it(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts(1)) as server:
        settings = settings_for(server, ["c0"]) | {"recording": {"segment_seconds": 8, "sync_seconds": 1}}
        settings["cameras"][0]["zones"] = []
        async with running_city(tmp_path, settings) as city:
            await city.wait_live(1)
            await recorded(city, 32)
            await raise_alarm(city)
            async with signed_in_page(city) as page:
                await page.click("[data-incident] .alarm-open >> nth=0")
                await page.click("[data-testid=to-recordings]")
                await page.wait_for_url("**/playback?camera=c0&at=*&incident=*")
                await plays(page)
                assert (await page.evaluate(VIDEO))["width"] == 1280
                incident = (await city.incidents())[0]
                begun = datetime.fromisoformat(incident["started_at"]).timestamp() * 1000
                assert -11_000 < await page.evaluate(MOMENT) - begun < 0
                assert await page.locator(".alarm-mark").count() >= 1
                await pictured(page, "playback")
                await _goes_about(page)
                await _exports(page, incident["id"])
                await page.click("button:has-text('한국어')")
                await page.wait_for_selector("[data-testid=export] >> text=내보내기")
                await pictured(page, "playback-ko")
                await _holds(page, incident["id"])
            await _desk_looks_back(city, (await city.incidents())[0])
            lead = await city.sign_in("privacy_officer")
            rows = (await lead.get("/api/v1/ledger", params={"camera": "c0"})).json()["rows"]
            opened = [row for row in rows if row["action"] == "playback.opened"]
            assert opened.pop(0)["account"] == "police"
            assert 1 <= len(opened) <= 2  # the hour may have turned meanwhile
            assert {(row["incident_id"], row["reason"]) for row in opened} == {(incident["id"], "lookback")}
            assert [row["reason"] for row in rows if row["action"] == "recording.exported"] == ["case 7"]
            assert len([row for row in rows if row["action"] == "playback.thumbnails"]) == 1
            assert not [row for row in rows if row["action"] == "view.refused"]
            await _lead_releases_and_privacy_officer_sees(city)


async def _goes_about(page: Page) -> None:
    await page.click("[data-testid=play]")
    await page.wait_for_selector("[data-testid=play][data-paused=true]")
    before = await page.evaluate(VIDEO)
    await page.click("[data-testid=step]")
    await page.wait_for_function(f"() => ({VIDEO})().at > {before['at']}")
    step = (await page.evaluate(VIDEO))["at"] - before["at"]
    assert 0.02 < step < 0.2
    await page.click("[data-speed='2']")
    assert (await page.evaluate(VIDEO))["rate"] == 2
    moment = await page.evaluate(MOMENT)
    await page.keyboard.press("Escape")
    await page.locator("h2").first.click()
    await page.keyboard.press("ArrowLeft")
    await page.wait_for_function(f"() => ({MOMENT})() < {moment} - 5000")
    await page.click("[data-testid=play]")
    await plays(page)
    recorded = page.locator("[data-testid=near_line] .recorded").last
    box = await recorded.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 6)
    await page.wait_for_selector("[data-testid=near_line] .thumbnail img")
    await page.wait_for_function("() => document.querySelector('.thumbnail img')?.naturalWidth === 320")
    await pictured(page, "playback-hover")
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 6)
    await plays(page)


async def _exports(page: Page, incident_id: str) -> None:
    await page.click("[data-speed='1']")
    await page.click("[data-testid=export] button >> nth=0")
    moment = await page.evaluate(MOMENT)
    await page.wait_for_function(f"() => ({MOMENT})() > {moment} + 2500", timeout=90_000)
    await page.click("[data-testid=export] button >> nth=1")
    assert await page.is_disabled("[data-testid=export] .primary")
    await page.fill("[data-testid=export] input", "case 7")
    async with page.expect_download() as download:
        await page.click("[data-testid=export] .primary")
    path = await (await download.value).path()
    with av.open(io.BytesIO(path.read_bytes())) as container:
        assert sum(1 for _ in container.decode(video=0)) > 30
    assert incident_id


async def _holds(page: Page, incident_id: str) -> None:
    """The range of the export, held from the same form; then the incident's, from its card. A shift lead releases."""
    await page.select_option("[data-testid=export] [data-testid=hold-days]", "30")
    await page.click("[data-testid=hold-range]")
    await page.wait_for_selector(".playback-holds [data-hold] >> text=case 7")
    await page.wait_for_selector("[data-testid=near_line] .held", state="attached")
    await pictured(page, "playback-held")
    await page.goto(page.url.split("/playback")[0] + "/console")
    await page.click(f"[data-incident='{incident_id}'] .alarm-open")
    # The range's hold names the incident that it was looked back from.
    await page.wait_for_selector("[data-testid=incident-hold] [data-hold]")
    await page.click("[data-testid=hold-open]")
    await page.fill("[data-testid=hold-form] input", "asked by the police")
    await page.click("[data-testid=hold-confirm]")
    await page.wait_for_selector("[data-testid=incident-hold] >> text=asked by the police")
    await pictured(page, "incident-held")
    held = page.locator("[data-testid=incident-hold] [data-hold]")
    assert await held.count() == 2
    assert await page.locator("[data-testid=release]").count() == 0


async def _lead_releases_and_privacy_officer_sees(city: City) -> None:
    async with chromium() as browser:
        page = await signed_in_as(browser, city, "shift_lead")
        await page.goto(f"{city.url}/playback?camera=c0")
        mine = ".playback-holds [data-hold]:has-text('case 7')"
        await page.click(f"{mine} [data-testid=release]")
        await page.fill(".hold-release input", "no longer wanted")
        await page.click("[data-testid=release-confirm]")
        await page.wait_for_selector(mine, state="detached")
        page = await signed_in_as(browser, city, "privacy_officer")
        await page.click("[data-testid=held] summary")
        await page.wait_for_selector("[data-testid=held] [data-hold]:has-text('asked by the police')")
        await page.wait_for_selector("[data-testid=ledger-rows] >> text=Hold on recordings released")
        await pictured(page, "ledger-held")


async def signed_in_as(browser: Browser, city: City, role: str) -> Page:
    """In a window of its own, with its own cookies."""
    page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
    await page.goto(city.url)
    await page.fill("input[name=account]", await city.account(role))
    await page.fill("input[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("input[name=password]", state="detached")
    return page


async def _desk_looks_back(city: City, incident: dict[str, Any]) -> None:
    """The desk's page begins where its incident lets it."""
    body = {"desks": ["police"], "note": ""}
    answer = await city.client.post(f"/api/v1/incidents/{incident['id']}/dispatch", json=body)
    assert answer.status_code == 200, answer.text
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        await page.goto(city.url)
        await page.fill("input[name=account]", await city.account("police_desk"))
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_selector("[data-testid=desk-scene]")
        await page.goto(f"{city.url}/playback?camera=c0")
        await plays(page)


async def test_a_camera_without_recordings_and_a_worker_that_is_away_are_said(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts(1)) as server:
        settings = settings_for(server, ["c0"])
        settings["cameras"][0] |= {"record": False, "zones": []}
        async with running_city(tmp_path, settings) as city:
            await city.wait_live(1)
            async with signed_in_page(city) as page:
                await page.goto(f"{city.url}/playback")
                await page.wait_for_selector("[data-testid=camera]")
                await page.select_option("[data-testid=camera]", "c0")
                await page.wait_for_selector("text=Nothing of this camera has been recorded yet.")
                await pictured(page, "playback-empty")
                answer = json.dumps({"type": "urn:haechi:problem:no-worker", "status": 503, "detail": "worker away"})
                away = {"status": 503, "content_type": "application/problem+json", "body": answer}
                await page.route("**/recordings?*", lambda route: route.fulfill(**away))
                await page.reload()
                await page.wait_for_selector("[data-problem=no-worker]")
                await pictured(page, "playback-away")
