"""Accounts over the API: made, changed, disabled, and what each of it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from control_center.accounts import Accounts, LastAdministrator, NameRefused, checked_name, name_key
from control_center.database import LedgerRow, SignIn
from control_center.ledger import COMMAND_LINE
from control_center.rights import Role
from tests.browser import chromium
from tests.integration.control_center.conftest import PASSWORD, RunningCenter, serving, settings_in

ADMIN = Role.ADMINISTRATOR
NOBODY = "0" * 32


async def make(admin: httpx.AsyncClient, name: str, role: str = "operator", **form: Any) -> dict[str, Any]:
    answer = await admin.post("/api/v1/accounts", json={"name": name, "role": role, **form})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@asynccontextmanager
async def signing_in(
    center: RunningCenter, name: str, password: str = PASSWORD
) -> AsyncIterator[tuple[int, httpx.AsyncClient]]:
    """The status of the answer, and a client with what cookies came."""
    async with center.client() as client:
        answer = await client.post("/api/v1/session", json={"name": name, "password": password})
        yield answer.status_code, client


async def sign_in(center: RunningCenter, name: str, password: str = PASSWORD) -> int:
    async with signing_in(center, name, password) as (code, _):
        return code


async def ledger(center: RunningCenter, *actions: str) -> list[LedgerRow]:
    async with center.parts.database.read() as session:
        rows = select(LedgerRow).where(LedgerRow.action.in_(actions)).order_by(LedgerRow.sequence)
        return list(await session.scalars(rows))


def kind(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:haechi:problem:")


async def test_an_account_made_without_a_password_gets_one_that_is_shown_once(center: RunningCenter) -> None:
    async with center.signed_in_as(ADMIN) as admin:
        made = await make(admin, "김민수", "shift_lead")
        assert made["account"].items() >= {"name": "김민수", "role": "shift_lead", "disabled": False}.items()
        async with signing_in(center, "김민수", made["password"]) as (code, client):
            assert code == 200
            session = (await client.get("/api/v1/session")).json()
        assert (session["account_id"], session["desk"]) == (made["account"]["id"], None)
        listed = (await admin.get("/api/v1/accounts")).json()["accounts"]
        assert [account["name"] for account in listed] == ["administrator", "김민수"]
        assert made["password"] not in str(listed) and "hash" not in str(listed)
        given = await make(admin, "lee", password="a-password-of-lee")
        assert given["password"] is None


async def test_who_sits_at_a_desk_is_told_which(center: RunningCenter) -> None:
    async with center.signed_in_as(Role.FIRE_DESK) as client:
        assert (await client.get("/api/v1/session")).json()["desk"] == "fire"


@pytest.mark.parametrize("name", ["Kim", "KIM ", " kim", "ｋｉｍ"])
async def test_a_name_that_a_person_would_take_for_another_is_refused(center: RunningCenter, name: str) -> None:
    async with center.signed_in_as(ADMIN) as admin:
        await make(admin, "kim")
        answer = await admin.post("/api/v1/accounts", json={"name": name, "role": "operator"})
        assert kind(answer) == (409, "name-taken")
        assert answer.json()["errors"][0]["field"] == "name"


async def test_one_signs_in_however_the_name_is_typed(sqlite_center: RunningCenter) -> None:
    await sqlite_center.parts.accounts.create("Kim", PASSWORD, Role.OPERATOR)
    for typed in ("Kim", "kim", " KIM"):
        assert await sign_in(sqlite_center, typed) == 200


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\u200bb", "a\x00", "x" * 65])
async def test_names_are_short_and_can_be_seen(sqlite_center: RunningCenter, name: str) -> None:
    async with sqlite_center.signed_in_as(ADMIN) as admin:
        answer = await admin.post("/api/v1/accounts", json={"name": name, "role": "operator"})
        assert kind(answer) == (422, "invalid")
        assert answer.json()["errors"][0]["field"] == "name"


def test_a_name_is_trimmed_and_its_letters_are_composed() -> None:
    assert checked_name("  x y ") == "x y"
    assert checked_name("\u1112\u1161\u11ab") == "\ud55c"
    assert name_key("Straße") == name_key("STRASSE")
    with pytest.raises(NameRefused):
        checked_name("\u202eevil")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "a", "role": "first"}, "role"),
        ({"name": "a"}, "role"),
        ({"name": "a", "role": "operator", "password": "eleven-char"}, "password"),
        ({"name": "a", "role": "operator", "password": "x" * 257}, "password"),
        ({"name": "a", "role": "operator", "rights": ["view_live"]}, "rights"),
    ],
)
async def test_what_is_wrong_with_a_form_is_named(
    sqlite_center: RunningCenter, form: dict[str, Any], field: str
) -> None:
    async with sqlite_center.signed_in_as(ADMIN) as admin:
        answer = await admin.post("/api/v1/accounts", json=form)
        assert kind(answer) == (422, "invalid")
        assert [fault["field"] for fault in answer.json()["errors"]] == [field]
        assert "x" * 257 not in answer.text


async def test_every_change_of_an_account_ends_its_sign_ins_at_once(center: RunningCenter) -> None:
    async with center.signed_in_as(ADMIN) as admin:
        made = await make(admin, "kim", password=PASSWORD)
        path, password = f"/api/v1/accounts/{made['account']['id']}", PASSWORD
        for change in ({"role": "mayor"}, "password", {"disabled": True}):
            async with signing_in(center, "kim", password) as (code, client):
                assert code == 200
                if change == "password":
                    password = (await admin.post(f"{path}/password")).json()["password"]
                else:
                    assert (await admin.patch(path, json=change)).status_code == 200
                assert (await client.get("/api/v1/session")).status_code == 401, change
        assert (await admin.get("/api/v1/session")).status_code == 200
        assert (await admin.patch(path, json={"disabled": False})).status_code == 200
        assert [await sign_in(center, "kim", tried) for tried in (PASSWORD, password)] == [401, 200]


async def test_a_disabled_account_cannot_sign_in_and_is_told_no_more_than_anybody(center: RunningCenter) -> None:
    async with center.signed_in_as(ADMIN) as admin:
        made = await make(admin, "kim", password=PASSWORD)
        answer = await admin.patch(f"/api/v1/accounts/{made['account']['id']}", json={"disabled": True})
        assert answer.json()["disabled"] is True
        async with center.client() as client:
            disabled = await client.post("/api/v1/session", json={"name": "kim", "password": PASSWORD})
            unknown = await client.post("/api/v1/session", json={"name": "nobody", "password": PASSWORD})
        assert disabled.status_code == unknown.status_code == 401
        assert disabled.json() == unknown.json()
    assert [row.reason for row in await ledger(center, "session.refused")] == ["disabled", "unknown name"]


async def test_the_last_administrator_cannot_be_disabled_nor_demoted(center: RunningCenter) -> None:
    async with center.signed_in_as(ADMIN) as admin:
        own = f"/api/v1/accounts/{(await admin.get('/api/v1/session')).json()['account_id']}"
        for change in ({"disabled": True}, {"role": "operator"}, {"role": "operator", "disabled": True}):
            assert kind(await admin.patch(own, json=change)) == (409, "last-administrator")
        assert (await admin.get("/api/v1/session")).json()["role"] == "administrator"
        other = await make(admin, "second", "administrator")
        await admin.patch(f"/api/v1/accounts/{other['account']['id']}", json={"disabled": True})
        # A disabled one does not count.
        assert kind(await admin.patch(own, json={"role": "operator"})) == (409, "last-administrator")
        await admin.patch(f"/api/v1/accounts/{other['account']['id']}", json={"disabled": False})
        assert (await admin.patch(own, json={"role": "operator"})).status_code == 200
        assert (await admin.get("/api/v1/accounts")).status_code == 401
    assert len(await ledger(center, "account.role_changed")) == 1


async def test_two_administrators_cannot_demote_each_other_at_the_same_moment(center: RunningCenter) -> None:
    accounts = center.parts.accounts
    ids = [await accounts.create(name, PASSWORD, ADMIN) for name in ("one", "two")]
    changes = [accounts.change(account_id, COMMAND_LINE, role=Role.OPERATOR) for account_id in ids]
    answers = await asyncio.gather(*changes, return_exceptions=True)
    assert sum(isinstance(answer, LastAdministrator) for answer in answers) == 1
    assert sorted(account.role for account in await accounts.all()) == ["administrator", "operator"]


async def test_an_account_that_is_not_there_is_404(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in_as(ADMIN) as admin:
        assert kind(await admin.patch(f"/api/v1/accounts/{NOBODY}", json={"disabled": True})) == (404, "not-found")
        assert kind(await admin.post(f"/api/v1/accounts/{NOBODY}/password")) == (404, "not-found")


async def test_whatever_is_done_to_an_account_is_in_the_ledger_with_before_and_after(center: RunningCenter) -> None:
    async with center.signed_in_as(ADMIN) as admin:
        session = (await admin.get("/api/v1/session")).json()
        own = session["account_id"]
        made = await make(admin, "kim", "administrator", password="a-password-of-kim")
        kim = made["account"]["id"]
        path = f"/api/v1/accounts/{own}"
        # An administrator who gives themself video does it in the open.
        assert (await admin.patch(path, json={"role": "administrator"})).status_code == 200
        assert (await admin.patch(path, json={"role": "operator"})).status_code == 200
    rows = await ledger(center, "account.created", "account.role_changed")
    assert [(row.action, row.account_id, row.subject) for row in rows] == [
        ("account.created", None, "administrator"),
        ("account.created", own, "kim"),
        ("account.role_changed", own, "administrator"),
    ]
    assert rows[0].account_name == "command line"
    assert rows[1].address == "127.0.0.1"
    assert rows[1].details == f'{{"account_id":"{kim}","role":"administrator"}}'
    assert rows[2].details == f'{{"account_id":"{own}","after":"operator","before":"administrator"}}'
    assert "a-password-of-kim" not in "".join(row.details + row.subject + row.reason for row in rows)
    assert (await center.parts.ledger.verify()).broken_at is None


async def test_signing_in_and_out_and_refusals_are_in_the_ledger_but_no_typed_name(center: RunningCenter) -> None:
    await center.parts.accounts.create("kim", PASSWORD, Role.OPERATOR)
    for name, password in (("kim", "wrong"), ("my-password-in-the-wrong-field", PASSWORD), ("kim", PASSWORD)):
        async with signing_in(center, name, password) as (_, client):
            await client.delete("/api/v1/session")
    rows = await ledger(center, "session.refused", "session.signed_in", "session.signed_out")
    assert [(row.action, row.account_name, row.reason) for row in rows] == [
        ("session.refused", "kim", "wrong password"),
        ("session.refused", "unknown", "unknown name"),
        ("session.signed_in", "kim", ""),
        ("session.signed_out", "kim", ""),
    ]


async def test_one_changes_one_s_own_password_and_the_other_browsers_are_signed_out(center: RunningCenter) -> None:
    async with center.signed_in_as(Role.MAYOR) as here, center.signed_in_as(Role.MAYOR) as elsewhere:
        form = {"current": "not-my-password", "new": "a-new-and-long-one"}
        assert kind(await here.put("/api/v1/session/password", json=form)) == (403, "wrong-password")
        short = await here.put("/api/v1/session/password", json={"current": PASSWORD, "new": "short"})
        assert kind(short) == (422, "invalid")
        assert (await elsewhere.get("/api/v1/session")).status_code == 200
        form["current"] = PASSWORD
        assert (await here.put("/api/v1/session/password", json=form)).status_code == 204
        assert (await here.get("/api/v1/session")).status_code == 200
        assert (await elsewhere.get("/api/v1/session")).status_code == 401
    assert await sign_in(center, "mayor", "a-new-and-long-one") == 200
    (row,) = await ledger(center, "account.password_changed")
    assert (row.account_name, row.subject) == ("mayor", "mayor")


async def test_a_browser_left_open_is_no_place_to_guess_the_password(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in_as(Role.MAYOR) as client:
        form = {"current": "a-guess", "new": "a-new-and-long-one"}
        codes = [(await client.put("/api/v1/session/password", json=form)).status_code for _ in range(11)]
        assert codes == [403] * 10 + [429]
    rows = await ledger(sqlite_center, "session.refused")
    assert [(row.account_name, row.reason) for row in rows] == [("mayor", "wrong password at its change")] * 10


async def test_other_capitals_are_no_new_tries(sqlite_center: RunningCenter) -> None:
    """The tries for a name are counted together, however it is typed and from wherever."""
    await sqlite_center.parts.accounts.create("admin", PASSWORD, ADMIN)
    names = ["admin", "Admin", "ADMIN", "ａｄｍｉｎ"]
    codes = []
    for number in range(21):
        async with sqlite_center.client(headers={"X-Forwarded-For": f"203.0.113.{number}"}) as client:
            form = {"name": names[number % 4], "password": "wrong"}
            codes.append((await client.post("/api/v1/session", json=form)).status_code)
    assert codes == [401] * 20 + [429]


class HeldUpHasher(PasswordHasher):
    """Checks a password, then keeps the answer until it is let go."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.has_checked, self.let_go = threading.Event(), threading.Event()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        matches = super().verify(hash, password)
        self.has_checked.set()
        assert self.let_go.wait(30)
        return matches


@pytest.mark.parametrize("change", ["password", "disabled"])
async def test_a_change_while_the_password_is_checked_lets_nobody_in(center: RunningCenter, change: str) -> None:
    accounts = center.parts.accounts
    account_id = await accounts.create("kim", PASSWORD, Role.OPERATOR)
    hasher = HeldUpHasher()
    slow = asyncio.create_task(Accounts(center.parts.database, hasher).sign_in("kim", PASSWORD, "127.0.0.1"))
    assert await asyncio.to_thread(hasher.has_checked.wait, 30)
    if change == "password":
        await accounts.set_password(account_id, "another-long-password")
    else:
        await accounts.change(account_id, COMMAND_LINE, disabled=True)
    hasher.let_go.set()
    assert await slow is None
    async with center.parts.database.read() as session:
        assert list(await session.scalars(select(SignIn))) == []


async def test_a_shift_lead_sees_whom_an_incident_can_be_given_to(center: RunningCenter) -> None:
    async with center.signed_in_as(ADMIN) as admin, center.signed_in_as(Role.SHIFT_LEAD) as lead:
        for name, role in (("kim", "operator"), ("gone", "operator"), ("sergeant", "police_desk")):
            await make(admin, name, role)
        gone = next(one for one in (await admin.get("/api/v1/accounts")).json()["accounts"] if one["name"] == "gone")
        await admin.patch(f"/api/v1/accounts/{gone['id']}", json={"disabled": True})
        staff = (await lead.get("/api/v1/staff")).json()["staff"]
    assert [(one["name"], one["role"]) for one in staff] == [("shift_lead", "shift_lead"), ("kim", "operator")]
    assert all(set(one) == {"id", "name", "role"} for one in staff)


async def test_two_installations_on_one_host_do_not_sign_each_other_out(
    sqlite_center: RunningCenter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A browser keeps one jar of cookies for a host, whatever the port."""
    async with serving(settings_in(tmp_path_factory.mktemp("other"))) as other, sqlite_center.client() as browser:
        for center, role in ((sqlite_center, Role.MAYOR), (other, Role.OPERATOR)):
            await center.parts.accounts.create(role.value, PASSWORD, role)
            form = {"name": role.value, "password": PASSWORD}
            assert (await browser.post(f"{center.url}/api/v1/session", json=form)).status_code == 200
        assert (await browser.get("/api/v1/session")).json()["name"] == "mayor"
        assert (await browser.get(f"{other.url}/api/v1/session")).json()["name"] == "operator"
        assert (await browser.delete("/api/v1/session")).status_code == 204
        assert (await browser.get("/api/v1/session")).status_code == 401
        assert (await browser.get(f"{other.url}/api/v1/session")).status_code == 200


SIGN_IN = """async ([name, password]) => (await fetch("/api/v1/session", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({name, password}),
})).status"""


async def test_a_real_browser_stays_signed_in_to_both_and_no_script_reads_a_cookie(
    sqlite_center: RunningCenter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with serving(settings_in(tmp_path_factory.mktemp("other"))) as other, chromium() as browser:
        context = await browser.new_context()
        pages = []
        for center, role in ((sqlite_center, Role.MAYOR), (other, Role.OPERATOR)):
            await center.parts.accounts.create(role.value, PASSWORD, role)
            page = await context.new_page()
            await page.goto(f"{center.url}/healthz")
            assert await page.evaluate(SIGN_IN, [role.value, PASSWORD]) == 200
            pages.append(page)
        for page, role in zip(pages, ("mayor", "operator"), strict=True):
            session = await page.evaluate("async () => (await fetch('/api/v1/session')).json()")
            assert session["role"] == role
            assert await page.evaluate("document.cookie") == ""
