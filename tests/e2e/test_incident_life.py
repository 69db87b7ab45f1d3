"""An alarm of the demo city from the operator's wall to the police desk to closed, as the people there see it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.city import City, running_demo, wait_for
from tests.e2e.test_console import moves
from tests.haechi import haechi
from tests.people import Language, Room, room
from tests.requirements import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Page

DEMO = ROOT / "config" / "demo"
CAMERAS = 16
# As the pages say them; what is in both columns would prove nothing about the language.
WORDS: dict[Language, dict[str, str]] = {
    "ko": {"closed": "종결", "refused": "실시간 영상 거부", "dispatched": "출동 요청", "intact": "원장이 온전합니다"},
    "en": {"closed": "Closed", "refused": "Live picture refused", "dispatched": "Dispatched", "intact": "is whole"},
}
REMARK = "흰색 승합차 white van, near the gate"
OUTCOME = "현장 조치 완료 settled at the scene"
APPEARS_WITHIN_MS = 60_000


@pytest.mark.alone
@pytest.mark.timeout(480)
async def test_an_alarm_goes_from_the_wall_to_the_desk_to_closed_in_both_languages(tmp_path: Path) -> None:
    async with running_demo(tmp_path, DEMO) as city:
        await city.wait_live(CAMERAS)
        refused: list[str] = []
        for language in ("ko", "en"):
            async with room(city, language) as people:
                refused.append(await _one_incident(people))
        async with room(city, "ko") as people:
            page = await people.sit("privacy_officer")
            await _the_ledger_tells(page, "ko", refused)
        verify = ("ledger", "verify", "--config", city.data_dir / "settings.yaml")
        whole = haechi(*verify)
        assert whole.returncode == 0, whole.stdout + whole.stderr
        changed = _change_a_refusal(city.data_dir / "center.sqlite", refused[0])
        broken = haechi(*verify)
        assert broken.returncode == 1 and f"row {changed}" in broken.stdout + broken.stderr
        async with room(city, "en") as people:
            page = await people.sit("privacy_officer")
            await page.click("[data-testid=verification] button.primary")
            assert await page.locator("[data-testid=broken-at]").inner_text() == str(changed)


async def _one_incident(people: Room) -> str:
    """Take the newest alarm through its whole life; gives the camera that the desk was refused."""
    operator, desk = await people.sit("operator"), await people.sit("police_desk")
    await operator.click("[data-layout='4']")
    incident, camera = await _taken_and_dispatched(operator)
    await _arrives_at_the_desk(desk, incident, camera)
    refused = await _another_camera_is_refused(people.city, incident)
    await _answered(desk, operator, incident)
    await _closed(operator, desk, incident, WORDS[people.language]["closed"])
    await _was_written_down(people.city, incident)
    return refused


async def _taken_and_dispatched(operator: Page) -> tuple[str, str]:
    """The operator opens the reason card, sees the camera live, acknowledges and dispatches to the police."""
    alarm = operator.locator(".alarm[data-state=new]").first
    await alarm.wait_for(timeout=120_000)
    incident, camera = [str(await alarm.get_attribute(name)) for name in ("data-incident", "data-camera")]
    await operator.click(f".alarm[data-incident='{incident}'] .alarm-open")
    card = operator.locator(f"[data-testid=reason-card][data-incident='{incident}']")
    await card.locator("[data-testid=why] dd").first.wait_for()
    await operator.wait_for_function(
        "() => document.querySelector('[data-testid=reason-card] [data-testid=snapshot] img')?.naturalWidth > 0"
    )
    await moves(operator, f".stage-picture[data-camera='{camera}']")
    await card.locator("[data-testid=acknowledge]").click()
    await _state(operator, incident, "acknowledged")
    await card.locator("[data-testid=dispatch]").click()
    for desk in ("police", "fire"):
        await card.locator(f"[data-testid=dispatch-form] input[value={desk}]").set_checked(desk == "police")
    await card.locator("[data-testid=dispatch-form] textarea").fill(REMARK)
    await card.locator("[data-testid=dispatch-confirm]").click()
    await _state(operator, incident, "dispatched")
    return incident, camera


async def _state(operator: Page, incident: str, state: str) -> None:
    await operator.wait_for_selector(f"[data-testid=reason-card][data-incident='{incident}'][data-state={state}]")


async def _arrives_at_the_desk(desk: Page, incident: str, camera: str) -> None:
    """It is there without anybody loading the page anew, with a moving picture and what the operator wrote."""
    item = desk.locator(f".desk-item[data-incident='{incident}']")
    await item.wait_for(timeout=APPEARS_WITHIN_MS)
    await desk.wait_for_selector(f"[data-testid=desk-scene][data-incident='{incident}']", timeout=APPEARS_WITHIN_MS)
    await moves(desk, f"[data-testid=desk-picture][data-camera='{camera}']")
    assert REMARK in await desk.locator("[data-testid=desk-operator-note]").inner_text()


async def _another_camera_is_refused(city: City, incident: str) -> str:
    """The desk asks the API for a camera that was not granted to it, and for one that was."""
    police = await city.sign_in("police_desk")
    granted = (await police.get(f"/api/v1/incidents/{incident}")).json()["granted_cameras"]
    seen = {camera["id"] for camera in (await police.get("/api/v1/cameras")).json()["cameras"]}
    assert granted and seen == set(granted)
    other = next(camera for camera in sorted(await city.cameras()) if camera not in granted)
    offer = {"content": "v=0\r\n", "headers": {"content-type": "application/sdp"}}
    answer = await police.post(f"/api/v1/cameras/{other}/whep", params={"reason": "desk"}, **offer)
    assert answer.status_code == 403 and answer.json()["type"] == "urn:haechi:problem:out-of-reach"
    mine = await police.post(f"/api/v1/cameras/{granted[0]}/whep", params={"incident": incident}, **offer)
    assert mine.status_code != 403  # the offer is no offer, which is the worker's to say
    return other


async def _answered(desk: Page, operator: Page, incident: str) -> None:
    """Received, arrived, outcome; the operator sees each without asking."""
    given = operator.locator("[data-testid=reason-card] [data-desk=police] li[data-given=true]")
    for step, text, count in (("receive", "", 2), ("arrive", "", 3), ("outcome", OUTCOME, 4)):
        if text:
            await desk.fill("[data-testid=desk-note]", text)
        await desk.click(f"[data-testid=desk-{step}]")
        await desk.wait_for_selector(f"[data-testid=desk-{step}][data-done=true]")

        async def seen(wanted: int = count) -> bool:
            return await given.count() == wanted

        await wait_for(seen, f"the operator sees that the desk's {step} was given")
    await _state(operator, incident, "arrived")
    assert OUTCOME in await operator.locator("[data-testid=reason-card] [data-desk=police]").inner_text()


async def _closed(operator: Page, desk: Page, incident: str, word: str) -> None:
    """The operator closes it as real; the desk's live picture ends with it."""
    await operator.click("[data-testid=reason-card] [data-verdict=real]")
    await operator.click("[data-testid=close-confirm]")
    await _state(operator, incident, "closed")
    assert word in await operator.locator("[data-testid=reason-card] header").inner_text()
    await desk.wait_for_selector(f"[data-testid=desk-scene][data-incident='{incident}'][data-state=closed]")
    assert await desk.locator("[data-testid=desk-picture] haechi-player").count() == 0


async def _was_written_down(city: City, incident: str) -> None:
    told: dict[str, Any] = (await city.client.get(f"/api/v1/incidents/{incident}")).json()
    assert (told["state"], told["verdict"], told["owner"]) == ("closed", "real", "operator")
    (dispatch,) = told["dispatches"]
    times = [dispatch[name] for name in ("dispatched_at", "received_at", "arrived_at", "outcome_at")]
    assert times == sorted(times) and dispatch["outcome"] == OUTCOME
    assert dispatch["received_by"] == dispatch["arrived_by"] == dispatch["outcome_by"] == "police"
    police = await city.sign_in("police_desk")
    assert (await police.get("/api/v1/cameras")).json()["cameras"] == []  # what closing took away


async def _the_ledger_tells(page: Page, language: Language, refused: list[str]) -> None:
    """The privacy officer finds the refusals and what was dispatched, in words, and the chain whole."""
    words = WORDS[language]
    await page.select_option("select[name=action]", "view.refused")
    for camera in set(refused):
        await page.locator(f"tr[data-refused=true]:has(button[title='{camera}'])").first.wait_for()
    row = await page.locator("tr[data-refused=true]").first.inner_text()
    assert words["refused"] in row and "police" in row
    await page.select_option("select[name=action]", "incident.dispatched")
    dispatched = page.locator("tr[data-action='incident.dispatched']")
    await dispatched.first.wait_for()
    assert await dispatched.count() == len(refused)
    text = await dispatched.first.inner_text()
    assert words["dispatched"] in text and "operator" in text and REMARK in text
    await page.click("[data-testid=verification] button.primary")
    await page.wait_for_selector("[data-testid=verification][data-result=intact]")
    assert words["intact"] in await page.locator("[data-testid=verification]").inner_text()


def _change_a_refusal(database: Path, camera: str) -> int:
    """As somebody with the database in hand would hide it: another camera in the row. Gives the row's number."""
    with sqlite3.connect(database, timeout=30) as connection:
        chosen = "SELECT sequence FROM ledger WHERE action = 'view.refused' AND camera_id = ? LIMIT 1"
        (sequence,) = connection.execute(chosen, (camera,)).fetchone()
        connection.execute("UPDATE ledger SET camera_id = 'another' WHERE sequence = ?", (sequence,))
    return int(sequence)
