from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from control_center.ledger import COMMAND_LINE
from control_center.reach import Reach, audience_of, desks_of
from control_center.rights import Right, Role
from tests.integration.control_center.conftest import event
from tests.integration.control_center.staffed import AROUND_THE_GATE, Staffed, staffed
from tests.integration.control_center.test_ingest import post

WHOLE_CITY = ("kim", "lead", "mayor")


@pytest.fixture
async def city(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[Staffed]:
    """On both databases."""
    async with staffed(tmp_path, center_database_url) as people:
        yield people


@pytest.fixture
async def sqlite_city(tmp_path: Path) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path, None) as people:
        yield people


async def test_a_desk_sees_the_cameras_of_its_incident_and_no_others_until_it_closes(city: Staffed) -> None:
    reach, police, fire = city.center.parts.reach, await city.person("police"), await city.person("fire")
    assert await reach.cameras(police) == frozenset()
    incident_id = await city.alarm()
    assert not (await reach.sees_camera(police, "gate")).allowed
    await city.take("kim", incident_id, "dispatch", desks=["police"])
    assert await reach.cameras(police) == frozenset(AROUND_THE_GATE)
    for camera_id in AROUND_THE_GATE:
        sight = await reach.sees_camera(police, camera_id)
        assert (sight.allowed, sight.incident_id, sight.reason) == (True, incident_id, "")
    for camera_id in ("at-501", "nowhere", "never-registered"):
        sight = await reach.sees_camera(police, camera_id)
        assert (sight.allowed, sight.incident_id) == (False, None)
        assert "police desk" in sight.reason
    assert await reach.cameras(fire) == frozenset()
    await city.take("kim", incident_id, "close", verdict="real")
    assert await reach.cameras(police) == frozenset()
    assert not (await reach.sees_camera(police, "gate")).allowed


async def test_the_grant_of_the_newest_incident_opens_a_camera_that_two_incidents_share(sqlite_city: Staffed) -> None:
    city, reach = sqlite_city, sqlite_city.center.parts.reach
    police = await city.person("police")
    older = await city.alarm("a")
    await city.take("kim", older, "dispatch", desks=["police"])
    newer = await city.alarm("b", camera_id="at-300")
    await city.take("kim", newer, "dispatch", desks=["police"])
    assert (await reach.sees_camera(police, "gate")).incident_id == newer
    await city.take("kim", newer, "close", verdict="false")
    assert (await reach.sees_camera(police, "gate")).incident_id == older


async def test_a_grant_ends_with_its_time_whether_or_not_anyone_swept(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police"])
    police, database, now = await city.person("police"), city.center.parts.database, datetime.now(UTC)
    for hours, allowed in ((11.9, True), (12.1, False)):
        reach = Reach(database, partial(_sum, now, timedelta(hours=hours)))
        assert (await reach.sees_camera(police, "gate")).allowed is allowed
        assert bool(await reach.cameras(police)) is allowed
        assert await reach.sees_incident(police, incident_id)


def _sum(moment: datetime, more: timedelta) -> datetime:
    return moment + more


async def test_the_right_that_is_asked_decides_which_cameras(sqlite_city: Staffed) -> None:
    reach = sqlite_city.center.parts.reach
    for who in WHOLE_CITY:
        person = await sqlite_city.person(who)
        assert await reach.cameras(person) is None
        assert (await reach.sees_camera(person, "gate")).allowed
    for who in ("privacy", "root"):
        person = await sqlite_city.person(who)
        assert await reach.cameras(person) is None
        assert (await reach.sees_camera(person, "gate", Right.VIEW_CAMERAS)).allowed
        sight = await reach.sees_camera(person, "gate")
        assert not sight.allowed and "view_live" in sight.reason
        assert await reach.cameras(person, Right.VIEW_LIVE) == frozenset()


async def test_a_desk_sees_the_incidents_that_were_dispatched_to_it_and_no_trace_of_others(city: Staffed) -> None:
    hidden, shown = await city.alarm("a"), await city.alarm("b", 500)
    await city.take("kim", shown, "dispatch", desks=["police"])
    await city.take("kim", hidden, "dispatch", desks=["fire"])
    assert [one["id"] for one in (await city.get("police", "/incidents"))["incidents"]] == [shown]
    assert [one["id"] for one in (await city.get("fire", "/incidents"))["incidents"]] == [hidden]
    for path in ("", "/steps", "/snapshot"):
        assert (await city.people["police"].get(f"/api/v1/incidents/{shown}{path}")).status_code == 200
        refused = await city.get("police", f"/incidents/{hidden}{path}", 404)
        unknown = await city.get("police", f"/incidents/{'0' * 32}{path}", 404)
        assert refused["type"] == unknown["type"] == "urn:haechi:problem:not-found"
        assert refused["detail"].replace(hidden, "") == unknown["detail"].replace("0" * 32, "")
    for who in WHOLE_CITY:
        assert len((await city.get(who, "/incidents"))["incidents"]) == 2
    for who in ("privacy", "root"):
        await city.get(who, "/incidents", 403)
        await city.get(who, f"/incidents/{shown}", 403)


async def test_pages_of_a_desk_hold_as_many_as_were_asked_for_and_lose_none(city: Staffed) -> None:
    sent = []
    for n in range(9):
        incident_id = await city.alarm(f"{n}", n * 100.0, snapshot_jpeg=None)
        if n % 2 == 0:
            await city.take("kim", incident_id, "dispatch", desks=["police"])
            sent.append(incident_id)
    seen, before = [], ""
    while True:
        page = await city.get("police", f"/incidents?limit=2{before}")
        seen += [one["id"] for one in page["incidents"]]
        if page["next_before"] is None:
            break
        assert len(page["incidents"]) == 2
        before = f"&before={page['next_before']}"
    assert seen == sent[::-1]


async def test_a_closed_incident_stays_with_its_desk_but_for_the_live_pictures(sqlite_city: Staffed) -> None:
    city, reach = sqlite_city, sqlite_city.center.parts.reach
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["fire"])
    await city.take("kim", incident_id, "close", verdict="real")
    fire, police = await city.person("fire"), await city.person("police")
    assert await reach.sees_incident(fire, incident_id) and not await reach.sees_incident(police, incident_id)
    assert (await city.get("fire", f"/incidents/{incident_id}"))["granted_cameras"] == []
    assert (await city.people["fire"].get(f"/api/v1/incidents/{incident_id}/snapshot")).status_code == 200
    incident = await city.center.parts.incidents.one(incident_id)
    assert desks_of(incident) == reach.desks_of_incident(incident) == {"fire"}


async def test_another_role_means_another_reach_at_once(sqlite_city: Staffed) -> None:
    city, accounts = sqlite_city, sqlite_city.center.parts.accounts
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police"])
    await accounts.change(city.ids["police2"], COMMAND_LINE, role=Role.FIRE_DESK)
    answer = await city.people["police2"].post(
        "/api/v1/session", json={"name": "police2", "password": "correct-horse-battery"}
    )
    assert answer.status_code == 200
    await city.get("police2", f"/incidents/{incident_id}", 404)
    assert await city.center.parts.reach.cameras(await city.person("police2")) == frozenset()


async def test_who_hears_what(sqlite_city: Staffed) -> None:
    heard = {who: audience_of(await sqlite_city.person(who)) for who in sqlite_city.people}
    assert heard == {
        "kim": "city",
        "lee": "city",
        "lead": "city",
        "mayor": "city",
        "police": "police",
        "police2": "police",
        "fire": "fire",
        "privacy": "cameras",
        "root": "cameras",
    }


async def test_a_desk_is_not_shown_an_incident_while_it_is_being_dispatched_to_another(city: Staffed) -> None:
    """Many readers, one dispatch: whoever sees the incident sees the dispatch to their own desk in it."""
    incident_id = await city.alarm()

    async def look() -> None:
        for _ in range(10):
            for found in (await city.get("fire", "/incidents"))["incidents"]:
                assert "fire" in {dispatch["desk"] for dispatch in found["dispatches"]}

    looking = asyncio.gather(*(look() for _ in range(3)))
    await city.take("kim", incident_id, "dispatch", desks=["police"])
    await post(city.center, event("b", 1))
    await city.take("kim", incident_id, "dispatch", desks=["fire"])
    await looking
    assert len((await city.get("fire", "/incidents"))["incidents"]) == 1
