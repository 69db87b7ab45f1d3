"""CPU time to read and record a camera, ours beside one `ffmpeg -c copy -f segment` process a camera.

`python -m tests.benchmarks.recorder --json`: the last line is one JSON object; percentages are of one core, for a
1080p15 camera of 2 Mbit/s. Virtual cameras in a process of their own send to both, packet by packet.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
import yaml

from config.settings import Camera, RecordingSettings
from streams.connect_budget import ConnectBudget
from streams.recorder import Recorder
from streams.recording_store import RecordingStore
from streams.stream import Stream
from tests.clips import make_clip

_WARM_SECONDS = 8.0
_RING_BYTES = 8 << 20


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def read_and_record(urls: list[str], directory: Path, seconds: float, with_recorder: bool) -> dict[str, Any]:
    """Read all `urls` in this process, record them if so asked, and say what that cost."""
    budget = ConnectBudget()
    async with RecordingStore(directory, RecordingSettings()) as store:
        tasks, recorders = [], []
        for number, url in enumerate(urls):
            camera = Camera(id=f"camera-{number}", name="Camera", purpose="benchmark", main=url)
            stream = Stream(camera, "main", budget=budget, ring_max_bytes=_RING_BYTES)
            tasks.append(asyncio.create_task(stream.run()))
            if with_recorder:
                recorders.append(Recorder(camera.id, stream.buffer, store))
                tasks.append(asyncio.create_task(recorders[-1].run()))
        await asyncio.sleep(_WARM_SECONDS)
        begun, cpu = time.monotonic(), time.process_time()
        units = sum(recorder.counts.units for recorder in recorders)
        bytes_before = sum(recorder.counts.bytes for recorder in recorders)
        await asyncio.sleep(seconds)
        percent = 100 * (time.process_time() - cpu) / (time.monotonic() - begun) / len(urls)
        recorded = sum(recorder.counts.units for recorder in recorders) - units
        megabits = (sum(recorder.counts.bytes for recorder in recorders) - bytes_before) * 8e-6 / seconds / len(urls)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    lost = sum(recorder.lost_seconds for recorder in recorders)
    return {
        "cpu_percent": percent,
        "units_per_second": recorded / seconds / len(urls),
        "megabits_per_second": megabits,
        "lost_seconds": lost,
    }


def run_ours(urls: list[str], directory: Path, seconds: float, with_recorder: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.recorder", "--child", str(directory), "--seconds", str(seconds)]
    command += ["--with-recorder"] if with_recorder else []
    done = subprocess.run(command, input=json.dumps(urls), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_ffmpeg(urls: list[str], directory: Path, seconds: float) -> dict[str, Any]:
    """One process a camera, as Frigate records."""
    processes = []
    for number, url in enumerate(urls):
        command = ["ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", url, "-an", "-c", "copy"]
        target = str(directory / f"{number}-%d.mp4")
        processes.append(subprocess.Popen([*command, "-f", "segment", "-segment_time", "60", target]))
    time.sleep(_WARM_SECONDS)
    begun, cpu = time.monotonic(), sum(cpu_seconds(process.pid) for process in processes)
    time.sleep(seconds)
    cpu = sum(cpu_seconds(process.pid) for process in processes) - cpu
    percent = 100 * cpu / (time.monotonic() - begun) / len(urls)
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        process.wait()
    return {"cpu_percent": percent}


def measure(cameras: int, ffmpegs: int, seconds: float, pacing: str, tick_seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        make_clip(directory / "clip.mp4", 8, 15, (1920, 1080), 30, 2_000_000, "high")
        mounts = [{"name": f"c{n}", "main": "clip.mp4", "phase_seconds": n * 0.37} for n in range(cameras)]
        (directory / "cameras.yaml").write_text(
            yaml.safe_dump({"mounts": mounts, "pacing": pacing, "tick_seconds": tick_seconds})
        )
        command = [sys.executable, "-m", "streams.virtual", str(directory / "cameras.yaml"), "--control"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin is not None and server.stdout is not None
            urls = [mount["main"] for mount in json.loads(server.stdout.readline())["mounts"]]
            cpu, begun = cpu_seconds(server.pid), time.monotonic()
            ours = run_ours(urls, directory / "ours", seconds, with_recorder=True)
            server_percent = 100 * (cpu_seconds(server.pid) - cpu) / (time.monotonic() - begun) / cameras
            without = run_ours(urls, directory / "without", seconds, with_recorder=False)
            ffmpeg = run_ffmpeg(urls[:ffmpegs], directory, seconds) if shutil.which("ffmpeg") else None
            server.stdin.close()
    result = {"cameras": cameras, "pacing": pacing, "ours": ours, "without_recorder": without, "ffmpeg": ffmpeg}
    result["recorder_cpu_percent"] = ours["cpu_percent"] - without["cpu_percent"]
    result["virtual_camera_cpu_percent"] = server_percent
    if ffmpeg:
        result["times_better_than_ffmpeg"] = ffmpeg["cpu_percent"] / ours["cpu_percent"]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=60)
    parser.add_argument("--ffmpegs", type=int, default=10, help="ffmpeg processes to compare with")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--pacing", choices=["paced", "burst"], default="paced", help="how the cameras send")
    parser.add_argument("--tick", type=float, default=0.002, help="the cameras' sweep, seconds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--with-recorder", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        urls = json.load(sys.stdin)
        result = uvloop.run(read_and_record(urls, arguments.child, arguments.seconds, arguments.with_recorder))
    else:
        result = measure(arguments.cameras, arguments.ffmpegs, arguments.seconds, arguments.pacing, arguments.tick)
        if not arguments.json:
            print(f"a camera: {result['ours']['cpu_percent']:.3f} % of a core to read and record")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
