"""HLS feeds and files as cameras: live like any other, every fault told, live again after its cure."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import Camera, SourceSettings
from streams.access_unit import AccessUnit
from streams.connect_budget import ConnectBudget
from streams.sources.process import SourceProcess
from streams.stream import Stream, StreamTimes
from streams.stream_status import StreamStatus
from streams.supervision import BackOff, running, supervise
from tests.clips import cached_clip
from tests.hls_server import file_server, live_playlist

PASSWORD = "hunter2-secret"
QUICK = StreamTimes(
    answer=3.0,
    stall=1.5,
    key_wait=6.0,
    healthy=1.0,
    first_backoff=0.1,
    last_backoff=0.4,
    first_refused=0.1,
    last_refused=0.4,
)


def clip() -> Path:
    """Two seconds, a key frame every half second."""
    return cached_clip(seconds=2, fps=20, size=(320, 180), gop=10, profile="baseline", audio=True)


async def run(*command: str) -> None:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
    assert await process.wait() == 0


class Watched:
    """A stream of a source, and what came of it."""

    def __init__(self, url: str, sources: SourceProcess, *, signs_in: bool) -> None:
        camera = Camera(id="gate", name="Gate", purpose="test", main=url)
        if signs_in:
            camera = camera.model_copy(update={"username": "viewer", "password": SecretStr(PASSWORD)})
        self.units: list[AccessUnit] = []
        self.told: list[StreamStatus] = []
        self.sources = sources
        self.stream = Stream(
            camera,
            "main",
            budget=ConnectBudget(),
            ring_max_bytes=1_000_000,
            on_change=self.told.append,
            times=QUICK,
            sources=sources,
        )
        self.stream.buffer.listen(lambda _, unit: self.units.append(unit))

    async def until(self, condition: Callable[[StreamStatus], bool], seconds: float = 60) -> StreamStatus:
        """The first status for which `condition` holds."""
        try:
            async with asyncio.timeout(seconds):
                while not condition(self.stream.status()):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"not within {seconds} s: {self.stream.status()}")
        return self.stream.status()

    async def live(self) -> StreamStatus:
        return await self.until(lambda status: status.state == "live")

    async def reason(self, words: str) -> StreamStatus:
        """Until the stream is away for a reason with `words` in it."""
        return await self.until(lambda status: status.state == "backing_off" and words in status.reason)


@asynccontextmanager
async def watched(url: str, folder: Path | None = None, *, signs_in: bool = False) -> AsyncIterator[Watched]:
    sources = SourceProcess(SourceSettings(files_folder=folder))
    one = Watched(url, sources, signs_in=signs_in)
    child = supervise("sources", sources.run, back_off=BackOff(0.05, 0.2))
    async with running(child), running(one.stream.run()):
        yield one


async def test_a_live_playlist_is_live_at_the_pace_of_its_pictures(tmp_path: Path) -> None:
    with file_server(tmp_path) as server:
        async with (
            live_playlist(clip(), tmp_path) as _,
            watched(f"{server.url}/moved/live.m3u8?key=secret-key") as one,
        ):
            await one.live()
            status = await one.until(lambda status: status.counts.access_units >= 100)
            assert (status.codec, status.width, status.height, status.run) == ("h264", 320, 180, 1)
            assert status.others_offered == ("aac",) and status.reason == "" and status.has_fast_start
            assert (status.counts.attempts, status.counts.sessions, status.counts.damaged_units) == (1, 1, 0)
            assert [told.state for told in one.told][-1] == "live"
    steps = [(b.pts_90k - a.pts_90k) / 90_000 for a, b in pairwise(one.units)]
    assert all(0.03 < step < 0.07 for step in steps), steps
    came = (one.units[99].received_ns - one.units[0].received_ns) / 1e9
    assert came > 4.0  # 99 steps of 50 ms: not at once
    pauses = sorted(b.received_ns - a.received_ns for a, b in pairwise(one.units))
    assert 5e6 < pauses[len(pauses) // 2] < 500e6, "in whole segments, they would come at once and then long not"
    assert {nal[0] & 0x1F for unit in one.units for nal in unit.nal_units} <= {1, 5, 6}


async def test_fmp4_segments_are_played_too(tmp_path: Path) -> None:
    with file_server(tmp_path) as server:
        async with live_playlist(clip(), tmp_path, fmp4=True), watched(f"{server.url}/live.m3u8") as one:
            status = await one.until(lambda status: status.counts.key_frames >= 5)
    assert (status.state, status.width, status.counts.malformed) == ("live", 320, 0)


async def test_a_playlist_that_stands_still_stalls_and_comes_back(tmp_path: Path) -> None:
    with file_server(tmp_path) as server:
        async with live_playlist(clip(), tmp_path) as writer, watched(f"{server.url}/live.m3u8") as one:
            await one.live()
            writer.send_signal(signal.SIGSTOP)
            status = await one.until(lambda status: status.state == "stalled" or "no picture" in status.reason)
            assert "its playlist has not grown for" in status.reason
            assert "stalled" in {told.state for told in one.told}
            writer.send_signal(signal.SIGCONT)
            await one.live()


async def test_missing_segments_are_told_and_passed_over(tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    with file_server(served) as server:
        async with live_playlist(clip(), served), watched(f"{server.url}/live.m3u8") as one:
            await one.live()

            async def remove() -> None:
                while True:
                    for segment in served.glob("*.ts"):
                        segment.unlink(missing_ok=True)
                    await asyncio.sleep(0.02)

            removing = asyncio.create_task(remove())
            status = await one.until(lambda status: "no picture" in status.reason)
            assert "of its playlist is missing: 127.0.0.1:" in status.reason and "answered 404" in status.reason
            removing.cancel()
            await one.live()


async def test_what_cannot_be_played_says_why(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>a page</html>")
    (tmp_path / "locked.m3u8").write_text('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1,\n1.ts\n')
    (tmp_path / "gone.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n1.ts\n")
    (tmp_path / "empty.m3u8").write_text("#EXTM3U\n#EXT-X-ENDLIST\n")
    other = ("-an", "-frames:v", "1", "-c:v", "mpeg4", str(tmp_path / "other.mp4"))
    await run("ffmpeg", "-v", "error", "-i", str(clip()), *other)
    with file_server(tmp_path) as server:
        for path, words in {
            "nothing.m3u8": "answered 404: there is nothing at this path",
            "page.html": "neither a playlist nor a video",
            "locked.m3u8": "encrypted",
            "gone.m3u8": "answered 404",
            "empty.m3u8": "the playlist is empty",
            "other.mp4": "only mpeg4 offered",
        }.items():
            async with watched(f"{server.url}/{path}?key=secret-key") as one:
                status = await one.reason(words)
                assert "secret" not in status.reason
        dead = server.url
    async with watched(dead + "/live.m3u8") as one:
        await one.reason("connection refused at 127.0.0.1:")
    async with watched("http://169.254.169.254/latest/") as one:
        await one.reason("link-local address")


async def test_an_untrusted_certificate_is_told(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    named = ("-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate))
    await run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *named)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with file_server(tmp_path, tls) as server:
        async with watched(f"https://localhost:{server.server_port}/live.m3u8") as one:
            await one.reason("certificate of localhost:")


async def test_user_name_and_password_go_along(tmp_path: Path) -> None:
    shutil.copy(clip(), tmp_path / "clip.mp4")
    with file_server(tmp_path) as server:
        server.wanted = "Basic " + b64encode(f"viewer:{PASSWORD}".encode()).decode()
        async with watched(f"{server.url}/clip.mp4") as one:
            await one.reason("answered 401: it wants a user name and password")
        async with watched(f"{server.url}/clip.mp4", signs_in=True) as one:
            await one.live()
            assert PASSWORD not in repr(one.stream.status())


async def test_a_file_is_played_over_and_over_each_time_as_a_new_run(tmp_path: Path) -> None:
    path = tmp_path / "my clip.mp4"
    shutil.copy(clip(), path)
    async with watched(path.as_uri(), tmp_path) as one:
        status = await one.until(lambda status: status.run == 3 and status.counts.access_units > 85)
        assert status.state == "live" and "backing_off" not in {told.state for told in one.told}
    first = [unit for unit in one.units if unit.run == 1]
    assert len(first) == 40
    assert (first[-1].received_ns - first[0].received_ns) / 1e9 > 1.7


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_reordered_pictures_of_files_keep_their_times(tmp_path: Path, codec: str) -> None:
    made = cached_clip(".mkv", seconds=1, fps=20, size=(320, 180), gop=10, b_frames=2, codec=codec)
    path = tmp_path / "clip.mkv"
    shutil.copy(made, path)
    async with watched(path.as_uri(), tmp_path) as one:
        status = await one.until(lambda status: status.run == 2 and status.is_reordered)
    assert (status.codec, status.is_reordered) == (codec, True)
    stamps = sorted(unit.pts_90k for unit in one.units if unit.run == 1)
    steps = [b - a for a, b in pairwise(stamps)]
    assert all(abs(step - 4500) <= 90 for step in steps), steps


async def test_files_stay_closed_unless_their_folder_is_named(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.mp4"
    inside.mkdir()
    shutil.copy(clip(), outside)
    (inside / "link.mp4").symlink_to(outside)
    async with watched(outside.as_uri()) as one:
        await one.reason("files are not allowed as cameras; set `sources.files_folder`")
    for url in (outside.as_uri(), (inside / "link.mp4").as_uri(), f"{inside.as_uri()}/../outside.mp4"):
        async with watched(url, inside) as one:
            await one.reason("outside the folder that `sources.files_folder` names")
    async with watched((inside / "none.mp4").as_uri(), inside) as one:
        await one.reason("there is no such file")


async def test_a_killed_child_is_replaced_and_its_sources_come_back(tmp_path: Path) -> None:
    shutil.copy(clip(), tmp_path / "clip.mp4")
    async with watched((tmp_path / "clip.mp4").as_uri(), tmp_path) as one:
        await one.live()
        assert one.sources.pid is not None
        os.kill(one.sources.pid, signal.SIGKILL)
        await one.until(lambda status: "the process that reads HLS and files ended" in status.reason)
        await one.live()
        assert one.sources.starts == 2


async def test_another_url_begins_at_once(tmp_path: Path) -> None:
    shutil.copy(clip(), tmp_path / "clip.mp4")
    with file_server(tmp_path) as server:
        async with watched(f"{server.url}/none.mp4") as one:
            await one.reason("404")
            camera = Camera(id="gate", name="Gate", purpose="test", main=f"{server.url}/clip.mp4")
            one.stream.change(camera)
            status = await one.live()
            assert replace(status, reason="") == status
