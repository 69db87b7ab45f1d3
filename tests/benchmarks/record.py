"""What it costs to read and record a camera: CPU seconds of Haechi's recorder and of ffmpeg processes.

`python -m tests.benchmarks.record --json [--cameras N] [--seconds S] [--runs R] [--pacing paced|burst]`

Virtual cameras (1080p15, 2 Mbit/s, one GOP in 2 s) play in a process of their own over loopback. The contenders record
all of them in turn: Haechi's client, ring and recorder with hashes, index and syncs in one process; one
`ffmpeg -c copy -f segment` process a camera, which does not hash or sync. CPU seconds are those of the whole
processes, user and system, once everything records. The median of the runs counts. Then files of both are decoded:
they show the same pictures, in the camera's order, none missing. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import uvloop

from config.settings import Camera, RecordingSettings
from streams.connect_budget import ConnectBudget
from streams.recorder import Recorder
from streams.recording_store import RecordingStore
from streams.stream import Stream
from tests.benchmarks.ingest import virtual_cameras

_SECONDS_TO_PLAY = 90.0
_RING_BYTES = 8 << 20
_CHECKED_CAMERAS = 3
_CONTENDERS = ("haechi", "ffmpeg")
_TICKS = os.sysconf("SC_CLK_TCK")


async def record_with_haechi(
    urls: list[str], directory: Path, seconds: float, segment_seconds: float
) -> dict[str, Any]:
    """Read and record all `urls` in this process; what `seconds` of it cost once all are recorded."""
    budget = ConnectBudget()
    settings = RecordingSettings(segment_seconds=segment_seconds)
    async with RecordingStore(directory, settings) as store:
        store.keep({})
        tasks, recorders = [], []
        for number, url in enumerate(urls):
            camera = Camera(id=f"c{number}", name="camera", purpose="benchmark", main=url)
            stream = Stream(camera, "main", budget=budget, ring_max_bytes=_RING_BYTES)
            recorders.append(Recorder(camera.id, stream.buffer, store))
            tasks += [asyncio.create_task(stream.run()), asyncio.create_task(recorders[-1].run())]
        async with asyncio.timeout(_SECONDS_TO_PLAY):
            while any(recorder.counts.fragments == 0 for recorder in recorders):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        cpu, begun = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        cpu, elapsed = time.process_time() - cpu, time.monotonic() - begun
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    rows = await store.rows()
    faulty = [row.path for row in rows if not _is_as_its_row(directory / row.path, row.sha256)]
    return {
        "cpu_seconds": cpu,
        "seconds": elapsed,
        "lost_seconds": sum(recorder.lost_seconds for recorder in recorders),
        "bytes": sum(recorder.counts.bytes for recorder in recorders),
        "files": len(rows),
        "faulty_files": len(faulty),
    }


def _is_as_its_row(path: Path, sha256: str | None) -> bool:
    return hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def record_with_ffmpeg(urls: list[str], directory: Path, seconds: float, segment_seconds: float) -> dict[str, Any]:
    """One process a camera, as Frigate records."""
    processes = []
    directory.mkdir()
    for number, url in enumerate(urls):
        command = ["ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", url, "-an", "-c", "copy"]
        target = str(directory / f"c{number}-%03d.mp4")
        command += ["-f", "segment", "-segment_time", str(segment_seconds), "-reset_timestamps", "1", target]
        processes.append(subprocess.Popen(command))
    try:
        deadline = time.monotonic() + _SECONDS_TO_PLAY
        while any(not (directory / f"c{number}-000.mp4").exists() for number in range(len(urls))):
            if time.monotonic() > deadline:
                raise TimeoutError("not all ffmpegs recorded in time")
            time.sleep(0.1)
        time.sleep(2.0)
        cpu, begun = sum(map(_cpu_seconds, processes)), time.monotonic()
        time.sleep(seconds)
        if any(process.poll() is not None for process in processes):
            raise RuntimeError("an ffmpeg ended early")
        return {"cpu_seconds": sum(map(_cpu_seconds, processes)) - cpu, "seconds": time.monotonic() - begun}
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait()


def _cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


# --- what was recorded


def pictures(paths: Sequence[Path]) -> list[bytes]:
    """A digest of every decoded picture of some files in a row."""
    found: list[bytes] = []
    for path in paths:
        with av.open(str(path)) as container:
            assert [stream.type for stream in container.streams] == ["video"]
            found += [hashlib.blake2b(_plane(frame), digest_size=8).digest() for frame in container.decode(video=0)]
    return found


def _plane(frame: av.VideoFrame) -> bytes:
    return bytes(frame.planes[0])


def is_in_order(shown: Sequence[bytes], loop: Sequence[bytes]) -> bool:
    """Whether `shown` is what a camera that plays `loop` over and over sent: every picture, from a key frame on."""
    if not shown:
        return False
    starts = [number for number, picture in enumerate(loop) if picture == shown[0]]
    size = len(loop)
    return any(all(one == loop[(start + n) % size] for n, one in enumerate(shown)) for start in starts)


def check_pictures(folder: Path, ours: Path, theirs: Path, cameras: int) -> dict[str, Any]:
    """Decode what both recorded of some cameras."""
    loop = pictures([folder / "camera.mp4"])
    checked: dict[str, Any] = {"haechi": [], "ffmpeg": []}
    for number in range(0, cameras, max(1, cameras // _CHECKED_CAMERAS)):
        found = {
            "haechi": pictures(sorted((ours / "recordings" / f"c{number}").rglob("*.mp4"))),
            "ffmpeg": pictures(sorted(theirs.glob(f"c{number}-*.mp4"))),
        }
        for name, shown in found.items():
            if not is_in_order(shown, loop):
                raise AssertionError(f"what {name} recorded of camera {number} is not what it sent")
            checked[name].append(len(shown))
    return checked


# --- the run


@contextmanager
def _folder_for(root: Path, name: str) -> Iterator[Path]:
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    yield folder


def measure(contender: str, urls: list[str], directory: Path, seconds: float, segment_seconds: float) -> dict[str, Any]:
    """One contender; adds `cpu_percent`, of a core for one camera."""
    if contender == "ffmpeg":
        result = record_with_ffmpeg(urls, directory, seconds, segment_seconds)
    else:
        command = [sys.executable, "-m", "tests.benchmarks.record", "--child", str(directory)]
        command += ["--seconds", str(seconds), "--segment-seconds", str(segment_seconds)]
        done = subprocess.run(command, input=json.dumps(urls), capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(f"{contender} failed: {done.stderr[-2000:]}")
        result = json.loads(done.stdout.splitlines()[-1])
    result["cpu_percent"] = 100 * result["cpu_seconds"] / result["seconds"] / len(urls)
    return result


def run(cameras: int, seconds: float, runs: int, pacing: str, segment_seconds: float) -> dict[str, Any]:
    """Both contenders, interleaved; raises AssertionError where the pictures differ."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _CONTENDERS}
    with tempfile.TemporaryDirectory() as name, virtual_cameras(Path(name), cameras, pacing) as urls:
        root = Path(name)
        for number in range(runs):
            for contender in _CONTENDERS:
                with _folder_for(root, contender) as directory:
                    found[contender].append(measure(contender, urls, directory, seconds, segment_seconds))
                print(f"run {number + 1}, {contender}: {found[contender][-1]}", file=sys.stderr)
        checked = check_pictures(root, root / "haechi", root / "ffmpeg", cameras)
    percent = {one: statistics.median(result["cpu_percent"] for result in results) for one, results in found.items()}
    ratios = [theirs["cpu_percent"] / ours["cpu_percent"] for ours, theirs in zip(*found.values(), strict=True)]
    return {
        "cameras": cameras,
        "seconds": seconds,
        "runs": runs,
        "pacing": pacing,
        "cpu_percent": percent,
        "ratio": statistics.median(ratios),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "cameras_per_core": 100 / percent["haechi"],
        "lost_seconds": sum(result["lost_seconds"] for result in found["haechi"]),
        "faulty_files": sum(result["faulty_files"] for result in found["haechi"]),
        "pictures_checked": checked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--cameras", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pacing", choices=("paced", "burst"), default="paced")
    parser.add_argument("--segment-seconds", type=float, default=60.0)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        work = record_with_haechi(json.load(sys.stdin), arguments.child, arguments.seconds, arguments.segment_seconds)
        print(json.dumps(uvloop.run(work)))
        return
    given = (arguments.cameras, arguments.seconds, arguments.runs, arguments.pacing, arguments.segment_seconds)
    result = run(*given)
    if not arguments.json:
        print(f"{result['cameras_per_core']:.0f} cameras a core, {result['ratio']:.2f} times ffmpeg")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
