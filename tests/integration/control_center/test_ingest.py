from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from control_center.database import Event, Incident, Snapshot
from tests.integration.control_center.conftest import JPEG, RunningCenter, event, settings_in


async def post(center: RunningCenter, *events: dict[str, Any]) -> list[str]:
    async with center.worker() as worker:
        answer = await worker.post("/internal/v1/events", json=list(events), headers={"X-Haechi-Worker": "w0"})
    assert answer.status_code == 200, answer.text
    accepted: list[str] = answer.json()["accepted"]
    return accepted


async def incidents(center: RunningCenter, **query: Any) -> list[dict[str, Any]]:
    async with center.signed_in() as client:
        answer = await client.get("/api/v1/incidents", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["incidents"]
    return found


async def test_an_event_becomes_an_incident_with_its_fields_and_picture(center: RunningCenter) -> None:
    sent = event("a")
    assert await post(center, sent) == ["event-a"]
    (incident,) = await incidents(center)
    assert (
        incident
        | {
            "camera_id": "gate",
            "camera_name": "정문",
            "kind": "intrusion",
            "family": "crime",
            "zone": "yard",
            "severity": "alert",
            "state": "new",
            "event_count": 1,
            "box": [0.1, 0.1, 0.3, 0.5],
            "owner": None,
            "acknowledged_by": None,
            "verdict": None,
            "dwell_seconds": None,
            "category": "school_zone",
            "position": {"latitude": 37.26, "longitude": 127.03},
            "dispatches": [],
            "granted_cameras": [],
        }
        == incident
    )
    assert incident["started_at"] == sent["started_at"].replace("+00:00", "Z")
    async with center.signed_in() as client:
        picture = await client.get(incident["snapshot_url"])
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content == JPEG


async def test_an_event_sent_again_is_accepted_and_counted_once(center: RunningCenter) -> None:
    for _ in range(3):
        assert await post(center, event("a"), event("a"), event("b", 1)) == ["event-a", "event-a", "event-b"]
    (incident,) = await incidents(center)
    assert incident["event_count"] == 2
    async with center.parts.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Event)) == 2
        assert await session.scalar(select(func.count()).select_from(Snapshot)) == 1


async def test_the_same_events_from_many_posts_at_once_are_counted_once(center: RunningCenter) -> None:
    batch = [event(f"{n}", n * 100.0, snapshot_jpeg=None) for n in range(10)]
    await asyncio.gather(*(post(center, *batch) for _ in range(8)))
    found = await incidents(center)
    assert len(found) == 10
    assert {incident["event_count"] for incident in found} == {1}


async def test_events_of_one_thing_join_and_of_others_do_not(center: RunningCenter) -> None:
    far_away = [0.7, 0.6, 0.9, 0.9]
    await post(
        center,
        event("first"),
        event("same-place", 20),
        event("elsewhere-later", 40, box=far_away),
        event("other-camera", camera_id="alley"),
        event("other-kind", kind="fire", family="fire", severity="serious"),
        event("other-zone", zone="street"),
        event("much-later", 200),
    )
    found = await incidents(center)
    assert sorted(incident["event_count"] for incident in found) == [1, 1, 1, 1, 1, 2]


async def test_an_event_after_closing_opens_a_new_incident(center: RunningCenter) -> None:
    await post(center, event("a"))
    (first,) = await incidents(center)
    async with center.signed_in() as client:
        await client.post(f"/api/v1/incidents/{first['id']}/close", json={"verdict": "false"})
    await post(center, event("b", 1))
    assert [incident["state"] for incident in await incidents(center)] == ["new", "closed"]


async def test_a_worse_event_raises_the_severity_of_its_incident(center: RunningCenter) -> None:
    await post(center, event("a", severity="caution"), event("b", 1, severity="serious"), event("c", 2))
    (incident,) = await incidents(center)
    assert incident["severity"] == "serious"


async def test_the_longest_dwell_is_the_incidents(center: RunningCenter) -> None:
    await post(center, event("a"), event("b", 1, dwell_seconds=12.5), event("c", 2, dwell_seconds=8.0), event("d", 3))
    (incident,) = await incidents(center)
    assert (incident["event_count"], incident["dwell_seconds"]) == (4, 12.5)


async def test_what_can_be_mended_is_taken_rather_than_refused(center: RunningCenter) -> None:
    crooked = event("a", box=[-0.1, 0.2, 1.4, 0.9], score=1.2, snapshot_jpeg="AAAA", label="person")
    assert await post(center, crooked) == ["event-a"]
    (incident,) = await incidents(center)
    assert incident["box"] == [0.0, 0.2, 1.0, 0.9]
    assert incident["score"] == 1.0
    assert incident["snapshot_url"] is None


async def test_a_batch_with_an_event_that_is_not_understood_is_left_whole_and_says_which(
    center: RunningCenter,
) -> None:
    async with center.worker() as worker:
        answer = await worker.post("/internal/v1/events", json=[event("a"), event("b", kind="earthquake")])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "1.kind"
    assert await incidents(center) == []


async def test_a_snapshot_is_a_file_named_by_its_hash(sqlite_center: RunningCenter, tmp_path: Path) -> None:
    await post(sqlite_center, event("a"))
    digest = hashlib.sha256(JPEG).hexdigest()
    files = [path for path in (tmp_path / "snapshots").rglob("*") if path.is_file()]
    assert files == [tmp_path / "snapshots" / digest[:2] / f"{digest}.jpg"]


async def test_events_are_refused_and_nothing_is_committed_when_snapshots_cannot_be_written(
    sqlite_center: RunningCenter, tmp_path: Path
) -> None:
    (tmp_path / "snapshots").write_text("a file where the folder should be")
    async with sqlite_center.worker() as worker:
        answer = await worker.post("/internal/v1/events", json=[event("a")])
    assert answer.status_code == 507
    async with sqlite_center.parts.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Incident)) == 0
    (tmp_path / "snapshots").unlink()
    assert await post(sqlite_center, event("a")) == ["event-a"]


async def test_pages_of_incidents_are_newest_first_and_lose_none(center: RunningCenter) -> None:
    for n in range(7):
        await post(center, event(f"{n}", n * 100.0, snapshot_jpeg=None))
    async with center.signed_in() as client:
        seen, before = [], None
        while True:
            query = {"limit": 3} | ({"before": before} if before else {})
            page = (await client.get("/api/v1/incidents", params=query)).json()
            seen += [incident["raised_at"] for incident in page["incidents"]]
            before = page["next_before"]
            if before is None:
                break
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(("query", "count"), [({"state": "new"}, 3), ({"kind": "fire"}, 1), ({"camera": "alley"}, 1)])
async def test_incidents_can_be_filtered(sqlite_center: RunningCenter, query: dict[str, str], count: int) -> None:
    await post(
        sqlite_center,
        event("a"),
        event("b", kind="fire", family="fire", severity="serious"),
        event("c", camera_id="alley"),
    )
    assert len(await incidents(sqlite_center, **query)) == count


def test_the_settings_of_these_tests_hold_no_secret_when_shown(tmp_path: Path) -> None:
    assert "camera-secret" not in repr(settings_in(tmp_path))
