"""The pictures process, fed from rings: events come up, a dead or hanging one is replaced, nothing waits for it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from config.settings import AnalysisSettings, Camera, IntrusionRule, LoiteringRule, Zone
from detectors.event import Event
from streams.access_unit import AccessUnit
from streams.analysis import Analysis
from streams.event_intake import EventIntake
from streams.gop_buffer import GopBuffer
from streams.outbox import Outbox
from streams.picture_process import PictureLimits
from streams.utc_clock import UtcClock
from tests.center_on_a_port import until
from tests.clips import cached_clip
from tests.live_feed import LiveFeed, load_units
from tests.requirements import ROOT, need_data
from tests.worker_process import analysis_settings

CAMERA = Camera(
    id="gate",
    name="gate",
    purpose="crime prevention",
    main="rtsp://127.0.0.1/gate",
    zones=(Zone(name="yard", rules=(IntrusionRule(),)),),
)


class Site:
    """One watched camera: its ring, the analysis, what it raised."""

    def __init__(self, outbox: Outbox, limits: PictureLimits | None, frames_per_second: float) -> None:
        self.buffer = GopBuffer()
        self.raised: list[tuple[Event, bytes]] = []
        self.intake = EventIntake(outbox)
        settings = AnalysisSettings.model_validate(analysis_settings() | {"frames_per_second": frames_per_second})
        self.analysis = Analysis(settings, UtcClock(), outbox, self._take, limits)

    def _take(self, event: Event, snapshot_jpeg: bytes) -> None:
        self.raised.append((event, snapshot_jpeg))
        self.intake.take(event, snapshot_jpeg)

    @property
    def concluded(self) -> int:
        """Frames analysed by the present pictures process."""
        process = self.analysis.process
        if process.state != "running" or process.stats is None or process.stats.pid != process.pid:
            return 0
        return sum(camera.frames_concluded for camera in process.stats.cameras)

    def loitering(self) -> list[Event]:
        return [event for event, _ in self.raised if event.kind == "loitering"]

    @property
    def pid(self) -> int:
        assert self.analysis.process.pid is not None
        return self.analysis.process.pid


@asynccontextmanager
async def watched(
    folder: Path, limits: PictureLimits | None = None, frames_per_second: float = 5.0
) -> AsyncIterator[Site]:
    async with Outbox(folder / "outbox.sqlite") as outbox:
        site = Site(outbox, limits, frames_per_second)
        await site.analysis.watch(CAMERA, site.buffer)
        tasks = [asyncio.create_task(site.analysis.run()), asyncio.create_task(site.intake.run())]
        try:
            await until(lambda: site.analysis.process.state == "running")
            yield site
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def test_a_person_in_a_zone_comes_up_as_one_event_with_a_picture_even_if_the_process_is_killed(
    tmp_path: Path,
) -> None:
    units = load_units(need_data("clips/gpreetham_intrusion.mp4"))
    async with watched(tmp_path) as site, LiveFeed(site.buffer, units, fps=24):
        await until(lambda: bool(site.raised))
        event, jpeg = site.raised[0]
        assert (event.camera_id, event.kind, event.zone, event.label) == ("gate", "intrusion", "yard", "person")
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None and picture.shape == (720, 1280, 3)
        await site.intake.drain(20)
        first = site.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: site.analysis.process.state == "running" and site.pid != first and site.concluded > 15)
        assert len(site.raised) == 1, "the person still stands there"


async def test_a_process_that_hangs_is_replaced_and_the_ring_goes_on_meanwhile(tmp_path: Path) -> None:
    limits = PictureLimits(max_seconds=0.5, silent_seconds=5.0)
    units = load_units(cached_clip(seconds=4, fps=15, gop=15))
    async with watched(tmp_path, limits) as site, LiveFeed(site.buffer, units):
        await until(lambda: site.concluded > 3)
        first, index = site.pid, site.buffer.next_index
        os.kill(first, signal.SIGSTOP)
        await until(lambda: site.analysis.gates()["gate"].shed > 0)
        unconsumed = site.analysis.process.unconsumed_bytes
        await until(lambda: site.buffer.next_index > index + 30)
        assert site.analysis.process.unconsumed_bytes <= unconsumed + 50_000
        await until(lambda: site.analysis.process.starts >= 2 and site.concluded > 3)
        assert site.pid != first
        assert site.analysis.process.fault == ""


GATE = Zone(
    name="gate",
    polygon=((0.2089, 0.5916), (0.7911, 0.5916), (0.6997, 0.3869), (0.3003, 0.3869)),
    rules=(LoiteringRule(dwell_seconds=12.0),),
)
CLIP = ROOT / "config/demo/clips/school_gate_sub.mp4"  # somebody is inside from 11.6 to 34 s


def changed(camera_id: str, *zones: Zone) -> Camera:
    return CAMERA.model_copy(update={"id": camera_id, "zones": zones})


async def disturb(site: Site, units: Sequence[AccessUnit], number: int) -> None:
    """Add, change, move to another ring and remove a camera, and give another one more zones."""
    yard = CAMERA.zones[0]
    ring, other_ring = GopBuffer(), GopBuffer()
    async with LiveFeed(ring, units, fps=10), LiveFeed(other_ring, units, fps=10):
        await site.analysis.watch(changed("other", yard), ring)
        await until(lambda: "other" in site.analysis.camera_stats())
        await site.analysis.watch(changed("other", GATE), ring)
        await site.analysis.watch(changed("other", GATE), other_ring)
        new = yard.model_copy(update={"name": f"z{number}"})
        await site.analysis.watch(changed("rezoned", GATE, new), site.buffer)
        await asyncio.sleep(0.5)
        site.analysis.unwatch("other")


async def test_a_loiterers_dwell_goes_on_over_changes_of_other_cameras_and_other_zones(tmp_path: Path) -> None:
    units = load_units(CLIP)
    async with watched(tmp_path, frames_per_second=3.0) as site:  # little enough for a machine that is busy
        site.analysis.unwatch("gate")
        await site.analysis.watch(changed("kept", GATE), site.buffer)
        await site.analysis.watch(changed("rezoned", GATE), site.buffer)
        pid, changes = site.pid, 0
        async with LiveFeed(site.buffer, units, fps=10, phase=50) as feed:
            start = datetime.now(UTC) - timedelta(seconds=5.0)
            while feed.played < 225:
                if feed.played > 155:
                    await disturb(site, units, changes)
                    changes += 1
                await asyncio.sleep(0.1)
            assert changes > 1 and not site.loitering(), "the changes came while he loitered"
            await until(lambda: {event.camera_id for event in site.loitering()} == {"kept", "rezoned"})
        for event in site.loitering():
            assert event.dwell_seconds is not None and 12 <= event.dwell_seconds < 15
            assert 22 < (event.started_at - start).total_seconds() < 34, "a clock that began anew would ring later"
        assert len(site.loitering()) == 2
        assert (site.pid, site.analysis.process.starts) == (pid, 1)


async def test_a_new_process_watches_what_was_added_and_not_what_was_removed(tmp_path: Path) -> None:
    units = load_units(cached_clip(seconds=4, fps=15, gop=15))
    async with watched(tmp_path) as site, LiveFeed(site.buffer, units):
        await site.analysis.watch(changed("new", GATE), site.buffer)
        site.analysis.unwatch("gate")
        await until(lambda: site.concluded > 3)
        first = site.pid
        os.kill(first, signal.SIGKILL)
        for number in range(40):  # also while it is starting
            await site.analysis.watch(changed(f"late{number % 4}", GATE), site.buffer)
            site.analysis.unwatch(f"late{(number + 2) % 4}")
            await asyncio.sleep(0.05)
        await until(lambda: site.analysis.process.state == "running" and site.pid != first and site.concluded > 3)
        await until(lambda: set(site.analysis.camera_stats()) == {"new", "late2", "late3"})
        await until(lambda: all(one.frames_concluded for one in site.analysis.camera_stats().values()))
        assert site.analysis.process.starts == 2


async def test_the_process_ends_with_its_link(tmp_path: Path) -> None:
    async with watched(tmp_path) as site:
        pid = site.pid
    with np.testing.assert_raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_nobody_starts_a_process_before_there_is_a_camera_to_watch(tmp_path: Path) -> None:
    async with Outbox(tmp_path / "outbox.sqlite") as outbox:
        analysis = Analysis(AnalysisSettings(), UtcClock(), outbox, lambda *_: None)
        task = asyncio.create_task(analysis.run())
        await asyncio.sleep(0.2)
        assert not task.done() and analysis.process.starts == 0
        task.cancel()
        await asyncio.wait([task])
