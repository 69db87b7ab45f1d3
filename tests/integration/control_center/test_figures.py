from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from config.settings import CenterSettings
from control_center.database import Incident
from control_center.figures import CATEGORIES, FAMILIES, Day, Figures
from control_center.identifiers import first_id_at, new_id
from tests.integration.control_center.conftest import event
from tests.integration.control_center.staffed import Staffed, camera, staffed
from tests.integration.control_center.test_ingest import post
from tests.integration.control_center.test_status import beat

CAMERAS = [
    camera("gate", category="school_zone"),
    camera("park", category="park_safety"),
    camera("garden", category="park_safety"),
]


@pytest.fixture
async def city(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[Staffed]:
    """On both databases."""
    async with staffed(tmp_path, center_database_url, cameras=CAMERAS) as people:
        yield people


def now_event(event_id: str, **changes: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return event(event_id, started_at=at, raised_at=at, snapshot_jpeg=None, **changes)


@pytest.mark.parametrize(
    ("zone", "now", "date", "since"),
    [
        ("Asia/Seoul", "2026-05-01T14:59:59.999", "2026-05-01", "2026-04-30T15:00"),
        ("Asia/Seoul", "2026-05-01T15:00", "2026-05-02", "2026-05-01T15:00"),
        ("UTC", "2026-05-01T23:59:59", "2026-05-01", "2026-05-01T00:00"),
        # 29 March 2026: the clock goes from 2 to 3 at 01:00 UTC; the day has 23 hours.
        ("Europe/Berlin", "2026-03-29T00:30", "2026-03-29", "2026-03-28T23:00"),
        ("Europe/Berlin", "2026-03-29T21:59", "2026-03-29", "2026-03-28T23:00"),
        ("Europe/Berlin", "2026-03-29T22:00", "2026-03-30", "2026-03-29T22:00"),
        # 25 October 2026: 25 hours.
        ("Europe/Berlin", "2026-10-25T22:59", "2026-10-25", "2026-10-24T22:00"),
        ("Europe/Berlin", "2026-10-25T23:00", "2026-10-26", "2026-10-25T23:00"),
        # 24 April 2026 in Cairo: midnight does not exist, the clock goes from 24 to 1; the day begins at that moment.
        ("Africa/Cairo", "2026-04-23T21:59", "2026-04-23", "2026-04-22T22:00"),
        ("Africa/Cairo", "2026-04-23T22:00", "2026-04-24", "2026-04-23T22:00"),
        # 1 November 2026 in Havana: 0 to 1 comes twice; the day begins at the first midnight.
        ("America/Havana", "2026-11-01T04:30", "2026-11-01", "2026-11-01T04:00"),
        ("America/Havana", "2026-11-01T05:30", "2026-11-01", "2026-11-01T04:00"),
        # Half an hour and 45 minutes.
        ("Australia/Lord_Howe", "2026-10-03T20:00", "2026-10-04", "2026-10-03T13:30"),
        ("Asia/Kathmandu", "2026-05-01T18:15", "2026-05-02", "2026-05-01T18:15"),
    ],
)
def test_the_day_begins_at_midnight_of_the_time_zone(zone: str, now: str, date: str, since: str) -> None:
    day = Day.of(datetime.fromisoformat(now).replace(tzinfo=UTC), ZoneInfo(zone))
    assert (day.date.isoformat(), day.since) == (date, datetime.fromisoformat(since).replace(tzinfo=UTC))


def test_a_time_zone_that_nobody_knows_is_refused_with_an_example() -> None:
    for name in ("Asia/Suwon", "", "../etc/passwd", "/etc/localtime"):
        with pytest.raises(ValidationError, match="Asia/Seoul"):
            CenterSettings(time_zone=name)


def test_the_first_id_of_a_moment_lies_before_every_id_made_after_it() -> None:
    moment = datetime.now(UTC)
    made = [new_id() for _ in range(50)]
    assert all(first_id_at(moment) <= one for one in made)
    assert all(first_id_at(moment + timedelta(hours=1)) > one for one in made)


async def test_an_empty_day_has_every_figure_at_nothing(city: Staffed) -> None:
    figures = await city.get("mayor", "/figures/today")
    assert figures["time_zone"] == "Asia/Seoul"
    since = datetime.fromisoformat(figures["since"])
    assert since.astimezone(ZoneInfo("Asia/Seoul")).strftime("%F %T") == f"{figures['date']} 00:00:00"
    assert figures["incidents"]["total"] == figures["incidents"]["open"] == 0
    assert set(figures["incidents"]["by_family"]) == set(FAMILIES)
    assert set(figures["incidents"]["by_category"]) == set(figures["cameras"]["by_category"]) == set(CATEGORIES)
    nothing = {"total": 0, "received": 0, "arrived": 0, "open": 0}
    assert figures["dispatches"] == {"police": nothing, "fire": nothing}
    assert figures["seconds_to_acknowledge"] is figures["seconds_to_arrive"] is None


async def test_figures_follow_what_people_do(city: Staffed) -> None:
    await beat(city.center, gate_main=("live", ""), park_main=("live", ""), garden_main=("stalled", "no key frame"))
    fire = {"kind": "fire", "family": "fire"}
    await post(
        city.center,
        now_event("a"),
        now_event("b", camera_id="park"),
        now_event("c", camera_id="garden", **fire),
        now_event("d", camera_id="park", **fire),
        now_event("e", camera_id="never-registered"),
    )
    found = (await city.get("kim", "/incidents"))["incidents"]
    ids = {(one["camera_id"], one["kind"]): one["id"] for one in found}
    await city.take("kim", ids["gate", "intrusion"], "close", verdict="false")
    await city.take("kim", ids["park", "intrusion"], "close", verdict="real")
    await city.take("kim", ids["garden", "fire"], "dispatch", desks=["police", "fire"])
    await city.take("fire", ids["garden", "fire"], "receive")
    await city.take("fire", ids["garden", "fire"], "arrive")
    await city.take("fire", ids["garden", "fire"], "outcome", outcome="out")
    figures = await city.get("lead", "/figures/today")
    cameras, incidents = figures["cameras"], figures["incidents"]
    assert (cameras["total"], cameras["live"]) == (3, 2)
    assert cameras["by_category"]["park_safety"] == {"total": 2, "live": 1}
    assert {name: incidents[name] for name in ("total", "open", "real", "false", "unsure")} == {
        "total": 5,
        "open": 3,
        "real": 1,
        "false": 1,
        "unsure": 0,
    }
    assert incidents["by_family"]["crime"] == {"total": 3, "open": 1}
    assert incidents["by_family"]["fire"] == {"total": 2, "open": 2}
    assert incidents["by_category"]["school_zone"] == {"total": 1, "open": 0}
    assert incidents["by_category"]["park_safety"] == {"total": 3, "open": 2}
    assert figures["dispatches"]["fire"] == {"total": 1, "received": 1, "arrived": 1, "open": 0}
    assert figures["dispatches"]["police"] == {"total": 1, "received": 0, "arrived": 0, "open": 1}
    assert 0 <= figures["seconds_to_acknowledge"]["median"] <= figures["seconds_to_acknowledge"]["p95"] < 120
    assert 0 <= figures["seconds_to_arrive"]["median"] < 120


async def test_an_incident_of_a_camera_that_was_removed_keeps_its_category(city: Staffed) -> None:
    await post(city.center, now_event("a", camera_id="garden"))
    answer = await city.people["root"].delete("/api/v1/register/cameras/garden")
    assert answer.status_code == 204, answer.text
    figures = await city.get("mayor", "/figures/today")
    assert figures["incidents"]["by_category"]["park_safety"] == {"total": 1, "open": 1}
    assert figures["cameras"]["by_category"]["park_safety"]["total"] == 1
    (incident,) = (await city.get("kim", "/incidents"))["incidents"]
    assert (incident["category"], incident["camera_name"]) == ("park_safety", "Camera garden")


async def test_yesterdays_count_no_more_but_what_is_still_open_does(city: Staffed) -> None:
    await post(city.center, now_event("a"), now_event("b", camera_id="park"))
    open_one, closed_one = (one["id"] for one in (await city.get("kim", "/incidents"))["incidents"])
    await city.take("kim", open_one, "dispatch", desks=["police"])
    await city.take("kim", closed_one, "close", verdict="real")
    parts, tomorrow = city.center.parts, datetime.now(UTC) + timedelta(days=1)
    zone = ZoneInfo("Asia/Seoul")
    figures = await Figures(parts.database, parts.fleet, parts.register, zone, lambda: tomorrow).today()
    assert (figures.incidents.total, figures.incidents.open, figures.incidents.real) == (0, 1, 0)
    assert (figures.dispatches["police"].total, figures.dispatches["police"].open) == (0, 1)
    assert figures.seconds_to_acknowledge is None


async def test_an_event_of_yesterday_that_comes_late_is_no_figure_of_today(city: Staffed) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    await post(city.center, event("a", started_at=yesterday, raised_at=yesterday))
    incidents = (await city.get("mayor", "/figures/today"))["incidents"]
    assert (incidents["total"], incidents["open"]) == (0, 1)


async def test_median_and_95th_percentile_of_the_waits(city: Staffed) -> None:
    await post(city.center, *(now_event(f"{n}", zone=f"z{n}") for n in range(20)))
    for one in (await city.get("kim", "/incidents"))["incidents"]:
        await city.take("kim", one["id"], "dispatch", desks=["fire"])
        await city.take("fire", one["id"], "arrive")
    async with city.center.parts.database.write() as session:
        for n, incident_id in enumerate(list(await session.scalars(select(Incident.id))), 1):
            incident = await session.get_one(Incident, incident_id)
            incident.acknowledged_at = incident.raised_at + timedelta(seconds=n)
            (dispatch,) = incident.dispatches
            dispatch.arrived_at = dispatch.dispatched_at + timedelta(minutes=n)
    figures = await city.get("mayor", "/figures/today")
    assert figures["seconds_to_acknowledge"] == {"median": 10.0, "p95": 19.0}
    assert figures["seconds_to_arrive"] == {"median": 600.0, "p95": 1140.0}


async def test_only_those_who_may_see_figures_do(city: Staffed) -> None:
    for who in ("kim", "lead", "mayor", "privacy"):
        await city.get(who, "/figures/today")
    for who in ("police", "fire", "root"):
        await city.get(who, "/figures/today", 403)


async def test_faults_of_cameras_are_counted_in_their_own_family_alone(city: Staffed) -> None:
    fault = {"kind": "camera_lost", "family": "fault", "zone": "camera", "severity": "attention"}
    await post(city.center, now_event("a", **fault), now_event("b", camera_id="park"))
    (told,) = (await city.get("kim", "/incidents?faults=true"))["incidents"]
    await city.take("kim", told["id"], "acknowledge")
    figures = await city.get("lead", "/figures/today")
    incidents = figures["incidents"]
    assert incidents["by_family"]["fault"] == incidents["by_family"]["crime"] == {"total": 1, "open": 1}
    assert (incidents["total"], incidents["open"]) == (1, 1)
    assert sum(one["total"] for one in incidents["by_category"].values()) == 1
    assert figures["seconds_to_acknowledge"] is None
