"""Recorded pictures through the center: who may see which, and what the ledger says of it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import httpx

from control_center.ledger import LedgerFilter
from control_center.playback_tokens import OpenedRange, PlaybackTokens, TokenRefused
from tests.clips import cached_clip
from tests.integration.control_center.conftest import heartbeat
from tests.integration.control_center.staffed import Staffed, staffed
from tests.live_feed import load_units
from tests.recorded import FPS, Take, playing, record

SECONDS = 60
AT_GATE = "/api/v1/cameras/gate/recordings"


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def after(at: str, seconds: float) -> str:
    return (datetime.fromisoformat(at) + timedelta(seconds=seconds)).isoformat()


def span(begin_ago: float, end_ago: float = 0, **more: Any) -> dict[str, Any]:
    return {"from": ago(begin_ago), "to": ago(end_ago), **more}


@asynccontextmanager
async def recorded_city(folder: Path) -> AsyncIterator[Staffed]:
    """The gate was recorded for a minute, until 70 s ago or some more; its worker answers."""
    units = load_units(cached_clip(seconds=2, fps=FPS, size=(320, 180), gop=15, profile="baseline"))
    await record(folder / "worker", [Take(units, SECONDS, 130)])
    async with staffed(folder / "center", None) as city, playing(folder / "worker") as playback:
        beat = heartbeat(gate_main=("live", "")) | {"playback_url": str(playback.base_url)}
        async with city.center.worker() as worker:
            answer = await worker.post("/internal/v1/workers/w0/heartbeat", json=beat)
            assert answer.status_code == 200, answer.text
        yield city


async def get(city: Staffed, who: str, path: str, expected: int = 200, **query: Any) -> httpx.Response:
    answer = await city.people[who].get(f"{AT_GATE}{path}", params=query)
    assert answer.status_code == expected, answer.text
    return answer


async def rows(city: Staffed, action: str) -> list[tuple[str, str | None, str | None, str]]:
    found = await city.center.parts.ledger.page(LedgerFilter(action=action), 50)
    return [(row.account_name, row.camera_id, row.incident_id, row.reason) for row in reversed(found)]


async def first_media(city: Staffed, who: str, playlist: str, expected: int = 200) -> httpx.Response:
    address = re.findall(r"^media/\S+", playlist, re.M)[0]
    answer = await city.people[who].get(f"{AT_GATE}/{address}")
    assert answer.status_code == expected, answer.text
    return answer


async def test_an_operator_lists_opens_and_plays_a_recording_with_one_row(tmp_path: Path) -> None:
    async with recorded_city(tmp_path) as city:
        listed = (await get(city, "kim", "", **span(3600))).json()
        (one,) = listed["ranges"]
        assert round(one["duration_seconds"]) == SECONDS
        assert listed["earliest"] is None
        days = (await get(city, "kim", "/days")).json()
        assert days["time_zone"] == "Asia/Seoul"
        assert round(sum(day["seconds"] for day in days["days"])) == SECONDS
        playlist = (await get(city, "kim", "/index.m3u8", **span(200), reason="a parent asked")).text
        init = re.findall(r'URI="(\S+)"', playlist)[0]
        stream = (await city.people["kim"].get(f"{AT_GATE}/{init}")).content
        for address in re.findall(r"^media/\S+", playlist, re.M):
            stream += (await city.people["kim"].get(f"{AT_GATE}/{address}")).content
        with av.open(io.BytesIO(stream)) as container:
            assert sum(1 for _ in container.decode(video=0)) == SECONDS * FPS
        assert await rows(city, "playback.opened") == [("kim", "gate", None, "a parent asked")]
        (row,) = await city.center.parts.ledger.page(LedgerFilter(action="playback.opened"), 5)
        assert set(json.loads(row.details)) == {"from", "to"}
        assert (await city.chain()).fault == ""


async def test_a_range_that_makes_no_sense_is_refused_with_422(tmp_path: Path) -> None:
    async with recorded_city(tmp_path) as city:
        naive = datetime.now().isoformat()  # noqa: DTZ005
        for query in (
            {},
            span(0, 60),
            {"from": naive + "Z", "to": naive + "Z"},
            {"from": naive, "to": ago(0)},
            span(40 * 86_400),
        ):
            assert (await get(city, "kim", "", 422, **query)).json()["type"].endswith(":invalid")
        await get(city, "kim", "/index.m3u8", 422, **span(26 * 3600))
        await get(city, "kim", "/index.m3u8", 404, **span(7000, 5000))
        await get(city, "kim", "/index.m3u8", 422, **span(200), incident="f" * 32)
        assert await rows(city, "playback.opened") == []


async def test_an_export_needs_a_reason_and_is_a_row(tmp_path: Path) -> None:
    async with recorded_city(tmp_path) as city:
        for query in (span(200), span(200, reason=""), span(200, reason="   ")):
            await get(city, "kim", "/clip.mp4", 422, **query)
        assert await rows(city, "recording.exported") == []
        clip = await get(city, "kim", "/clip.mp4", **span(200), reason="case 2026-114")
        with av.open(io.BytesIO(clip.content)) as container:
            assert sum(1 for _ in container.decode(video=0)) == SECONDS * FPS
        assert "attachment" in clip.headers["content-disposition"]
        assert await rows(city, "recording.exported") == [("kim", "gate", None, "case 2026-114")]


async def test_a_desk_looks_back_a_minute_before_its_incident_and_no_further(tmp_path: Path) -> None:
    async with recorded_city(tmp_path) as city:
        await get(city, "police", "", 403, **span(200))
        incident = await city.alarm("a", 3600 - 40)  # began 40 s ago: open from 100 s ago on
        await city.take("kim", incident, "dispatch", desks=["police"], note="")
        listed = (await get(city, "police", "", **span(3600))).json()
        (seen,) = listed["ranges"]
        assert seen["start"] == listed["earliest"]
        assert 1 < seen["duration_seconds"] < SECONDS - 1
        await get(city, "police", "/index.m3u8", 403, **span(200))
        await get(city, "police", "/clip.mp4", 403, **span(200), reason="evidence")
        await get(city, "police", "/thumbnail.jpg", 403, at=after(listed["earliest"], -1))
        await get(city, "police", "/thumbnail.jpg", at=after(listed["earliest"], 4))
        opened = {"from": after(listed["earliest"], 1), "to": ago(0)}
        playlist = (await get(city, "police", "/index.m3u8", **opened)).text
        await first_media(city, "police", playlist)
        await get(city, "fire", "/index.m3u8", 403, **opened)
        assert await rows(city, "playback.opened") == [("police", "gate", incident, "")]
        refused = await rows(city, "view.refused")
        assert {(who, camera) for who, camera, _, _ in refused} == {("police", "gate"), ("fire", "gate")}
        assert await rows(city, "playback.thumbnails") == [("police", "gate", incident, "")]
        await city.take("kim", incident, "close", verdict="real", note="")
        await first_media(city, "police", playlist, 403)


async def test_a_playlist_is_for_whom_and_what_it_was_opened_and_for_two_hours(tmp_path: Path) -> None:
    async with recorded_city(tmp_path) as city:
        (one,) = (await get(city, "kim", "", **span(3600))).json()["ranges"]
        narrow = {"from": after(one["start"], 1), "to": after(one["start"], 3)}
        playlist = (await get(city, "kim", "/index.m3u8", **narrow)).text
        await first_media(city, "kim", playlist)
        assert (await first_media(city, "lee", playlist, 410)).json()["type"].endswith(":playback-expired")
        whole = (await get(city, "kim", "/index.m3u8", **span(200))).text
        (token,) = set(re.findall(r"token=(\S+?)\"?$", playlist, re.M))
        last = re.findall(r"^media/\S+(?=&token)", whole, re.M)[-1]
        answer = await city.people["kim"].get(f"{AT_GATE}/{last}&token={token}")
        assert answer.status_code == 422  # of this camera, but not of what was opened
        for forged in ("", "x", "1.2.3.4", token[:-1] + ("0" if token[-1] != "0" else "1")):
            assert (await city.people["kim"].get(f"{AT_GATE}/{last}&token={forged}")).status_code == 410


def test_a_token_grows_old() -> None:
    now = [1000.0]
    tokens = PlaybackTokens(lambda: now[0])
    token = tokens.give("gate", "s", OpenedRange(1, 2))
    now[0] += 7199
    assert tokens.read("gate", "s", token) == OpenedRange(1, 2)
    for camera, sign_in in (("alley", "s"), ("gate", "t")):
        try:
            tokens.read(camera, sign_in, token)
        except TokenRefused:
            continue
        raise AssertionError("a token of another camera or sign-in was taken")
    now[0] += 2
    try:
        tokens.read("gate", "s", token)
    except TokenRefused as error:
        assert "too long ago" in str(error)
    else:
        raise AssertionError("an old token was taken")


async def test_a_camera_whose_worker_is_away_says_so(tmp_path: Path) -> None:
    async with recorded_city(tmp_path) as city:
        other = await city.people["kim"].get("/api/v1/cameras/nowhere/recordings", params=span(60))
        assert other.status_code == 503
        assert other.json()["type"].endswith(":no-worker")
        assert (await city.people["kim"].get("/api/v1/cameras/none/recordings", params=span(60))).status_code == 404
        beat = heartbeat(gate_main=("live", "")) | {"playback_url": "http://127.0.0.1:9"}
        async with city.center.worker() as worker:
            await worker.post("/internal/v1/workers/w0/heartbeat", json=beat)
        for path, more in (("", {}), ("/index.m3u8", {}), ("/clip.mp4", {"reason": "x"})):
            assert (await get(city, "kim", path, 503, **span(60), **more)).json()["type"].endswith(":no-worker")
        beat.pop("playback_url")
        async with city.center.worker() as worker:
            await worker.post("/internal/v1/workers/w0/heartbeat", json=beat)
        assert "shows no recordings" in (await get(city, "kim", "", 503, **span(60))).json()["detail"]
        assert await rows(city, "recording.exported") == []


async def test_a_removed_camera_is_listed_played_and_exported_by_those_with_the_right(tmp_path: Path) -> None:
    async with recorded_city(tmp_path) as city:
        incident = await city.alarm(seconds=3600 - 100)
        await city.take("kim", incident, "dispatch", desks=["police"], note="")
        (tmp_path / "center/recordings").symlink_to(tmp_path / "worker/recordings")
        assert (await city.get("kim", "/removed-cameras"))["cameras"] == []
        answer = await city.people["root"].delete("/api/v1/register/cameras/gate")
        assert answer.status_code == 204, answer.text
        async with city.center.worker() as worker:  # its worker does not tell of it any more
            playback = city.center.parts.fleet.workers()[0].playback_url
            beat = heartbeat() | {"playback_url": playback}
            assert (await worker.post("/internal/v1/workers/w0/heartbeat", json=beat)).status_code == 200
        (removed,) = (await city.get("kim", "/removed-cameras"))["cameras"]
        assert (removed["id"], removed["name"]) == ("gate", "Camera gate")
        (one,) = (await get(city, "kim", "", **span(3600))).json()["ranges"]
        assert round(one["duration_seconds"]) == SECONDS
        playlist = (await get(city, "kim", "/index.m3u8", **span(200))).text
        assert (await first_media(city, "kim", playlist)).content
        await get(city, "kim", "/thumbnail.jpg", at=one["start"])
        clip = await get(city, "kim", "/clip.mp4", **span(200, reason="case 7"))
        with av.open(io.BytesIO(clip.content)) as container:
            assert sum(1 for _ in container.decode(video=0)) == SECONDS * FPS
        # A desk as before: what its incident opens, and no more.
        assert [one["id"] for one in (await city.get("police", "/removed-cameras"))["cameras"]] == ["gate"]
        assert (await get(city, "police", "", **span(3600))).json()["earliest"] is not None
        assert (await city.get("fire", "/removed-cameras"))["cameras"] == []
        await get(city, "fire", "", 403, **span(3600))
        await get(city, "mayor", "", 403, **span(3600))
        answer = await city.people["kim"].get("/api/v1/cameras/never/recordings", params=span(60))
        assert answer.status_code == 404


async def test_a_removed_camera_whose_worker_is_away_is_503_and_comes_back(tmp_path: Path) -> None:
    async with recorded_city(tmp_path) as city:
        playback = city.center.parts.fleet.workers()[0].playback_url
        assert (await city.people["root"].delete("/api/v1/register/cameras/gate")).status_code == 204
        async with city.center.worker() as worker:
            for url, expected in (("http://127.0.0.1:9", 503), (playback, 200)):
                beat = heartbeat() | {"playback_url": url}
                assert (await worker.post("/internal/v1/workers/w0/heartbeat", json=beat)).status_code == 200
                await get(city, "kim", "", expected, **span(3600))
