"""The relay with an independent WebRTC client (aiortc) over real sockets and HTTP."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from av import VideoFrame

from config.settings import WorkerSettings
from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.relay import Relay, SessionLimits, StreamKey
from streams.relay.session import Session
from streams.relay.transport import MediaTransport
from streams.relay.viewer import Viewer
from tests.browser import serve
from tests.clips import draw_picture, make_clip
from tests.live_feed import LiveFeed, append_now, load_units
from tests.ports import free_port
from tests.whep_client import WhepClient, lossy_path

SIZE, FPS, GOP = (320, 180), 15, 60


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[AccessUnit]]:
    folder = tmp_path_factory.mktemp("clips")
    baseline = make_clip(folder / "baseline.mp4", 4, FPS, SIZE, GOP, 200_000, "baseline")
    high = make_clip(folder / "high.mp4", 4, FPS, SIZE, GOP, 200_000, "high")
    small = make_clip(folder / "small.mp4", 4, FPS, (160, 90), GOP, 60_000, "baseline")
    reordered = make_clip(folder / "reordered.mp4", 4, FPS, SIZE, GOP, 200_000, "high", b_frames=2)
    return {path.stem: load_units(path) for path in (baseline, high, small, reordered)}


@dataclass
class Worker:
    """A relay being served. `streams` may be changed."""

    relay: Relay
    streams: dict[StreamKey, GopBuffer]
    base: str

    def url(self, camera_id: str = "cam", stream: str = "main") -> str:
        return f"{self.base}/whep/{camera_id}?stream={stream}"


# For tests in which a session is to end by itself; elsewhere a busy machine would end sessions that are sound.
IMPATIENT = SessionLimits(connect_seconds=5, silence_seconds=3, first_picture_seconds=2)


@pytest.fixture
async def worker(request: pytest.FixtureRequest) -> AsyncIterator[Worker]:
    """With the limits that the test names by `indirect`."""
    streams: dict[StreamKey, GopBuffer] = {("cam", "main"): GopBuffer()}
    limits = getattr(request, "param", SessionLimits(connect_seconds=60))
    relay = Relay(streams, WorkerSettings(), limits=limits)
    async with serve(relay) as base:
        yield Worker(relay, streams, base)
        await relay.close()


async def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _shows(image: np.ndarray, number: int) -> bool:
    """Whether `image` (BGR) is picture `number` of the clip, compression aside."""
    height, width = image.shape[:2]
    drawn = draw_picture(number, (width, height))
    return float(np.abs(cv2.subtract(image, drawn).astype(np.float32)).mean()) < 12


def _is_live(frame: VideoFrame, feed: LiveFeed) -> bool:
    """A second into what is shown, and no more than six pictures behind what the camera sends."""
    image = frame.to_ndarray(format="bgr24")
    return frame.pts >= 90_000 and any(_shows(image, (feed.played - behind) % len(feed.units)) for behind in range(6))


@pytest.mark.parametrize("profile", ["baseline", "high"])
@pytest.mark.parametrize("phase", [3, GOP - 5])
async def test_a_viewer_sees_the_cached_gop_at_once_and_then_live_pictures(
    worker: Worker, clips: dict[str, list[AccessUnit]], profile: str, phase: int
) -> None:
    async with LiveFeed(worker.streams["cam", "main"], clips[profile], FPS, phase) as feed:
        async with WhepClient(worker.url()) as client:
            first = await client.frame()
            assert (first.width, first.height) == SIZE
            assert _shows(first.to_ndarray(format="bgr24"), 0), "the key frame comes first"
            async with asyncio.timeout(60):
                while not _is_live(await client.frame(), feed):
                    pass
        assert client.headers["haechi-start"] == "cached-gop"
        await _until(lambda: worker.relay.session_count == 0)
        counters = worker.relay.counters()
        assert counters["drops"] == 0 and counters["skipped_units"] == 0


async def test_lost_packets_are_asked_for_and_sent_again(worker: Worker, clips: dict[str, list[AccessUnit]]) -> None:
    async with (
        LiveFeed(worker.streams["cam", "main"], clips["high"], FPS, 30),
        lossy_path(lambda count: count % 12 == 6) as path,
        WhepClient(worker.url(), path) as client,
    ):
        frames = [await client.frame() for _ in range(75)]
        assert path.dropped > 5
        counters = worker.relay.counters()
        assert counters["nacks"] > 0 and counters["repeated"] > 0
        steps = np.diff([frame.pts for frame in frames])
        assert (steps <= 6000).mean() > 0.9, "hardly a picture is missing"


@pytest.mark.parametrize("worker", [IMPATIENT], indirect=True)
async def test_one_viewer_of_many_that_is_killed_ends_alone(worker: Worker, clips: dict[str, list[AccessUnit]]) -> None:
    async with LiveFeed(worker.streams["cam", "main"], clips["baseline"], FPS, 10), WhepClient(worker.url()) as stays:
        await stays.frame()
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", _WATCH, worker.url(), env=environment)
        try:
            await _until(lambda: worker.relay.viewer_counts() == {("cam", "main"): 2})
        finally:
            killed.kill()
            await killed.wait()
        seen = []

        async def watch() -> None:
            while True:
                seen.append(await stays.frame())

        watching = asyncio.create_task(watch())
        await _until(lambda: worker.relay.viewer_counts() == {("cam", "main"): 1})
        watching.cancel()
        assert len(seen) > 3, "the other one kept moving"


_WATCH = """
import asyncio, sys
from tests.whep_client import WhepClient
async def main():
    async with WhepClient(sys.argv[1]) as client:
        while True:
            await client.frame()
asyncio.run(main())
"""


@pytest.mark.parametrize("worker", [IMPATIENT], indirect=True)
async def test_sessions_leave_nothing_behind(worker: Worker, clips: dict[str, list[AccessUnit]]) -> None:
    def left() -> int:
        gc.collect()
        return sum(issubclass(type(thing), (Session, Viewer, MediaTransport)) for thing in gc.get_objects())

    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async with LiveFeed(worker.streams["cam", "main"], clips["baseline"], FPS, 10):
        before = 0
        for cycle in range(30):
            async with WhepClient(worker.url()) as client:
                if cycle % 3:
                    await client.frame()
                if cycle % 3 == 1:
                    assert await client.delete() == 200
            if cycle == 2:
                await _until(lambda: worker.relay.session_count == 0)
                before = descriptors()
        await _until(lambda: worker.relay.session_count == 0)
        await _until(lambda: left() <= 3)  # all but what a frame of the loop may still hold
        await _until(lambda: descriptors() <= before + 3)
        assert worker.relay.counters()["sessions"] == 30
    assert not worker.streams["cam", "main"]._listeners


@pytest.mark.parametrize("worker", [IMPATIENT], indirect=True)
async def test_a_session_that_never_connects_ends_by_itself(worker: Worker, clips: dict[str, list[AccessUnit]]) -> None:
    append_now(worker.streams["cam", "main"], clips["baseline"][:5])
    offer = (Path(__file__).parents[1] / "media" / "offers" / "chromium-156.sdp").read_text()
    opened = await worker.relay.open("cam", "main", offer)
    assert worker.relay.session_count == 1 and worker.relay.viewer_counts() == {}
    session = worker.relay.session("cam", opened.session_id)
    await _until(lambda: worker.relay.session_count == 0)
    assert session.reason == "it did not connect in time"


async def test_a_gop_too_long_to_send_begins_with_the_sub_stream_and_goes_over_to_main(
    worker: Worker, clips: dict[str, list[AccessUnit]]
) -> None:
    main, sub = worker.streams["cam", "main"], GopBuffer()
    worker.streams["cam", "sub"] = sub
    too_long = replace(clips["high"][1], nal_units=(*clips["high"][1].nal_units, b"\x0c" + b"\xff" * 1_100_000))
    append_now(main, [clips["high"][0], too_long])
    async with LiveFeed(sub, clips["small"], FPS, 20), WhepClient(worker.url()) as client:
        assert client.headers["haechi-start"] == "sub-stream"
        first = await client.frame()
        assert (first.width, first.height) == (160, 90)
        async with LiveFeed(main, clips["high"], FPS):
            frame = first
            while frame.width != SIZE[0]:
                before, frame = frame, await client.frame()
            assert before.pts < frame.pts
            assert worker.relay.viewer_counts() == {("cam", "main"): 1}
            for _ in range(FPS):
                assert (await client.frame()).width == SIZE[0]


@pytest.mark.parametrize("worker", [IMPATIENT], indirect=True)
async def test_a_stream_that_never_has_a_key_frame_is_given_up_and_then_refused(
    worker: Worker, clips: dict[str, list[AccessUnit]]
) -> None:
    never = [replace(unit, is_key=False) for unit in clips["baseline"]]
    buffer = worker.streams["cam", "main"]
    append_now(buffer, never[:3])

    async def feed() -> None:
        while True:
            append_now(buffer, never[3:4])
            await asyncio.sleep(0.1)

    feeding = asyncio.create_task(feed())
    async with WhepClient(worker.url()) as client:
        assert client.headers["haechi-start"] == "next-key-frame"
        await _until(lambda: worker.relay.session_count == 0)
    async with httpx.AsyncClient(timeout=60) as http:
        refused = await http.post(worker.url(), content=_offer(), headers=_SDP)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:haechi:problem:no-idr")
    feeding.cancel()


async def test_viewers_of_a_camera_that_is_removed_are_ended(
    worker: Worker, clips: dict[str, list[AccessUnit]]
) -> None:
    async with LiveFeed(worker.streams["cam", "main"], clips["baseline"], FPS), WhepClient(worker.url()) as client:
        await client.frame()
        worker.streams["cam", "main"].close()
        await _until(lambda: worker.relay.session_count == 0)


_SDP = {"content-type": "application/sdp"}


def _offer() -> str:
    return (Path(__file__).parents[1] / "media" / "offers" / "chromium-156.sdp").read_text()


async def test_requests_that_cannot_be_served_are_told_why(worker: Worker, clips: dict[str, list[AccessUnit]]) -> None:
    buffer = worker.streams["cam", "main"]
    async with httpx.AsyncClient(timeout=60) as http:

        async def refusal(
            url: str, content: str | None = None, content_type: str = "application/sdp"
        ) -> tuple[int, str]:
            body = _offer() if content is None else content
            response = await http.post(url, content=body, headers={"content-type": content_type})
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert problem["status"] == response.status_code and problem["detail"] and problem["title"]
            kind = problem["type"].removeprefix("urn:haechi:problem:")
            assert (kind == "no-picture-yet") == ("retry-after" in response.headers)
            return response.status_code, kind

        assert await refusal(worker.url()) == (409, "no-picture-yet")
        append_now(buffer, clips["baseline"][:5])
        assert await refusal(worker.url("other")) == (404, "unknown-camera")
        assert await refusal(worker.url(), "nonsense") == (400, "bad-offer")
        assert await refusal(worker.url(), content_type="text/plain") == (415, "wrong-content-type")
        assert await refusal(worker.url(), "v=0" + "x" * 70_000) == (413, "too-large")
        assert await refusal(worker.url(stream="both")) == (400, "bad-offer")
        assert await refusal(worker.url(), _offer().replace("H264", "H265")) == (406, "no-common-codec")
        worker.streams["b", "main"] = GopBuffer()
        append_now(worker.streams["b", "main"], clips["reordered"][:20])
        assert await refusal(worker.url("b")) == (409, "reordered-frames")
        h265 = replace(clips["high"][0], parameters=replace(clips["high"][0].parameters, codec="h265"))
        worker.streams["c", "main"] = GopBuffer()
        append_now(worker.streams["c", "main"], [h265])
        assert await refusal(worker.url("c")) == (409, "codec-not-relayable")
        worker.streams["d", "main"] = GopBuffer()
        worker.streams["d", "main"].append(replace(clips["high"][0], received_ns=1))
        assert await refusal(worker.url("d")) == (409, "no-picture-yet")
        recovery = replace(clips["high"][1], is_key=True)
        worker.streams["e", "main"] = GopBuffer()
        append_now(worker.streams["e", "main"], [recovery])
        assert await refusal(worker.url("e")) == (409, "no-idr")


async def test_a_fixed_port_range_is_kept_to_and_told_when_it_is_full(clips: dict[str, list[AccessUnit]]) -> None:
    buffer = GopBuffer()
    append_now(buffer, clips["baseline"][:5])
    port = free_port()
    relay = Relay({("cam", "main"): buffer}, WorkerSettings(udp_ports=(port, port)))
    async with serve(relay) as base, httpx.AsyncClient(base_url=base, timeout=60) as http:
        opened = await http.post("/whep/cam", content=_offer(), headers=_SDP)
        assert f" 127.0.0.1 {port} typ host" in opened.text
        full = await http.post("/whep/cam", content=_offer(), headers=_SDP)
        assert full.status_code == 503 and "udp_ports" in full.json()["detail"]
        await http.delete(opened.headers["location"])
        await _until(lambda: relay.session_count == 0)
        assert (await http.post("/whep/cam", content=_offer(), headers=_SDP)).status_code == 201
        await relay.close()
        assert relay.session_count == 0
        closing = await http.post("/whep/cam", content=_offer(), headers=_SDP)
        assert closing.status_code == 503
