from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from control_center import fleet
from control_center.incidents.transitions import STATES
from detectors.event import FAMILY
from tests.integration.control_center.conftest import RunningCenter, event, heartbeat, serving, settings_in
from tests.integration.control_center.test_ingest import incidents, post


async def beat(center: RunningCenter, worker_id: str = "w0", **streams: tuple[str, str]) -> dict[str, Any]:
    async with center.worker() as worker:
        answer = await worker.post(f"/internal/v1/workers/{worker_id}/heartbeat", json=heartbeat(**streams))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def status(center: RunningCenter) -> dict[str, Any]:
    async with center.client() as client:
        answer = await client.get("/api/v1/status")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def test_the_status_counts_cameras_by_their_worst_stream(sqlite_center: RunningCenter) -> None:
    nothing = {"live": 0, "connecting": 0, "stalled": 0, "backing_off": 0, "disabled": 0}
    assert (await status(sqlite_center))["cameras"] == nothing | {"total": 2, "connecting": 2}
    await beat(sqlite_center, gate_main=("live", ""), gate_sub=("stalled", "no key frame"), alley_main=("live", ""))
    assert (await status(sqlite_center))["cameras"] == nothing | {"total": 2, "live": 1, "stalled": 1}
    await beat(sqlite_center, gate_main=("live", ""), gate_sub=("live", ""), alley_main=("disabled", "not video"))
    assert (await status(sqlite_center))["cameras"] == nothing | {"total": 2, "live": 1, "disabled": 1}


async def test_a_camera_says_which_stream_is_not_live_and_why(sqlite_center: RunningCenter) -> None:
    await beat(sqlite_center, gate_main=("backing_off", "401: wrong password"), gate_sub=("live", ""))
    async with sqlite_center.signed_in() as client:
        camera = (await client.get("/api/v1/cameras/gate")).json()
        everything = (await client.get("/api/v1/cameras")).text
    assert (camera["state"], camera["reason"]) == ("backing_off", "401: wrong password")
    untold = {"since": None, "next_attempt_at": None}  # an older worker
    assert camera["streams"][1] == {"name": "sub", "state": "live", "reason": ""} | untold
    assert camera["position"] == {"latitude": 37.26, "longitude": 127.03}
    assert camera["zones"][0]["rules"] == [
        {"kind": "intrusion", "severity": "alert", "seconds": 0.5},
        {"kind": "fire", "severity": "serious", "seconds": 3.0},
    ]
    assert "camera-secret" not in everything and "rtsp://" not in everything


async def test_a_stream_says_since_when_and_when_it_is_tried_next(sqlite_center: RunningCenter) -> None:
    sent = heartbeat(gate_main=("backing_off", "401: wrong password"))
    times = {"since": "2026-11-22T01:00:00Z", "next_attempt_at": "2026-11-22T01:00:08Z"}
    sent["cameras"]["gate"]["main"] |= times
    async with sqlite_center.worker() as worker, sqlite_center.signed_in() as client:
        assert (await worker.post("/internal/v1/workers/w0/heartbeat", json=sent)).status_code == 200
        stream = (await client.get("/api/v1/cameras/gate")).json()["streams"][0]
    assert {name: stream[name] for name in times} == times


async def test_the_status_counts_incidents_by_kind_and_state(center: RunningCenter) -> None:
    await post(center, event("a"), event("b", kind="fire", family="fire"), event("c", camera_id="alley"))
    newest = (await incidents(center, kind="fire"))[0]["id"]
    async with center.signed_in() as client:
        await client.post(f"/api/v1/incidents/{newest}/close", json={"verdict": "real"})
    counted = (await status(center))["incidents"]
    assert (counted["total"], counted["new"], counted["closed"]) == (3, 2, 1)
    nothing = dict.fromkeys(STATES, 0)
    assert counted["by_kind"]["intrusion"] == nothing | {"new": 2}
    assert counted["by_kind"]["fire"] == nothing | {"closed": 1}
    assert set(counted["by_kind"]) == {*FAMILY}


async def test_a_silent_worker_is_told_and_its_cameras_are_not_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(settings_in(tmp_path), expected=("w0", "w1")) as center, center.client() as client:
        await beat(center, "w0", gate_main=("live", ""), gate_sub=("live", ""))
        await beat(center, "w1", alley_main=("live", ""))
        assert (await client.get("/healthz")).status_code == 200
        monkeypatch.setattr(fleet, "SILENT_AFTER_SECONDS", -1.0)
        health = await client.get("/healthz")
        assert health.status_code == 503
        assert health.json()["parts"]["database"]["ok"] is True
        assert "w0, w1" in health.json()["parts"]["workers"]["detail"]
        assert (await status(center))["cameras"]["connecting"] == 2
        async with center.signed_in() as person:
            assert (await person.get("/api/v1/cameras/alley")).json()["reason"] == "worker w1 not answering"


async def test_an_expected_worker_that_never_came_is_unhealthy(tmp_path: Path) -> None:
    async with serving(settings_in(tmp_path), expected=("w0",)) as center, center.client() as client:
        assert (await client.get("/healthz")).status_code == 503
        await beat(center)
        assert (await client.get("/healthz")).status_code == 200


async def test_a_heartbeat_is_answered_with_the_cameras_to_watch_first(sqlite_center: RunningCenter) -> None:
    await post(sqlite_center, event("now", raised_at=datetime.now(UTC).isoformat()))
    assert (await beat(sqlite_center))["open_incidents"] == ["gate"]


async def test_metrics_can_be_parsed_and_hold_our_figures_and_the_workers(sqlite_center: RunningCenter) -> None:
    await beat(sqlite_center, alley_main=("live", ""))
    await post(sqlite_center, event("a"), event("a"))
    async with sqlite_center.client() as client:
        text = (await client.get("/metrics")).text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["haechi_events_total", "intrusion"] == 1
    assert samples["haechi_event_repeats_total",] == 1
    assert samples["haechi_cameras", "live"] == 1
    assert samples["haechi_worker_answering", "w0"] == 1
    assert samples["haechi_worker_packets_total", "w0"] == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "file:///etc/passwd"},
        {"pid": 0},
        {"cameras": {"gate": {"main": {"state": "fine"}}}},
    ],
)
async def test_a_heartbeat_that_is_not_right_is_refused(sqlite_center: RunningCenter, wrong: dict[str, Any]) -> None:
    async with sqlite_center.worker() as worker:
        answer = await worker.post("/internal/v1/workers/w0/heartbeat", json=heartbeat() | wrong)
    assert answer.status_code == 422
    assert (await status(sqlite_center))["workers"]["total"] == 0
