from __future__ import annotations

import asyncio

import pytest

from control_center.rights import Role
from tests.integration.control_center.conftest import NAME, RunningCenter, event
from tests.integration.control_center.test_ingest import incidents, post


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


async def test_of_many_people_who_acknowledge_at_once_one_has_it(center: RunningCenter) -> None:
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
    assert stored["acknowledged_by"] == winner["acknowledged_by"]


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
