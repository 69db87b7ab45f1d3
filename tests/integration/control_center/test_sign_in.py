from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text, update

from control_center.accounts import SIGN_IN_LASTS
from control_center.database import SignIn
from control_center.rights import Role
from tests.integration.control_center.conftest import NAME, PASSWORD, RunningCenter


async def test_the_right_password_signs_in_and_the_session_says_who_it_is(center: RunningCenter) -> None:
    async with center.signed_in() as client:
        answer = await client.get("/api/v1/session")
        assert answer.status_code == 200
        body = answer.json()
        assert body["name"] == NAME
        assert {"view_live", "view_incidents", "handle_incidents"} <= set(body["rights"])
        assert body["expires_at"].endswith("Z")


async def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(sqlite_center: RunningCenter) -> None:
    await sqlite_center.parts.accounts.create(NAME, PASSWORD, Role.SHIFT_LEAD)
    async with sqlite_center.client() as client:
        answer = await client.post("/api/v1/session", json={"name": NAME, "password": PASSWORD})
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(center: RunningCenter) -> None:
    await center.parts.accounts.create(NAME, PASSWORD, Role.SHIFT_LEAD)
    async with center.client() as client:
        wrong = await client.post("/api/v1/session", json={"name": NAME, "password": "not-the-password"})
        unknown = await client.post("/api/v1/session", json={"name": "nobody", "password": PASSWORD})
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json() == unknown.json()
        assert "set-cookie" not in wrong.headers and "set-cookie" not in unknown.headers


async def test_many_wrong_tries_are_slowed_down_even_with_the_right_password(sqlite_center: RunningCenter) -> None:
    await sqlite_center.parts.accounts.create(NAME, PASSWORD, Role.SHIFT_LEAD)
    async with sqlite_center.client() as client:
        codes = []
        for _ in range(11):
            answer = await client.post("/api/v1/session", json={"name": NAME, "password": "wrong"})
            codes.append(answer.status_code)
        assert codes[:10] == [401] * 10
        assert codes[10] == 429
        right = await client.post("/api/v1/session", json={"name": NAME, "password": PASSWORD})
        assert right.status_code == 429
        assert 0 < int(right.headers["retry-after"]) <= 20


async def test_signing_out_ends_the_token_itself(center: RunningCenter) -> None:
    async with center.signed_in() as client:
        cookies = dict(client.cookies)
        assert (await client.delete("/api/v1/session")).status_code == 204
        async with center.client(cookies=cookies) as other:
            assert (await other.get("/api/v1/session")).status_code == 401


async def test_a_session_ends_by_itself_after_a_shift(center: RunningCenter) -> None:
    async with center.signed_in() as client:
        async with center.parts.database.write() as session:
            past = datetime.now(UTC) - timedelta(seconds=1)
            await session.execute(update(SignIn).values(expires_at=past))
        assert (await client.get("/api/v1/session")).status_code == 401
    assert timedelta(hours=8) <= SIGN_IN_LASTS <= timedelta(hours=24)


async def test_a_new_password_ends_the_sign_ins_made_with_the_old_one(center: RunningCenter) -> None:
    async with center.signed_in() as client:
        account = await center.parts.accounts.named(NAME)
        await center.parts.accounts.set_password(account.id, "another-long-password")
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_neither_password_nor_token_is_stored(center: RunningCenter) -> None:
    async with center.signed_in() as client:
        token = next(iter(client.cookies.values()))
        async with center.parts.database.read() as session:
            accounts = (await session.execute(text("SELECT * FROM accounts"))).all()
            sessions = (await session.execute(text("SELECT * FROM sessions"))).all()
    assert PASSWORD not in str(accounts) and "$argon2id$" in str(accounts)
    assert sessions and token not in str(sessions)


async def test_a_request_from_a_page_of_another_site_changes_nothing(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client:
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await client.delete("/api/v1/session", headers=headers)
            assert answer.status_code == 403, headers
        own = {"Origin": sqlite_center.url, "Sec-Fetch-Site": "same-origin"}
        assert (await client.delete("/api/v1/session", headers=own)).status_code == 204
