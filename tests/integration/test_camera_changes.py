"""Cameras added, changed and removed while the worker runs: what did not change is not disturbed."""

from __future__ import annotations

import asyncio
import itertools
import json
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from config.settings import Camera
from control_center.center import Center
from control_center.ledger import CENTER
from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.center_on_a_port import CenterOnAPort, until
from tests.clips import cached_clip
from tests.fakes.other_center import OtherCenter
from tests.worker_process import WorkerProcess, analysis_settings, running_worker

RULES = [{"name": "yard", "rules": [{"kind": "intrusion"}]}]
RECORDING = {"segment_seconds": 600.0}
PATIENCE = 6.0
NAMES = ("gate", "yard", "hall", "roof")


@asynccontextmanager
async def virtual_cameras() -> AsyncIterator[VirtualCameraServer]:
    main = cached_clip(seconds=4, fps=15, gop=15)
    sub = cached_clip(seconds=4, fps=15, gop=15, size=(320, 180), bitrate=100_000)
    async with VirtualCameraServer([Mount(name=name, main=main, sub=sub) for name in NAMES]) as server:
        yield server


def definition(server: VirtualCameraServer, name: str, **fields: Any) -> dict[str, Any]:
    base = {"id": name, "name": name, "purpose": "crime prevention", "main": server.url(name), "zones": RULES}
    return base | fields


class Viewer:
    """Takes a camera's picture over WebRTC, all the time; `ended` when the worker ended it."""

    def __init__(self, worker: WorkerProcess, camera_id: str) -> None:
        self.frames = 0
        self.ended = asyncio.Event()
        self._worker, self._camera_id = worker, camera_id
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Viewer:
        self._peer.on("track", lambda track: self._tasks.append(asyncio.create_task(self._take(track))))
        self._peer.addTransceiver("video", direction="recvonly")
        await self._peer.setLocalDescription(await self._peer.createOffer())
        answer = await self._worker.client.post(
            f"/whep/{self._camera_id}",
            content=self._peer.localDescription.sdp,
            headers={"content-type": "application/sdp"},
        )
        assert answer.status_code == 201, answer.text
        await self._peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        await self.more()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._peer.close()
        await asyncio.gather(*self._tasks)

    async def _take(self, track: Any) -> None:
        try:
            while True:
                await track.recv()
                self.frames += 1
        except MediaStreamError:
            self.ended.set()

    async def more(self) -> None:
        """Wait until it has seen ten more pictures."""
        wanted = self.frames + 10
        await until(lambda: self.frames >= wanted)

    async def lost_packets(self) -> int:
        reports = await self._peer.getStats()
        (lost,) = [one.packetsLost for one in reports.values() if one.type == "inbound-rtp"]
        return int(lost)


@dataclass
class Undisturbed:
    """What must not change of a camera and of the worker while others change."""

    run: int
    sessions: int
    segments: int
    pids: tuple[int, int]
    starts: int
    lost_seconds: float
    lost_packets: int

    @classmethod
    def of(cls, status: dict[str, Any], camera_id: str) -> Undisturbed:
        camera = status["cameras"][camera_id]
        stream = camera["streams"]["main"]
        return cls(
            stream["run"],
            stream["counts"]["sessions"],
            camera["recorder"]["segments"],
            (status["pid"], status["pictures"]["pid"]),
            status["pictures"]["starts"],
            camera["recorder"]["lost_seconds"],
            stream["counts"]["lost_packets"],
        )


def is_watched(status: dict[str, Any], *camera_ids: str) -> bool:
    return all(status["cameras"][name]["analysis"]["frames_concluded"] > 0 for name in camera_ids)


async def tell(center: Center, change: Awaitable[Any]) -> None:
    """Change the register as its endpoints do."""
    await change
    await center.follow_register()


def gaps_in(file: Path) -> list[float]:
    """Seconds from one picture of a recording to the next."""
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        times = [float(packet.pts * stream.time_base) for packet in container.demux(stream) if packet.pts is not None]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


async def test_cameras_come_change_and_go_and_the_others_never_pause(tmp_path: Path) -> None:
    async with virtual_cameras() as server:
        kept, changed = definition(server, "gate"), definition(server, "yard")
        site = CenterOnAPort(tmp_path, [kept, changed])
        sections = {"analysis": analysis_settings(), "recording": RECORDING}
        async with site.running() as center, running_worker(tmp_path, [], site.url, **sections) as worker:
            register = center.register
            before = await worker.wait_status(lambda status: is_watched(status, "gate", "yard"), "both are analysed")
            untouched = Undisturbed.of(before, "gate")
            assert before["camera_list"]["source"] == "center"
            async with Viewer(worker, "gate") as viewer, Viewer(worker, "yard") as other_viewer:
                new = Camera.model_validate(definition(server, "hall"))
                await tell(center, register.add(CENTER, new))
                await until(lambda: center.fleet.camera_status("hall").state == "live")
                await worker.wait_status(lambda status: is_watched(status, "hall"), "the new one is analysed")
                await viewer.more()

                at = Camera.model_validate(changed | {"name": "Yard", "zones": [*RULES, {"name": "more", "rules": []}]})
                await tell(center, register.change(CENTER, at))
                version = register.loaded.version
                await worker.wait_status(lambda status: status["camera_list"]["version"] == version, "it is known")
                status = await worker.status()
                assert Undisturbed.of(status, "yard") == Undisturbed.of(before, "yard"), "zones and name alone"

                await tell(center, register.change(CENTER, at.model_copy(update={"main": server.url("roof")})))
                await worker.wait_status(
                    lambda status: (
                        status["cameras"]["yard"]["recorder"]["segments"] == 2
                        and status["cameras"]["yard"]["streams"]["main"]["state"] == "live"
                    ),
                    "it plays the other URL into a new segment",
                )
                assert (server.session_count("yard"), server.session_count("roof")) == (0, 1)
                await other_viewer.more()

                await tell(center, register.change(CENTER, at.model_copy(update={"enabled": False})))
                await worker.wait_status(
                    lambda status: status["cameras"]["yard"]["streams"]["main"]["state"] == "disabled", "switched off"
                )
                await until(lambda: server.session_count("roof") == 0)
                await asyncio.wait_for(other_viewer.ended.wait(), 10)
                status = await worker.status()
                assert (status["cameras"]["yard"]["recorder"], status["cameras"]["yard"]["watched"]) == (None, None)
                await tell(center, register.change(CENTER, at))
                await worker.wait_status(
                    lambda status: status["cameras"]["yard"]["streams"]["main"]["state"] == "live", "switched on"
                )

                await tell(center, register.remove(CENTER, "hall"))
                await worker.wait_status(lambda status: "hall" not in status["cameras"], "it is gone")
                assert server.session_count("hall") == 0
                assert (await worker.client.post("/whep/hall", **offer())).status_code == 404

                await viewer.more()
                status = await worker.status()
                assert Undisturbed.of(status, "gate") == untouched
                assert (status["relay"]["drops"], await viewer.lost_packets()) == (0, 0)
                assert not viewer.ended.is_set()
            assert await worker.end() == 0
            assert "Traceback" not in worker.text()
        (file,) = (tmp_path / "data/recordings/gate").rglob("*.mp4")
        assert max(gaps_in(file)) < 0.1, "15 pictures a second, none missing"
        assert len(list((tmp_path / "data/recordings/hall").rglob("*.mp4"))) == 1


def offer() -> dict[str, Any]:
    return {"content": "v=0\r\n", "headers": {"content-type": "application/sdp"}}


def runs(*names: str) -> Callable[[dict[str, Any]], bool]:
    return lambda status: (
        sorted(status["cameras"]) == sorted(names)
        and all(camera["streams"]["main"]["state"] == "live" for camera in status["cameras"].values())
    )


async def test_what_cannot_be_understood_leaves_the_cameras_as_they_are_and_is_told(tmp_path: Path) -> None:
    center = OtherCenter()
    async with virtual_cameras() as server, center.running():
        gate, yard, hall = (definition(server, name, zones=[]) for name in ("gate", "yard", "hall"))
        center.says("1", gate, yard)
        async with running_worker(tmp_path, [], center.url) as worker:
            await worker.wait_status(runs("gate", "yard"), "both run")
            center.version, center.answer = "2", b'{"version": "2", "cameras": "none"}'
            status = await worker.wait_status(lambda status: status["camera_list"]["fault"], "the fault is shown")
            assert "cameras: " in status["camera_list"]["fault"] and status["camera_list"]["version"] == "1"
            asked = center.asked
            await asyncio.sleep(3)
            assert (center.asked, worker.text().count("not understood")) == (asked, 1)
            assert runs("gate", "yard")(await worker.status())

            secret = {**yard, "main": "http://user:s3cret@nowhere/", "password": "s3cret"}
            future = {**hall, "id": "roof", "from_a_later_version": 1}
            center.says(
                "3", gate, secret, hall, {**hall, "name": "twice"}, future, {"id": 7}, {"id": "No Id"}, "nothing"
            )
            status = await worker.wait_status(runs("gate", "yard", "hall"), "the bad one goes on, the new one runs")
            assert "main: " in status["camera_list"]["faults"]["yard"] and not status["camera_list"]["fault"]
            assert "s3cret" not in worker.text() and "s3cret" not in json.dumps(status)
            assert status["cameras"]["gate"]["streams"]["main"]["counts"]["sessions"] == 1
            await until(lambda: sorted(center.heard["cameras"]) == ["gate", "hall", "roof", "yard"])
            assert "from_a_later_version" in center.heard["cameras"]["roof"]["main"]["reason"]
            assert center.heard["cameras"]["yard"]["main"]["state"] == "live"
            center.says("4", gate, yard)
            await worker.wait_status(runs("gate", "yard"), "mended")
            status = await worker.status()
            assert not status["camera_list"]["faults"]
            assert status["cameras"]["yard"]["streams"]["main"]["counts"]["sessions"] == 1


async def test_a_worker_starts_with_what_the_center_said_last_and_knows_an_older_center(tmp_path: Path) -> None:
    center = OtherCenter()
    async with virtual_cameras() as server:
        gate, yard, hall = (definition(server, name, zones=[]) for name in ("gate", "yard", "hall"))
        async with center.running():
            center.says("1", gate, yard | {"password": "of the camera"})
            async with running_worker(tmp_path, [hall], center.url) as worker:
                await worker.wait_status(runs("gate", "yard"), "the center's")
        file = tmp_path / "data/workers/w0/cameras.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        async with running_worker(tmp_path, [hall], center.url) as worker:
            status = await worker.wait_status(runs("gate", "yard"), "the kept ones")
            assert status["camera_list"]["source"] == "kept"
        file.write_bytes(b"{")
        async with running_worker(tmp_path, [hall], center.url) as worker:
            status = await worker.wait_status(runs("hall"), "those of the settings file")
            assert status["camera_list"]["source"] == "settings"
        file.unlink()
        center.answer = None
        async with center.running(), running_worker(tmp_path, [hall], center.url) as worker:
            await worker.wait_status(lambda status: status["center"]["heartbeats"] > 1, "the old center answers")
            status = await worker.wait_status(runs("hall"), "those of the settings file again")
            assert status["camera_list"]["source"] == "settings"


async def test_the_main_stream_is_analysed_while_the_sub_stream_is_long_away(tmp_path: Path) -> None:
    async with virtual_cameras() as server:
        gate = definition(server, "gate", sub=server.url("yard", "sub"))
        sections = {"analysis": analysis_settings()}
        async with running_worker(tmp_path, [gate], "http://127.0.0.1:9", patience=PATIENCE, **sections) as worker:

            def goes_on_with(name: str) -> Callable[[dict[str, Any]], bool]:
                return lambda status: status["cameras"]["gate"]["watched"] == name

            await worker.wait_status(lambda status: is_watched(status, "gate"), "it is analysed")
            assert goes_on_with("sub")(await worker.status())
            server.set_faults("yard", Faults(refuse="503"))
            server.reset("yard")
            away = time.monotonic()
            status = await worker.wait_status(goes_on_with("main"), "the main stream is analysed", 90)
            assert time.monotonic() - away > PATIENCE - 2
            concluded = status["cameras"]["gate"]["analysis"]["frames_concluded"]
            await worker.wait_status(
                lambda status: status["cameras"]["gate"]["analysis"]["frames_concluded"] > concluded + 5, "it goes on"
            )
            server.set_faults("yard", Faults())
            await worker.wait_status(goes_on_with("sub"), "the sub stream is analysed again")
            assert (await worker.status())["pictures"]["starts"] == 1
