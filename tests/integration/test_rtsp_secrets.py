"""What a camera does with the password it was given must not reach a log, an error or a status."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from config.settings import Camera
from streams.connect_budget import ConnectBudget
from streams.errors import StreamError
from streams.rtsp.client import RtspSession, SessionOptions
from streams.stream import Stream, StreamTimes
from streams.stream_status import StreamStatus
from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.clips import cached_clip
from tests.fakes.quirky_camera import QuirkyCamera, with_body

PASSWORD = 'hunter2"secret"비밀'
FORMS = (PASSWORD, "hunter2", "비밀", base64.b64encode(f"viewer:{PASSWORD}".encode()).decode())
QUICK = StreamTimes(answer=1.0, stall=1.0, key_wait=2.0, first_backoff=0.1, last_backoff=0.2, first_refused=0.1)


def leaks(text: str) -> list[str]:
    return [form for form in FORMS if form in text]


def echoes(camera: QuirkyCamera) -> list[tuple[str, str]]:
    """(method, answer) in which a camera repeats what it was told."""
    basic = FORMS[-1]
    body = camera.description().replace("m=video 0 RTP/AVP 96", f"m={PASSWORD} 0 RTP/AVP 96")
    return [
        ("DESCRIBE", f"404 no {PASSWORD} here\r\n\r\n"),
        ("DESCRIBE", f"403 Basic {basic}\r\n\r\n"),
        ("DESCRIBE", f"200 OK\r\nContent-Length: {PASSWORD}\r\n\r\n"),
        ("DESCRIBE", f"302 Moved\r\nLocation: http://viewer:hunter2@camera/{PASSWORD}\r\n\r\n"),
        ("DESCRIBE", f"401 Unauthorized\r\nWWW-Authenticate: {basic} x\r\n\r\n"),
        ("DESCRIBE", with_body("200 OK\r\n", body)),
        ("DESCRIBE", with_body("200 OK\r\n", camera.description(f"rtsp://[viewer:{PASSWORD}"))),
        ("SETUP", f"461 {PASSWORD}\r\n\r\n"),
        ("PLAY", f"454 {basic}\r\n\r\n"),
    ]


@pytest.mark.parametrize("number", range(9))
async def test_a_camera_that_repeats_the_password_is_not_quoted(number: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with QuirkyCamera() as camera:
        method, answer = echoes(camera)[number]
        camera.answers[method] = lambda _: answer
        options = SessionOptions(username="viewer", password=PASSWORD, answer_seconds=2)
        session = RtspSession(camera.url, options, lambda unit: None)
        with pytest.raises(StreamError) as raised:
            await session.open()
    error = raised.value
    for text in (str(error), repr(error), error.reason, str(error.args), caplog.text, repr(options)):
        assert not leaks(text), text
    assert not leaks(traceback.format_exception_only(error)[0])
    assert f"→ 127.0.0.1:{camera.port}" in str(error), "it says which connection"


def disturbances(server: VirtualCameraServer) -> list[Callable[[], object]]:
    """Everything that is wrong with a virtual camera, in turn."""
    faults = [
        *(Faults(drop=0.2), Faults(drop=0.2, reorder=0.3), Faults(clock_offset_seconds=-1e6), Faults(changed="now")),
        *(Faults(stall=True), Faults(half_open=True), Faults(refuse="503"), Faults(refuse="close")),
        *(Faults(wrong_password=True), Faults(not_video=True), Faults(session_limit=0)),
    ]
    return [
        *(lambda fault=fault: server.set_faults("gate", fault) for fault in faults),  # type: ignore[misc]
        lambda: server.reset("gate"),
        lambda: server.reboot(0.5, "gate"),
        lambda: server.reboot(0.5),
    ]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_session_full_of_faults_logs_where_and_what_and_no_password(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clips = [
        cached_clip(seconds=0.5, fps=30, size=size, gop=15, profile="baseline") for size in ((320, 180), (640, 360))
    ]
    mount = Mount(name="gate", main=clips[0], changed=clips[1], username="viewer", password=SecretStr(PASSWORD))
    told: list[StreamStatus] = []
    async with VirtualCameraServer([mount]) as server:
        camera = Camera.model_validate(
            {"id": "gate", "name": "Gate", "purpose": "test", "main": server.url("gate")}
            | {"username": "viewer", "password": PASSWORD, "transport": transport}
        )
        stream = Stream(
            camera, "main", budget=ConnectBudget(1), ring_max_bytes=1_000_000, on_change=told.append, times=QUICK
        )
        running = asyncio.create_task(stream.run())
        try:
            for disturb in disturbances(server):
                await live(stream)
                disturb()
                await asyncio.sleep(0.3)
                server.set_faults("gate", Faults())
            await live(stream)
        finally:
            running.cancel()
            await asyncio.wait({running})
    assert len(told) > 10 and len(caplog.records) > 5
    assert not leaks(caplog.text) and not leaks(str(told)) and not leaks(str(stream.status()))
    lost = next(record.getMessage() for record in caplog.records if "packets are missing" in record.getMessage())
    for word in (
        "camera gate",
        "stream main",
        "connection 127.0.0.1:",
        "→ 127.0.0.1:",
        "packet ",
        "ssrc ",
        "sequence ",
    ):
        assert word in lost, lost


async def live(stream: Stream) -> None:
    async with asyncio.timeout(60):
        while stream.state != "live":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
