"""Cameras that are lost: told once, marked blind, taken back; from the virtual camera to the center."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.settings import AnalysisSettings, Camera, FaultSettings, SourceSettings
from control_center.center import Center
from control_center.database import Incident
from control_center.incidents.store import IncidentFilter
from control_center.ledger import COMMAND_LINE
from streams.analysis import Analysis
from streams.camera_faults import CameraFaults
from streams.connect_budget import ConnectBudget
from streams.outbox import Outbox
from streams.running_camera import CameraSite, RunningCamera
from streams.sources.process import SourceProcess
from streams.supervision import running
from streams.utc_clock import UtcClock
from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.center_on_a_port import CenterOnAPort, until
from tests.clips import cached_clip
from tests.ports import free_port
from tests.worker_process import analysis_settings, running_worker

LOST_SECONDS = 5.0
SIZE = (640, 360)
RULES = [{"name": "yard", "rules": [{"kind": "intrusion"}]}]


def cameras_of(server: VirtualCameraServer) -> list[dict[str, Any]]:
    return [
        {"id": name, "name": name, "purpose": "crime prevention", "main": server.url(name), "record": False}
        for name in ("gate", "school", "off")
    ]


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[tuple[VirtualCameraServer, CenterOnAPort, list[dict[str, Any]]]]:
    clip = cached_clip(seconds=4, fps=15, gop=15)
    async with VirtualCameraServer([Mount(name=name, main=clip) for name in ("gate", "school", "off")]) as server:
        cameras = cameras_of(server)
        cameras[1]["category"] = "school_zone"
        cameras[2] |= {"enabled": False}
        yield server, CenterOnAPort(folder, cameras), cameras


async def faults_at(center: Center) -> dict[str, Incident]:
    """Of each camera the one there is; it fails when there are two."""
    found = await center.incidents.page(IncidentFilter(is_fault=True), 100, None)
    assert len({incident.camera_id for incident in found}) == len(found)
    return {incident.camera_id: incident for incident in found}


async def one_fault(center: Center, camera_id: str, state: str) -> Incident:
    """Wait for it."""
    async with asyncio.timeout(60):
        while (found := (await faults_at(center)).get(camera_id)) is None or found.state != state:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


async def picture_size(center: Center, incident: Incident) -> tuple[int, int]:
    """Of its snapshot."""
    path = await center.incidents.snapshot_path(incident)
    assert path is not None
    with av.open(str(center.snapshots.full_path(path))) as picture:
        frame = next(picture.decode(video=0))
    return frame.width, frame.height


def blind(center: Center) -> dict[str, str]:
    return {one.camera_id: one.fault.kind for one in center.fleet.camera_statuses() if one.fault}


def told(center: Center, fault: str) -> float:
    families = {family.name: family for family in text_string_to_metric_families(center.metrics.text().decode())}
    return {sample.labels["fault"]: sample.value for sample in families["haechi_cameras_blind"].samples}[fault]


def all_live(center: Center) -> bool:
    return all(one.state in {"live", "disabled"} for one in center.fleet.camera_statuses())


async def test_a_camera_that_stalls_is_one_incident_and_blind_until_it_plays_again(tmp_path: Path) -> None:
    async with site(tmp_path) as (server, city, cameras), city.running() as center:
        settings = {"lost_seconds": LOST_SECONDS}
        async with running_worker(tmp_path, cameras, city.url, faults=settings) as worker:
            await until(lambda: all_live(center))
            server.set_faults("school", Faults(stall=True))
            lost = await one_fault(center, "school", "new")
            assert (lost.kind, lost.family, lost.zone, lost.severity) == ("camera_lost", "fault", "camera", "caution")
            assert await picture_size(center, lost) == SIZE  # the last picture that came
            assert lost.raised_at > lost.started_at and (lost.dwell_seconds or 0) >= LOST_SECONDS
            await until(lambda: blind(center) == {"school": "camera_lost"})
            assert told(center, "camera_lost") == 1 and center.open_cameras == frozenset()
            status = await worker.status()
            assert status["cameras"]["school"]["fault"]["kind"] == "camera_lost"
            assert status["cameras"]["gate"]["fault"] is None

            server.set_faults("school", Faults())
            found = await one_fault(center, "school", "closed")
            assert (found.event_count, found.verdict, found.closed_by) == (1, None, None)
            await until(lambda: not blind(center))
            assert told(center, "camera_lost") == 0
            assert [step.action for step in await center.incidents.steps(found.id)] == ["created", "recovered"]
            assert set(await faults_at(center)) == {"school"}


async def test_a_new_worker_knows_what_was_told_and_takes_it_back(tmp_path: Path) -> None:
    async with site(tmp_path) as (server, city, cameras), city.running() as center:
        settings = {"lost_seconds": LOST_SECONDS}
        async with running_worker(tmp_path, cameras, city.url, faults=settings) as worker:
            await until(lambda: all_live(center))
            server.set_faults("gate", Faults(refuse="close"))
            server.reset("gate")
            await one_fault(center, "gate", "new")
            await worker.end()
        async with running_worker(tmp_path, cameras, city.url, faults=settings):
            await until(lambda: center.fleet.camera_status("gate").state == "backing_off")
            await asyncio.sleep(LOST_SECONDS + 2)  # long enough for a second alarm, were there one
            assert (await one_fault(center, "gate", "new")).event_count == 1
            assert blind(center) == {"gate": "camera_lost"}
            server.set_faults("gate", Faults())
            await one_fault(center, "gate", "closed")
        assert set(await faults_at(center)) == {"gate"}  # nor was anything raised at the start


async def test_a_lost_camera_that_is_switched_off_is_no_fault_any_more(tmp_path: Path) -> None:
    async with site(tmp_path) as (server, city, cameras), city.running() as center:
        server.set_faults("gate", Faults(refuse="503"))
        async with running_worker(tmp_path, cameras, city.url, faults={"lost_seconds": LOST_SECONDS}):
            await one_fault(center, "gate", "new")
            gate = center.register.loaded.cameras[0]
            await center.register.change(COMMAND_LINE, gate.model_copy(update={"enabled": False}))
            await center.follow_register()
            await one_fault(center, "gate", "closed")
            assert blind(center) == {}


async def test_a_picture_that_freezes_is_one_incident_and_blind_until_it_moves(tmp_path: Path) -> None:
    moving = cached_clip(seconds=4, fps=15, gop=15)
    frozen = cached_clip(seconds=4, fps=15, gop=60, still=True)
    mount, other = Mount(name="gate", main=moving, changed=frozen), Mount(name="roof", main=moving)
    async with VirtualCameraServer([mount, other]) as server:
        watched = {"purpose": "crime prevention", "record": False, "zones": RULES}
        cameras = [{"id": name, "name": name, "main": server.url(name), **watched} for name in ("gate", "roof")]
        city = CenterOnAPort(tmp_path, cameras)
        sections = {"faults": {"frozen_seconds": 6}, "analysis": analysis_settings()}
        async with city.running() as center, running_worker(tmp_path, cameras, city.url, **sections):
            await until(lambda: all_live(center))
            server.set_faults("gate", Faults(changed="now"))
            told_once = await one_fault(center, "gate", "new")
            assert (told_once.kind, told_once.severity) == ("camera_frozen", "attention")
            assert await picture_size(center, told_once) == SIZE
            await until(lambda: blind(center) == {"gate": "camera_frozen"})
            assert all_live(center) and told(center, "camera_frozen") == 1
            server.set_faults("gate", Faults())
            assert (await one_fault(center, "gate", "closed")).event_count == 1
            await until(lambda: not blind(center))
            assert set(await faults_at(center)) == {"gate"}


async def no_pictures(camera_ids: Collection[str]) -> dict[str, bytes]:
    return {}


async def test_hundreds_that_vanish_together_are_each_told_once_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/nobody"
    async with AsyncExitStack() as stack:
        outbox = await stack.enter_async_context(Outbox(tmp_path / "outbox.sqlite"))
        analysis = Analysis(AnalysisSettings(), UtcClock(), outbox, lambda event, jpeg: None)
        sources = SourceProcess(SourceSettings())
        shared = CameraSite(262_144, ConnectBudget(16), None, analysis, lambda: None, sources)
        cameras = {f"c{number:03d}": RunningCamera(f"c{number:03d}", shared) for number in range(300)}
        for camera_id, camera in cameras.items():
            await camera.become(Camera(id=camera_id, name=camera_id, purpose="crime prevention", main=url))
            stack.push_async_callback(camera.become, None)
        settings = FaultSettings(lost_seconds=30)
        faults = CameraFaults(settings, cameras, analysis, outbox, lambda: None, no_pictures)
        await until(lambda: all(camera.sight() for camera in cameras.values()))
        now = time.monotonic()
        await faults.check(now)
        await faults.check(now + 29)
        assert outbox.status.depth == 0
        with caplog.at_level(logging.WARNING, "streams.camera_faults"):
            await faults.check(now + 31)
            await faults.check(now + 32)
        assert outbox.status.depth == len(faults.blind()) == 300
        (line,) = [one.getMessage() for one in caplog.records if one.name == "streams.camera_faults"]
        assert line == "cameras lost: 300 (c000, c001, c002, c003, c004 ...)"
        again = CameraFaults(settings, cameras, analysis, outbox, lambda: None, no_pictures)
        async with running(again.run()):
            await until(lambda: len(again.blind()) == 300)
        assert outbox.status.depth == 300
