"""People at their screens: a signed-in browser window each, as on the desks of a control center."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from tests.browser import chromium
from tests.city import PASSWORD, City
from tests.requirements import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

Language = Literal["en", "ko"]
LOCALES: dict[Language, str] = {"en": "en-GB", "ko": "ko-KR"}
DESKTOP = (1280, 800)


@dataclass(frozen=True, slots=True)
class Room:
    """Where people of one language sit down before a city."""

    city: City
    browser: Browser
    language: Language

    async def sit(self, role: str, size: tuple[int, int] = DESKTOP) -> Page:
        """A window signed in with `role` through the form, at the role's own page."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=LOCALES[self.language],
            timezone_id="Asia/Seoul",
            accept_downloads=True,
        )
        page = await context.new_page()
        await page.goto(self.city.url)
        await self.sign_in(page, role)
        assert await page.evaluate("document.documentElement.lang") == self.language
        return page

    async def sign_in(self, page: Page, role: str) -> None:
        """Fill in the form that is on `page`."""
        await page.fill("input[name=account]", await self.city.account(role))
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_selector("[data-testid=account], .sign-in .problem")
        assert await page.locator("[data-testid=account]").count(), await page.locator("body").inner_text()


@asynccontextmanager
async def room(city: City, language: Language) -> AsyncIterator[Room]:
    """Skips the test where the operator UI is not built."""
    if not (ROOT / "operator_ui" / "dist" / "index.html").exists():
        pytest.skip("needs the built operator UI (make builds it)")
    async with chromium() as browser:
        yield Room(city, browser, language)
