"""The guide: what its pages show is done here, step by step, on the demo city, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.album import GUIDE, MAX_BYTES, WRITES, Album, folder_of
from tests.city import running_demo, wait_for
from tests.e2e.test_console import moves
from tests.people import LOCALES, Language, Room, room
from tests.requirements import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Page

DEMO = ROOT / "config" / "demo"
CAMERAS = 16
ALARMS = 4  # in the rail before the wall is shown: an empty one explains little
# A spot on the pavement, as somebody would draw it.
ZONE = (("0.30", "0.55"), ("0.72", "0.50"), ("0.86", "0.84"), ("0.22", "0.90"))
# The alarm that the guide follows is at one of these, the first that has one: others stand near enough to be looked at.
PLACES = ("haenggung-lot", "jidong-market", "hyowon-park", "seodun-alley", "ingye-ro", "maetan-ro", "manseok-park")
NOTES: dict[Language, dict[str, str]] = {
    "en": {
        "dispatch": "Please look at the north entrance first.",
        "outcome": "Settled at the scene.",
        "name": "Kim Min-ji",
        "camera": "City hall square",
        "purpose": "crime prevention",
    },
    "ko": {
        "dispatch": "북쪽 입구부터 확인 바랍니다.",
        "outcome": "현장 조치 완료.",
        "name": "김민지",
        "camera": "시청 앞 광장",
        "purpose": "방범",
    },
}
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])


@pytest.mark.alone
@pytest.mark.timeout(600)
async def test_every_step_of_the_guide_is_there_and_every_picture_of_it_is_taken(tmp_path: Path) -> None:
    async with running_demo(tmp_path, DEMO) as city:
        await city.wait_live(CAMERAS)
        for language in LOCALES:
            album = Album(language)
            async with room(city, language) as people:
                await _sign_in(people, album)
                await _a_shift(people, album)
                await _the_mayor(people, album)
                await _the_ledger(people, album)
                await _the_administrator(people, album)
            assert set(album.taken) == _pictures_shown(language)
            if WRITES:
                _forget_old_pictures(album)


async def _sign_in(people: Room, album: Album) -> None:
    page = await people.browser.new_page(locale=LOCALES[people.language], viewport={"width": 720, "height": 560})
    await page.goto(people.city.url)
    await album.take(page, "sign-in", "input[name=account]", "input[name=password]", "button.primary")
    await page.close()


async def _a_shift(people: Room, album: Album) -> None:
    """The operator's wall, an alarm, its dispatch; the desk's answers; the verdict."""
    operator, desk = await people.sit("operator"), await people.sit("police_desk")
    notes = NOTES[people.language]
    await operator.locator(".alarm[data-state=new]").nth(ALARMS - 1).wait_for(timeout=120_000)
    alarm = await _an_alarm(operator)
    await _all_play(operator, ".wall .tile", CAMERAS)
    await album.take(operator, "console", ".tile", ".alarm[data-state=new]", "[data-layout='16']")
    await operator.click(f".alarm[data-incident='{alarm}'] .alarm-open")
    await moves(operator, ".stage-picture")
    await operator.click("[data-testid=reason-card] [data-testid=acknowledge]")
    await operator.wait_for_selector("[data-testid=reason-card][data-state=acknowledged]")
    await _all_play(operator, "[data-testid=net] .tile", 1)
    await album.take(operator, "alarm", "[data-testid=snapshot] img", "[data-testid=why]", "[data-testid=net] .tile")
    await operator.click("[data-testid=reason-card] [data-testid=dispatch]")
    await operator.locator("[data-testid=dispatch-form] input[value=police]").set_checked(True)
    await operator.locator("[data-testid=dispatch-form] input[value=fire]").set_checked(False)
    await operator.fill("[data-testid=dispatch-form] textarea", notes["dispatch"])
    await album.take(operator, "dispatch", "[data-testid=dispatch-confirm]", part="[data-testid=reason-card]")
    await operator.click("[data-testid=dispatch-confirm]")
    await _the_desk(desk, album, alarm, notes["outcome"])
    await operator.wait_for_selector("[data-testid=reason-card][data-state=arrived]")
    await operator.click("[data-testid=reason-card] [data-verdict=real]")
    await album.take(operator, "close", "[data-testid=close-confirm]", part="[data-testid=reason-card]")
    await operator.click("[data-testid=close-confirm]")
    await desk.wait_for_selector("[data-testid=desk-ended]")
    await operator.context.close()
    await desk.context.close()


async def _an_alarm(operator: Page) -> str:
    async def one() -> str | None:
        for place in PLACES:
            alarm = operator.locator(f".alarm[data-state=new][data-camera={place}]").first
            if await alarm.count():
                return await alarm.get_attribute("data-incident")
        return None

    return str(await wait_for(one, "an alarm at a camera that others stand near to", 120))


async def _all_play(page: Page, tiles: str, at_least: int) -> None:
    """Every tile plays, but for those that are out of sight."""

    async def they_do() -> bool:
        states = await page.locator(f"{tiles} haechi-player").evaluate_all("all => all.map(one => one.dataset.state)")
        return states.count("playing") >= at_least and set(states) <= {"playing", "paused"}

    await wait_for(they_do, f"{at_least} of {tiles} playing", 90)


async def _the_desk(desk: Page, album: Album, alarm: str, outcome: str) -> None:
    await desk.wait_for_selector(f"[data-testid=desk-scene][data-incident='{alarm}']")
    await moves(desk, "[data-testid=desk-picture]")
    await desk.click("[data-testid=desk-receive]")
    await desk.wait_for_selector("[data-testid=desk-receive][data-done=true]")
    await desk.wait_for_selector("[data-testid=map][data-map=ready]", timeout=60_000)
    await album.take(desk, "desk", "[data-testid=desk-operator-note]", "[data-testid=desk-arrive]:not(:disabled)")
    await desk.click("[data-testid=desk-arrive]")
    await desk.wait_for_selector("[data-testid=desk-arrive][data-done=true]")
    await desk.fill("[data-testid=desk-note]", outcome)
    await desk.click("[data-testid=desk-outcome]")
    await desk.wait_for_selector("[data-testid=desk-outcome][data-done=true]")
    await album.take(desk, "desk-answers", "[data-testid=desk-outcome]", part=".desk-answers")


async def _the_mayor(people: Room, album: Album) -> None:
    mayor = await people.sit("mayor")
    await mayor.wait_for_selector("[data-testid=map][data-map=ready]", timeout=60_000)
    await album.take(mayor, "mayor", "[data-testid=categories] .category", "[data-testid=situations]")
    await mayor.click(".category[data-category=park_safety]")
    await mayor.click(".camera-target >> nth=0")
    await moves(mayor, "[data-testid=viewer]")
    await album.take(mayor, "mayor-picture", "[data-testid=viewer-next]", "[data-testid=viewer-close]")
    await mayor.context.close()


async def _the_ledger(people: Room, album: Album) -> None:
    police = await people.city.sign_in("police_desk")
    offer = {"content": "v=0\r\n", "headers": {"content-type": "application/sdp"}}
    assert (await police.post("/api/v1/cameras/maetan-ro/whep", **offer)).status_code == 403
    privacy = await people.sit("privacy_officer")
    await album.take(privacy, "ledger", "tr[data-refused=true]", "tr[data-action='incident.closed']")
    await privacy.click("[data-testid=verification] button.primary")
    place = "[data-testid=verification]"
    await album.take(privacy, "ledger-whole", f"{place}[data-result=intact]", "[data-testid=head]", part=place)
    await privacy.context.close()


async def _the_administrator(people: Room, album: Album) -> None:
    notes = NOTES[people.language]
    admin = await people.sit("administrator")
    await album.take(admin, "cameras", "[data-testid=cameras] [data-state=live]", "[data-testid=add-camera]")
    await admin.click("[data-testid=add-camera]")
    fields = {"id": f"square-{people.language}", "name": notes["camera"], "purpose": notes["purpose"]}
    fields |= {"latitude": "37.2635", "longitude": "127.0286", "main": "rtsp://192.0.2.10/main"}
    for name, value in fields.items():
        await admin.fill(f".camera-form [name={name}]", value)
    await album.take(admin, "camera-form", "[data-testid=save-camera]")
    await admin.click("[data-testid=add-zone]")
    await admin.select_option(".rule [name=kind]", "loitering")
    for place, value in enumerate(value for point in ZONE for value in point):
        await admin.fill(f".points input >> nth={place}", value)
    await admin.set_viewport_size({"width": 1280, "height": 1700})  # so that no bar lies over the zone
    await album.take(admin, "zone", ".points svg", ".rule [name=seconds]", part=".zone")
    await admin.set_viewport_size({"width": 1280, "height": 800})
    await admin.click("[data-testid=save-camera]")
    await admin.wait_for_selector(f"[data-camera={fields['id']}]")
    await admin.click("[data-tab=accounts]")
    await admin.click("[data-testid=add-account]")
    await admin.fill(".account-add [name=name]", notes["name"])
    await admin.click(".account-add .primary")
    await album.take(admin, "accounts", "[data-testid=made-password]", "[data-account=admin]")
    await admin.click("[data-tab=health]")
    why = f".health-row[data-camera={fields['id']}] small:not(:empty)"
    await album.take(admin, "health", "[data-worker=w0][data-ok=true]", why)
    await people.city.admin.delete(f"/api/v1/register/cameras/{fields['id']}")
    await admin.context.close()


def _pictures_shown(language: Language) -> set[str]:
    """Names of the pictures that the guide's pages in a language show."""
    pages = folder_of(language).glob("*.md")
    return {Path(to).stem for page in pages for to in _links(page) if to.endswith(".png")}


def _forget_old_pictures(album: Album) -> None:
    for file in folder_of(album.language).glob("*.png"):
        if file.stem not in album.taken:
            file.unlink()


def _links(page: Path) -> list[str]:
    return [match[2] for match in LINK.finditer(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for to in _links(page):
        path, _, place = to.partition("#")
        if re.match(r"[a-z]+:", to):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{to} leads nowhere"
        if place and target.suffix == ".md":
            assert place in _places(target), f"{to}: no such heading"


def _places(page: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("language", LOCALES)
def test_the_guide_has_the_same_pages_in_both_languages_and_light_pictures(language: Language) -> None:
    folder = folder_of(language)
    assert {page.name for page in folder.glob("*.md")} == {page.name for page in GUIDE.glob("*.md")}
    for picture in folder.glob("*.png"):
        assert picture.stat().st_size <= MAX_BYTES, f"{picture.name} is heavier than {MAX_BYTES} bytes"
