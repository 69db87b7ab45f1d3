"""`haechi recordings` on real files, and what the center writes down of deletions."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from control_center.database import LedgerRow
from streams.center_link import CenterLink
from streams.holds import all_holds
from streams.recording_index import Destroyed, RecordingIndex
from tests.haechi import haechi, write_settings
from tests.integration.control_center.conftest import RunningCenter
from tests.integration.test_recorder import SETTINGS, clip_units, looped, record
from tests.recorded import opened

pytestmark = pytest.mark.no_rerun


def index_of(folder: Path) -> Path:
    return folder / "data/workers/w0/recordings.sqlite"


async def recorded(folder: Path) -> Path:
    """Settings of an installation with one worker that has recorded two cameras."""
    index_of(folder).parent.mkdir(parents=True)
    async with opened(folder / "data", SETTINGS, index_path=index_of(folder)) as store:
        await record(store, looped(clip_units(), 6))
        await record(store, looped(clip_units(), 3), "park")
    return write_settings(folder, data_dir=str(folder / "data"), workers={"count": 1})


def rows(folder: Path) -> dict[str, tuple[str, int, str | None]]:
    index = RecordingIndex(index_of(folder))
    found = {row.path: (row.state, row.byte_count, row.sha256) for row in index.rows()}
    index.close()
    return found


async def test_recover_writes_the_rows_of_every_file_and_says_what_it_found(tmp_path: Path) -> None:
    settings = await recorded(tmp_path)
    before = rows(tmp_path)
    for path in index_of(tmp_path).parent.glob("recordings.sqlite*"):
        path.unlink()
    answer = await asyncio.to_thread(haechi, "recordings", "recover", "--config", settings)
    assert answer.returncode == 0, answer.stderr
    assert "0 files as their rows say, 3 without a row" in " ".join(answer.stdout.split())
    after = rows(tmp_path)
    assert {path: figures[1:] for path, figures in after.items()} == {path: one[1:] for path, one in before.items()}
    answer = await asyncio.to_thread(haechi, "recordings", "recover", "--config", settings)
    assert "3 files as their rows say, 0 without a row" in " ".join(answer.stdout.split())
    assert rows(tmp_path) == after


async def test_recover_never_takes_a_changed_file_for_right_and_deletes_nothing(tmp_path: Path) -> None:
    settings = await recorded(tmp_path)
    before = rows(tmp_path)
    changed, gone, *_ = sorted(before)
    content = bytearray((tmp_path / "data" / changed).read_bytes())
    content[-5] ^= 1
    (tmp_path / "data" / changed).write_bytes(content)
    (tmp_path / "data" / gone).unlink()
    answer = await asyncio.to_thread(haechi, "recordings", "recover", "--config", settings)
    assert answer.returncode == 1
    assert "1 changed; 1 rows without a file" in " ".join(answer.stdout.split())
    assert changed in answer.stderr.replace("\n", "")
    assert rows(tmp_path)[changed] == before[changed]
    assert rows(tmp_path)[gone][0] == "missing"
    assert (tmp_path / "data" / changed).read_bytes() == bytes(content)
    answer = await asyncio.to_thread(haechi, "recordings", "recover", "--accept-changed", "--config", settings)
    assert answer.returncode == 0
    assert rows(tmp_path)[changed][2] not in (None, before[changed][2])


async def test_a_hold_is_placed_shown_written_down_and_released(tmp_path: Path) -> None:
    settings = await recorded(tmp_path)
    span = ("--from", "2026-03-01", "--to", "2026-03-02T12:30")
    answer = await asyncio.to_thread(
        haechi, "recordings", "hold", "gate", *span, "--reason", "case 7", "--config", settings
    )
    assert answer.returncode == 0, answer.stderr
    (hold,) = all_holds(tmp_path / "data")
    assert hold.since == datetime(2026, 2, 28, 15, tzinfo=UTC)
    answer = await asyncio.to_thread(haechi, "recordings", "list", "--config", settings)
    assert hold.hold_id in answer.stdout and "case 7" in answer.stdout
    assert "park" in answer.stdout
    answer = await asyncio.to_thread(haechi, "recordings", "release", hold.hold_id, "--config", settings)
    assert answer.returncode == 0, answer.stderr
    assert all_holds(tmp_path / "data") == []
    answer = await asyncio.to_thread(haechi, "recordings", "release", hold.hold_id, "--config", settings)
    assert (answer.returncode, "there is no hold" in answer.stderr) == (2, True)
    answer = await asyncio.to_thread(haechi, "ledger", "export", "--config", settings)
    assert "recording.held" in answer.stdout and "recording.released" in answer.stdout
    backwards = ("--from", "2026-03-02", "--to", "2026-03-01", "--reason", "x")
    answer = await asyncio.to_thread(haechi, "recordings", "hold", "gate", *backwards, "--config", settings)
    assert (answer.returncode, "must end after it starts" in answer.stderr) == (2, True)


async def test_what_retention_deleted_is_a_row_of_the_ledger_once_the_center_hears_of_it(
    center: RunningCenter, tmp_path: Path
) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    figures = (24, 360_000_000, 1440.0, at, at + timedelta(minutes=24))
    async with opened(tmp_path, SETTINGS) as store:
        await store.recovered()
        index = RecordingIndex(store.index_path)
        index.remove([], [Destroyed("a" * 32, "gate", "2026-03-01", "days", *figures)], at.timestamp())
        index.close()
        async with center.worker() as worker:
            token = str(worker.headers["Authorization"]).removeprefix("Bearer ")
        async with CenterLink(center.url, "w0", token) as link:
            telling = asyncio.create_task(link.tell_destroyed(store))
            async with asyncio.timeout(30):
                while await store.destroyed():  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            telling.cancel()
            await asyncio.wait([telling])
    async with center.parts.database.read() as session:
        found = list(await session.scalars(select(LedgerRow).where(LedgerRow.action == "recording.destroyed")))
    (row,) = found
    assert (row.account_name, row.camera_id, row.subject, row.reason) == ("worker w0", "gate", "2026-03-01", "days")
    details = json.loads(row.details)
    assert (details["files"], details["bytes"], details["seconds"]) == (24, 360_000_000, 1440)
    async with center.client() as anybody:
        answer: httpx.Response = await anybody.post("/internal/v1/destroyed", json=[])
    assert answer.status_code == 401
