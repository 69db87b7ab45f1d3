"""What the center makes of camera faults: one incident while one lasts, closed by itself unless somebody took it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from control_center.ledger import LedgerFilter
from tests.integration.control_center.conftest import RunningCenter, event, heartbeat
from tests.integration.control_center.test_ingest import incidents, post

FAULT = {"kind": "camera_lost", "family": "fault", "zone": "camera", "severity": "attention", "label": "camera"}
HOUR = 3600.0


def lost(event_id: str, seconds: float = 0.0, **changes: Any) -> dict[str, Any]:
    return event(event_id, seconds, **{**FAULT, **changes})


def found(event_id: str, seconds: float, **changes: Any) -> dict[str, Any]:
    told = lost(event_id, seconds, **changes)
    return {**told, "ended_at": told["raised_at"], "dwell_seconds": 77.0}


async def steps(center: RunningCenter, incident_id: str) -> list[tuple[str, str, str | None]]:
    async with center.signed_in() as client:
        answer = await client.get(f"/api/v1/incidents/{incident_id}/steps")
    return [(one["action"], one["state_after"], one["by"]) for one in answer.json()["steps"]]


async def test_a_fault_that_nobody_took_on_closes_by_itself_without_a_verdict(center: RunningCenter) -> None:
    await post(center, lost("a"))
    await post(center, found("b", 6 * HOUR))
    await post(center, found("b", 6 * HOUR))
    (one,) = await incidents(center)
    assert (one["state"], one["verdict"], one["closed_by"], one["event_count"]) == ("closed", None, None, 1)
    assert one["closed_at"] and one["dwell_seconds"] == 77.0
    assert await steps(center, one["id"]) == [("created", "new", None), ("recovered", "closed", None)]
    rows = await center.parts.ledger.page(LedgerFilter(incident_id=one["id"]), 10, None)
    assert [(row.account_name, row.action) for row in rows] == [("center", "incident.closed")]


async def test_a_fault_that_somebody_took_stays_theirs_and_joins_what_comes_again(center: RunningCenter) -> None:
    await post(center, lost("a"))
    (one,) = await incidents(center)
    async with center.signed_in() as client:
        assert (await client.post(f"/api/v1/incidents/{one['id']}/acknowledge")).status_code == 200
    await post(center, found("b", HOUR), lost("c", 2 * HOUR), found("d", 3 * HOUR))
    (one,) = await incidents(center)
    assert (one["state"], one["event_count"]) == ("acknowledged", 2)
    assert [action for action, _, _ in await steps(center, one["id"])] == [
        "created",
        "acknowledge",
        "recovered",
        "raised_again",
        "recovered",
    ]


async def test_lost_and_frozen_of_many_cameras_are_incidents_of_their_own(center: RunningCenter) -> None:
    await post(center, lost("a"), lost("b", camera_id="alley"), lost("c", 1.0, kind="camera_frozen"), found("d", 9.0))
    assert sorted((one["camera_id"], one["kind"], one["state"]) for one in await incidents(center)) == [
        ("alley", "camera_lost", "new"),
        ("gate", "camera_frozen", "new"),
        ("gate", "camera_lost", "closed"),
    ]


async def test_a_recovery_of_what_was_never_told_is_taken_and_changes_nothing(center: RunningCenter) -> None:
    assert await post(center, found("a", 0.0)) == ["event-a"]
    assert await incidents(center) == []


async def test_an_end_means_nothing_for_what_a_rule_found(center: RunningCenter) -> None:
    await post(center, event("a"), {**event("b", 5.0), "ended_at": datetime.now(UTC).isoformat()})
    (one,) = await incidents(center)
    assert (one["state"], one["event_count"]) == ("new", 2)


async def test_faults_are_listed_apart_and_make_no_worker_look_closer(center: RunningCenter) -> None:
    now = datetime.now(UTC).isoformat()
    await post(center, lost("a", raised_at=now), event("b", camera_id="alley", raised_at=now))
    assert [one["camera_id"] for one in await incidents(center, faults="true")] == ["gate"]
    assert [one["camera_id"] for one in await incidents(center, faults="false")] == ["alley"]
    assert len(await incidents(center)) == 2
    assert center.parts.open_cameras == {"alley"}
    assert await center.parts.incidents.cameras_with_open(datetime(2020, 1, 1, tzinfo=UTC)) == {"alley"}


async def test_a_blind_camera_is_told_in_its_view_in_the_news_and_in_the_metrics(center: RunningCenter) -> None:
    since = "2026-01-01T00:00:00Z"

    async def camera() -> dict[str, Any]:
        async with center.signed_in() as client:
            cameras = (await client.get("/api/v1/cameras")).json()["cameras"]
        (gate,) = [one for one in cameras if one["id"] == "gate"]
        return {key: value for key, value in gate.items() if key.startswith("blind")}

    async def beat(faults: dict[str, Any]) -> None:
        async with center.worker() as worker:
            body = heartbeat(gate_main=("backing_off", "refused")) | {"faults": faults}
            assert (await worker.post("/internal/v1/workers/w0/heartbeat", json=body)).status_code == 200

    def metric() -> dict[str, float]:
        text = center.parts.metrics.text().decode()
        (family,) = [one for one in text_string_to_metric_families(text) if one.name == "haechi_cameras_blind"]
        return {sample.labels["fault"]: sample.value for sample in family.samples}

    sound = {"blind": False, "blind_reason": None, "blind_since": None}
    await beat({})
    assert await camera() == sound and metric() == {"camera_lost": 0, "camera_frozen": 0}
    await beat({"gate": {"kind": "camera_lost", "since": since}})
    assert await camera() == {"blind": True, "blind_reason": "camera_lost", "blind_since": since}
    assert metric() == {"camera_lost": 1, "camera_frozen": 0}
    await beat({})
    assert await camera() == sound
