"""The playback process on files that a real recorder wrote."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from streams.access_unit import AccessUnit
from streams.playback.process import PlaybackProcess
from streams.supervision import running, supervise
from tests.clips import cached_clip
from tests.live_feed import load_units
from tests.recorded import FPS, TOKEN, Take, microseconds, playing, record

pytestmark = pytest.mark.no_rerun


def small() -> list[AccessUnit]:
    """Two seconds, GOPs of one second."""
    return load_units(cached_clip(seconds=2, fps=FPS, size=(320, 180), gop=15, profile="baseline"))


def ago(seconds: float) -> int:
    return microseconds(datetime.now(UTC) - timedelta(seconds=seconds))


def asked(begin_us: int, end_us: int, **more: Any) -> dict[str, Any]:
    return {"from": begin_us, "to": end_us, **more}


async def get(client: httpx.AsyncClient, path: str, expected: int = 200, **query: Any) -> httpx.Response:
    answer = await client.get(f"/recordings/{path}", params=query)
    assert answer.status_code == expected, answer.text
    return answer


def shown(data: bytes) -> list[Fraction]:
    """When each picture is shown, in seconds."""
    with av.open(io.BytesIO(data)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


async def fetched(client: httpx.AsyncClient, playlist: str, camera: str = "gate", **query: Any) -> list[bytes]:
    """What a player joins together: one stream from each EXT-X-MAP or discontinuity on."""
    streams: list[bytes] = []
    initialization = b""
    is_new = True
    for line in playlist.splitlines():
        if line == "#EXT-X-DISCONTINUITY":
            is_new = True
        elif line.startswith("#EXT-X-MAP"):
            address = line.split('"')[1]
            initialization = (await get(client, f"{camera}/{address.split('?')[0]}")).content
            is_new = True
        elif line.startswith("media/"):
            path, _, parameters = line.partition("?")
            values = dict(one.split("=") for one in parameters.split("&")) | query
            answer = await get(client, f"{camera}/{path}", **values)
            assert int(answer.headers["content-length"]) == len(answer.content)
            if is_new:
                streams.append(initialization)
            streams[-1] += answer.content
            is_new = False
    return streams


async def test_ranges_are_merged_runs_with_their_gaps_and_codec(tmp_path: Path) -> None:
    await record(tmp_path, [Take(small(), 10, 100), Take(small(), 6, 60)])
    async with playing(tmp_path) as client:
        whole = (await get(client, "gate", **asked(ago(200), ago(0)))).json()["ranges"]
        assert [round((one["ended_us"] - one["started_us"]) / 1e6) for one in whole] == [10, 6]
        assert 29e6 < whole[1]["started_us"] - whole[0]["ended_us"] < 31e6
        assert {(one["codec"][:5], one["width"], one["height"]) for one in whole} == {("avc1.", 320, 180)}
        begin, end = whole[0]["started_us"] + 3_000_000, whole[0]["started_us"] + 5_000_000
        (cut,) = (await get(client, "gate", **asked(begin, end))).json()["ranges"]
        assert (cut["started_us"], cut["ended_us"]) == (begin, end)
        assert (await get(client, "other", **asked(begin, end))).json() == {"ranges": []}
        days = (await get(client, "gate/days", zone="UTC")).json()["days"]
        assert sum(day["seconds"] for day in days) == pytest.approx(16, abs=0.2)
        for query in ({}, asked(5, 5), asked(6, 5), {"from": "soon", "to": 5}, asked(0, 1 << 61)):
            await get(client, "gate", 422, **query)
        await get(client, "gate/days", 422, zone="Nowhere/Land")
        assert (await client.get("/recordings/gate", headers={"Authorization": "Bearer x"})).status_code == 401


async def test_a_playlist_begins_at_a_key_frame_and_its_parts_play_as_one_stream(tmp_path: Path) -> None:
    await record(tmp_path, [Take(small(), 30, 60)])
    async with playing(tmp_path) as client:
        (whole,) = (await get(client, "gate", **asked(ago(200), ago(0)))).json()["ranges"]
        begin, end = whole["started_us"] + 5_400_000, whole["started_us"] + 20_000_000
        text = (await get(client, "gate/index.m3u8", **asked(begin, end, token="t"))).text
        assert "#EXT-X-DISCONTINUITY\n" not in text
        assert text.count("#EXT-X-MAP") == 1
        assert text.endswith("#EXT-X-ENDLIST\n")
        lengths = [float(found) for found in re.findall(r"#EXTINF:([\d.]+),", text)]
        assert sum(lengths) == pytest.approx(15, abs=0.01)
        assert max(lengths) <= int(re.findall(r"TARGETDURATION:(\d+)", text)[0])
        first = datetime.fromisoformat(re.findall(r"PROGRAM-DATE-TIME:(\S+)", text)[0])
        assert microseconds(first) == pytest.approx(whole["started_us"] + 5_000_000, abs=2_000)
        (stream,) = await fetched(client, text, **asked(begin, end))
        times = shown(stream)
        assert len(times) == 15 * FPS
        assert times[0] == 0
        assert all(later - earlier == Fraction(1, FPS) for earlier, later in pairwise(times))


async def test_gaps_and_other_parameters_are_discontinuities(tmp_path: Path) -> None:
    other = load_units(cached_clip(seconds=1, fps=FPS, size=(640, 360), gop=15))
    await record(tmp_path, [Take(small(), 6, 100), Take(small(), 6, 80), Take(other, 6, 74)])
    async with playing(tmp_path) as client:
        query = asked(ago(200), ago(0))
        text = (await get(client, "gate/index.m3u8", **query)).text
        assert (text.count("#EXT-X-DISCONTINUITY"), text.count("#EXT-X-MAP")) == (2, 2)
        streams = await fetched(client, text, **query)
        assert [len(shown(stream)) for stream in streams] == [6 * FPS] * 3
        with av.open(io.BytesIO(streams[2])) as container:
            assert container.streams.video[0].width == 640
        refused = await get(client, "gate/clip.mp4", 409, **query)
        assert "320×180" in refused.json()["detail"]


async def test_a_long_range_is_listed_by_files_and_plays_the_same(tmp_path: Path) -> None:
    await record(tmp_path, [Take(small(), 30, 60)])
    async with playing(tmp_path) as client:
        begin, end = ago(2 * 3600), ago(0)
        text = (await get(client, "gate/index.m3u8", **asked(begin, end))).text
        assert len(re.findall("^media/", text, re.M)) == 8
        (stream,) = await fetched(client, text, **asked(begin, end))
        assert len(shown(stream)) == 30 * FPS
        await get(client, "gate/index.m3u8", 422, **asked(ago(26 * 3600), ago(0)))
        await get(client, "gate/index.m3u8", 404, **asked(ago(7200), ago(3600)))


async def test_fragments_outside_the_opened_range_are_not_given(tmp_path: Path) -> None:
    await record(tmp_path, [Take(small(), 12, 60)])
    async with playing(tmp_path) as client:
        text = (await get(client, "gate/index.m3u8", **asked(ago(200), ago(0)))).text
        addresses = re.findall(r"^(media/\w+)\?first=(\d+)&last=(\d+)", text, re.M)
        (whole,) = (await get(client, "gate", **asked(ago(200), ago(0)))).json()["ranges"]
        narrow = asked(whole["started_us"] + 4_500_000, whole["started_us"] + 6_000_000)
        answers = []
        for path, first, last in addresses:
            answer = await client.get(f"/recordings/gate/{path}", params={"first": first, "last": last, **narrow})
            answers.append(answer.status_code)
        assert answers == [422, 200, 422]
        await get(client, "other/" + addresses[0][0], 404, **narrow)
        await get(client, "gate/" + addresses[1][0], 422, first=3, last=1, **narrow)
        await get(client, "gate/" + addresses[1][0], 422, first=0, last=10_000, **narrow)


async def test_a_clip_is_one_file_over_segments_and_keeps_the_time_of_a_gap(tmp_path: Path) -> None:
    await record(tmp_path, [Take(small(), 10, 100), Take(small(), 6, 60)])
    async with playing(tmp_path) as client:
        runs = (await get(client, "gate", **asked(ago(200), ago(0)))).json()["ranges"]
        begin = runs[0]["started_us"] + 2_300_000
        answer = await get(client, "gate/clip.mp4", **asked(begin, ago(0)))
        times = shown(answer.content)
        assert len(times) == 14 * FPS
        steps = [later - earlier for earlier, later in pairwise(times)]
        assert times[0] == 0
        assert sorted(set(steps))[0] == Fraction(1, FPS)
        assert float(max(steps)) == pytest.approx(
            (runs[1]["started_us"] - runs[0]["ended_us"]) / 1e6 + 1 / FPS, abs=0.01
        )
        assert 'filename="gate_' in answer.headers["content-disposition"]
        await get(client, "gate/clip.mp4", 404, **asked(ago(1000), ago(900)))


async def test_pictures_that_are_reordered_play_in_order(tmp_path: Path) -> None:
    units = load_units(cached_clip(seconds=2, fps=FPS, size=(320, 180), gop=15, b_frames=2))
    await record(tmp_path, [Take(units, 2, 60)])
    async with playing(tmp_path) as client:
        times = shown((await get(client, "gate/clip.mp4", **asked(ago(200), ago(0)))).content)
        assert len(times) == len(units)
        assert times == sorted(times)


async def test_a_thumbnail_is_the_key_frame_at_or_before(tmp_path: Path) -> None:
    await record(tmp_path, [Take(small(), 10, 60)])
    async with playing(tmp_path) as client:
        (whole,) = (await get(client, "gate", **asked(ago(200), ago(0)))).json()["ranges"]
        at = whole["started_us"] + 5_900_000
        answer = await get(client, "gate/thumbnail.jpg", at=at)
        taken = microseconds(datetime.fromisoformat(answer.headers["haechi-taken-at"]))
        assert taken == pytest.approx(whole["started_us"] + 5_000_000, abs=2_000)
        with av.open(io.BytesIO(answer.content), format="jpeg_pipe") as picture:
            (frame,) = picture.decode(video=0)
            assert (frame.width, frame.height) == (320, 180)
            assert frame.to_ndarray(format="gray").std() > 20
        again = await asyncio.gather(*(get(client, "gate/thumbnail.jpg", at=at) for _ in range(20)))
        assert {one.content for one in again} == {answer.content}
        await get(client, "gate/thumbnail.jpg", 404, at=ago(3600))
        await get(client, "gate/thumbnail.jpg", 404, at=at, earliest=at)


async def test_without_an_index_there_is_nothing_and_a_broken_file_harms_only_itself(tmp_path: Path) -> None:
    async with playing(tmp_path) as client:
        assert (await get(client, "gate", **asked(ago(200), ago(0)))).json() == {"ranges": []}
        await record(tmp_path, [Take(small(), 12, 60)])
        files = sorted(tmp_path.rglob("*.mp4"))
        assert len(files) == 3
        files[1].write_bytes(b"no film at all")
        text = (await get(client, "gate/index.m3u8", **asked(ago(200), ago(0)))).text
        assert len(re.findall("^media/", text, re.M)) == 2
        assert "#EXT-X-DISCONTINUITY" in text
    files[0].unlink()
    async with playing(tmp_path) as client:
        text = (await get(client, "gate/index.m3u8", **asked(ago(7200), ago(0)))).text
        assert len(re.findall("^media/", text, re.M)) == 1


async def test_a_killed_playback_process_comes_back_at_the_same_port(tmp_path: Path) -> None:
    await record(tmp_path, [Take(small(), 4, 60)])
    process = PlaybackProcess(tmp_path, tmp_path / "recordings.sqlite", TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        running(supervise("playback", process.run)),
        httpx.AsyncClient(base_url=process.base_url, headers=headers, trust_env=False, timeout=30) as client,
    ):
        await get(client, "gate", **asked(ago(200), ago(0)))
        first = process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(30):
            while process.pid in {None, first}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=process.base_url, headers=headers, trust_env=False, timeout=30) as anew:
            await get(anew, "gate", **asked(ago(200), ago(0)))
    process.close()
