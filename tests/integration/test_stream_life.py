"""The state machine of a stream against a virtual camera: every fault told, and live again after its cure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import Camera
from streams.connect_budget import ConnectBudget
from streams.stream import Stream, StreamTimes
from streams.stream_status import StreamStatus
from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.clips import cached_clip
from tests.fakes.quirky_camera import QuirkyCamera
from tests.gstreamer import GStreamerServer, clip_pipeline
from tests.rtp import SEI_RECOVERY_GRADUAL

PASSWORD = "hunter2-secret"
QUICK = StreamTimes(
    answer=5.0,
    stall=1.5,
    key_wait=4.0,
    healthy=1.0,
    first_backoff=0.1,
    last_backoff=0.4,
    first_refused=0.1,
    last_refused=0.4,
)


def clip() -> Path:
    """Half a second, one GOP."""
    return cached_clip(seconds=0.5, fps=30, size=(320, 180), gop=15, profile="baseline")


class Watched:
    """A running stream and every status it told."""

    def __init__(self, url: str, budget: ConnectBudget | None = None, times: StreamTimes = QUICK) -> None:
        camera = Camera(
            id="gate", name="Gate", purpose="test", main=url, username="viewer", password=SecretStr(PASSWORD)
        )
        self.told: list[StreamStatus] = []
        self.stream = Stream(
            camera,
            "main",
            budget=budget or ConnectBudget(4),
            ring_max_bytes=1_000_000,
            on_change=self.told.append,
            times=times,
        )
        self.task = asyncio.create_task(self.stream.run())

    async def until(self, condition: Callable[[StreamStatus], bool], seconds: float = 60) -> StreamStatus:
        """The first status for which `condition` holds from now on."""
        async with asyncio.timeout(seconds):
            while not condition(self.stream.status()):
                assert not self.task.done(), self.task.exception()
                await asyncio.sleep(0.02)
        return self.stream.status()

    async def live(self) -> StreamStatus:
        return await self.until(lambda status: status.state == "live")

    async def reason(self, words: str) -> StreamStatus:
        """Until the stream is away for a reason with `words` in it."""
        return await self.until(lambda status: status.state == "backing_off" and words in status.reason)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


@asynccontextmanager
async def watched(url: str, budget: ConnectBudget | None = None, times: StreamTimes = QUICK) -> AsyncIterator[Watched]:
    stream = Watched(url, budget, times)
    try:
        yield stream
    finally:
        await stream.stop()


@asynccontextmanager
async def camera(faults: Faults | None = None, timeout_seconds: float = 60) -> AsyncIterator[VirtualCameraServer]:
    mount = Mount(name="gate", main=clip(), username="viewer", password=SecretStr(PASSWORD), faults=faults or Faults())
    async with VirtualCameraServer([mount], session_timeout_seconds=timeout_seconds) as server:
        yield server


async def test_a_stream_goes_live_and_tells_what_it_has() -> None:
    async with camera() as server, watched(server.url("gate")) as stream:
        await stream.live()
        status = await stream.until(lambda status: status.counts.key_frames >= 2)
        assert stream.told[-1].state == "live"
        assert {told.state for told in stream.told[:-1]} <= {"connecting"}
        assert (status.codec, status.width, status.height, status.run) == ("h264", 320, 180, 1)
        assert (status.counts.attempts, status.counts.sessions) == (1, 1)
        assert status.counts.packets > 0 and status.counts.bytes > 0 and status.counts.lost_packets == 0
        assert status.reason == "" and status.has_fast_start and not status.is_reordered
        assert status.last_picture_at is not None and status.last_picture_at.tzinfo is not None
        assert abs(status.wall_clock_offset_seconds or 0) < 5


async def test_cancelling_tears_the_session_down() -> None:
    async with camera() as server:
        async with watched(server.url("gate")) as stream:
            await stream.live()
            assert server.session_count("gate") == 1
        assert server.session_count("gate") == 0


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(refuse="close"), "camera closed the connection"),
        (Faults(refuse="503"), "503"),
        (Faults(wrong_password=True), "camera answered 401: wrong user name or password"),
        (Faults(not_video=True), "stream is not video: only audio/PCMU offered"),
        (Faults(session_limit=0), "453"),
        (Faults(stall=True), "no picture for 1.5 s: camera plays but sends nothing"),
        (Faults(drop=1.0), "no picture for 1.5 s: camera plays but sends nothing"),
    ],
)
async def test_a_fault_from_the_start_is_told_and_cured(
    faults: Faults, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with camera(faults) as server, watched(server.url("gate")) as stream:
        status = await stream.reason(words)
        assert PASSWORD not in status.reason
        server.set_faults("gate", Faults())
        assert (await stream.live()).reason == ""
        assert status.counts.attempts >= 1
    assert PASSWORD not in caplog.text
    assert PASSWORD not in str(stream.told)


def definition(url: str, password: str = PASSWORD) -> Camera:
    return Camera(id="gate", name="Gate", purpose="test", main=url, username="viewer", password=SecretStr(password))


async def test_a_refused_password_is_seldom_tried_again_and_a_new_one_at_once() -> None:
    assert (StreamTimes().first_refused, StreamTimes().last_refused) == (15.0, 600.0)
    times = replace(QUICK, first_refused=3600.0, last_refused=3600.0)
    async with camera() as server, watched(server.url("gate"), times=times) as stream:
        await stream.live()
        stream.stream.change(definition(server.url("gate"), "mistyped"))
        await stream.reason("wrong user name or password")
        refused = stream.stream.status().counts.attempts
        await asyncio.sleep(10 * QUICK.last_backoff)
        assert stream.stream.status().counts.attempts == refused, "it would lock the account"
        stream.stream.change(definition(server.url("gate")))
        await stream.live()


async def test_another_url_is_opened_at_once_into_the_same_ring() -> None:
    mounts = [
        Mount(name=name, main=clip(), username="viewer", password=SecretStr(PASSWORD)) for name in ("gate", "yard")
    ]
    async with VirtualCameraServer(mounts) as server, watched(server.url("gate")) as stream:
        first = await stream.live()
        index = stream.stream.buffer.next_index
        stream.stream.change(definition(server.url("gate")))
        assert stream.stream.status().run == first.run and stream.stream.state == "live", "nothing changed"
        stream.stream.change(definition(server.url("yard")))
        assert stream.stream.state == "connecting"
        status = await stream.live()
        assert (server.session_count("gate"), server.session_count("yard")) == (0, 1)
        assert status.run > first.run and status.counts.sessions == 2
        unit = stream.stream.buffer.get(stream.stream.buffer.next_index - 1)
        assert unit is not None and unit.run == status.run and stream.stream.buffer.next_index > index


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(stall=True), "no picture for 1.5 s: camera stopped sending"),
        (Faults(drop=1.0), "no picture for 1.5 s: camera stopped sending"),
    ],
)
async def test_a_stream_that_stalls_is_torn_down_whole_and_comes_back(faults: Faults, words: str) -> None:
    async with camera() as server, watched(server.url("gate")) as stream:
        await stream.live()
        buffer, first_run = stream.stream.buffer, stream.stream.status().run
        server.set_faults("gate", faults)
        status = await stream.until(lambda status: status.state == "backing_off")
        assert words in status.reason
        assert [told.state for told in stream.told[-2:]] == ["stalled", "backing_off"]
        await stream.until(lambda _: server.session_count("gate") == 0)
        server.set_faults("gate", Faults())
        status = await stream.live()
        assert status.run > first_run
        assert stream.stream.buffer is buffer
        newest = buffer.get(buffer.next_index - 1)
        assert newest is not None and newest.run == status.run


async def test_losses_are_counted_and_do_not_end_a_stream_that_still_shows_pictures() -> None:
    async with camera() as server, watched(server.url("gate")) as stream:
        await stream.live()
        server.set_faults("gate", Faults(drop=0.1))
        status = await stream.until(lambda status: status.counts.lost_packets > 5 and status.counts.damaged_units > 5)
        assert status.counts.key_frames > 0
        damaged = [unit for unit in stream.stream.buffer.current_gop() if unit.is_damaged]
        assert all(not unit.is_key for unit in damaged)


async def test_a_reset_connection_and_a_camera_that_reboots_come_back() -> None:
    async with camera() as server, watched(server.url("gate")) as stream:
        await stream.live()
        await server.stop_listening()
        server.reset("gate")
        status = await stream.reason("connection refused at 127.0.0.1")
        assert status.counts.sessions == 1
        await server.resume_listening()
        await stream.live()
        lost = next(told for told in stream.told if told.state == "backing_off")
        assert "connection to the camera broke" in lost.reason


async def test_a_killed_clients_session_blocks_until_the_camera_forgets_it() -> None:
    async with camera(Faults(session_limit=1), timeout_seconds=2) as server:
        first = Watched(server.url("gate"))
        await first.live()
        session = first.stream._session
        assert session is not None and session.connection is not None
        session.connection.abort()  # as a kill -9 of this side: no TEARDOWN
        first.task.cancel()
        async with watched(server.url("gate")) as second:
            await second.reason("453")
            await second.live()
        await first.stop()


async def test_a_disabled_stream_stays_away_until_it_is_enabled() -> None:
    async with camera() as server, watched(server.url("gate")) as stream:
        await stream.live()
        stream.stream.disable("switched off by the engineer")
        await stream.until(lambda _: server.session_count("gate") == 0)
        status = stream.stream.status()
        assert (status.state, status.reason) == ("disabled", "switched off by the engineer")
        await asyncio.sleep(0.5)
        assert stream.stream.status().counts.sessions == 1
        stream.stream.enable()
        assert (await stream.live()).reason == ""


async def test_the_budget_bounds_how_many_connect_at_the_same_time() -> None:
    async with QuirkyCamera(answers={"DESCRIBE": lambda _: None}) as silent:
        budget = ConnectBudget(2)
        times = StreamTimes(answer=0.2, first_backoff=0.05, last_backoff=0.1)
        streams = [Watched(silent.url, budget, times) for _ in range(8)]
        await asyncio.gather(*(stream.reason("no answer to DESCRIBE within 0.2 s") for stream in streams))
        for stream in streams:
            await stream.stop()
        assert silent.connections >= 8
        assert silent.most_connections <= 4  # those that close while the next ones open count too
        assert budget.most_running == 2 and budget.running == 0


async def test_a_camera_that_never_sends_a_key_frame_is_told_as_what_it_is() -> None:
    times = StreamTimes(stall=1.0, key_wait=1.0, first_backoff=0.1)
    async with QuirkyCamera(key_nal_units=()) as camera, watched(camera.url, times=times) as stream:
        await stream.reason("no key frame came; set a shorter key frame (I-frame) interval")
    gradual = QuirkyCamera(key_nal_units=(SEI_RECOVERY_GRADUAL,))
    async with gradual as camera, watched(camera.url, times=times) as stream:
        await stream.reason("periodic intra refresh")


async def test_the_back_off_grows_while_a_camera_is_dead() -> None:
    async with camera() as server:
        await server.stop_listening()
        times = StreamTimes(first_backoff=0.05, last_backoff=0.8)
        async with watched(server.url("gate"), times=times) as stream:
            await stream.until(lambda status: status.counts.attempts >= 6)
            waits = [
                (later.since - told.since).total_seconds()
                for told, later in zip(stream.told, stream.told[1:], strict=False)
                if told.state == "backing_off"
            ]
        assert max(waits[3:]) >= 0.3


async def test_a_stream_of_gstreamers_server_goes_live() -> None:
    path = cached_clip(seconds=3, fps=15, size=(320, 180), gop=15)
    server = GStreamerServer({"gate": clip_pipeline(path)}, "viewer", PASSWORD)
    async with server, watched(server.url("gate")) as stream:
        await stream.live()
        await stream.until(lambda status: status.counts.key_frames >= 2)
        await stream.reason("camera")  # the clip ends, and with it the session
        await stream.live()
