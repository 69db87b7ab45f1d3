"""The privacy officer's page in a real browser: rows in words, filters, pages without end, the chain checked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.city import City, running_city, wait_for
from tests.people import LOCALES, Language, room

NO_CAMERAS = {"cameras": []}
ROW = "[data-testid=ledger-rows] tr[data-row]"


async def _make_rows(city: City, count: int) -> None:
    """Rows as they come about: failed sign-ins would be limited, so an account's role goes to and fro."""
    await city.account("mayor")
    accounts = (await city.admin.get("/api/v1/accounts")).json()["accounts"]
    (mayor,) = [account["id"] for account in accounts if account["name"] == "mayor"]
    for number in range(count):
        role = "shift_lead" if number % 2 == 0 else "mayor"
        answer = await city.admin.patch(f"/api/v1/accounts/{mayor}", json={"role": role})
        assert answer.status_code == 200, answer.text


async def test_rows_are_words_in_both_languages_and_refusals_stand_out(tmp_path: Path) -> None:
    said: dict[Language, tuple[str, str]] = {"en": ("Sign-in refused", "mayor"), "ko": ("로그인 거부", "시장")}
    async with running_city(tmp_path, NO_CAMERAS) as city:
        await _make_rows(city, 1)
        await city.client.post("/api/v1/session", json={"name": "operator", "password": "not-this-one-at-all"})
        for language in LOCALES:
            async with room(city, language) as people:
                page = await people.sit("privacy_officer")
                refusal = page.locator("tr[data-action='session.refused'][data-refused=true]").first
                await refusal.wait_for()
                refused, role = said[language]
                assert refused in await refusal.inner_text() and "operator" in await refusal.inner_text()
                changed = page.locator("tr[data-action='account.role_changed']").first
                assert role in (await changed.inner_text()).lower()
                text = await page.locator("[data-testid=ledger-rows]").inner_text()
                assert "role_changed" not in text and "session.refused" not in text


async def test_filters_narrow_and_clearing_them_brings_everything_back(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "en") as people:
        await _make_rows(city, 4)
        page = await people.sit("privacy_officer")
        rows = page.locator(ROW)
        await rows.first.wait_for()
        everything = await rows.count()
        await page.select_option("select[name=action]", "account.role_changed")

        async def narrowed() -> bool:
            return await rows.count() == 4

        await wait_for(narrowed, "only the changes of a role")
        await page.fill("input[name=account]", "operator")
        await page.press("input[name=account]", "Enter")
        await page.get_by_text("No row fits these filters.").wait_for()
        await page.get_by_role("button", name="Clear filters").click()

        async def whole() -> bool:
            return await rows.count() >= everything

        await wait_for(whole, "every row again")


async def test_older_rows_come_while_scrolling_down_to_the_first(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "en") as people:
        await _make_rows(city, 90)
        page = await people.sit("privacy_officer")
        rows = page.locator(ROW)
        await rows.first.wait_for()
        newest = int(await rows.first.get_attribute("data-row") or 0)
        assert newest > 90 > await rows.count()

        async def all_of_them() -> bool:
            await rows.last.scroll_into_view_if_needed()
            return await rows.count() >= newest

        await wait_for(all_of_them, "the ledger down to its first row")
        sequence = [int(await row.get_attribute("data-row") or 0) for row in await rows.all()]
        assert sequence == list(range(sequence[0], 0, -1))
        await page.get_by_text("This is the beginning of the ledger.").wait_for()


async def test_the_chain_is_whole_until_a_row_is_changed_and_then_that_row_is_named(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "ko") as people:
        await _make_rows(city, 3)
        page = await people.sit("privacy_officer")
        check = page.locator("[data-testid=verification]")
        await check.locator("button.primary").click()
        await page.wait_for_selector("[data-testid=verification][data-result=intact]")
        assert len(await check.locator("[data-testid=head]").inner_text()) == 64
        assert int(await check.locator("[data-testid=rows]").inner_text()) >= 3
        with sqlite3.connect(city.data_dir / "center.sqlite", timeout=30) as connection:
            connection.execute("UPDATE ledger SET address = '10.0.0.1' WHERE sequence = 2")
        await check.locator("button.primary").click()
        await page.wait_for_selector("[data-testid=verification][data-result=broken]")
        assert await check.locator("[data-testid=broken-at]").inner_text() == "2"
        assert "원장이 변경되었습니다" in await check.inner_text()
        await page.wait_for_selector("tr[data-row='2'][data-broken=true]")


async def test_who_may_not_read_the_ledger_is_told_so_calmly(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "en") as people:
        page = await people.sit("administrator")
        await page.goto(f"{city.url}/ledger")
        await page.locator("[data-testid=refusal]").wait_for()
        assert (await city.admin.get("/api/v1/ledger")).status_code == 403


async def test_a_center_that_does_not_answer_is_said_and_the_rows_stay(tmp_path: Path) -> None:
    async with running_city(tmp_path, NO_CAMERAS) as city, room(city, "en") as people:
        page = await people.sit("privacy_officer")
        await page.locator(ROW).first.wait_for()
        city.process.terminate()
        await city.process.wait()
        await page.locator("[data-testid=ledger-refresh]").click()
        await page.get_by_text("The ledger could not be read.").wait_for()
        assert await page.locator(ROW).count() > 0
