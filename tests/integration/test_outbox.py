"""Events on their way from a worker to a real center: none lost, none counted twice."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from control_center.database import Event as EventRow
from detectors.event import Event
from streams.center_link import CenterLink
from streams.event_intake import EventIntake
from streams.outbox import Outbox, OutboxFull, OutboxLimits
from tests.center_on_a_port import TOKEN, CenterOnAPort, stored_event_ids, until
from tests.requirements import ROOT

pytestmark = pytest.mark.no_rerun

JPEG = b"\xff\xd8\xff\xe0" + bytes(4000)
CAMERAS = [{"id": "gate", "name": "gate", "purpose": "crime prevention", "main": "rtsp://127.0.0.1/gate"}]


def event(number: int = 0, **changes: Any) -> Event:
    at = datetime.now(UTC) - timedelta(hours=1) + timedelta(minutes=10 * number)
    fields = {
        "event_id": uuid.uuid4().hex,
        "camera_id": "gate",
        "kind": "intrusion",
        "zone": "yard",
        "severity": "alert",
        "started_at": at,
        "raised_at": at,
        "box": (0.1, 0.1, 0.2, 0.3),
        "score": 0.8,
        "label": "person",
    }
    return Event(**{**fields, **changes})


@asynccontextmanager
async def sending(outbox: Outbox, url: str, token: str = TOKEN) -> AsyncIterator[CenterLink]:
    async with CenterLink(url, "w0", token) as link:
        task = asyncio.create_task(link.send_events(outbox))
        try:
            yield link
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_an_event_waits_on_disk_while_the_center_is_away_and_arrives_when_it_is_back(tmp_path: Path) -> None:
    center = CenterOnAPort(tmp_path, CAMERAS)
    first, second = event(0), event(1)
    async with Outbox(tmp_path / "outbox.sqlite") as outbox, sending(outbox, center.url) as link:
        await outbox.put(first, JPEG)
        await until(lambda: link.status.posts_failed >= 1)
        assert outbox.status.depth == 1
        async with center.running() as parts:
            await until(lambda: outbox.status.depth == 0)
            assert await stored_event_ids(parts) == [first.event_id]
        await outbox.put(second, b"")
        async with center.running() as parts:
            await until(lambda: outbox.status.depth == 0)
            assert await stored_event_ids(parts) == sorted([first.event_id, second.event_id])
            incidents = await parts.incidents.counts()
            assert incidents


async def test_an_event_that_was_put_survives_kill_9(tmp_path: Path) -> None:
    """The writer is killed while it writes; whatever `put` answered for is in the file."""
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "from streams.outbox import Outbox\n"
        "from tests.integration.test_outbox import event, JPEG\n"
        "async def main():\n"
        "    async with Outbox(Path(sys.argv[1])) as outbox:\n"
        "        while True:\n"
        "            one = event()\n"
        "            await outbox.put(one, JPEG)\n"
        "            print(one.event_id, flush=True)\n"
        "asyncio.run(main())\n"
    )
    path = tmp_path / "outbox.sqlite"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(path), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    told = {(await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip() for _ in range(20)}
    process.send_signal(signal.SIGKILL)
    told |= {line.decode().strip() for line in (await process.stdout.read()).splitlines(True) if line.endswith(b"\n")}
    assert await process.wait() == -signal.SIGKILL
    async with Outbox(path) as outbox:
        kept = {pending.event.event_id for pending in await outbox.pending(100_000, 10**9)}
        assert told <= kept and len(told) >= 20
        assert outbox.status.depth == len(kept)


async def test_a_worker_that_died_after_sending_sends_again_and_is_counted_once(tmp_path: Path) -> None:
    center = CenterOnAPort(tmp_path, CAMERAS)
    one = event()
    async with center.running() as parts:
        async with Outbox(tmp_path / "outbox.sqlite") as outbox:
            await outbox.put(one, JPEG)
        async with Outbox(tmp_path / "outbox.sqlite") as outbox, CenterLink(center.url, "w0", TOKEN) as link:
            assert (await link._post_events(await outbox.pending())).accepted == (one.event_id,)
        async with Outbox(tmp_path / "outbox.sqlite") as outbox, sending(outbox, center.url):
            assert outbox.status.depth == 1
            await until(lambda: outbox.status.depth == 0)
        async with parts.database.read() as session:
            assert await session.scalar(select(func.count()).select_from(EventRow)) == 1


async def test_an_event_the_center_will_never_take_holds_up_no_other(tmp_path: Path) -> None:
    center = CenterOnAPort(tmp_path, CAMERAS)
    good, bad = event(0), event(1, zone="no such name!")
    async with center.running() as parts, Outbox(tmp_path / "outbox.sqlite") as outbox:
        await outbox.put(bad, JPEG)
        await outbox.put(good, JPEG)
        async with sending(outbox, center.url):
            await until(lambda: outbox.status.depth == 0)
        assert await stored_event_ids(parts) == [good.event_id]
        assert (outbox.status.accepted, outbox.status.refused_by_center) == (1, 1)
        assert [one.event_id for one in await outbox.recent(60)] == [good.event_id]


async def test_a_wrong_token_keeps_the_events_here(tmp_path: Path) -> None:
    center = CenterOnAPort(tmp_path, CAMERAS)
    async with center.running(), Outbox(tmp_path / "outbox.sqlite") as outbox:
        await outbox.put(event(), JPEG)
        async with sending(outbox, center.url, "not-the-token-of-the-tests") as link:
            await until(lambda: link.status.posts_failed >= 1)
        assert (outbox.status.depth, outbox.status.refused_by_center) == (1, 0)


async def test_a_full_outbox_refuses_and_counts(tmp_path: Path) -> None:
    limits = OutboxLimits(max_pending=3, max_snapshot_bytes=2 * len(JPEG))
    async with Outbox(tmp_path / "outbox.sqlite", limits) as outbox:
        for number in range(3):
            await outbox.put(event(number), JPEG)
        assert outbox.status.snapshots_dropped == 1
        assert [one.snapshot_jpeg is not None for one in await outbox.pending()] == [True, True, False]
        with pytest.raises(OutboxFull, match="3 events wait for the center"):
            await outbox.put(event(4), JPEG)
        intake = EventIntake(outbox)
        task = asyncio.create_task(intake.run())
        intake.take(event(5), JPEG)
        await intake.drain(60)
        task.cancel()
        assert intake.status.lost == 1 and outbox.status.refused_full == 2


async def test_an_event_is_stored_once_however_often_it_is_put(tmp_path: Path) -> None:
    one = event()
    async with Outbox(tmp_path / "outbox.sqlite") as outbox:
        assert [await outbox.put(one, JPEG) for _ in range(3)] == [True, False, False]
        assert (outbox.status.depth, outbox.status.repeated) == (1, 2)


async def test_what_was_accepted_is_remembered_for_a_while_without_its_picture(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    async with Outbox(path, OutboxLimits(kept_seconds=0.0)) as outbox:
        one = event()
        await outbox.put(one, JPEG)
        await outbox.accept([one.event_id])
        assert await outbox.recent(60) == (one,)
        with sqlite3.connect(path) as database:
            assert database.execute("SELECT snapshot FROM events").fetchall() == [(None,)]
        database.close()
        await asyncio.sleep(0.01)
        assert await outbox.prune() == 1
        assert await outbox.recent(60) == ()


async def test_a_damaged_file_is_set_aside_and_a_new_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"this is no database" * 100)
    async with Outbox(path) as outbox:
        await outbox.put(event(), JPEG)
        assert outbox.status.depth == 1
    assert len(list(tmp_path.glob("outbox.sqlite.damaged-*"))) == 1
