"""How fast a day of 24 h recording answers: its list, its playlist, and the first bytes at any time.

`python -m tests.benchmarks.playback --json`: the last line is one JSON object; times are milliseconds. One recorded
minute (1080p15, 2 Mbit/s, GOP 4 s) is linked 1,440 times under its own index row each, so the disk's cache is warm.
A seek is what a player does: the playlist of the hour, the initialization, the first part.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from config.settings import RecordingSettings
from streams.recording_index import RecordingIndex
from tests.clips import cached_clip
from tests.live_feed import load_units
from tests.recorded import FPS, Take, microseconds, playing, record

MINUTES = 1440
_HOUR_US = 3_600_000_000


async def make_day(data_dir: Path, size: tuple[int, int], bitrate: int) -> int:
    """A day of camera `gate`; when it begins (µs since 1970)."""
    units = load_units(cached_clip(seconds=20, fps=FPS, size=size, gop=4 * FPS, bitrate=bitrate))
    await record(data_dir, [Take(units, 60, 70)], settings=RecordingSettings(segment_seconds=600))
    with closing(RecordingIndex(data_dir / "recordings.sqlite")) as index:
        (first,) = index.rows("gate")
        rows = []
        for minute in range(1, MINUTES):
            shift = timedelta(minutes=-minute)
            path = f"recordings/gate/day/{minute:04}.mp4"
            (data_dir / path).parent.mkdir(exist_ok=True)
            os.link(data_dir / first.path, data_dir / path)
            times = {"started_at": first.started_at + shift, "ended_at": first.ended_at + shift}
            rows.append(replace(first, segment_id=f"{minute:032x}", path=path, **times))
        index.put(rows)
    return microseconds(first.started_at - timedelta(minutes=MINUTES - 1))


async def seek(client: httpx.AsyncClient, at_us: int) -> int:
    """Bytes of the part that begins at or before `at_us`."""
    begin = at_us // _HOUR_US * _HOUR_US
    query = {"from": begin, "to": begin + _HOUR_US}
    text = (await client.get("/recordings/gate/index.m3u8", params=query)).raise_for_status().text
    init = re.findall(r'URI="(\S+?)\?', text)[0]
    (await client.get(f"/recordings/gate/{init}")).raise_for_status()
    position = 0.0
    for length, address in re.findall(r"#EXTINF:([\d.]+),\n(\S+)", text):
        position += float(length)
        if position * 1e6 > at_us - begin:
            path, _, parameters = address.partition("?")
            values = dict(one.split("=") for one in parameters.split("&")) | query
            answer = (await client.get(f"/recordings/gate/{path}", params=values)).raise_for_status()
            return len(answer.content)
    raise AssertionError("the time is not in the playlist")


async def timed(count: int, ask: Any) -> list[float]:
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - begun) * 1000)
    return times


def percentile(times: Sequence[float], share: float) -> float:
    return round(sorted(times)[min(int(len(times) * share), len(times) - 1)], 1)


async def measure(seeks: int, size: tuple[int, int] = (1920, 1080), bitrate: int = 2_000_000) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        begin = await make_day(data_dir, size, bitrate)
        day = {"from": begin, "to": begin + 24 * _HOUR_US}
        chance = random.Random(4)
        async with playing(data_dir) as client:
            await client.get("/recordings/gate/days")  # the process has started

            async def whole(path: str) -> None:
                (await client.get(f"/recordings/gate{path}", params=day)).raise_for_status()

            async def anywhere() -> None:
                await seek(client, begin + chance.randrange(_HOUR_US, 23 * _HOUR_US))

            first_list = await timed(1, lambda: whole("/index.m3u8"))
            lists = await timed(20, lambda: whole("/index.m3u8"))
            ranges = await timed(20, lambda: whole(""))
            days = await timed(20, lambda: whole("/days"))
            return {
                "minutes": MINUTES,
                "seeks": seeks,
                "day_playlist_first_ms": round(first_list[0], 1),
                "day_playlist_p95_ms": percentile(lists, 0.95),
                "day_ranges_p95_ms": percentile(ranges, 0.95),
                "days_p95_ms": percentile(days, 0.95),
                **_told(await timed(seeks, anywhere)),
            }


def _told(times: Sequence[float]) -> dict[str, float]:
    return {"seek_p50_ms": percentile(times, 0.5), "seek_p95_ms": percentile(times, 0.95), "seek_max_ms": max(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeks", type=int, default=200)
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.seeks))
    found["seek_max_ms"] = round(found["seek_max_ms"], 1)
    found["load_average"] = round(os.getloadavg()[0], 1)
    if not arguments.json:
        for name, value in found.items():
            print(f"{name:24} {value}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
