"""The recorder on real clips, real disks, and disks that fail."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from config.settings import Camera, RecordingSettings
from streams.access_unit import AccessUnit
from streams.connect_budget import ConnectBudget
from streams.disk import Disk
from streams.gop_buffer import GopBuffer
from streams.recorder import Recorder
from streams.recording_index import SegmentRow
from streams.recording_store import RecordingStore
from streams.stream import Stream
from streams.virtual import Mount, VirtualCameraServer
from tests.clips import cached_clip
from tests.fakes.unsynced_disk import FullDisk, SlowDisk, UnsyncedDisk
from tests.live_feed import load_units
from tests.recorded import opened
from tests.requirements import need_program

pytestmark = pytest.mark.no_rerun

SETTINGS = RecordingSettings(segment_seconds=4, fragment_seconds=1, sync_seconds=0.5)
FPS = 15


def clip_units() -> list[AccessUnit]:
    """Two seconds, GOPs of one second."""
    return load_units(cached_clip(seconds=2, fps=FPS, size=(320, 180), gop=15, profile="baseline"))


def looped(units: Sequence[AccessUnit], seconds: float, run: int = 0, first_pts: int = 0) -> list[AccessUnit]:
    """`seconds` of the clip over and over, received in time with it and ending now."""
    count = round(seconds * FPS)
    begun_ns = time.monotonic_ns() - count * 1_000_000_000 // FPS
    return [
        replace(
            units[n % len(units)],
            pts_90k=first_pts + n * 90_000 // FPS,
            received_ns=begun_ns + n * 1_000_000_000 // FPS,
            run=run,
        )
        for n in range(count)
    ]


async def record(store: RecordingStore, units: Sequence[AccessUnit], camera_id: str = "gate") -> Recorder:
    """Give `units` to a recorder and let it end in good order."""
    buffer = GopBuffer()
    recorder = Recorder(camera_id, buffer, store)
    task = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    for unit in units:
        buffer.append(unit)
    buffer.close()
    await asyncio.wait_for(task, 90)
    return recorder


def times_shown(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def check_row(directory: Path, row: SegmentRow) -> int:
    """The file is what its row says; gives how many frames it shows."""
    data = (directory / row.path).read_bytes()
    assert len(data) == row.byte_count
    assert hashlib.sha256(data).hexdigest() == row.sha256
    if row.state == "recovered" and row.duration_seconds == 0:
        return 0  # its writer died before the first fragment was whole; the file stays
    times = times_shown(directory / row.path)
    assert row.duration_seconds == pytest.approx(float(times[-1]) + 1 / FPS, abs=0.01)
    assert (row.ended_at - row.started_at).total_seconds() == pytest.approx(row.duration_seconds, abs=1e-4)
    assert (directory / row.path).relative_to(directory / "recordings" / row.camera_id).suffix == ".mp4"
    assert row.started_at.strftime("%Y/%m/%d/%H%M%S") in row.path
    return len(times)


async def test_segments_hold_every_picture_and_are_cut_at_key_frames(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS) as store:
        recorder = await record(store, looped(clip_units(), 10))
    rows = await store.rows("gate")
    assert [check_row(tmp_path, row) for row in rows] == [60, 60, 30]
    assert {row.state for row in rows} == {"closed"}
    assert all(abs(a.ended_at - b.started_at) < timedelta(milliseconds=1) for a, b in pairwise(rows))
    assert abs(rows[-1].ended_at - datetime.now(UTC)) < timedelta(seconds=20)
    assert (recorder.counts.units, recorder.counts.segments, recorder.lost_seconds) == (150, 3, 0.0)


async def test_what_a_camera_sends_is_what_is_stored(tmp_path: Path) -> None:
    ffprobe = need_program("ffprobe")
    clip = cached_clip(seconds=2, fps=FPS, size=(320, 180), gop=15, profile="baseline")
    async with VirtualCameraServer([Mount(name="gate", main=clip)]) as server, RecordingStore(tmp_path) as store:
        camera = Camera(id="gate", name="Gate", purpose="crime prevention", main=server.url("gate"))
        stream = Stream(camera, "main", budget=ConnectBudget(4), ring_max_bytes=8 << 20)
        received: list[AccessUnit] = []
        stream.buffer.listen(lambda _, unit: received.append(unit))
        running = asyncio.create_task(stream.run())
        recording = asyncio.create_task(Recorder("gate", stream.buffer, store).run())
        async with asyncio.timeout(60):
            while len(received) < 50:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        for task in (recording, running):
            task.cancel()
        await asyncio.wait([recording, running])
    (row,) = await store.rows()
    expected = [Fraction(unit.pts_90k - received[0].pts_90k, 90_000) for unit in received]
    times = times_shown(tmp_path / row.path)
    assert len(times) >= 50
    assert times == expected[: len(times)]
    command = [ffprobe, "-v", "error", "-count_packets", "-show_entries", "stream=codec_type,nb_read_packets"]
    done = await asyncio.to_thread(
        subprocess.run, [*command, "-of", "csv=p=0", str(tmp_path / row.path)], capture_output=True, text=True
    )
    assert done.stdout.strip() == f"video,{len(times)}"
    assert done.stderr == ""


async def test_a_new_run_and_new_parameter_sets_begin_new_segments(tmp_path: Path) -> None:
    other = load_units(cached_clip(seconds=1, fps=FPS, size=(640, 360), gop=15))
    units = looped(clip_units(), 2)
    units += looped(clip_units(), 1, run=1, first_pts=5)
    units += looped(other, 1, run=1, first_pts=5 + 90_000)
    async with opened(tmp_path, SETTINGS) as store:
        await record(store, units)
    rows = sorted(await store.rows(), key=lambda row: row.path)
    widths = []
    for row in rows:
        with av.open(str(tmp_path / row.path)) as container:
            widths.append((container.streams.video[0].width, sum(1 for _ in container.decode(video=0))))
    assert sorted(widths) == [(320, 15), (320, 30), (640, 15)]


async def test_a_cancelled_recorder_ends_fragment_and_segment(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS) as store:
        buffer = GopBuffer()
        task = asyncio.create_task(Recorder("gate", buffer, store).run())
        await asyncio.sleep(0)
        for unit in looped(clip_units(), 1.4):
            buffer.append(unit)
        task.cancel()
        await asyncio.wait([task])
        await store.flush()
        (row,) = await store.rows()
    assert check_row(tmp_path, row) == 21


async def test_the_pictures_of_a_camera_that_stalls_reach_the_disk(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS) as store:
        buffer = GopBuffer()
        recorder = Recorder("gate", buffer, store)
        task = asyncio.create_task(recorder.run())
        await asyncio.sleep(0)
        for unit in looped(clip_units(), 0.8):
            buffer.append(unit)
        async with asyncio.timeout(90):
            while recorder.counts.units < 12:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])


async def test_recording_begins_with_the_gop_that_the_ring_holds(tmp_path: Path) -> None:
    buffer = GopBuffer()
    units = looped(clip_units(), 2)
    for unit in units[:25]:
        buffer.append(unit)
    async with opened(tmp_path, SETTINGS) as store:
        task = asyncio.create_task(Recorder("gate", buffer, store).run())
        await asyncio.sleep(0)
        for unit in units[25:]:
            buffer.append(unit)
        buffer.close()
        await asyncio.wait_for(task, 90)
    (row,) = await store.rows()
    assert check_row(tmp_path, row) == 15


async def test_a_disk_that_stalls_costs_seconds_that_are_counted_and_nobody_waits(tmp_path: Path) -> None:
    units = looped(clip_units(), 12)
    disk = SlowDisk()
    async with opened(tmp_path, SETTINGS, disk=disk, max_queued_bytes=60_000) as store:
        buffer = GopBuffer()
        recorder = Recorder("gate", buffer, store)
        task = asyncio.create_task(recorder.run())
        await asyncio.sleep(0)
        disk.stall()
        begun = time.monotonic()
        for unit in units[:120]:
            buffer.append(unit)
        assert time.monotonic() - begun < 30  # it never waits for the disk, which stalls for ever
        disk.recover()
        await store.flush()
        for unit in units[120:]:
            buffer.append(unit)
        buffer.close()
        await asyncio.wait_for(task, 90)
    rows = await store.rows()
    shown = sum(check_row(tmp_path, row) for row in rows)
    assert 0 < shown < 180
    assert recorder.lost_seconds == pytest.approx((180 - shown) / FPS, abs=0.1)


async def test_a_full_disk_is_said_counted_and_recording_goes_on_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    units = looped(clip_units(), 40)
    disk = FullDisk()
    async with opened(tmp_path, SETTINGS, disk=disk) as store:
        buffer = GopBuffer()
        recorder = Recorder("gate", buffer, store)
        task = asyncio.create_task(recorder.run())
        await asyncio.sleep(0)
        for number, unit in enumerate(units):
            disk.is_full = 40 <= number < 400
            buffer.append(unit)
            if number % 15 == 1:
                await store.flush()
        buffer.close()
        await asyncio.wait_for(task, 90)
        assert "No space left" in store.status().last_error
    rows = await store.rows()
    shown = sum(check_row(tmp_path, row) for row in rows)
    assert shown > 100
    assert recorder.lost_seconds == pytest.approx((600 - shown) / FPS, abs=0.2)
    assert "No space left" in caplog.text
    assert len(list(tmp_path.rglob("*.mp4"))) == len(rows)


@pytest.mark.parametrize("loss", ["missing", "empty", "garbage"])
async def test_a_lost_index_is_rebuilt_from_the_files_and_deletes_none(tmp_path: Path, loss: str) -> None:
    async with opened(tmp_path, SETTINGS) as store:
        await record(store, looped(clip_units(), 6))
        await record(store, looped(clip_units(), 3), "park")
    before = await store.rows()
    for path in tmp_path.glob("recordings.sqlite*"):
        path.unlink()
    if loss != "missing":
        store.index_path.write_bytes(b"" if loss == "empty" else b"not a database" * 1000)
    async with RecordingStore(tmp_path, SETTINGS) as again:
        await again.recovered()
    after = await again.rows()
    assert {row.state for row in after} == {"recovered"}
    for old, new in zip(before, after, strict=True):
        assert abs(old.started_at - new.started_at) <= timedelta(microseconds=1)
        assert old.duration_seconds == pytest.approx(new.duration_seconds, abs=1e-4)
        assert (old.path, old.camera_id, old.byte_count, old.sha256) == (
            new.path,
            new.camera_id,
            new.byte_count,
            new.sha256,
        )
    assert (loss == "garbage") == bool(list(tmp_path.glob("recordings.sqlite.unreadable-*")))


async def test_a_rebuild_that_was_cut_short_is_taken_up_again(tmp_path: Path) -> None:
    """An old file whose row is not there is found although newer rows are."""
    async with opened(tmp_path, SETTINGS) as store:
        await record(store, looped(clip_units(), 3))
    (row,) = await store.rows()
    old = tmp_path / "recordings/gate/2020/01/02/030405.mp4"
    old.parent.mkdir(parents=True)
    old.write_bytes((tmp_path / row.path).read_bytes())
    async with RecordingStore(tmp_path, SETTINGS) as again:
        await again.recovered()
    assert str(old.relative_to(tmp_path)) in [found.path for found in await again.rows()]


async def test_a_file_that_another_process_writes_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS) as store:
        buffer = GopBuffer()
        task = asyncio.create_task(Recorder("gate", buffer, store).run())
        await asyncio.sleep(0)
        units = looped(clip_units(), 3.5)
        for unit in units[:40]:
            buffer.append(unit)
        await store.flush()
        async with RecordingStore(tmp_path, SETTINGS, index_path=tmp_path / "other.sqlite") as other:
            await other.recovered()
            assert await other.rows() == []
        for unit in units[40:]:
            buffer.append(unit)
        buffer.close()
        await asyncio.wait_for(task, 90)
    (row,) = await store.rows()
    assert check_row(tmp_path, row) == len(units)


def test_a_new_file_that_a_recovery_looks_at_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def open_and_be_looked_at(path: Path, flags: int, mode: int = 0o777) -> int:
        descriptor = opened(path, flags, mode)
        look = opened(path, os.O_RDWR)
        fcntl.flock(look, fcntl.LOCK_EX | fcntl.LOCK_NB)
        threading.Timer(0.1, os.close, (look,)).start()
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_and_be_looked_at)
        descriptor = Disk().create(tmp_path / "120000.mp4")
    with (tmp_path / "120000.mp4").open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


async def test_a_power_cut_costs_only_what_was_not_synced(tmp_path: Path) -> None:
    disk, directory = UnsyncedDisk(), tmp_path / "data"
    units = looped(clip_units(), 20)
    copies: list[Path] = []
    async with opened(directory, SETTINGS, disk=disk) as store:
        buffer = GopBuffer()
        task = asyncio.create_task(Recorder("gate", buffer, store).run())
        await asyncio.sleep(0)
        for number, unit in enumerate(units):
            buffer.append(unit)
            if number % 40 == 39:
                await store.flush()
            if number % 67 == 66:
                copies.append(tmp_path / f"copy-{number}")
                copies[-1].mkdir()
                with (
                    closing(sqlite3.connect(store.index_path)) as index,
                    closing(sqlite3.connect(copies[-1] / "recordings.sqlite")) as copy,
                ):
                    index.backup(copy)
                disk.after_power_cut(directory, copies[-1])
        buffer.close()
        await asyncio.wait_for(task, 90)
    for copy_directory in copies:
        before = {row.path: row for row in await RecordingStore(copy_directory, SETTINGS).rows()}
        async with RecordingStore(copy_directory, SETTINGS) as again:
            await again.recovered()
        rows = await again.rows()
        assert rows
        assert set(before) <= {row.path for row in rows}
        shown = sum(check_row(copy_directory, row) for row in rows)
        number = int(copy_directory.name.partition("-")[2])
        assert shown >= number // 40 * 40 - 15
        for row in rows:
            was = before.get(row.path)
            if was is not None and was.state == "closed":
                assert (was.sha256, was.state) == (row.sha256, row.state)


def lives_and_dies(directory: Path, clip: Path, seconds: float) -> int:
    """Record in a process of its own that is killed; how many pictures it had when last nothing waited for the disk."""
    command = [sys.executable, "-m", "tests.recording_process", str(directory), str(clip), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    told = [(int(number), int(waiting)) for number, waiting in map(str.split, done.stdout.splitlines())]
    return max(number for number, waiting in told if not waiting)


async def test_kill_9_at_any_moment_loses_the_fragment_being_written_and_no_more(tmp_path: Path) -> None:
    clip = cached_clip(seconds=2, fps=FPS, size=(320, 180), gop=15, profile="baseline")
    chance = random.Random(11)
    given = [await asyncio.to_thread(lives_and_dies, tmp_path, clip, chance.uniform(1.2, 4.0)) for _ in range(2)]
    files = sorted(tmp_path.rglob("*.mp4"))
    newest = files[-1]
    newest.write_bytes(newest.read_bytes() + b"\0\0\1\0moof and then nothing")
    async with opened(tmp_path, SETTINGS) as store:
        await store.recovered()
    rows = await store.rows()
    assert [tmp_path / row.path for row in sorted(rows, key=lambda row: row.path)] == files
    assert {row.state for row in rows} <= {"closed", "recovered"}
    shown = sum(check_row(tmp_path, row) for row in rows)
    assert sum(given) - shown <= 2 * FPS, "more than the fragment of a second that was not whole was lost"
    assert sum(row.state == "recovered" for row in rows) >= 1
