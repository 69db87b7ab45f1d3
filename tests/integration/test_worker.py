"""A whole stream worker: virtual cameras before it, a real center behind it, viewers beside it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame

from control_center.incidents.finding import Finding
from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.center_on_a_port import TOKEN, CenterOnAPort, until
from tests.clips import cached_clip
from tests.worker_process import WorkerProcess, analysis_settings, running_worker, start_worker, write_settings

RULES = [{"name": "yard", "rules": [{"kind": "intrusion"}, {"kind": "dumping"}, {"kind": "fire"}]}]


def finding() -> Finding:
    """Raised now: those of ten minutes ago are watched first no longer, and a test run lasts longer than that."""
    return Finding(
        event_id="0123456789abcdef",
        camera_id="cam2",
        kind="intrusion",
        family="crime",
        zone="yard",
        severity="alert",
        started_at=datetime.now(UTC),
        raised_at=datetime.now(UTC),
        box=(0.1, 0.1, 0.2, 0.2),
        score=0.9,
        label="person",
    )


def mounts(count: int) -> list[Mount]:
    main = cached_clip(seconds=4, fps=15, gop=15)
    sub = cached_clip(seconds=4, fps=15, gop=15, size=(320, 180), bitrate=100_000)
    return [Mount(name=f"cam{number}", main=main, sub=sub if number == 0 else None) for number in range(count)]


def cameras_of(server: VirtualCameraServer, count: int) -> list[dict[str, Any]]:
    cameras: list[dict[str, Any]] = []
    for number in range(count):
        name = f"cam{number}"
        cameras.append({"id": name, "name": name, "purpose": "crime prevention", "main": server.url(name)})
        cameras[-1] |= {"zones": RULES, "record": number != 1}
    cameras[0]["sub"] = server.url("cam0", "sub")
    return cameras


@asynccontextmanager
async def site(folder: Path, count: int) -> AsyncIterator[tuple[VirtualCameraServer, WorkerProcess, Any]]:
    """Virtual cameras, a center, and a worker on them."""
    async with VirtualCameraServer(mounts(count)) as server:
        cameras = cameras_of(server, count)
        center = CenterOnAPort(folder, cameras)
        async with (
            center.running() as parts,
            running_worker(folder, cameras, center.url, analysis=analysis_settings()) as worker,
        ):
            yield server, worker, parts


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def all_watched(status: dict[str, Any]) -> bool:
    return all(camera["analysis"]["frames_concluded"] > 3 for camera in status["cameras"].values())


async def first_picture(worker: WorkerProcess, camera_id: str, stream: str) -> tuple[VideoFrame, str]:
    """A picture over WebRTC, and where its session is."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    track: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    peer.on("track", track.set_result)
    try:
        peer.addTransceiver("video", direction="recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        answer = await worker.client.post(
            f"/whep/{camera_id}?stream={stream}",
            content=peer.localDescription.sdp,
            headers={"content-type": "application/sdp"},
        )
        assert answer.status_code == 201, answer.text
        await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        async with asyncio.timeout(90):
            frame = await (await track).recv()
        assert isinstance(frame, VideoFrame)
        return frame, answer.headers["location"]
    finally:
        await peer.close()


async def test_four_cameras_are_live_watched_recorded_and_shown_until_sigterm(tmp_path: Path) -> None:
    async with site(tmp_path, 4) as (server, worker, center):
        await until(lambda: all(one.state == "live" for one in center.fleet.camera_statuses()))
        await until(lambda: [server.session_count(f"cam{number}") for number in range(4)] == [2, 1, 1, 1])
        status = await worker.wait_status(all_watched, "every camera is analysed")
        assert status["cameras"]["cam0"]["gate"]["is_open"]
        (reported,) = center.fleet.workers()
        assert (reported.worker_id, reported.pid, reported.is_answering) == ("w0", worker.process.pid, True)

        main, location = await first_picture(worker, "cam0", "main")
        sub, _ = await first_picture(worker, "cam0", "sub")
        only, _ = await first_picture(worker, "cam1", "sub")
        assert [(one.width, one.height) for one in (main, sub, only)] == [(640, 360), (320, 180), (640, 360)]
        assert location.startswith("/whep/cam0/")

        await center.ingest.take("w0", [finding()])
        await worker.wait_status(lambda status: status["incident_cameras"] == ["cam2"], "the incident is known")

        def recorded(status: dict[str, Any]) -> bool:
            return all(camera["recorder"]["units"] > 45 for name, camera in status["cameras"].items() if name != "cam1")

        await worker.wait_status(recorded, "recordings grow")
        assert await worker.end() == 0
        await until(lambda: sum(server.session_count(f"cam{number}") for number in range(4)) == 0)
        files = sorted((tmp_path / "data" / "recordings").rglob("*.mp4"))
        assert {file.relative_to(tmp_path / "data" / "recordings").parts[0] for file in files} == {
            "cam0",
            "cam2",
            "cam3",
        }
        for file in files:
            with av.open(str(file)) as container:
                assert sum(1 for _ in container.decode(video=0)) > 45
        assert "Traceback" not in worker.text()


async def test_a_killed_pictures_process_costs_neither_live_nor_recording_and_comes_back(tmp_path: Path) -> None:
    async with site(tmp_path, 2) as (server, worker, _):
        before = await worker.wait_status(all_watched, "every camera is analysed")
        os.kill(before["pictures"]["pid"], signal.SIGKILL)
        after = await worker.wait_status(
            lambda status: status["pictures"]["pid"] not in (None, before["pictures"]["pid"]) and all_watched(status),
            "a new pictures process analyses",
        )
        assert after["pictures"]["starts"] == 2 and after["pid"] == before["pid"]
        for name in ("cam0", "cam1"):
            one, other = before["cameras"][name]["streams"]["main"], after["cameras"][name]["streams"]["main"]
            assert other["counts"]["access_units"] > one["counts"]["access_units"]
            assert other["counts"]["sessions"] == 1 and other["state"] == "live"
            assert other["counts"]["lost_packets"] == 0
        assert after["cameras"]["cam0"]["recorder"]["lost_seconds"] == 0
        assert after["cameras"]["cam0"]["recorder"]["segments"] == 1
        assert server.session_count("cam1") == 1


async def test_a_killed_worker_takes_its_pictures_process_with_it_and_the_next_one_plays_on(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts(1)) as server:
        cameras = cameras_of(server, 1)
        center = CenterOnAPort(tmp_path, cameras)
        async with center.running():
            async with running_worker(tmp_path, cameras, center.url, analysis=analysis_settings()) as worker:
                status = await worker.wait_status(all_watched, "every camera is analysed")
                await worker.end(signal.SIGKILL)
                await until(lambda: not is_running(status["pictures"]["pid"]))
            async with running_worker(tmp_path, cameras, center.url, analysis=analysis_settings()) as worker:
                await worker.wait_status(all_watched, "the next worker analyses")
                assert await worker.end() == 0


async def test_a_worker_without_center_serves_and_tries_again(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts(1)) as server:
        cameras = cameras_of(server, 1)
        center = CenterOnAPort(tmp_path, cameras)
        async with running_worker(tmp_path, cameras, center.url, analysis=analysis_settings()) as worker:
            await worker.wait_status(lambda status: status["center"]["heartbeats_lost"] > 1, "heartbeats are lost")
            await worker.wait_status(
                lambda status: status["cameras"]["cam0"]["streams"]["main"]["state"] == "live", "the camera is live"
            )
            await first_picture(worker, "cam0", "main")
            async with center.running() as parts:
                await until(lambda: all(one.state == "live" for one in parts.fleet.camera_statuses()))


async def test_a_camera_that_fails_says_why_and_harms_no_other(tmp_path: Path) -> None:
    async with site(tmp_path, 3) as (server, worker, center):
        server.set_faults("cam1", Faults(wrong_password=True))
        server.set_faults("cam2", Faults(refuse="close"))
        await until(lambda: center.fleet.camera_status("cam0").state == "live")
        for name in ("cam1", "cam2"):
            server.reset(name)
        await until(lambda: center.fleet.camera_status("cam1").state == "backing_off")
        await until(lambda: center.fleet.camera_status("cam2").state == "backing_off")
        assert "password" in center.fleet.camera_status("cam1").reason
        assert center.fleet.camera_status("cam0").state == "live"
        server.set_faults("cam2", Faults())
        await until(lambda: center.fleet.camera_status("cam2").state == "live")
        assert (await worker.status())["cameras"]["cam0"]["streams"]["main"]["counts"]["sessions"] == 1


async def test_the_api_wants_the_token_and_names_what_it_does_not_have(tmp_path: Path) -> None:
    async with running_worker(tmp_path, [], "http://127.0.0.1:9") as worker:
        await worker.wait_status(lambda status: status["worker_id"] == "w0", "it answers")
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            for path in ("/status", "/metrics", "/whep/cam0", "/nowhere"):
                answer = await worker.client.get(path, headers=headers)
                assert answer.status_code == 401, path
        offer = {"content": "v=0\r\n", "headers": {"content-type": "application/sdp"}}
        assert (await worker.client.post("/whep/nobody", **offer)).status_code == 404
        metrics = (await worker.client.get("/metrics")).text
        assert "haechi_streams_connecting" in metrics
        scanner = (await worker.status())["scanner"]
        assert scanner in ("compiled", "python")
        assert f"haechi_scanner_compiled {float(scanner == 'compiled')}" in metrics
        assert "haechi_outbox_depth 0.0" in metrics and "process_cpu_seconds_total" in metrics
        assert await worker.end() == 0


async def refused_start(settings: Path, folder: Path, *arguments: str, token: str = TOKEN) -> str:
    """What a worker that cannot start says; it ends with status 2."""
    log = folder / "refused.log"
    process = await start_worker(settings, log, "--center-url", "http://127.0.0.1:9", *arguments, token=token)
    assert await asyncio.wait_for(process.wait(), 60) == 2
    return log.read_text()


async def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, [])
    assert "set HAECHI_WORKER_TOKEN" in await refused_start(settings, tmp_path, token="short")
    assert "must look like 0/2" in await refused_start(settings, tmp_path, "--shard", "3/2")
    wrong = write_settings(tmp_path, [{"id": "gate", "name": "gate", "main": "rtsp://127.0.0.1/gate"}])
    assert "cameras[0].purpose (camera gate): is missing" in await refused_start(wrong, tmp_path)
    nowhere = write_settings(tmp_path, [])
    nowhere.write_text(nowhere.read_text().replace(str(tmp_path / "data"), "/proc/nowhere"))
    assert "/proc/nowhere/workers/w0: cannot be written" in await refused_start(nowhere, tmp_path)


async def test_an_unknown_model_stops_analysis_alone_and_is_named(tmp_path: Path) -> None:
    async with VirtualCameraServer(mounts(1)) as server:
        cameras = cameras_of(server, 1)
        async with running_worker(tmp_path, cameras, "http://127.0.0.1:9", analysis={"model": "/no/model"}) as worker:
            await worker.wait_status(lambda status: status["pictures"]["starts"] > 1, "pictures is tried again")
            await worker.wait_status(lambda status: "/no/model" in status["pictures"]["fault"], "the fault is shown")
            await worker.wait_status(lambda status: status["cameras"]["cam0"]["recorder"]["units"] > 15, "it records")
            assert "/no/model: no such model file" in worker.text()
