"""The police desk in a real browser: a dispatch arrives at once and live, answers go back, closing ends it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.virtual import Mount, VirtualCameraServer
from tests.city import City, running_city, wait_for
from tests.e2e.test_console import CLIPS, INTRUSION_BEGINS_AT, mounts, moves, settings_for
from tests.people import room

if TYPE_CHECKING:
    import httpx
    from playwright.async_api import Page

INCIDENTS = "/api/v1/incidents"
REMARK = "검은 상의, 정문 쪽에서 확인 바랍니다"
OUTCOME = "현장 조치 완료"
OFFER: dict[str, Any] = {"content": "v=0\r\n", "headers": {"content-type": "application/sdp"}}
PLACES: dict[str, dict[str, Any]] = {
    "park": {
        "name": "만석공원 놀이터",
        "category": "park_safety",
        "position": {"latitude": 37.3006, "longitude": 127.0010},
        "zones": [
            {
                "name": "playground",
                "polygon": [[0.0, 0.6016], [1.0, 0.6016], [0.7827, 0.2394], [0.2173, 0.2394]],
                "rules": [{"kind": "intrusion", "confirm_seconds": 0.5}],
            }
        ],
    },
    # 100 m and 400 m from the park, inside the radius of a grant, and 5 km away.
    "c0": {"position": {"latitude": 37.3042, "longitude": 127.0010}, "zones": []},
    "c1": {"position": {"latitude": 37.3015, "longitude": 127.0010}, "zones": []},
    "c2": {"position": {"latitude": 37.2556, "longitude": 127.0010}, "zones": []},
}
FAR = "c2"


@asynccontextmanager
async def city_with_an_intrusion(folder: Path) -> AsyncIterator[City]:
    """Camera `park` of the demo, into whose zone a person walks soon, two quiet ones near it and one far away."""
    park = Mount(
        name="park",
        main=CLIPS / "playground.mp4",
        sub=CLIPS / "playground_sub.mp4",
        phase_seconds=INTRUSION_BEGINS_AT - 6.0,  # the city needs a few seconds to start watching
    )
    async with (
        VirtualCameraServer([park, *mounts(3)]) as server,
        running_city(folder, settings_for(server, list(PLACES), **PLACES)) as city,
    ):
        await city.wait_live(4)
        yield city


@pytest.mark.timeout(240)
async def test_a_dispatch_arrives_live_is_answered_and_ends_when_it_is_closed(tmp_path: Path) -> None:
    async with city_with_an_intrusion(tmp_path) as city, room(city, "ko") as people:
        page = await people.sit("police_desk")
        police = await city.sign_in("police_desk")
        assert "출동 요청이 없습니다" in await page.locator("[data-testid=desk-empty]").inner_text()
        assert (await police.get("/api/v1/cameras")).json()["cameras"] == []
        await page.evaluate("window.isTheSamePage = true")
        incident = await _dispatched(city)
        await _arrives(page, incident)
        await _another_camera_is_refused(city, police)
        await _answered(page, city, incident)
        await _closed(page, city, police, incident)
        assert await page.evaluate("window.isTheSamePage")


async def _dispatched(city: City) -> str:
    """The operator hands the intrusion to the police; the fire desk hears nothing of it."""

    async def raised() -> str:
        return next((one["id"] for one in await city.incidents() if one["camera_id"] == "park"), "")

    incident: str = await wait_for(raised, "the alarm of the person in the playground", 90)
    body = {"desks": ["police"], "note": REMARK}
    answer = await city.client.post(f"{INCIDENTS}/{incident}/dispatch", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["granted_cameras"] == ["park", "c1", "c0"]  # nearest first, the far one not at all
    fire = await city.sign_in("fire_desk")
    assert (await fire.get(INCIDENTS)).json()["incidents"] == []
    assert (await fire.get(f"{INCIDENTS}/{incident}")).status_code == 404
    return incident


async def _arrives(page: Page, incident: str) -> None:
    await page.wait_for_selector(f"[data-testid=desk-scene][data-incident='{incident}']")
    await moves(page, "[data-testid=desk-picture][data-camera=park]")
    tiles = page.locator("[data-testid=desk-around] .around-tile")
    assert [await tile.get_attribute("data-camera") for tile in await tiles.all()] == ["c1", "c0"]
    assert "100 m" in await tiles.first.inner_text() and "400 m" in await tiles.last.inner_text()
    assert REMARK in await page.locator("[data-testid=desk-operator-note]").inner_text()
    reason = await page.locator("[data-testid=desk-reason]").inner_text()
    assert "침입" in reason and "playground" in reason and "사람" in reason

    async def box_over_picture() -> bool:
        width = "document.querySelector('[data-testid=desk-reason] img')?.naturalWidth ?? 0"
        return bool(await page.evaluate(width) > 0) and await page.locator(".snapshot-box").count() == 1

    await wait_for(box_over_picture, "the picture of the alarm with its box")
    await page.wait_for_selector("[data-testid=desk-map] [data-map=ready], [data-testid=desk-map] [data-map=list]")
    await tiles.last.click()
    await moves(page, "[data-testid=desk-picture][data-camera=c0]")
    await page.click("[data-testid=desk-around] [data-camera=park]")
    await moves(page, "[data-testid=desk-picture][data-camera=park]")


async def _another_camera_is_refused(city: City, police: httpx.AsyncClient) -> None:
    answer = await police.post(f"/api/v1/cameras/{FAR}/whep", params={"reason": "desk"}, **OFFER)
    assert answer.status_code == 403 and answer.json()["type"] == "urn:haechi:problem:out-of-reach"
    privacy = await city.sign_in("privacy_officer")

    async def written() -> list[dict[str, Any]]:
        query = {"action": "view.refused", "camera": FAR}
        rows: list[dict[str, Any]] = (await privacy.get("/api/v1/ledger", params=query)).json()["rows"]
        return rows

    rows = await wait_for(written, "the refusal in the ledger")
    assert [(row["account"], row["camera_id"]) for row in rows] == [("police", FAR)]


async def _answered(page: Page, city: City, incident: str) -> None:
    """Only the next step can be pressed; an outcome without words is asked for; the center has all of it."""
    assert await page.locator("[data-testid=desk-arrive]").is_disabled()
    for step in ("receive", "arrive"):
        await page.click(f"[data-testid=desk-{step}]")
        await page.wait_for_selector(f"[data-testid=desk-{step}][data-done=true] time")
    await page.click("[data-testid=desk-outcome]")
    await page.wait_for_selector(".answer-note [role=alert]")
    await page.click(f".quick button:has-text('{OUTCOME}')")
    await page.click("[data-testid=desk-outcome]")
    await page.wait_for_selector("[data-testid=desk-outcome][data-done=true] time")
    told = (await city.client.get(f"{INCIDENTS}/{incident}")).json()
    (dispatch,) = told["dispatches"]
    assert told["state"] == "arrived" and dispatch["outcome"] == OUTCOME
    assert dispatch["dispatched_at"] < dispatch["received_at"] < dispatch["arrived_at"] < dispatch["outcome_at"]
    assert dispatch["received_by"] == dispatch["arrived_by"] == dispatch["outcome_by"] == "police"


async def _closed(page: Page, city: City, police: httpx.AsyncClient, incident: str) -> None:
    """The live pictures go, the page says so, and the grant is over."""
    assert await page.locator("haechi-player").count() == 3
    answer = await city.client.post(f"{INCIDENTS}/{incident}/close", json={"verdict": "real", "note": ""})
    assert answer.status_code == 200, answer.text
    await page.wait_for_selector("[data-testid=desk-ended]")
    assert "종결된 상황입니다" in await page.locator("[data-testid=desk-ended]").inner_text()
    assert await page.locator("haechi-player").count() == 0
    assert (await police.post("/api/v1/cameras/park/whep", **OFFER)).status_code == 403
    assert (await police.get("/api/v1/cameras")).json()["cameras"] == []
    await page.click("[data-testid=closed-toggle]")
    await page.wait_for_selector(f".desk-list .closed [data-incident='{incident}']")
