"""A camera recorded on event, by the hour, in H.265, and on disks that fail: real streams, real files."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import pytest

from config.settings import AnalysisSettings, Camera, RecordingSettings, SourceSettings
from streams.access_unit import AccessUnit
from streams.analysis import Analysis
from streams.connect_budget import ConnectBudget
from streams.gop_buffer import GopBuffer
from streams.outbox import Outbox
from streams.recorder import Recorder
from streams.recording_store import RecordingError, RecordingStore
from streams.running_camera import CameraSite, RunningCamera
from streams.sources.process import SourceProcess
from streams.stream import Stream
from streams.utc_clock import UtcClock
from streams.virtual import Mount, VirtualCameraServer
from tests.clips import cached_clip
from tests.fakes.unsynced_disk import FailingDisk
from tests.integration.test_recorder import FPS, SETTINGS, check_row, clip_units, looped, record
from tests.recorded import opened

pytestmark = pytest.mark.no_rerun

LONG = RecordingSettings(segment_seconds=60, fragment_seconds=1, sync_seconds=0.5)


@asynccontextmanager
async def a_site(directory: Path, store: RecordingStore) -> AsyncIterator[CameraSite]:
    async with Outbox(directory / "outbox.sqlite") as outbox:
        analysis = Analysis(AnalysisSettings(), UtcClock(), outbox, lambda event, picture: None)
        budget = ConnectBudget(4)
        sources = SourceProcess(SourceSettings())
        yield CameraSite(8 << 20, budget, store, analysis, lambda: None, sources, zone=ZoneInfo("Asia/Seoul"))


def times_of(directory: Path, path: str) -> int:
    with av.open(str(directory / path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        return sum(1 for _ in container.decode(video=0))


async def test_an_event_is_recorded_from_before_it_until_after_it_and_nothing_else(tmp_path: Path) -> None:
    clip = cached_clip(seconds=2, fps=FPS, size=(320, 180), gop=15, profile="baseline")
    recording = {"mode": "on_event", "pre_event_seconds": 2, "post_event_seconds": 2}
    async with (
        VirtualCameraServer([Mount(name="gate", main=clip)]) as server,
        opened(tmp_path, LONG) as store,
        a_site(tmp_path, store) as site,
    ):
        camera = Camera.model_validate(
            {"id": "gate", "name": "Gate", "purpose": "p", "main": server.url("gate"), "recording": recording}
        )
        running = RunningCamera("gate", site)
        await running.become(camera)
        ring = site.rings["gate", "main"]
        async with asyncio.timeout(60):
            while ring.next_index < 5 * FPS:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        running.look_at_the_clock()
        assert running.recording() == ("waiting", "for an event")
        assert await store.rows() == []
        happened_at = datetime.now(UTC)
        site.event_times["gate"] = time.monotonic()
        async with asyncio.timeout(60):
            while running.recording()[0] != "recording":
                running.look_at_the_clock()
                await asyncio.sleep(0.1)
            while running.recording()[0] == "recording":
                running.look_at_the_clock()
                await asyncio.sleep(0.1)
            while not [row for row in await store.rows() if row.state == "closed"]:
                running.look_at_the_clock()
                await asyncio.sleep(0.2)
        (row,) = await store.rows()
        assert happened_at - timedelta(seconds=4) < row.started_at < happened_at - timedelta(seconds=1.9)
        assert row.ended_at > happened_at + timedelta(seconds=1.9)
        assert times_of(tmp_path, row.path) == pytest.approx(row.duration_seconds * FPS, abs=1)
        site.analysis.note_incidents(["gate"])  # an open incident opens it too; no GOP (a second) is recorded twice
        async with asyncio.timeout(60):
            while len(await store.rows()) < 2:
                running.look_at_the_clock()
                await asyncio.sleep(0.2)
        await running.become(None)
        await store.flush()
        first, second = await store.rows()
        assert second.started_at >= first.ended_at - timedelta(milliseconds=500)
        assert second.state == "closed"


async def test_two_events_in_a_row_leave_no_gap_and_no_picture_twice(tmp_path: Path) -> None:
    """The run ends before a key frame, so the next one goes on with it."""
    units = looped(clip_units(), 20)
    async with opened(tmp_path, SETTINGS) as store:
        buffer = GopBuffer()
        recorder = Recorder("gate", buffer, store)
        shown = 0
        for begin, end in ((0, 100), (100, 200), (200, 300)):
            task = asyncio.create_task(recorder.run(units[begin].received_ns - 3_000_000_000))
            await asyncio.sleep(0)
            for unit in units[begin:end]:
                buffer.append(unit)
                if unit is units[end - 20]:
                    recorder.finish()
            await asyncio.wait_for(task, 90)
        await store.flush()
        rows = await store.rows()
        shown = sum(check_row(tmp_path, row) for row in rows)
    assert shown == 285  # up to the last key frame
    assert recorder.counts.units == shown and recorder.lost_seconds == 0
    for earlier, later in pairwise(rows):
        assert abs(later.started_at - earlier.ended_at) < timedelta(milliseconds=2)


async def test_hours_in_which_a_camera_is_off_record_nothing_and_say_so(tmp_path: Path) -> None:
    clip = cached_clip(seconds=2, fps=FPS, size=(320, 180), gop=15, profile="baseline")
    hours = [{"start": "00:00", "end": "24:00", "mode": "off"}]
    async with (
        VirtualCameraServer([Mount(name="gate", main=clip)]) as server,
        opened(tmp_path, SETTINGS) as store,
        a_site(tmp_path, store) as site,
    ):
        given = {"id": "gate", "name": "Gate", "purpose": "p", "main": server.url("gate")}
        running = RunningCamera("gate", site)
        await running.become(Camera.model_validate({**given, "recording": {"hours": hours}}))
        async with asyncio.timeout(60):
            while site.rings["gate", "main"].next_index < 2 * FPS:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert running.recording() == ("off", "by its hours")
        assert site.recorders["gate"].counts.units == 0
        await running.become(Camera.model_validate(given))
        async with asyncio.timeout(60):
            while site.recorders["gate"].counts.units < FPS:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert running.recording() == ("recording", "")
        await running.become(None)


def h265_clip(path: Path) -> Path:
    options = {"preset": "ultrafast", "x265-params": "keyint=15:min-keyint=15:bframes=0:scenecut=0:log-level=none"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        sound = container.add_stream("aac", rate=16_000)
        for number in range(4 * FPS):
            frame = av.VideoFrame(320, 180, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 3 % 256]) * plane.buffer_size)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        frame_of_silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame_of_silence.sample_rate = 16_000
        for plane in frame_of_silence.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(sound.encode(frame_of_silence))
        container.mux(sound.encode(None))
    return path


async def test_an_h265_camera_is_recorded_and_plays_afterwards_without_its_sound(tmp_path: Path) -> None:
    try:
        clip = await asyncio.to_thread(h265_clip, tmp_path / "clip.mp4")
    except av.codec.codec.UnknownCodecError:
        pytest.skip("this PyAV has no libx265")
    async with (
        VirtualCameraServer([Mount(name="gate", main=clip)]) as server,
        opened(tmp_path, SETTINGS) as store,
    ):
        camera = Camera(id="gate", name="Gate", purpose="p", main=server.url("gate"))
        stream = Stream(camera, "main", budget=ConnectBudget(4), ring_max_bytes=8 << 20)
        recorder = Recorder("gate", stream.buffer, store)
        tasks = [asyncio.create_task(stream.run()), asyncio.create_task(recorder.run())]
        async with asyncio.timeout(60):
            while recorder.counts.segments < 2 or recorder.counts.units < 5 * FPS:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        for task in reversed(tasks):
            task.cancel()
            await asyncio.wait([task])
    rows = await store.rows()
    assert sum(times_of(tmp_path, row.path) for row in rows) == recorder.counts.units
    assert {row.state for row in rows} == {"closed"}
    with av.open(str(tmp_path / rows[0].path)) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


async def record_while_failing(
    store: RecordingStore, disk: FailingDisk, units: Sequence[AccessUnit], fails: range, what: str, error: int
) -> tuple[Recorder, int, list[str]]:
    """Flush each second; gives the recorder, how many units were acknowledged, and the faults it showed."""
    buffer = GopBuffer()
    recorder = Recorder("gate", buffer, store)
    task = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    acknowledged, faults = 0, list[str]()
    for number, unit in enumerate(units):
        disk.fails = {what: error} if number in fails else {}
        buffer.append(unit)
        if number % FPS == 1:
            taken = recorder.counts.units
            try:
                await store.flush()
            except RecordingError:
                faults.append(recorder.fault)
                continue
            acknowledged = taken - round(store.lost_seconds("gate") * FPS)
            faults.append(recorder.fault)
    buffer.close()
    await asyncio.wait_for(task, 90)
    return recorder, acknowledged, faults


@pytest.mark.parametrize("what", ["create", "make_folder", "write", "sync_file", "sync_folder"])
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
async def test_an_error_of_the_disk_loses_nothing_acknowledged_is_shown_and_passes(
    tmp_path: Path, what: str, error: str
) -> None:
    disk, units = FailingDisk(), looped(clip_units(), 50)
    settings = RecordingSettings(segment_seconds=4, fragment_seconds=1, sync_seconds=0.5)
    directory, copy = tmp_path / "data", tmp_path / "after"
    async with opened(directory, settings, disk=disk) as store:
        number = getattr(errno, error)
        recorder, acknowledged, faults = await record_while_failing(store, disk, units, range(150, 400), what, number)
        assert os.strerror(number) in store.status().last_error
        await store.flush()
    rows = await store.rows()
    assert recorder.fault == ""
    assert max(row.ended_at for row in rows) > datetime.now(UTC) - timedelta(seconds=20)
    if what in ("write", "sync_file"):
        assert any(os.strerror(number) in fault for fault in faults)
    disk.after_power_cut(directory, copy)
    async with RecordingStore(copy, SETTINGS, index_path=copy / "new.sqlite") as again:
        await again.recovered()
    found = await again.rows()
    assert sum(check_row(copy, row) for row in found) >= acknowledged > 300
    for row in rows:
        if row.state == "closed":
            check_row(directory, row)


async def test_a_sync_that_failed_leaves_its_row_open_and_the_next_start_looks_at_it(tmp_path: Path) -> None:
    disk = FailingDisk()
    async with opened(tmp_path, SETTINGS, disk=disk) as store:
        disk.fails = {"sync_file": errno.EIO}
        await record(store, looped(clip_units(), 3))
        with pytest.raises(RecordingError, match="Input/output error"):
            await store.flush()
    (row,) = await store.rows()
    assert (row.state, row.sha256) == ("open", None)
    async with RecordingStore(tmp_path, SETTINGS) as again:
        await again.recovered()
    (row,) = await again.rows()
    assert row.state == "recovered"
    assert 15 <= check_row(tmp_path, row) <= 45
