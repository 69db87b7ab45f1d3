"""Main and sub stream of virtual cameras: changed without a seam, and one for the other where browsers need it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from config.settings import Camera, StreamName, WorkerSettings
from streams.connect_budget import ConnectBudget
from streams.gop_buffer import GopBuffer
from streams.relay import Relay, SessionLimits
from streams.stream import Stream, StreamTimes
from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.browser import chromium, serve
from tests.clips import cached_clip
from tests.live_feed import LiveFeed, append_now, load_units
from tests.narrow_path import lead_page_through, narrow_path
from tests.whep_client import WhepClient

OFFER = (Path(__file__).parents[1] / "media" / "offers" / "chromium-156.sdp").read_text()
MAIN, SUB = 320, 160
GRADUAL = {
    "intra_refresh": True,
    "seconds": 60,
    "gop": 8,
}  # a virtual camera's clip begins with an IDR picture whenever it loops


def _clip(width: int, **options: object) -> Path:
    wanted = {"seconds": 4, "fps": 15, "gop": 30, "size": (width, width * 9 // 16), "bitrate": width * 600}
    return cached_clip(**(wanted | options))


@dataclass
class Site:
    """A camera's streams, and a relay that is served."""

    relay: Relay
    streams: dict[StreamName, Stream]
    base: str
    server: VirtualCameraServer

    def url(self, wish: str = "main") -> str:
        return f"{self.base}/whep/cam?stream={wish}"

    async def choose(self, client: WhepClient, wish: str) -> int:
        async with httpx.AsyncClient() as http:
            return (await http.post(f"{client.location}/layer", json={"encodingId": wish})).status_code


def _patience(options: dict[str, object]) -> dict[str, float]:
    """A stream without key frames is soon given up, for long."""
    return {"stall": 2.0, "key_wait": 2.0, "first_backoff": 120, "last_backoff": 120} if options is GRADUAL else {}


@asynccontextmanager
async def site(main: Path, sub: Path | None, changed: Path | None = None, **times: float) -> AsyncIterator[Site]:
    """Runs once each stream has a key frame, or has been given up for the first time."""
    mount = Mount(name="cam", main=main, sub=sub, changed=changed, phase_seconds=1.0)
    async with VirtualCameraServer([mount]) as server:
        urls = {"main": server.url("cam")} | ({"sub": server.url("cam", "sub")} if sub else {})
        camera = Camera(id="cam", name="Camera", purpose="test", **urls)
        names: list[StreamName] = ["main", "sub"] if sub else ["main"]
        budget, quick = ConnectBudget(4), StreamTimes(**({"first_backoff": 0.1} | times))
        streams = {name: Stream(camera, name, budget=budget, ring_max_bytes=8 << 20, times=quick) for name in names}
        tasks = [asyncio.create_task(stream.run()) for stream in streams.values()]
        buffers = {("cam", name): stream.buffer for name, stream in streams.items()}
        relay = Relay(
            buffers,
            WorkerSettings(),
            limits=SessionLimits(choose_again_seconds=0.2),
            reason_of=lambda key: streams[key[1]].reason,
        )
        try:
            await _until(lambda: all(_is_known(stream) for stream in streams.values()))
            async with serve(relay) as base:
                yield Site(relay, streams, base, server)
                await relay.close()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def _is_known(stream: Stream) -> bool:
    """Whether its key frame and some pictures more have come, or it was given up."""
    key = stream.buffer.last_key_index
    return stream.state == "backing_off" or (key is not None and stream.buffer.next_index > key + 5)


async def _until(condition: Callable[[], bool], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _frames_until(client: WhepClient, width: int) -> list[int]:
    """Presentation times until a frame of that width has come."""
    times = []
    while True:
        frame = await client.frame(60)
        assert frame.pts is not None
        times.append(frame.pts)
        if frame.width == width:
            return times


async def test_a_viewer_goes_to_and_fro_between_streams_and_misses_nothing() -> None:
    async with site(_clip(MAIN), _clip(SUB, profile="baseline")) as here, WhepClient(here.url()) as client:
        assert (client.headers["haechi-start"], "haechi-start-reason" in client.headers) == ("cached-gop", False)
        times = await _frames_until(client, MAIN)
        for wish, width, key in (("sub", SUB, ("cam", "sub")), ("auto", MAIN, ("cam", "main"))) * 2:
            assert await here.choose(client, wish) == 204
            times += await _frames_until(client, width)
            assert here.relay.viewer_counts() == {key: 1}
        assert times == sorted(set(times)), "one clock all the way"
        counters = here.relay.counters()
        assert (counters["switches"], counters["skipped_units"], counters["drops"]) == (4, 0, 0)
        assert await here.choose(client, "both") == 422
        listening = {name: len(stream.buffer._listeners) for name, stream in here.streams.items()}
        assert listening["main"] == listening["sub"] + 1, "only the stream that is watched is listened to"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"codec": "h265", "profile": "main"}, "codec-not-relayable"),
        ({"b_frames": 2}, "reordered-frames"),
        (GRADUAL, "no-picture-yet"),
    ],
)
async def test_a_main_stream_that_browsers_cannot_have_gives_way_to_the_sub_stream(
    options: dict[str, object], why: str
) -> None:
    main, sub = _clip(MAIN, **options), _clip(SUB, seconds=options.get("seconds", 4))
    async with site(main, sub, **_patience(options)) as here, WhepClient(here.url()) as client:
        assert (client.headers["haechi-start"], client.headers["haechi-start-reason"]) == ("sub-stream", why)
        assert {(await client.frame(60)).width for _ in range(30)} == {SUB}, "looked for again, and not found"


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"codec": "h265", "profile": "main"}, "codec-not-relayable", "set the camera (or its sub stream) to H.264"),
        ({"b_frames": 2}, "reordered-frames", "set the camera to 0 B frames"),
        (GRADUAL, "no-picture-yet", "camera uses periodic intra refresh"),
    ],
)
async def test_without_another_stream_it_is_said_what_to_set_at_the_camera(
    options: dict[str, object], kind: str, words: str
) -> None:
    async with site(_clip(MAIN, **options), None, **_patience(options)) as here, httpx.AsyncClient() as http:
        refused = await http.post(here.url(), content=OFFER, headers={"content-type": "application/sdp"})
        problem = refused.json()
        assert (refused.status_code, problem["type"]) == (409, f"urn:haechi:problem:{kind}")
        assert words in problem["detail"], problem


async def test_a_viewer_whose_stream_becomes_another_codec_goes_on_with_the_other_stream() -> None:
    h265 = _clip(MAIN, codec="h265", profile="main")
    async with site(_clip(MAIN), _clip(SUB), h265) as here, WhepClient(here.url()) as client:
        assert (await client.frame(60)).width == MAIN
        here.server.set_faults("cam", Faults(changed="now"))
        times = await _frames_until(client, SUB)
        assert times == sorted(set(times)) and here.relay.viewer_counts() == {("cam", "sub"): 1}


@pytest.mark.parametrize("before", ["nothing", "another codec"])
async def test_a_viewer_that_began_with_the_sub_stream_gets_the_main_one_when_it_can(before: str) -> None:
    main, sub = GopBuffer(), GopBuffer()
    units = load_units(_clip(MAIN))
    if before == "another codec":
        append_now(main, [replace(units[0], parameters=replace(units[0].parameters, codec="h265"))])
    relay = Relay(
        {("cam", "main"): main, ("cam", "sub"): sub}, WorkerSettings(), limits=SessionLimits(choose_again_seconds=0.2)
    )
    async with serve(relay) as base, LiveFeed(sub, load_units(_clip(SUB)), phase=20):
        async with WhepClient(f"{base}/whep/cam?stream=main") as client:
            assert (await client.frame(60)).width == SUB
            async with LiveFeed(main, units, run=1):
                await _frames_until(client, MAIN)
                assert relay.viewer_counts() == {("cam", "main"): 1}
        await relay.close()


async def test_a_narrow_way_gets_the_sub_stream_in_a_real_browser() -> None:
    """How soon, and how it steps up again, is the benchmark's business (tests.benchmarks.bandwidth)."""
    main = _clip(1280, bitrate=2_000_000, seconds=8, gop=60)
    async with (
        site(main, _clip(SUB, bitrate=150_000, seconds=8)) as here,
        narrow_path(500_000) as path,
        chromium() as browser,
    ):
        page = await browser.new_page()
        await page.goto(here.base)
        await lead_page_through(page, path)
        number = await page.evaluate("open", "/whep/cam?stream=auto")
        await _until(lambda: here.relay.viewer_counts() == {("cam", "sub"): 1})
        async with asyncio.timeout(120):
            while (await page.evaluate("stats", number)).get("frameWidth") != SUB:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        shown = len(await page.evaluate("([n]) => shown(n, 0, 0)", [number]))
        after = await page.evaluate("([n, count]) => shown(n, count, 60000)", [number, shown + 30])
        assert len(after) >= shown + 30
