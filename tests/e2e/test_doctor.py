"""The connection doctor on a real city, each failure provoked where it happens; and a WHEP player that is not ours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streams.virtual import Mount, VirtualCameraServer
from tests.browser import chromium
from tests.city import City, running_city, wait_for
from tests.clips import cached_clip
from tests.coturn import TurnAddresses, turn_server
from tests.people import Room, room
from tests.ports import free_port
from tests.requirements import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

TURN = TurnAddresses(listening="127.0.0.1", relay="127.0.0.1", peer="127.0.0.1", port=free_port())
SECRET = "shared-between-haechi-and-coturn"
PLAYER = ROOT / "operator_ui" / "node_modules" / "whip-whep" / "whep.js"


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    """A camera that works and one that is off."""
    clip = cached_clip(seconds=8, size=(640, 360), gop=60, bitrate=300_000)
    async with VirtualCameraServer([Mount(name="gate", main=clip, sub=clip)]) as server:
        urls = {"main": server.url("gate"), "sub": server.url("gate", "sub")}
        gate = {"id": "gate", "name": "Gate", "purpose": "test", **urls}
        dark = {"id": "dark", "name": "Dark", "purpose": "test", "main": "rtsp://127.0.0.1:9/x"}
        turn = {"urls": [f"turn:127.0.0.1:{TURN.port}?transport=tcp"], "secret": SECRET}
        async with running_city(tmp_path, {"cameras": [gate, dark], "turn": turn}) as city:
            await city.wait_live(1)
            yield city


async def verdict(page: Page, camera: str, expected: str) -> str:
    """Opens the doctor for a camera; the words at the end, which must be those of the code `expected`."""
    await page.goto(f"{re.match('https?://[^/]+', page.url)[0]}/doctor?camera={camera}")  # type: ignore[index]
    result = page.locator("[data-testid=verdict]")
    await result.and_(page.locator(":not([data-result=running])")).wait_for(timeout=90_000)
    text = await result.inner_text()
    assert await result.get_attribute("data-result") == expected, text
    return text


async def states(page: Page) -> dict[str, str]:
    script = "rows => Object.fromEntries(rows.map(row => [row.dataset.step, row.dataset.state]))"
    found: dict[str, str] = await page.locator("[data-step]").evaluate_all(script)
    return found


async def test_the_doctor_names_the_step_that_fails_and_a_foreign_player_plays(city: City, tmp_path: Path) -> None:
    async with room(city, "en") as people:
        page = await people.sit("operator")
        text = await verdict(page, "gate", "good")
        assert set((await states(page)).values()) == {"good"}
        assert re.search(r"worker host udp 127\.0\.0\.1:\d+", text) and "640 × 360" in text and "H.264" in text
        await _camera_is_off(page)
        await _center_does_not_answer(page)
        await _encryption_fails(page)
        await _right_is_missing(people)
        await _plays_with_whip_whep(page)
        rows = await _views(city)
        assert rows.count("doctor") == 2, "the good one and the one with the forged certificate"
    async with chromium("--webrtc-ip-handling-policy=disable_non_proxied_udp") as browser:
        await _udp_is_blocked(Room(city, browser, "ko"), tmp_path)


async def _camera_is_off(page: Page) -> None:
    text = await verdict(page, "dark", "camera_off")
    assert "The camera sends no picture now." in text and "power and network" in text
    found = await states(page)
    assert (found["center"], found["rights"], found["camera"], found["network"]) == ("good", "good", "failed", "open")


async def _center_does_not_answer(page: Page) -> None:
    async def fall(route: Route) -> None:
        await route.abort("connectionrefused")

    await page.route("**/whep?*", fall)
    await verdict(page, "gate", "no_answer")
    assert (await states(page))["center"] == "failed"
    await page.unroute("**/whep?*")


async def _encryption_fails(page: Page) -> None:
    """Somebody in the middle puts another certificate into the answer."""

    async def forge(route: Route) -> None:
        answer = await route.fetch()
        forged = re.sub(r"(a=fingerprint:sha-256 )\S+", r"\g<1>" + ":".join(["AA"] * 32), await answer.text())
        await route.fulfill(response=answer, body=forged)

    await page.route("**/whep?*", forge)
    await verdict(page, "gate", "dtls")
    found = await states(page)
    assert (found["network"], found["encryption"], found["picture"]) == ("good", "failed", "open")
    await page.unroute("**/whep?*")


async def _right_is_missing(people: Room) -> None:
    """A desk to which nothing was dispatched."""
    page = await people.sit("police_desk")
    await page.locator("[data-testid=account]").click()
    await page.locator("[data-testid=account-menu] a[href='/doctor']").click()
    await page.get_by_text("No camera is open to you.").wait_for()
    text = await verdict(page, "gate", "no_right")
    assert "no right to this camera" in text and "dispatched to the desk" in text
    assert (await states(page))["rights"] == "failed"


async def _udp_is_blocked(people: Room, folder: Path) -> None:
    """The browser lets no UDP out: first there is no TURN server, then there is one, over TCP."""
    page = await people.sit("operator")
    await page.click(".tile[data-camera=gate] .picture-doctor", timeout=90_000)  # the tile fails, and leads here
    await page.wait_for_url("**/doctor?camera=gate")
    text = await verdict(page, "gate", "turn_unreachable")
    assert "TURN 서버에도 연결되지 않거나" in text and "127.0.0.1" in text
    found = await states(page)
    assert (found["camera"], found["network"], found["encryption"]) == ("good", "failed", "open")
    async with turn_server(folder, SECRET, TURN, "--allow-loopback-peers", "--no-udp"):
        text = await verdict(page, "gate", "good")
        assert "relay (TURN tcp) → host 127.0.0.1:" in text
        await page.goto(f"{people.city.url}/console")
        await page.locator(".tile[data-camera=gate] haechi-player[data-state=playing]").wait_for(timeout=90_000)


async def _plays_with_whip_whep(page: Page) -> None:
    """npm's whip-whep, by an author of the WHEP draft, as it is."""
    assert PLAYER.exists(), "npm ci in operator_ui installs it"
    await page.route("**/whip-whep.js", lambda route: route.fulfill(path=PLAYER, content_type="text/javascript"))
    await page.evaluate(
        """async url => {
            const { WHEPClient } = await import("/whip-whep.js");
            const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
            peer.addTransceiver("video", { direction: "recvonly" });
            peer.addTransceiver("audio", { direction: "recvonly" });
            const video = document.createElement("video");
            Object.assign(video, { muted: true, autoplay: true, id: "foreign" });
            peer.ontrack = ({ track }) => { if (track.kind === "video") video.srcObject = new MediaStream([track]); };
            document.body.append(video);
            window.whep = new WHEPClient();
            await window.whep.view(peer, url);
        }""",
        f"{page.url.partition('/doctor')[0]}/api/v1/cameras/gate/whep?stream=main&reason=wall",
    )
    frames = "document.querySelector('#foreign').getVideoPlaybackQuality().totalVideoFrames"

    async def plays() -> bool:
        return int(await page.evaluate(frames)) > 15

    await wait_for(plays, "whip-whep shows the camera")
    assert await page.evaluate("document.querySelector('#foreign').videoWidth") == 640
    await page.evaluate("window.whep.selectLayer({ mediaId: '0', encodingId: 'sub' })")
    before = int(await page.evaluate(frames))

    async def goes_on() -> bool:
        return int(await page.evaluate(frames)) > before + 15

    await wait_for(goes_on, "it goes on after a layer was chosen")
    await page.evaluate("window.whep.stop()")


async def _views(city: City) -> list[str]:
    privacy = await city.sign_in("privacy_officer")
    rows = (await privacy.get("/api/v1/ledger", params={"action": "view.live", "limit": 100})).json()["rows"]
    return [row["reason"] for row in rows]
