from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from control_center.database import Dispatch, Grant, IncidentStep, LedgerRow
from tests.integration.control_center.conftest import RunningCenter, event
from tests.integration.control_center.staffed import AROUND_THE_GATE, Staffed, staffed
from tests.integration.control_center.test_ingest import post


@pytest.fixture
async def city(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[Staffed]:
    """On both databases."""
    async with staffed(tmp_path, center_database_url) as people:
        yield people


@pytest.fixture
async def sqlite_city(tmp_path: Path) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path, None) as people:
        yield people


async def rows(center: RunningCenter, table: Any) -> int:
    async with center.parts.database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def ledger_of(center: RunningCenter, incident_id: str) -> list[tuple[str, str, str, str]]:
    """(who, action, subject, reason) of the incident's rows, in order."""
    query = select(LedgerRow).where(LedgerRow.incident_id == incident_id).order_by(LedgerRow.sequence)
    async with center.parts.database.read() as session:
        return [(row.account_name, row.action, row.subject, row.reason) for row in await session.scalars(query)]


async def test_dispatching_gives_the_desk_the_cameras_around_nearest_first(city: Staffed) -> None:
    incident_id = await city.alarm()
    sent = await city.take("kim", incident_id, "dispatch", desks=["police"], note="두 명, 흰 차")
    assert (sent["state"], sent["owner"], sent["owner_id"]) == ("dispatched", "kim", city.ids["kim"])
    assert sent["acknowledged_by"] == "kim" and sent["acknowledged_at"] == sent["dispatched_at"]
    assert sent["granted_cameras"] == AROUND_THE_GATE
    (dispatch,) = sent["dispatches"]
    assert (dispatch["desk"], dispatch["note"], dispatch["dispatched_by"]) == ("police", "두 명, 흰 차", "kim")
    assert not any(dispatch[name] for name in ("received_by", "arrived_by", "outcome_by", "outcome"))
    at_the_desk = await city.get("police", f"/incidents/{incident_id}")
    assert at_the_desk == await city.get("police2", f"/incidents/{incident_id}") == sent


async def test_a_camera_without_a_position_is_granted_alone(city: Staffed) -> None:
    incident_id = await city.alarm(camera_id="nowhere")
    sent = await city.take("lead", incident_id, "dispatch", desks=["fire"], note="")
    assert sent["granted_cameras"] == ["nowhere"]
    assert sent["position"] is None


async def test_an_incident_of_a_camera_that_nobody_knows_can_be_dispatched(sqlite_city: Staffed) -> None:
    incident_id = await sqlite_city.alarm(camera_id="never-registered")
    sent = await sqlite_city.take("lead", incident_id, "dispatch", desks=["fire"], note="")
    assert (sent["granted_cameras"], sent["category"]) == (["never-registered"], None)


async def test_radius_number_and_hours_are_settings(tmp_path: Path) -> None:
    limits = {"radius_meters": 2500, "max_cameras": 3, "grant_hours": 0.5}
    async with staffed(tmp_path, None, desks=limits) as city:
        sent = await city.take("kim", await city.alarm(), "dispatch", desks=["police"], note="")
        assert sent["granted_cameras"] == ["gate", "at-50", "at-300"]
        async with city.center.parts.database.read() as session:
            grant = (await session.scalars(select(Grant))).one()
    assert grant.expires_at - grant.granted_at == timedelta(minutes=30)
    assert grant.radius_meters == 2500


async def test_the_desk_answers_with_received_arrived_and_outcome(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police"], note="")
    received = await city.take("police", incident_id, "receive", note="car 7")
    assert received["state"] == "dispatched"
    arrived = await city.take("police2", incident_id, "arrive", note="north gate")
    assert arrived["state"] == "arrived" and arrived["arrived_at"] >= received["dispatches"][0]["received_at"]
    ended = await city.take("police", incident_id, "outcome", outcome="two people warned")
    (dispatch,) = ended["dispatches"]
    assert [dispatch[f"{step}_by"] for step in ("received", "arrived", "outcome")] == ["police", "police2", "police"]
    assert dispatch["received_at"] < dispatch["arrived_at"] < dispatch["outcome_at"]
    assert (dispatch["received_note"], dispatch["arrived_note"], dispatch["outcome"]) == (
        "car 7",
        "north gate",
        "two people warned",
    )
    assert ended["state"] == "arrived"
    assert await city.get("kim", f"/incidents/{incident_id}") == ended


@pytest.mark.parametrize("step", ["receive", "arrive", "outcome"])
async def test_each_answer_is_given_once_whatever_its_order(sqlite_city: Staffed, step: str) -> None:
    incident_id = await sqlite_city.alarm()
    await sqlite_city.take("kim", incident_id, "dispatch", desks=["police"], note="")
    bodies: dict[str, dict[str, Any]] = {"receive": {"note": "x"}, "arrive": {}, "outcome": {"outcome": "done"}}
    first = await sqlite_city.take("police", incident_id, step, **bodies[step])
    again = await sqlite_city.take("police2", incident_id, step, 409, **bodies[step])
    assert again["type"] == "urn:haechi:problem:incident-state"
    assert "police has said so already" in again["detail"]
    assert await sqlite_city.get("police", f"/incidents/{incident_id}") == first
    for other in bodies.keys() - {step}:
        await sqlite_city.take("police", incident_id, other, **bodies[other])


async def test_a_double_click_makes_one_dispatch_one_grant_and_one_answer(city: Staffed) -> None:
    incident_id = await city.alarm()
    path = f"/api/v1/incidents/{incident_id}"

    async def codes(who: str, step: str, body: dict[str, Any]) -> list[int]:
        answers = await asyncio.gather(*(city.people[who].post(f"{path}/{step}", json=body) for _ in range(6)))
        return sorted(answer.status_code for answer in answers)

    assert await codes("kim", "dispatch", {"desks": ["police", "fire"]}) == [200] + [409] * 5
    assert await codes("police", "receive", {}) == [200] + [409] * 5
    assert await codes("fire", "arrive", {}) == [200] + [409] * 5
    assert await codes("fire", "outcome", {"outcome": "out"}) == [200] + [409] * 5
    assert await codes("kim", "close", {"verdict": "unsure"}) == [200] + [409] * 5
    assert await rows(city.center, Dispatch) == await rows(city.center, Grant) == 2
    assert await rows(city.center, IncidentStep) == 1 + 2 + 1 + 1 + 1 + 1
    assert len(await ledger_of(city.center, incident_id)) == 2 * 2 + 3 + 1 + 2


async def test_a_fire_goes_to_both_desks_and_neither_reads_the_others_words(city: Staffed) -> None:
    incident_id = await city.alarm(kind="fire", family="fire", severity="serious")
    await city.take("kim", incident_id, "dispatch", desks=["police", "fire"], note="smoke on the roof")
    await city.take("police", incident_id, "receive", note="suspect known")
    await city.take("fire", incident_id, "arrive", note="ladder up")
    await city.take("police", incident_id, "outcome", outcome="name of a suspect")
    for who, expected in (
        ("kim", {"police": ("suspect known", "", "name of a suspect"), "fire": ("", "ladder up", "")}),
        ("police", {"police": ("suspect known", "", "name of a suspect"), "fire": ("", "", "")}),
        ("fire", {"police": ("", "", ""), "fire": ("", "ladder up", "")}),
    ):
        incident = await city.get(who, f"/incidents/{incident_id}")
        assert incident["granted_cameras"] == AROUND_THE_GATE
        told = {one["desk"]: one for one in incident["dispatches"]}
        words = {desk: (one["received_note"], one["arrived_note"], one["outcome"]) for desk, one in told.items()}
        assert words == expected
        assert told["police"]["outcome_by"] == "police" and told["fire"]["arrived_at"]
        steps = (await city.get(who, f"/incidents/{incident_id}/steps"))["steps"]
        assert [step["action"] for step in steps if step["desk"] == "police"] == [
            "dispatch",
            "receive",
            "report_outcome",
        ]
        assert ("name of a suspect" in {step["note"] for step in steps}) is (who != "fire")
        assert ("ladder up" in {step["note"] for step in steps}) is (who != "police")


async def test_one_desk_after_the_other_and_neither_twice(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police"], note="first")
    await city.take("police", incident_id, "arrive", note="")
    both = await city.take("kim", incident_id, "dispatch", desks=["police", "fire"], note="second")
    assert [(one["desk"], one["note"]) for one in both["dispatches"]] == [("police", "first"), ("fire", "second")]
    assert both["state"] == "arrived"
    assert both["dispatched_at"] == both["dispatches"][0]["dispatched_at"] < both["dispatches"][1]["dispatched_at"]
    refused = await city.take("kim", incident_id, "dispatch", 409, desks=["fire"], note="third")
    assert "it is at the fire desk already" in refused["detail"]
    assert await rows(city.center, Dispatch) == await rows(city.center, Grant) == 2


async def test_a_desk_cannot_answer_what_was_not_dispatched_to_it(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "acknowledge")
    for step, body in (("receive", {}), ("arrive", {}), ("outcome", {"outcome": "x"})):
        await city.take("police", incident_id, step, 404, **body)
    await city.take("kim", incident_id, "dispatch", desks=["police"], note="")
    for step, body in (("receive", {}), ("arrive", {}), ("outcome", {"outcome": "x"})):
        answer = await city.take("fire", incident_id, step, 404, **body)
        assert answer["type"] == "urn:haechi:problem:not-found"
        assert answer["detail"] == f"there is no incident {incident_id}"
        await city.take("kim", incident_id, step, 403, **body)
    assert (await city.get("kim", f"/incidents/{incident_id}"))["state"] == "dispatched"


async def test_closing_ends_the_grants_at_the_same_moment_and_the_desk_keeps_the_incident(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police", "fire"], note="")
    closed = await city.take("kim", incident_id, "close", verdict="unsure", note="calm again")
    assert (closed["granted_cameras"], closed["closed_by"]) == ([], "kim")
    async with city.center.parts.database.read() as session:
        ended = set(await session.scalars(select(Grant.ended_at)))
    assert {moment.isoformat(timespec="microseconds").replace("+00:00", "Z") for moment in ended if moment} == {
        closed["closed_at"]
    }
    for who in ("police", "fire"):
        assert await city.get(who, f"/incidents/{incident_id}") == closed
        assert (await city.get(who, "/incidents?open=true"))["incidents"] == []
    assert [row[:3] for row in await ledger_of(city.center, incident_id)][-3:] == [
        ("kim", "incident.closed", "unsure"),
        ("kim", "grant.ended", "fire"),
        ("kim", "grant.ended", "police"),
    ]
    for step, body in (("receive", {}), ("arrive", {}), ("outcome", {"outcome": "x"})):
        await city.take("police", incident_id, step, 409, **body)


async def test_every_step_is_a_row_of_the_incident_and_of_the_ledger(city: Staffed) -> None:
    incident_id = await city.alarm()
    await post(city.center, event("joins", 1))
    await city.take("kim", incident_id, "acknowledge")
    await city.take("kim", incident_id, "notes", note="a white car")
    await city.take("lee", incident_id, "take-over")
    await city.take("lead", incident_id, "assign", account_id=city.ids["kim"], note="you know the place")
    await city.take("kim", incident_id, "dispatch", desks=["police"], note="go")
    await city.take("police", incident_id, "receive", note="")
    await city.take("police", incident_id, "arrive", note="here")
    await city.take("police", incident_id, "outcome", outcome="nobody")
    await city.take("kim", incident_id, "close", verdict="unsure", note="gone")
    steps = (await city.get("kim", f"/incidents/{incident_id}/steps"))["steps"]
    assert [(step["by"], step["action"], step["state_after"], step["desk"], step["note"]) for step in steps] == [
        (None, "created", "new", None, ""),
        ("kim", "acknowledge", "acknowledged", None, ""),
        ("kim", "note", "acknowledged", None, "a white car"),
        ("lee", "take_over", "acknowledged", None, ""),
        ("lead", "assign", "acknowledged", None, "you know the place"),
        ("kim", "dispatch", "dispatched", "police", "go"),
        ("police", "receive", "dispatched", "police", ""),
        ("police", "arrive", "arrived", "police", "here"),
        ("police", "report_outcome", "arrived", "police", "nobody"),
        ("kim", "close", "closed", None, "gone"),
    ]
    assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)
    assert await ledger_of(city.center, incident_id) == [
        ("kim", "incident.acknowledged", "", ""),
        ("kim", "incident.noted", "", "a white car"),
        ("lee", "incident.taken_over", "kim", ""),
        ("lead", "incident.assigned", "kim", "you know the place"),
        ("kim", "incident.dispatched", "police", "go"),
        ("kim", "grant.given", "police", ""),
        ("police", "dispatch.received", "police", ""),
        ("police", "dispatch.arrived", "police", "here"),
        ("police", "dispatch.outcome", "police", "nobody"),
        ("kim", "incident.closed", "unsure", "gone"),
        ("kim", "grant.ended", "police", "incident closed"),
    ]
    assert (await city.chain()).fault == ""


async def test_a_refused_step_leaves_no_row(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "acknowledge")
    before = await rows(city.center, IncidentStep), await rows(city.center, LedgerRow)
    await city.take("lee", incident_id, "close", 409, verdict="real")
    await city.take("lee", incident_id, "dispatch", 409, desks=["police"])
    await city.take("kim", incident_id, "take-over", 409)
    await city.take("lead", incident_id, "assign", 422, account_id=city.ids["police"])
    assert (await rows(city.center, IncidentStep), await rows(city.center, LedgerRow)) == before
    assert await rows(city.center, Dispatch) == await rows(city.center, Grant) == 0


async def test_what_the_ledger_cannot_write_is_not_done_and_nobody_is_told(sqlite_city: Staffed) -> None:
    incident_id = await sqlite_city.alarm()
    parts = sqlite_city.center.parts
    async with parts.database.write() as session:
        await session.execute(
            text(
                "CREATE TRIGGER no_more BEFORE INSERT ON ledger WHEN NEW.action = 'grant.given' "
                "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            )
        )
    with parts.live.listen("city") as listener:
        await sqlite_city.take("kim", incident_id, "dispatch", 503, desks=["police"], note="")
        assert "incident.updated" not in {news.name for news in await listener.take(0.0)}
    incident = await sqlite_city.get("kim", f"/incidents/{incident_id}")
    assert (incident["state"], incident["owner"], incident["dispatches"]) == ("new", None, [])
    assert await rows(sqlite_city.center, Dispatch) == await rows(sqlite_city.center, Grant) == 0


async def test_a_grant_that_is_over_is_written_down_and_can_be_given_again(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police"], note="")
    parts, police = city.center.parts, await city.person("police")
    assert (await parts.reach.sees_camera(police, "at-50")).allowed
    expired_at = datetime.now(UTC) - timedelta(milliseconds=1)
    async with parts.database.write() as session:
        await session.execute(update(Grant).values(expires_at=expired_at))
    assert not (await parts.reach.sees_camera(police, "at-50")).allowed
    async with asyncio.timeout(90):
        while (await ledger_of(city.center, incident_id))[-1][1] != "grant.ended":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (await ledger_of(city.center, incident_id))[-1] == ("center", "grant.ended", "police", "expired")
    async with parts.database.read() as session:
        assert (await session.scalars(select(Grant.ended_at))).one() == expired_at
    incident = await city.get("police", f"/incidents/{incident_id}")
    assert (incident["state"], incident["granted_cameras"]) == ("dispatched", [])
    renewed = await city.take("kim", incident_id, "dispatch", desks=["police"], note="it goes on")
    assert renewed["granted_cameras"] == AROUND_THE_GATE
    assert len(renewed["dispatches"]) == 1
    assert (await parts.reach.sees_camera(police, "at-50")).allowed


async def test_events_join_an_incident_at_a_desk_and_change_neither_its_owner_nor_its_state(city: Staffed) -> None:
    incident_id = await city.alarm(dwell_seconds=10.0)
    await city.take("kim", incident_id, "dispatch", desks=["police"], note="")
    await post(city.center, event("b", 10, dwell_seconds=25.5, severity="serious"))
    joined = await city.get("police", f"/incidents/{incident_id}")
    assert (joined["event_count"], joined["dwell_seconds"], joined["severity"]) == (2, 25.5, "serious")
    await city.take("police", incident_id, "arrive", note="")
    await post(city.center, event("c", 20))
    joined = await city.get("police", f"/incidents/{incident_id}")
    assert (joined["event_count"], joined["dwell_seconds"]) == (3, 25.5)
    assert (joined["state"], joined["owner"], joined["granted_cameras"]) == ("arrived", "kim", AROUND_THE_GATE)
    assert len((await city.get("kim", "/incidents"))["incidents"]) == 1
    assert await rows(city.center, IncidentStep) == 3
    await city.take("kim", incident_id, "close", verdict="real", note="")
    await post(city.center, event("d", 22))
    assert len((await city.get("kim", "/incidents"))["incidents"]) == 2
    assert len((await city.get("police", "/incidents"))["incidents"]) == 1


@pytest.mark.parametrize(
    ("step", "body", "field"),
    [
        ("dispatch", {}, "desks"),
        ("dispatch", {"desks": []}, "desks"),
        ("dispatch", {"desks": ["mayor"]}, "desks.0"),
        ("dispatch", {"desks": ["police"], "radius_meters": 9000}, "radius_meters"),
        ("notes", {"note": "   "}, "note"),
        ("assign", {"note": "x"}, "account_id"),
    ],
)
async def test_a_form_that_is_not_right_is_422_and_names_the_field(
    sqlite_city: Staffed, step: str, body: dict[str, Any], field: str
) -> None:
    incident_id = await sqlite_city.alarm()
    answer = await sqlite_city.take("lead", incident_id, step, 422, **body)
    assert answer["errors"][0]["field"] == field
    outcome = await sqlite_city.take("police", incident_id, "outcome", 422, outcome=" ")
    assert outcome["errors"][0]["field"] == "outcome"
