"""What `kill -9` costs the recordings: a process that records many cameras is killed at random moments, over and over.

`python -m tests.benchmarks.recording_kills --json [--kills 100] [--cameras 20]`

After each kill a store is opened on what is left, as a worker does when it starts again. Then every new row is held
against its file (size, SHA-256, length, every picture decodes), and what each camera was given against what its file
shows. At the end the whole directory and the whole index are compared. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import av

from config.settings import RecordingSettings
from streams.gop_buffer import GopBuffer
from streams.recorder import Recorder
from streams.recording_index import SegmentRow
from streams.recording_store import RecordingStore
from tests.clips import make_clip
from tests.live_feed import load_units

FPS = 15
_GOP = 30
_SETTINGS = RecordingSettings(segment_seconds=4)  # short, so that kills meet the ends of files too


async def record(directory: Path, clip: Path, cameras: int) -> None:
    """Record the clip from all cameras for ever; one line for each picture, before the cameras give it: its number,
    and how many bytes wait for the disk.

    Camera n begins n pictures later than the first, so that the GOPs of no two of them end together.
    """
    units = load_units(clip)
    buffers = [GopBuffer() for _ in range(cameras)]
    async with RecordingStore(directory, _SETTINGS) as store:
        await store.recovered()
        recorders = [Recorder(f"camera-{n}", buffer, store) for n, buffer in enumerate(buffers)]
        tasks = [asyncio.create_task(recorder.run()) for recorder in recorders]
        begun = time.monotonic()
        for tick in range(1_000_000):
            await asyncio.sleep(max(0.0, begun + tick / FPS - time.monotonic()))
            print(tick, store.queued_bytes, flush=True)
            for late, buffer in enumerate(buffers):
                if tick >= late:
                    number, now_ns = tick - late, time.monotonic_ns()
                    unit = replace(units[number % len(units)], pts_90k=number * 90_000 // FPS, received_ns=now_ns)
                    buffer.append(unit)
        await asyncio.wait(tasks)


def live_and_die(directory: Path, clip: Path, cameras: int, seconds: float) -> tuple[list[int], list[int]]:
    """Record in another process and kill it; gives how many pictures each camera gave, and how many of them before
    the last moment when nothing waited for the disk.
    """
    command = [sys.executable, "-m", "tests.benchmarks.recording_kills", "--child", str(directory), "--clip", str(clip)]
    command += ["--cameras", str(cameras)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        told = [(0, 0), *(tuple(map(int, line.split())) for line in process.stdout.read().split("\n")[:-1])]
    given = told[-1][0] + 1
    settled = max(tick for tick, waiting in told if not waiting)
    return [max(0, given - late) for late in range(cameras)], [max(0, settled - late) for late in range(cameras)]


def pictures_of(directory: Path, row: SegmentRow) -> int:
    """How many pictures the file shows. Raises AssertionError where file and row differ."""
    data = (directory / row.path).read_bytes()
    assert row.state in ("closed", "recovered"), f"{row.path} is {row.state}"
    assert len(data) == row.byte_count, f"{row.path} has {len(data)} bytes, its row says {row.byte_count}"
    assert hashlib.sha256(data).hexdigest() == row.sha256, f"{row.path} has another hash than its row"
    if row.state == "recovered" and row.duration_seconds == 0:
        return 0  # killed before its first fragment was whole
    with av.open(str(directory / row.path)) as container:
        count = sum(1 for _ in container.decode(video=0))
    assert abs(row.duration_seconds - count / FPS) < 0.11, f"{row.path} shows {count}, lasts {row.duration_seconds} s"
    return count


async def rows_after_recovery(directory: Path) -> list[SegmentRow]:
    async with RecordingStore(directory, _SETTINGS) as store:
        await store.recovered()
    return await store.rows()


async def run(kills: int, cameras: int) -> dict[str, Any]:
    """Raises AssertionError where a row and its file differ."""
    lost: list[float] = []
    of_settled = 0.0
    seen: dict[str, SegmentRow] = {}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "data"
        clip = make_clip(Path(name) / "clip.mp4", 4, FPS, (320, 180), _GOP, 200_000, "baseline")
        for number in range(kills):
            seconds = random.uniform(0.3 if number else 4.0, 6.0)
            given, settled = await asyncio.to_thread(live_and_die, directory, clip, cameras, seconds)
            shown = dict.fromkeys((f"camera-{n}" for n in range(cameras)), 0)
            for row in await rows_after_recovery(directory):
                if row.path not in seen:
                    shown[row.camera_id] += await asyncio.to_thread(pictures_of, directory, row)
                    seen[row.path] = row
            lost += [(one - shown[f"camera-{n}"]) / FPS for n, one in enumerate(given)]
            of_settled = max(of_settled, *((one - shown[f"camera-{n}"]) / FPS for n, one in enumerate(settled)))
            print(f"kill {number + 1}: at most {max(lost[-cameras:]):.2f} s of a camera lost", file=sys.stderr)
        rows = {row.path: row for row in await rows_after_recovery(directory)}
        assert rows == seen, "rows changed after they were recovered"
        files = {str(path.relative_to(directory)) for path in directory.rglob("*.mp4")}
        assert files == set(rows), "files and rows differ"
    return {
        "kills": kills,
        "cameras": cameras,
        "files": len(files),
        "recovered": sum(row.state == "recovered" for row in rows.values()),
        "max_lost_seconds": round(max(lost), 3),
        "max_lost_of_settled_seconds": round(of_settled, 3),  # where nothing waited for the disk any more
        "median_lost_seconds": round(statistics.median(lost), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--cameras", type=int, default=20)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        asyncio.run(record(arguments.child, arguments.clip, arguments.cameras))
        return
    result = asyncio.run(run(arguments.kills, arguments.cameras))
    if not arguments.json:
        print(f"at most {result['max_lost_seconds']:.2f} s of a camera lost in {result['kills']} kills")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
