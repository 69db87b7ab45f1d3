from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from control_center.database import LedgerRow
from control_center.ledger import COMMAND_LINE
from control_center.rights import Role
from tests.integration.control_center.conftest import NAME, PASSWORD, RunningCenter, event, serving
from tests.integration.control_center.staffed import Staffed, staffed
from tests.integration.control_center.test_ingest import incidents, post


@pytest.fixture
async def city(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[Staffed]:
    """On both databases."""
    async with staffed(tmp_path, center_database_url) as people:
        yield people


async def one_incident(center: RunningCenter) -> str:
    await post(center, event("a", snapshot_jpeg=None))
    (incident,) = await incidents(center)
    incident_id: str = incident["id"]
    return incident_id


async def test_acknowledging_and_closing_store_who_and_when(center: RunningCenter) -> None:
    incident_id = await one_incident(center)
    async with center.signed_in() as client:
        answer = await client.post(f"/api/v1/incidents/{incident_id}/acknowledge")
        assert answer.status_code == 200
        taken = answer.json()
        assert (taken["state"], taken["acknowledged_by"]) == ("acknowledged", NAME)
        assert taken["acknowledged_at"] >= taken["received_at"]
        answer = await client.post(
            f"/api/v1/incidents/{incident_id}/close", json={"verdict": "real", "note": "경찰에 알림"}
        )
        closed = answer.json()
        assert (closed["state"], closed["closed_by"], closed["verdict"]) == ("closed", NAME, "real")
        assert closed["note"] == "경찰에 알림"
        assert (await client.get(f"/api/v1/incidents/{incident_id}")).json() == closed


async def test_closing_a_new_incident_acknowledges_it_too(center: RunningCenter) -> None:
    incident_id = await one_incident(center)
    async with center.signed_in() as client:
        closed = (await client.post(f"/api/v1/incidents/{incident_id}/close", json={"verdict": "false"})).json()
    assert closed["acknowledged_by"] == closed["closed_by"] == NAME


async def test_a_step_that_the_state_does_not_allow_is_409_and_changes_nothing(center: RunningCenter) -> None:
    incident_id = await one_incident(center)
    async with center.signed_in() as client:
        closed = (await client.post(f"/api/v1/incidents/{incident_id}/close", json={"verdict": "unsure"})).json()
        for step, body in (("acknowledge", None), ("close", {"verdict": "real"})):
            answer = await client.post(f"/api/v1/incidents/{incident_id}/{step}", json=body)
            assert answer.status_code == 409
            assert answer.json()["type"] == "urn:haechi:problem:incident-state"
        assert (await client.get(f"/api/v1/incidents/{incident_id}")).json() == closed


async def test_of_many_people_who_acknowledge_at_once_one_has_it_and_the_others_are_told_who(
    center: RunningCenter,
) -> None:
    incident_id = await one_incident(center)
    await center.parts.accounts.create("kim", "another-long-password", Role.OPERATOR)
    async with center.signed_in() as admin, center.client() as kim:
        await kim.post("/api/v1/session", json={"name": "kim", "password": "another-long-password"})
        path = f"/api/v1/incidents/{incident_id}/acknowledge"
        answers = await asyncio.gather(*(client.post(path) for client in (admin, kim) * 5))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [200] + [409] * 9
        winner = next(answer.json() for answer in answers if answer.status_code == 200)
        stored = (await admin.get(f"/api/v1/incidents/{incident_id}")).json()
        steps = (await admin.get(f"/api/v1/incidents/{incident_id}/steps")).json()["steps"]
    assert stored["acknowledged_by"] == winner["acknowledged_by"] == stored["owner"]
    assert [step["by"] for step in steps if step["action"] == "acknowledge"] == [stored["owner"]]
    sent = zip((NAME, "kim") * 5, answers, strict=True)
    late = {answer.json()["detail"] for who, answer in sent if answer.status_code == 409 and who != stored["owner"]}
    assert late == {f"incident {incident_id} is acknowledged: it cannot be acknowledged; {stored['owner']} has it"}


@pytest.mark.parametrize(
    "body", [{}, {"verdict": "maybe"}, {"verdict": "real", "note": "x" * 2001}, {"verdict": "real", "by": "kim"}]
)
async def test_a_closing_that_is_not_right_is_422_and_names_the_field(
    sqlite_center: RunningCenter, body: dict[str, str]
) -> None:
    incident_id = await one_incident(sqlite_center)
    async with sqlite_center.signed_in() as client:
        answer = await client.post(f"/api/v1/incidents/{incident_id}/close", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] in {"verdict", "note", "by"}
        assert (await client.get(f"/api/v1/incidents/{incident_id}")).json()["state"] == "new"


async def test_an_incident_that_is_not_there_is_404(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client:
        for path in ("", "/snapshot"):
            assert (await client.get(f"/api/v1/incidents/{'0' * 32}{path}")).status_code == 404
        assert (await client.post(f"/api/v1/incidents/{'0' * 32}/acknowledge")).status_code == 404


async def test_of_two_centers_on_one_database_one_gives_it_to_one_person(city: Staffed) -> None:
    incident_ids = [await city.alarm(f"{n}", n * 100.0, snapshot_jpeg=None) for n in range(5)]
    async with serving(city.center.settings) as other, other.client() as lee:
        answer = await lee.post("/api/v1/session", json={"name": "lee", "password": PASSWORD})
        assert answer.status_code == 200
        for incident_id in incident_ids:
            path = f"/api/v1/incidents/{incident_id}/acknowledge"
            answers = await asyncio.gather(*(client.post(path) for client in (city.people["kim"], lee) * 3))
            assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    for incident_id in incident_ids:
        steps = (await city.get("kim", f"/incidents/{incident_id}/steps"))["steps"]
        assert [step["action"] for step in steps] == ["created", "acknowledge"]


async def test_one_owner_whom_a_colleague_takes_over_from(city: Staffed) -> None:
    incident_id = await city.alarm()
    assert (await city.take("kim", incident_id, "acknowledge"))["owner"] == "kim"
    for step, body in (("close", {"verdict": "real"}), ("dispatch", {"desks": ["police"]})):
        refused = await city.take("lee", incident_id, step, 409, **body)
        assert "kim has it; take it over first" in refused["detail"]
    taken = await city.take("lee", incident_id, "take-over")
    assert (taken["owner"], taken["owner_id"], taken["acknowledged_by"]) == ("lee", city.ids["lee"], "kim")
    assert "you have it already" in (await city.take("lee", incident_id, "take-over", 409))["detail"]
    await city.take("kim", incident_id, "close", 409, verdict="real")
    closed = await city.take("lee", incident_id, "close", verdict="false")
    assert (closed["owner"], closed["closed_by"]) == ("lee", "lee")


async def test_of_two_who_take_over_at_once_the_last_has_it_and_both_are_written_down(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("lead", incident_id, "acknowledge")
    await asyncio.gather(*(city.take(who, incident_id, "take-over") for who in ("kim", "lee")))
    steps = (await city.get("kim", f"/incidents/{incident_id}/steps"))["steps"]
    assert [step["action"] for step in steps] == ["created", "acknowledge", "take_over", "take_over"]
    assert (await city.get("kim", f"/incidents/{incident_id}"))["owner"] == steps[-1]["by"]


async def test_a_shift_lead_may_close_and_dispatch_what_an_operator_has(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "acknowledge")
    sent = await city.take("lead", incident_id, "dispatch", desks=["fire"])
    assert sent["owner"] == "kim"
    closed = await city.take("lead", incident_id, "close", verdict="real")
    assert (closed["owner"], closed["closed_by"]) == ("kim", "lead")


async def test_a_shift_lead_assigns_to_somebody_who_handles_incidents(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "assign", 403, account_id=city.ids["lee"])
    given = await city.take("lead", incident_id, "assign", account_id=city.ids["kim"], note="yours")
    assert (given["state"], given["owner"], given["acknowledged_by"]) == ("acknowledged", "kim", "lead")
    again = await city.take("lead", incident_id, "assign", 409, account_id=city.ids["kim"])
    assert "kim has it already" in again["detail"]
    assert (await city.take("lead", incident_id, "assign", account_id=city.ids["lead"]))["owner"] == "lead"
    await city.center.parts.accounts.change(city.ids["lee"], COMMAND_LINE, disabled=True)
    for account_id in (*(city.ids[who] for who in ("police", "mayor", "root", "lee")), "nobody"):
        refused = await city.take("lead", incident_id, "assign", 422, account_id=account_id)
        assert refused["type"] == "urn:haechi:problem:invalid"
    assert (await city.get("kim", f"/incidents/{incident_id}"))["owner"] == "lead"


async def test_a_note_takes_nobody_s_incident(city: Staffed) -> None:
    incident_id = await city.alarm()
    noted = await city.take("kim", incident_id, "notes", note="  looks like a cat  ")
    assert (noted["state"], noted["owner"]) == ("new", None)
    assert (await city.take("lee", incident_id, "acknowledge"))["owner"] == "lee"
    await city.take("kim", incident_id, "notes", note="it is a cat")
    await city.take("lee", incident_id, "close", verdict="false")
    await city.take("kim", incident_id, "notes", 409, note="too late")
    steps = (await city.get("kim", f"/incidents/{incident_id}/steps"))["steps"]
    assert [step["note"] for step in steps if step["action"] == "note"] == ["looks like a cat", "it is a cat"]


async def test_looking_at_a_picture_is_a_row_of_the_ledger(city: Staffed) -> None:
    incident_id = await city.alarm()
    answer = await city.people["mayor"].get(f"/api/v1/incidents/{incident_id}/snapshot")
    assert answer.status_code == 200
    query = select(LedgerRow).where(LedgerRow.action == "view.snapshot")
    async with city.center.parts.database.read() as session:
        (row,) = await session.scalars(query)
    assert (row.account_name, row.camera_id, row.incident_id) == ("mayor", "gate", incident_id)


async def test_open_and_closed_incidents_can_be_asked_for(city: Staffed) -> None:
    first, second = await city.alarm("a"), await city.alarm("b", 500)
    await city.take("kim", first, "close", verdict="real")

    async def found(query: str) -> list[str]:
        return [one["id"] for one in (await city.get("kim", f"/incidents{query}"))["incidents"]]

    assert await found("?open=true") == [second]
    assert await found("?open=false") == [first]
    assert await found("") == [second, first]
    assert await found("?open=true&state=closed") == []
