"""Holds on recordings through the API: who may, what is on the disk and in the ledger, what outlives the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from control_center.database import LedgerRow
from control_center.ledger import LedgerFilter
from control_center.rights import Role
from streams.holds import all_holds, holds_of
from tests.integration.control_center.conftest import serving
from tests.integration.control_center.staffed import CAMERAS, Staffed, staffed

DAY = timedelta(days=1)


def form(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "camera_id": "gate",
        "since": (now - DAY).isoformat(),
        "until": (now - DAY + timedelta(hours=1)).isoformat(),
        "reason": "case 2026-114",
        "expires_at": (now + 30 * DAY).isoformat(),
    } | changes


async def post(city: Staffed, who: str, path: str, expected: int, **body: Any) -> dict[str, Any]:
    answer = await city.people[who].post(f"/api/v1{path}", json=body)
    assert answer.status_code == expected, answer.text
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


async def rows(city: Staffed, action: str) -> list[LedgerRow]:
    return list(reversed(await city.center.parts.ledger.page(LedgerFilter(action=action), 50)))


async def test_an_operator_holds_a_range_and_a_shift_lead_releases_it_with_two_rows(
    tmp_path: Path, center_database_url: str | None
) -> None:
    async with staffed(tmp_path, center_database_url) as city:
        placed = await post(city, "kim", "/holds", 201, **form())
        (on_disk,) = holds_of(tmp_path, "gate")
        assert (on_disk.hold_id, on_disk.placed_by, on_disk.reason) == (placed["hold_id"], "kim", "case 2026-114")
        assert on_disk.expires_at == datetime.fromisoformat(placed["expires_at"])
        assert (await city.get("privacy", "/holds"))["holds"] == [placed]
        assert (await city.get("lee", "/holds?camera=at-50"))["holds"] == []
        (row,) = await rows(city, "recording.held")
        assert (row.account_name, row.camera_id, row.reason) == ("kim", "gate", "case 2026-114")
        assert json.loads(row.details)["hold"] == placed["hold_id"]
        for who in ("kim", "privacy", "root", "police"):
            await post(city, who, f"/holds/{placed['hold_id']}/release", 403, reason="no longer wanted")
        assert holds_of(tmp_path, "gate") == [on_disk]
        await post(city, "lead", f"/holds/{placed['hold_id']}/release", 204, reason="no longer wanted")
        assert holds_of(tmp_path, "gate") == []
        (row,) = await rows(city, "recording.released")
        assert (row.account_name, row.camera_id, row.reason) == ("lead", "gate", "no longer wanted")
        await post(city, "lead", f"/holds/{placed['hold_id']}/release", 404, reason="again")
        assert (await city.chain()).fault == ""


async def test_what_makes_no_sense_is_refused_and_holds_nothing(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    wrong = [
        form(until=(now - 2 * DAY).isoformat()),
        form(since=(now - 40 * DAY).isoformat()),
        form(expires_at=(now - DAY).isoformat()),
        form(expires_at=(now + 5000 * DAY).isoformat()),
        form(expires_at=now.replace(tzinfo=None).isoformat()),
        form(reason="   "),
        form(incident_id="f" * 32),
        {key: value for key, value in form().items() if key != "expires_at"},
    ]
    async with staffed(tmp_path, None) as city:
        for body in wrong:
            assert (await post(city, "kim", "/holds", 422, **body))["type"].endswith(":invalid")
        await post(city, "kim", "/holds", 404, **form(camera_id="no-such-camera"))
        assert all_holds(tmp_path) == []
        assert await rows(city, "recording.held") == []


async def test_an_incidents_hold_begins_a_minute_before_it_and_ends_within_an_hour_after(tmp_path: Path) -> None:
    async with staffed(tmp_path, None) as city:
        incident_id = await city.alarm(seconds=3000)
        incident = await city.get("kim", f"/incidents/{incident_id}")
        expires_at = (datetime.now(UTC) + DAY).isoformat()
        path = f"/incidents/{incident_id}/hold"
        placed = await post(city, "kim", path, 201, reason="asked by the police", expires_at=expires_at)
        since, until = (datetime.fromisoformat(placed[name]) for name in ("since", "until"))
        assert since == datetime.fromisoformat(incident["started_at"]) - timedelta(minutes=1)
        assert until - datetime.fromisoformat(incident["raised_at"]) == timedelta(hours=1)
        closed = await city.take("kim", incident_id, "close", verdict="unsure")
        again = await post(city, "kim", path, 201, reason="asked by the police", expires_at=expires_at)
        assert again["until"] == closed["closed_at"]
        await post(city, "lead", f"/holds/{again['hold_id']}/release", 204, reason="twice")
        assert (await city.get("kim", f"/holds?incident={incident_id}"))["holds"] == [placed]
        await post(city, "kim", f"/incidents/{'0' * 32}/hold", 404, reason="asked", expires_at=expires_at)


async def test_what_was_judged_real_is_held_and_what_was_not_is_not(
    tmp_path: Path, center_database_url: str | None
) -> None:
    async with staffed(tmp_path, center_database_url, recording={"keep_real_days": 45}) as city:
        real = await city.alarm("real")
        await city.take("kim", real, "close", verdict="real")
        false = await city.alarm("false", camera_id="at-50")
        await city.take("kim", false, "close", verdict="false")
        (held,) = (await city.get("kim", "/holds"))["holds"]
        closed_at = datetime.fromisoformat((await city.get("kim", f"/incidents/{real}"))["closed_at"])
        assert (held["incident_id"], held["camera_id"], held["by_verdict"]) == (real, "gate", True)
        assert datetime.fromisoformat(held["expires_at"]) == closed_at + 45 * DAY
        (row,) = await rows(city, "recording.held")
        assert (row.account_name, row.incident_id) == ("center", real)
        # What the center made sure of once it does not do again: a person's release stands.
        await post(city, "lead", f"/holds/{held['hold_id']}/release", 204, reason="settled")
        await city.center.parts.holds.sweep(datetime.now(UTC))
        assert all_holds(tmp_path) == []


async def test_a_verdict_that_could_not_be_held_at_once_is_held_by_the_next_sweep(tmp_path: Path) -> None:
    async with staffed(tmp_path, None) as city:
        incident_id = await city.alarm()
        (tmp_path / "recordings").write_text("a file where the folder should be")
        closed = await city.take("kim", incident_id, "close", verdict="real")
        assert closed["state"] == "closed"
        (tmp_path / "recordings").unlink()
        await city.center.parts.holds.sweep(datetime.now(UTC))
        assert [hold.incident_id for hold in all_holds(tmp_path)] == [incident_id]
        assert len(await rows(city, "recording.held")) == 1


async def test_a_setting_of_no_days_holds_no_verdict(tmp_path: Path) -> None:
    async with staffed(tmp_path, None, recording={"keep_real_days": 0}) as city:
        await city.take("kim", await city.alarm(), "close", verdict="real")
        await city.center.parts.holds.sweep(datetime.now(UTC))
        assert all_holds(tmp_path) == []


async def test_holds_outlive_the_database(tmp_path: Path) -> None:
    async with staffed(tmp_path, None) as city:
        placed = await post(city, "kim", "/holds", 201, **form())
        await city.take("kim", await city.alarm(), "close", verdict="real")
        assert len(all_holds(tmp_path)) == 2
    for path in tmp_path.glob("*.sqlite*"):
        path.unlink()
    assert not list(tmp_path.glob("*.sqlite*"))
    settings = Settings.model_validate({"data_dir": tmp_path, "cameras": CAMERAS})
    async with serving(settings) as center:
        await center.parts.holds.sweep(datetime.now(UTC))
        async with center.signed_in_as(Role.SHIFT_LEAD) as lead:
            listed = (await lead.get("/api/v1/holds")).json()["holds"]
            assert len(listed) == 2
            assert placed in listed


async def test_a_hold_that_cannot_be_read_is_told_and_hides_no_other(tmp_path: Path) -> None:
    async with staffed(tmp_path, None) as city:
        await post(city, "kim", "/holds", 201, **form())
        (tmp_path / "recordings/at-50").mkdir()
        (tmp_path / "recordings/at-50/hold-0.json").write_text("{")
        listed = await city.get("kim", "/holds")
        assert [one["camera_id"] for one in listed["holds"]] == ["gate"]
        assert "camera at-50 cannot be read" in listed["faults"][0]


async def test_a_removed_camera_can_be_held_still(tmp_path: Path) -> None:
    async with staffed(tmp_path, None) as city:
        answer = await city.people["root"].delete("/api/v1/register/cameras/gate")
        assert answer.status_code == 204, answer.text
        await post(city, "kim", "/holds", 201, **form())


async def test_a_hold_without_its_row_in_the_ledger_is_no_hold_and_stays_one_when_it_cannot_be_released(
    tmp_path: Path,
) -> None:
    async with staffed(tmp_path, None) as city:
        placed = await post(city, "kim", "/holds", 201, **form())
        async with city.center.parts.database.write() as session:
            await session.execute(LedgerRow.__table__.delete())
            connection = await session.connection()
            await connection.exec_driver_sql("ALTER TABLE ledger RENAME TO ledger_away")
        await post(city, "kim", "/holds", 503, **form())
        await post(city, "lead", f"/holds/{placed['hold_id']}/release", 503, reason="no longer wanted")
        assert [hold.hold_id for hold in all_holds(tmp_path)] == [placed["hold_id"]]


async def test_a_hold_whose_time_is_over_goes_after_a_day_by_a_clock_that_cannot_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staffed(tmp_path, None) as city:
        seconds = 1000.0
        holds = city.center.parts.holds
        monkeypatch.setattr(holds, "_monotonic", lambda: seconds)
        placed = await post(city, "kim", "/holds", 201, **form())
        later = datetime.now(UTC) + 31 * DAY
        await holds.sweep(later)
        seconds += 80_000
        await holds.sweep(later)
        assert len(all_holds(tmp_path)) == 1
        # The clock was wrong and is right again: it counts anew.
        await holds.sweep(datetime.now(UTC))
        seconds += 10_000
        await holds.sweep(later)
        assert len(all_holds(tmp_path)) == 1
        seconds += 86_400
        await holds.sweep(later)
        assert all_holds(tmp_path) == []
        (row,) = await rows(city, "recording.released")
        assert (row.account_name, row.reason) == ("center", "its time is over")
        assert json.loads(row.details)["hold"] == placed["hold_id"]
