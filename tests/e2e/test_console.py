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
    from playwright.async_api import Page, Route

CAMERAS = 4
CLIPS = ROOT / "config" / "demo" / "clips"
INTRUSION_BEGINS_AT = 18.6  # seconds into playground.mp4, for 12 s
INCIDENTS = "/api/v1/incidents"
PLAYING = "[...document.querySelectorAll('.tile haechi-player')].filter(p => p.dataset.state === 'playing').length"
FRAMES = (
    "selector => document.querySelector(selector + ' haechi-player')?.video"
    "?.getVideoPlaybackQuality().totalVideoFrames ?? 0"
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


async def playing(page: Page, count: int, seconds: float = 90) -> None:
    async def enough() -> bool:
        return bool(await page.evaluate(PLAYING) >= count)

    await wait_for(enough, f"{count} tiles playing", seconds)


async def moves(page: Page, selector: str, seconds: float = 90) -> None:
    """Fails unless the picture under `selector` presents new frames."""
    before = await page.evaluate(FRAMES, selector)

    async def more() -> bool:
        nonlocal before
        frames = await page.evaluate(FRAMES, selector)
        before = min(before, frames)  # a player that connects anew counts from nought
        return bool(frames > before + 5)

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
                await page.wait_for_function(
                    "() => document.querySelector('.stage-picture haechi-player').video?.videoWidth === 1280"
                )
                await page.keyboard.press("Escape")
                await page.wait_for_selector(".stage", state="detached")
                await page.click("button:has-text('한국어')")
                await page.wait_for_selector(".top-bar >> text=통합관제")


async def test_a_wrong_password_at_the_form_is_said_and_lets_nobody_in(tmp_path: Path) -> None:
    async with running_city(tmp_path, {"cameras": []}) as city, chromium() as browser:
        page = await browser.new_page(locale="en-GB")
        await page.goto(city.url)
        await page.fill("input[name=account]", "admin")
        await page.fill("input[name=password]", "not-the-password")
        await page.click("button.primary")
        await page.locator(".problem[data-problem=wrong-password]:has-text('wrong')").wait_for()
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


def places(count: int) -> dict[str, Any]:
    """Settings of c0, c1, …: a line of cameras, 100 m from one to the next, with Korean names."""
    return {
        f"c{n}": {
            "name": f"매산로 {n}가 Maesan-ro {n}",
            "category": "traffic" if n % 2 else "school_zone",
            "position": {"latitude": 37.2660 + n * 0.0009, "longitude": 127.0},
        }
        for n in range(count)
    }


async def text_of(page: Page, selector: str) -> str:
    return " ".join((await page.locator(selector).first.inner_text()).split())


async def cameras_in_order(page: Page, selector: str) -> list[str]:
    """Camera ids of the tiles under `selector`, as they stand on the screen."""
    script = """selector => [...document.querySelectorAll(selector)].sort((a, b) => a.style.order - b.style.order)
        .map(tile => tile.dataset.camera)"""
    found: list[str] = await page.evaluate(script, selector)
    return found


async def test_layouts_pages_search_and_the_net_work_by_mouse_and_by_keyboard(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(6)]
    async with (
        VirtualCameraServer(mounts(6)) as server,
        running_city(tmp_path, settings_for(server, names, **places(6))) as city,
    ):
        await city.wait_live(6)
        async with signed_in_page(city) as page:
            await _layouts_and_pages(page, names)
            await _search_and_net(page)
            await _keys_stay_out_of_text(page)
            await _on_a_phone_only_what_is_seen_plays(page)


async def _on_a_phone_only_what_is_seen_plays(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 300})
    await page.click(".tabs button:nth-child(2)")
    state = "document.querySelector('.wall [data-camera=c5] haechi-player')?.dataset.state"
    await page.wait_for_function(f"() => {state} === 'paused'")
    await playing(page, 2)
    assert await page.evaluate(state) == "paused"
    await page.locator(".wall [data-camera=c5]").scroll_into_view_if_needed()
    await page.wait_for_function(f"() => {state} === 'playing'")


async def _layouts_and_pages(page: Page, names: list[str]) -> None:
    wall = ".wall .tile"
    assert await cameras_in_order(page, wall) == names  # the layout that shows them all
    await page.click("[data-layout='4']")
    await page.wait_for_selector(".wall[data-tiles='4']")
    assert await cameras_in_order(page, wall) == names[:4]
    assert await text_of(page, "[data-testid=page]") == "1 / 2"
    await page.keyboard.press("PageDown")
    await page.wait_for_selector(".wall .tile[data-camera=c5]")
    assert await cameras_in_order(page, wall) == names[4:]
    await page.keyboard.press("Alt+1")
    await page.wait_for_selector(".wall[data-tiles='1']")
    await page.reload()
    await page.wait_for_selector(".wall[data-tiles='1']")  # remembered for this account
    await playing(page, 1)
    await page.keyboard.press("Alt+7")
    await page.wait_for_selector(".wall[data-tiles='16']")
    await playing(page, len(names))


async def _search_and_net(page: Page) -> None:
    await page.keyboard.press("/")
    found = page.locator("[data-found]")
    for typed, expected in (
        ("ㅁㅅㄹ 3", ["c3"]),
        ("c4", ["c4"]),
        ("스쿨", ["c0", "c2", "c4"]),
        ("school", ["c0", "c2", "c4"]),
    ):
        await page.fill("[data-testid=search]", typed)
        await page.wait_for_function(f"() => document.querySelectorAll('[data-found]').length === {len(expected)}")
        assert [await each.get_attribute("data-found") for each in await found.all()] == expected
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".stage-picture[data-camera=c2] haechi-player[data-state=playing]")
    assert await page.locator("[data-testid=search]").count() == 0
    near = await cameras_in_order(page, ".net .tile")
    assert (set(near[:2]), set(near[2:4]), near[4]) == ({"c1", "c3"}, {"c0", "c4"}, "c5")
    assert await text_of(page, ".net .tile[data-camera=c5] .tile-distance") == "300 m"
    await page.click(".net .tile[data-camera=c5]")
    await moves(page, ".stage-picture[data-camera=c5]")
    await page.keyboard.press("Escape")
    await page.wait_for_selector(".stage", state="detached")


async def _keys_stay_out_of_text(page: Page) -> None:
    await page.keyboard.press("?")
    await page.wait_for_selector("[data-testid=help]")
    await page.keyboard.press("Escape")
    await page.wait_for_selector("[data-testid=help]", state="detached")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("?/jk12")
    assert await page.input_value("[data-testid=search]") == "?/jk12"
    assert await page.locator("[data-testid=help]").count() == 0
    await page.keyboard.press("Escape")
    await page.wait_for_selector("[data-testid=search]", state="detached")


@asynccontextmanager
async def city_with_an_intrusion(folder: Path) -> AsyncIterator[City]:
    """Camera `park` of the demo, into whose zone a person walks soon, and a quiet one 100 m away."""
    park = Mount(
        name="park",
        main=CLIPS / "playground.mp4",
        sub=CLIPS / "playground_sub.mp4",
        phase_seconds=INTRUSION_BEGINS_AT - 6.0,  # the city needs a few seconds to start watching
    )
    zone = {
        "name": "playground",
        "polygon": [[0.0, 0.6016], [1.0, 0.6016], [0.7827, 0.2394], [0.2173, 0.2394]],
        "rules": [{"kind": "intrusion", "confirm_seconds": 0.5}],
    }
    near = {"position": {"latitude": 37.2669, "longitude": 127.0}, "zones": []}
    here = {"position": {"latitude": 37.2660, "longitude": 127.0}, "zones": [zone], "category": "park_safety"}
    async with (
        VirtualCameraServer([park, *mounts(1)]) as server,
        running_city(folder, settings_for(server, ["park", "c0"], park=here, c0=near)) as city,
    ):
        await city.wait_live(2)
        yield city


async def test_an_alarm_says_why_and_is_dispatched_answered_and_closed_from_the_keyboard(tmp_path: Path) -> None:
    async with city_with_an_intrusion(tmp_path) as city, signed_in_page(city) as page:
        alarm = page.locator(".alarm[data-state=new]").first
        await alarm.wait_for(timeout=90_000)
        name = str(await alarm.get_attribute("data-incident"))
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        card = f"[data-testid=reason-card][data-incident='{name}']"
        await page.wait_for_selector(f"{card} [data-testid=timeline] [data-action=created]")
        await _says_why(page, card)
        await moves(page, ".stage-picture[data-camera=park]")
        await page.keyboard.press("a")
        await page.wait_for_selector(f"{card}[data-state=acknowledged]")
        await _dispatched_once(page, city, name, card)
        await _shows_what_the_desk_answers(page, city, name, card)
        await page.keyboard.press("2")
        await page.wait_for_selector("[data-testid=close-form]")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(f"{card}[data-state=closed]")
        await page.click("[data-filter=closed]")
        closed = page.locator(f".alarm[data-incident='{name}'][data-state=closed]")
        await closed.wait_for()
        assert "False" in await closed.inner_text()
        told = (await city.client.get(f"{INCIDENTS}/{name}")).json()
        assert (told["state"], told["verdict"], told["owner"]) == ("closed", "false", OPERATOR)


async def _says_why(page: Page, card: str) -> None:
    why = await text_of(page, f"{card} [data-testid=why]")
    assert "A person is inside the zone" in why and "playground" in why and "person" in why and "0.5 s" in why
    assert "to be judged by a person" in await text_of(page, card)
    picture = """() => {
        const box = name => document.querySelector('[data-testid=snapshot] ' + name).getBoundingClientRect();
        const img = box('img'), zone = box('polygon'), found = box('.snapshot-box');
        const part = (value, from, size) => (value - from) / size;
        return [img.width / img.height, part(zone.left, img.left, img.width), part(zone.bottom, img.top, img.height),
            part(found.left, img.left, img.width), part(found.right, img.left, img.width)];
    }"""
    await page.wait_for_function("() => document.querySelector('[data-testid=snapshot] img').naturalWidth > 0")
    aspect, zone_left, zone_bottom, left, right = await page.evaluate(picture)
    assert aspect == pytest.approx(16 / 9, abs=0.02)
    assert zone_left == pytest.approx(0, abs=0.02) and zone_bottom == pytest.approx(0.6016, abs=0.02)
    assert 0 < left < right < 1 and right - left < 0.2  # a person, not the picture


async def _dispatched_once(page: Page, city: City, name: str, card: str) -> None:
    """Two touches; a double click makes one dispatch; the usual desk of an intrusion is chosen already."""
    await page.keyboard.press("d")
    assert await page.is_checked("[data-testid=dispatch-form] input[value=police]")
    assert not await page.is_checked("[data-testid=dispatch-form] input[value=fire]")
    await page.fill("[data-testid=dispatch-form] textarea", "놀이터 북쪽 입구 north gate")
    await page.dblclick("[data-testid=dispatch-confirm]")
    await page.wait_for_selector(f"{card}[data-state=dispatched] [data-desk=police]")
    await page.wait_for_selector("[data-testid=dispatch-form]", state="detached")
    steps = (await city.client.get(f"{INCIDENTS}/{name}/steps")).json()["steps"]
    assert [step["desk"] for step in steps if step["action"] == "dispatch"] == ["police"]
    assert await page.locator(f"{card} .problem").count() == 0


async def _shows_what_the_desk_answers(page: Page, city: City, name: str, card: str) -> None:
    police = await city.sign_in("police_desk")
    await police.post(f"{INCIDENTS}/{name}/receive", json={"note": "순찰 3호 car 3"})
    received = page.locator(f"{card} [data-desk=police] li[data-given=true]:has-text('car 3')")
    await received.wait_for()
    await police.post(f"{INCIDENTS}/{name}/arrive", json={"note": ""})
    await page.wait_for_selector(f"{card}[data-state=arrived] [data-action=arrive]")


async def test_what_is_refused_is_said_at_the_button_in_the_language_chosen(tmp_path: Path) -> None:
    async with city_with_an_intrusion(tmp_path) as city, signed_in_page(city) as page:
        await page.click("button:has-text('한국어')")
        await page.locator(".alarm[data-state=new] .alarm-open").first.click(timeout=90_000)
        name = str(await page.get_attribute("[data-testid=reason-card]", "data-incident"))
        assert "사람이 구역 안에 들어옴" in await text_of(page, "[data-testid=why]")
        actions = page.locator("[data-testid=actions]")
        await _the_lead_is_first(page, city, name)
        await actions.locator(".problem[data-problem=incident-state]:has-text('이미 바뀌어')").wait_for()
        await page.wait_for_selector("[data-testid=reason-card][data-state=acknowledged]")
        assert "인수하십시오" in await actions.inner_text()  # somebody else's: nothing to decide, but to take over
        assert await actions.locator("[data-verdict], [data-testid=dispatch]").count() == 0
        await page.context.set_offline(True)
        await page.fill("[data-testid=note]", "입구 확인")
        await page.keyboard.press("Enter")
        await actions.locator(".problem[data-problem=no-answer]:has-text('응답하지 않습니다')").wait_for()
        await page.wait_for_selector("[data-testid=offline]")
        await page.click("button:has-text('English')")
        await actions.locator(".problem:has-text('does not answer')").wait_for()
        await page.context.set_offline(False)
        await page.click(".note-form button")
        await page.wait_for_selector("[data-testid=timeline] [data-action=note]:has-text('입구 확인')")
        await actions.locator(".problem").wait_for(state="detached")
        await page.click("[data-testid=take-over]")
        await actions.locator("[data-verdict=real]").wait_for()


async def _the_lead_is_first(page: Page, city: City, name: str) -> None:
    """The operator's acknowledgement is on its way when the shift lead's is taken."""
    lead = await city.sign_in("shift_lead")

    async def after_the_lead(route: Route) -> None:
        (await lead.post(f"{INCIDENTS}/{name}/acknowledge")).raise_for_status()
        await route.continue_()

    await page.route("**/acknowledge", after_the_lead)
    await page.click("[data-testid=reason-card] [data-testid=acknowledge]")


HOMES = {
    "operator": "/console",
    "shift_lead": "/console",
    "police_desk": "/desk",
    "fire_desk": "/desk",
    "mayor": "/mayor",
    "privacy_officer": "/ledger",
    "administrator": "/admin",
}


async def test_every_role_begins_at_its_own_page_and_other_pages_are_refused_calmly(tmp_path: Path) -> None:
    async with running_city(tmp_path, {"cameras": []}) as city, chromium() as browser:
        for role, home in HOMES.items():
            page = await browser.new_page(locale="en-GB")
            await page.goto(city.url)
            await page.fill("input[name=account]", await city.account(role))
            await page.fill("input[name=password]", PASSWORD)
            await page.click("button.primary")
            await page.wait_for_url(f"{city.url}{home}")
            await page.wait_for_selector("[data-testid=account]")
            await page.goto(city.url + ("/ledger" if home == "/console" else "/console"))
            refusal = page.locator("[data-testid=refusal]:has-text('not yours')")
            await refusal.wait_for()
            await refusal.locator("a").click()
            await page.wait_for_url(f"{city.url}{home}")
            await page.click("[data-testid=account]")
            await page.click("[data-testid=sign-out]")
            await page.wait_for_selector("input[name=password]")
            await page.close()


async def test_a_person_changes_the_own_password_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    new = "another-password-entirely"
    async with running_city(tmp_path, {"cameras": []}) as city, chromium() as browser:
        page = await browser.new_page(locale="ko-KR")
        await page.goto(city.url)
        await page.fill("input[name=account]", OPERATOR)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button.primary")
        await page.click("[data-testid=account]")
        await page.click("[data-testid=change-password]")
        for current in ("not-the-password", PASSWORD):
            await page.fill("dialog input[name=current]", current)
            await page.fill("dialog input[name=new]", new)
            await page.click("dialog button.primary")
            if current != PASSWORD:
                await page.locator("dialog .problem:has-text('비밀번호가 맞지 않습니다')").wait_for()
        await page.locator("dialog [role=status]:has-text('비밀번호를 바꾸었습니다')").wait_for()
        await page.keyboard.press("Escape")
        assert (await city.client.get("/api/v1/session")).status_code == 401  # the other sign-in has ended
        body = {"name": OPERATOR, "password": new}
        assert (await city.admin.post("/api/v1/session", json=body)).status_code == 200
