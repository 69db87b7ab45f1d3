"""What is deleted, and above all what is not: real files, a real index, a clock that can be set wrongly."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import RecordingSettings
from streams import retention
from streams.disk import Disk
from streams.holds import Hold, HoldError, all_holds, holds_of, place, release
from streams.recording_index import Keeping, RecordingIndex, SegmentRow
from streams.recording_store import RecordingStore
from streams.retention import RATE, Retention
from streams.shards import Shard
from tests.integration.test_recorder import SETTINGS, clip_units, looped, record
from tests.recorded import opened

pytestmark = pytest.mark.no_rerun

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SIZE = 1000


class Clock:
    """Monotonic seconds and UTC that are set apart; time goes on by `wait`."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.utc = NOW

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.utc += timedelta(seconds=seconds)


class Roomless(Disk):
    """Says how much room it has: `free` more than what the files of `folder` leave of `size`."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self.fails: set[str] = set()
        self.unlinked: list[str] = []

    def free_bytes(self, path: Path) -> int:
        return self.size - sum(file.stat().st_size for file in self.folder.rglob("*.mp4"))

    def remove(self, path: Path) -> None:
        if path.name in self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.unlinked.append(str(path.relative_to(self.folder)))
        super().remove(path)


def put_segment(
    directory: Path, index: RecordingIndex, started_at: datetime, camera_id: str = "gate", seconds: float = 60
) -> SegmentRow:
    """A file that need not play, and its row."""
    path = Path("recordings", camera_id, started_at.strftime("%Y/%m/%d/%H%M%S.mp4"))
    (directory / path).parent.mkdir(parents=True, exist_ok=True)
    (directory / path).write_bytes(b"\0" * SIZE)
    ended_at = started_at + timedelta(seconds=seconds)
    row = SegmentRow(str(path), camera_id, str(path), started_at, ended_at, seconds, SIZE, "00", "closed")
    index.put([row])
    return row


class Scene:
    """A retention on `tmp_path` with a clock of its own."""

    def __init__(
        self, directory: Path, disk: Disk | None = None, shard: Shard | None = None, **settings: float
    ) -> None:
        self.directory, self.clock = directory, Clock()
        self.index = RecordingIndex(directory / "recordings.sqlite")
        given = RecordingSettings.model_validate({"keep_free_bytes": 0, **settings})
        self.retention = self.new_retention(given, disk or Disk(), shard)
        self.retention.resume()

    def new_retention(self, settings: RecordingSettings, disk: Disk, shard: Shard | None = None) -> Retention:
        clock = self.clock
        return Retention(
            *(self.directory, self.index, settings, disk, shard),
            monotonic=lambda: clock.seconds,
            utc_now=lambda: clock.utc,
        )

    def work(self, hours: float) -> None:
        """Let it do what it does in so long."""
        until = self.clock.seconds + hours * 3600
        while self.clock.seconds < until:
            self.clock.wait(min(self.retention.step(), 30.0))

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*.mp4"))

    def rows(self) -> list[str]:
        return sorted(row.path for row in self.index.rows())


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.index.close()


def test_what_is_older_than_it_may_be_goes_with_its_row_and_its_empty_folder(scene: Scene) -> None:
    old = [put_segment(scene.directory, scene.index, NOW - 31 * DAY + timedelta(minutes=n)) for n in range(40)]
    young = put_segment(scene.directory, scene.index, NOW - 29 * DAY)
    scene.work(1)
    assert scene.files() == scene.rows() == [young.path]
    assert not (scene.directory / old[0].path).parent.exists()
    assert scene.retention.destroyed_segments == {"days": 40}
    (report,) = scene.index.destroyed(scene.clock.utc.timestamp())
    assert (report.camera_id, report.day, report.reason, report.segments) == ("gate", "2026-01-29", "days", 40)
    assert (report.first_at, report.last_at) == (old[0].started_at, old[-1].ended_at)
    scene.index.forget_destroyed([report.report_id])
    assert scene.index.destroyed(scene.clock.utc.timestamp()) == []


def test_a_camera_keeps_as_long_and_as_much_as_is_said_of_it_even_after_it_was_removed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for camera_id in ("gate", "park", "yard"):
        for days in (1, 5, 40):
            put_segment(tmp_path, scene.index, NOW - days * DAY, camera_id)
    scene.retention.keep({"gate": Keeping(keep_days=3), "park": Keeping(keep_days=90)})
    again = scene.new_retention(RecordingSettings(keep_free_bytes=0), Disk())  # a new process, never told of them
    again.resume()
    scene.retention = again
    scene.work(1)
    kept = {camera: [row.started_at for row in scene.index.rows(camera)] for camera in ("gate", "park", "yard")}
    assert kept == {
        "gate": [NOW - DAY],
        "park": [NOW - 40 * DAY, NOW - 5 * DAY, NOW - DAY],
        "yard": [NOW - 5 * DAY, NOW - DAY],
    }
    scene.index.close()


def test_of_more_bytes_than_allowed_the_oldest_go_and_what_is_held_does_not_count(tmp_path: Path) -> None:
    scene = Scene(tmp_path, keep_bytes=1_000_000)
    rows = [put_segment(tmp_path, scene.index, NOW - DAY + timedelta(minutes=n)) for n in range(20)]
    scene.retention.keep({"gate": Keeping(keep_bytes=5 * SIZE)})
    hold = Hold(
        camera_id="gate", since=rows[2].started_at, until=rows[3].started_at, reason="r", placed_by="p", placed_at=NOW
    )
    place(tmp_path, hold)
    scene.work(1)
    assert scene.rows() == scene.files() == [rows[2].path, *(row.path for row in rows[-5:])]
    release(tmp_path, hold.hold_id)
    scene.work(1)
    assert scene.rows() == [row.path for row in rows[-5:]]
    scene.index.close()


def test_when_room_is_short_the_oldest_of_all_cameras_go_and_no_more_than_needed(tmp_path: Path) -> None:
    disk = Roomless(tmp_path, 12 * SIZE)
    scene = Scene(tmp_path, disk, keep_free_bytes=4 * SIZE)
    rows = [put_segment(tmp_path, scene.index, NOW - DAY + timedelta(minutes=n), f"camera-{n % 2}") for n in range(12)]
    scene.work(1)
    assert disk.unlinked == [row.path for row in rows[:4]]
    assert scene.retention.destroyed_segments == {"space": 4}
    scene.index.close()


def test_an_empty_missing_or_older_database_never_deletes_a_file(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    put_segment(tmp_path, scene.index, NOW - 29 * DAY)
    older = tmp_path / "older.sqlite"
    with sqlite3.connect(older) as copy:
        scene.index._connection.backup(copy)
    for days in range(100):
        put_segment(tmp_path, scene.index, NOW - days * DAY, "park")
    files = scene.files()
    scene.index.close()
    for path in (older, tmp_path / "empty.sqlite", tmp_path / "missing.sqlite"):
        if path.stem == "empty":
            path.write_bytes(b"")
        scene.index = RecordingIndex(path)
        scene.retention = scene.new_retention(RecordingSettings(keep_free_bytes=0, keep_days=30), Disk())
        scene.retention.resume()
        scene.work(3)
        assert scene.files() == files
        scene.index.close()


def test_an_older_database_that_was_about_to_delete_does_not_delete_another_file_of_that_name(scene: Scene) -> None:
    row = put_segment(scene.directory, scene.index, NOW - DAY)
    scene.index.mark([row], "days")
    assert scene.rows() == []
    scene.retention.resume()
    scene.work(1)
    assert scene.files() == scene.rows() == [row.path]


def test_a_row_that_does_not_fit_its_file_deletes_nothing_and_stops_nothing(scene: Scene) -> None:
    wrong = [put_segment(scene.directory, scene.index, NOW - 40 * DAY + timedelta(minutes=n)) for n in range(20)]
    for row in wrong:
        (scene.directory / row.path).write_bytes(b"\0" * (SIZE + 1))
    outside = scene.directory / "elsewhere.mp4"
    outside.write_bytes(b"\0" * SIZE)
    bad = SegmentRow("x", "gate", "elsewhere.mp4", NOW - 50 * DAY, NOW - 50 * DAY, 60.0, SIZE, "00", "closed")
    up = SegmentRow(
        "y", "gate", "recordings/gate/../../elsewhere.mp4", *([NOW - 50 * DAY] * 2), 60.0, SIZE, "0", "closed"
    )
    scene.index.put([bad, up])
    right = put_segment(scene.directory, scene.index, NOW - 35 * DAY)
    scene.work(2)
    assert right.path not in scene.files()
    assert {row.path for row in wrong} <= set(scene.files())
    assert outside.exists()
    assert "as its row says" in scene.retention.last_error or "no recording" in scene.retention.last_error


def test_a_clock_that_jumps_by_a_year_costs_at_most_four_hours_an_hour(scene: Scene) -> None:
    for hours in range(24 * 10):
        put_segment(scene.directory, scene.index, NOW - timedelta(hours=hours + 2), seconds=3600)
    scene.clock.utc += 365 * DAY
    before = len(scene.files())
    scene.work(6)
    assert 0 < before - len(scene.files()) <= 6 * RATE
    scene.clock.utc -= 365 * DAY
    left = scene.files()
    scene.work(24)
    assert scene.files() == left


def test_a_process_that_starts_again_and_again_deletes_no_faster(scene: Scene) -> None:
    for minutes in range(300):
        put_segment(scene.directory, scene.index, NOW - 90 * DAY + timedelta(minutes=minutes))
    for _ in range(20):
        scene.retention = scene.new_retention(RecordingSettings(keep_free_bytes=0), Disk())
        scene.retention.resume()
        scene.work(60 / 3600)
    assert 300 - len(scene.files()) <= 20 * RATE


def test_files_from_the_future_stay_and_do_not_keep_older_ones_from_going(scene: Scene) -> None:
    future = put_segment(scene.directory, scene.index, NOW + 400 * DAY)
    old = put_segment(scene.directory, scene.index, NOW - 31 * DAY)
    scene.work(1)
    assert scene.rows() == scene.files() == [future.path]
    assert old.path not in scene.files()


def test_what_is_held_stays_until_it_is_released(scene: Scene) -> None:
    rows = [put_segment(scene.directory, scene.index, NOW - 40 * DAY + timedelta(minutes=n)) for n in range(30)]
    hold = Hold(
        camera_id="gate",
        since=rows[3].started_at,
        until=rows[25].ended_at,
        reason="incident 7",
        placed_by="kim",
        placed_at=NOW,
    )
    place(scene.directory, hold)
    scene.work(1)
    assert scene.files() == [row.path for row in rows[3:26]]
    assert all_holds(scene.directory) == holds_of(scene.directory, "gate") == [hold]
    assert release(scene.directory, hold.hold_id) == hold
    with pytest.raises(HoldError, match="there is no hold"):
        release(scene.directory, hold.hold_id)
    scene.work(1)
    assert scene.files() == []


def test_a_hold_that_is_released_while_they_are_read_takes_no_other_along(tmp_path: Path) -> None:
    about = {"camera_id": "gate", "since": NOW, "until": NOW + DAY, "reason": "a case", "placed_by": "kim"}
    # Of the last in the order of names and of the first: which is read first is for the file system to say.
    stays = {number * 32: Hold.model_validate({**about, "hold_id": number * 32, "placed_at": NOW}) for number in "0f"}
    for hold in stays.values():
        place(tmp_path, hold)
    comes = Hold.model_validate({**about, "placed_at": NOW})
    ended = threading.Event()

    def come_and_go() -> None:
        for _ in range(150):
            place(tmp_path, comes)
            release(tmp_path, comes.hold_id)
        ended.set()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    while not ended.is_set():
        assert {hold.hold_id for hold in holds_of(tmp_path, "gate")} >= set(stays)
    thread.join()
    (tmp_path / "recordings/gate/hold-1.json").symlink_to("nowhere")
    with pytest.raises(HoldError, match="leads nowhere"):
        holds_of(tmp_path, "gate")


def test_a_hold_ends_by_itself_when_its_time_has_come(scene: Scene) -> None:
    held = put_segment(scene.directory, scene.index, NOW - 40 * DAY)
    about = {"camera_id": "gate", "since": held.started_at, "until": held.ended_at, "reason": "a case"}
    until = NOW + timedelta(hours=2)
    place(scene.directory, Hold.model_validate({**about, "placed_by": "kim", "placed_at": NOW, "expires_at": until}))
    scene.work(1)
    assert scene.files() == [held.path]
    scene.work(2)
    assert scene.files() == []


def test_thousands_of_holds_on_one_camera_neither_stop_retention_nor_let_go(scene: Scene) -> None:
    rows = [put_segment(scene.directory, scene.index, NOW - 40 * DAY + timedelta(minutes=n)) for n in range(20)]
    for number in range(2500):
        since = rows[0].started_at + timedelta(seconds=0.2 * number)
        about = {"camera_id": "gate", "since": since, "until": since + timedelta(seconds=0.1), "reason": "a case"}
        hold = Hold.model_validate({**about, "placed_by": "kim", "placed_at": NOW})
        (scene.directory / f"recordings/gate/hold-{hold.hold_id}.json").write_text(hold.model_dump_json())
    scene.work(0.1)
    assert scene.retention.last_error == ""
    assert scene.files() == [row.path for row in rows[:9]]  # 2,500 × 0.2 s reach into the ninth minute


def test_a_hold_that_cannot_be_read_holds_all_of_its_camera_and_no_other(scene: Scene) -> None:
    gate = put_segment(scene.directory, scene.index, NOW - 40 * DAY)
    put_segment(scene.directory, scene.index, NOW - 40 * DAY, "park")
    (scene.directory / "recordings/gate/hold-0.json").write_text("{")
    scene.work(1)
    assert scene.files() == [gate.path]
    assert "cannot be read" in scene.retention.last_error


def test_a_disk_that_is_not_mounted_costs_no_row(scene: Scene) -> None:
    row = put_segment(scene.directory, scene.index, NOW - 40 * DAY)
    (scene.directory / "recordings").rename(scene.directory / "away")
    scene.work(1)
    assert scene.rows() == [row.path]
    (scene.directory / "away").rename(scene.directory / "recordings")
    scene.work(1)
    assert scene.rows() == scene.files() == []


def test_a_file_that_cannot_be_deleted_is_said_and_the_others_go(tmp_path: Path) -> None:
    disk = Roomless(tmp_path, 1 << 40)
    scene = Scene(tmp_path, disk)
    rows = [put_segment(tmp_path, scene.index, NOW - 40 * DAY + timedelta(minutes=n)) for n in range(5)]
    disk.fails.add(Path(rows[0].path).name)
    scene.work(0.5)
    assert scene.rows() == scene.files() == [rows[0].path]
    assert "Input/output error" in scene.retention.last_error
    disk.fails.clear()
    scene.work(1)
    assert scene.rows() == scene.files() == []
    scene.index.close()


def test_another_workers_cameras_are_left_alone(tmp_path: Path) -> None:
    shard = Shard(0, 2)
    names = [f"camera-{n}" for n in range(12)]
    scene = Scene(tmp_path, shard=shard)
    for name in names:
        put_segment(tmp_path, scene.index, NOW - 40 * DAY, name)
    scene.work(1)
    left = {row.camera_id for row in scene.index.rows()}
    assert left == {name for name in names if name not in shard}
    assert left not in (set(), set(names))
    scene.index.close()


def test_a_deletion_that_was_cut_short_is_finished_at_the_next_start(scene: Scene) -> None:
    gone, left = (put_segment(scene.directory, scene.index, NOW - days * DAY) for days in (40, 1))
    scene.index.mark([gone, left], "days")
    (scene.directory / gone.path).unlink()
    scene.retention = scene.new_retention(RecordingSettings(keep_free_bytes=0), Disk())
    scene.retention.resume()
    assert scene.rows() == scene.files() == [left.path]
    (report,) = scene.index.destroyed(scene.clock.utc.timestamp())
    assert report.segments == 1


async def test_a_running_store_deletes_nothing_before_it_is_told_what_to_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PASS_SECONDS", 0.3)
    async with opened(tmp_path, SETTINGS) as store:
        await record(store, looped(clip_units(), 6))
    (newest, *_) = await store.rows()
    old = tmp_path / "recordings/gate/2020/01/02/030405.mp4"
    old.parent.mkdir(parents=True)
    content = bytearray((tmp_path / newest.path).read_bytes())
    at = content.index(b"prft")
    content[at + 12 : at + 20] = (3_786_000_000 << 32).to_bytes(8, "big")  # a day of December 2019
    old.write_bytes(content)
    async with RecordingStore(tmp_path, SETTINGS) as again:
        await again.recovered()
        assert len(await again.rows()) == 3
        await asyncio.sleep(0.5)
        assert old.exists()
        again.keep({"gate": Keeping(keep_days=30)})
        async with asyncio.timeout(90):
            while not again.status().destroyed_segments:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        assert again.status().destroyed_segments == {"days": 1}
        assert not old.exists() and len(await again.rows()) == 2
        assert (tmp_path / newest.path).exists()
