"""What it costs to read a camera: CPU seconds of Haechi's client, of PyAV threads and of ffmpeg processes.

`python -m tests.benchmarks.ingest --json [--cameras N] [--seconds S] [--runs R] [--many M] [--transport tcp|udp]`

Virtual cameras (1080p15, 2 Mbit/s, one GOP in 2 s) play in a process of their own over loopback; the contenders read
all of them in turn, the same cameras for the same time. CPU seconds are those of whole processes, user and system,
after everything plays. The median of the runs counts, packets paced one by one (`ratio_…`) and in bursts of whole
pictures (`burst_ratio_…`). `cost_growth` is what a picture costs among M cameras over what it costs among N.
`scanner` says which form of the scanner read the packets. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import uvloop

from config.settings import Camera, Transport
from streams.connect_budget import ConnectBudget
from streams.rtsp import scanner
from streams.stream import Stream

_SECONDS_TO_PLAY = 90.0
_CONTENDERS = ("haechi", "pyav", "ffmpeg")
_TICKS = os.sysconf("SC_CLK_TCK")


def make_camera_clip(path: Path, seconds: int = 8) -> Path:
    """1080p15 at 2 Mbit/s, GOP 2 s, no B frames: noise that moves, so that the bit rate is really used."""
    noise = np.random.default_rng(7).integers(0, 48, (1080, 1920, 3), np.uint8)
    options = {"preset": "ultrafast", "maxrate": "2M", "bufsize": "2M"}
    options["x264-params"] = "keyint=30:min-keyint=30:scenecut=0:bframes=0:threads=1"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 1920, 1080, "yuv420p", 2_000_000
        stream.codec_context.time_base = Fraction(1, 15)
        for number in range(seconds * 15):
            frame = av.VideoFrame.from_ndarray(np.roll(noise, number * 4, axis=1), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@contextmanager
def virtual_cameras(folder: Path, count: int, pacing: str) -> Iterator[list[str]]:
    """URLs of `count` cameras, phase-shifted, served by another process."""
    clip = make_camera_clip(folder / "camera.mp4")
    mounts = [{"name": f"c{number}", "main": str(clip), "phase_seconds": number * 0.37} for number in range(count)]
    settings = folder / "cameras.yaml"
    settings.write_text(json.dumps({"pacing": pacing, "mounts": mounts}), encoding="utf-8")
    command = [sys.executable, "-m", "streams.virtual", str(settings), "--control"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None and server.stdout is not None
    try:
        yield [mount["main"] for mount in json.loads(server.stdout.readline())["mounts"]]
    finally:
        server.stdin.close()
        server.wait(20)
        server.stdout.close()


# --- contenders: each plays all URLs, waits until all show pictures, then measures itself


async def read_with_haechi(urls: list[str], seconds: float, transport: Transport) -> dict[str, float]:
    """Whole streams: client, checks, assembling, ring, state machine."""
    empty_bytes = _resident_bytes()
    budget = ConnectBudget()
    streams = [
        Stream(
            Camera(id=f"c{number}", name="camera", purpose="benchmark", main=url, transport=transport),
            "main",
            budget=budget,
            ring_max_bytes=4 * 1024 * 1024,
        )
        for number, url in enumerate(urls)
    ]
    tasks = [asyncio.create_task(stream.run()) for stream in streams]
    async with asyncio.timeout(_SECONDS_TO_PLAY):
        while any(stream.state != "live" for stream in streams):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    before = [stream.status().counts for stream in streams]
    cpu, started = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    cpu, elapsed = time.process_time() - cpu, time.monotonic() - started
    after = [stream.status().counts for stream in streams]
    ring_bytes = sum(stream.buffer.byte_count for stream in streams)
    grown_bytes = _resident_bytes() - empty_bytes
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return {
        "cpu_seconds": cpu,
        "seconds": elapsed,
        "pictures": sum(new.access_units - old.access_units for new, old in zip(after, before, strict=True)),
        "packets": sum(new.packets - old.packets for new, old in zip(after, before, strict=True)),
        "lost": sum(new.lost_packets - old.lost_packets for new, old in zip(after, before, strict=True)),
        "bytes_per_camera": grown_bytes / len(urls),
        "ring_bytes_per_camera": ring_bytes / len(urls),
    }


def read_with_pyav(urls: list[str], seconds: float, transport: Transport) -> dict[str, float]:
    """A thread a camera that demuxes and keeps nothing."""
    counts = [0] * len(urls)
    ended = threading.Event()

    def read(number: int) -> None:
        with av.open(urls[number], options={"rtsp_transport": transport}) as container:
            for packet in container.demux(video=0):
                counts[number] += bool(packet.size)
                if ended.is_set():
                    return

    threads = [threading.Thread(target=read, args=(number,)) for number in range(len(urls))]
    for thread in threads:
        thread.start()
    _wait_until(lambda: all(counts))
    before, cpu, started = sum(counts), time.process_time(), time.monotonic()
    time.sleep(seconds)
    cpu, elapsed, after = time.process_time() - cpu, time.monotonic() - started, sum(counts)
    ended.set()
    for thread in threads:
        thread.join()
    return {"cpu_seconds": cpu, "seconds": elapsed, "pictures": after - before}


def read_with_ffmpeg(urls: list[str], seconds: float, transport: Transport) -> dict[str, float]:
    """A process a camera: `ffmpeg -c copy -f null`."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", transport, "-i"]
    processes = [subprocess.Popen([*command, url, "-an", "-c", "copy", "-f", "null", "-"]) for url in urls]
    try:
        time.sleep(min(10.0, 2.0 + 0.1 * len(urls)))  # ffmpeg probes for some seconds before it plays
        cpu, started = sum(map(_cpu_seconds, processes)), time.monotonic()
        time.sleep(seconds)
        if any(process.poll() is not None for process in processes):
            raise RuntimeError("an ffmpeg ended early")
        return {"cpu_seconds": sum(map(_cpu_seconds, processes)) - cpu, "seconds": time.monotonic() - started}
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def _cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _wait_until(condition: Any) -> None:
    deadline = time.monotonic() + _SECONDS_TO_PLAY
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("not all cameras played in time")
        time.sleep(0.05)


def contend(contender: str, urls: list[str], seconds: float, transport: Transport) -> None:
    """Body of a contender's process: one JSON line on standard output."""
    if contender == "haechi":
        result = uvloop.run(read_with_haechi(urls, seconds, transport))
    elif contender == "pyav":
        result = read_with_pyav(urls, seconds, transport)
    else:
        result = read_with_ffmpeg(urls, seconds, transport)
    print(json.dumps(result))


# --- the run


def measure(contender: str, urls: list[str], seconds: float, transport: Transport) -> dict[str, float]:
    """One contender in a process of its own; adds `cpu_percent`, of a core for one camera."""
    command = [sys.executable, "-m", "tests.benchmarks.ingest", "--contend", contender, "--seconds", str(seconds)]
    command += ["--transport", transport]
    done = subprocess.run(command, input=json.dumps(urls), capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{contender} failed: {done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    result["cpu_percent"] = 100 * result["cpu_seconds"] / result["seconds"] / len(urls)
    return result


def compare(cameras: int, seconds: float, runs: int, pacing: str, transport: Transport) -> dict[str, Any]:
    """All contenders, interleaved: the median share of a core a camera of each, and what ours read."""
    contenders = [name for name in _CONTENDERS if name != "ffmpeg" or shutil.which("ffmpeg")]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    with tempfile.TemporaryDirectory() as folder, virtual_cameras(Path(folder), cameras, pacing) as urls:
        for number in range(runs):
            for name in contenders:
                found[name].append(measure(name, urls, seconds, transport))
                print(f"{pacing}, run {number + 1}, {name}: {found[name][-1]}", file=sys.stderr)
    ours = found["haechi"]
    return {
        "cpu_percent": {name: _median(results, "cpu_percent") for name, results in found.items()},
        "bytes_per_camera": _median(ours, "bytes_per_camera"),
        "ring_bytes_per_camera": _median(ours, "ring_bytes_per_camera"),
        "lost": sum(result["lost"] for result in ours),
        "pictures_per_second": statistics.median(each["pictures"] / each["seconds"] / cameras for each in ours),
    }


def growth(few: int, many: int, seconds: float, runs: int, pacing: str, transport: Transport) -> dict[str, float]:
    """Ours alone with `few` and with `many` cameras, in turn: how much more a picture costs among many."""
    found: dict[int, list[dict[str, float]]] = {few: [], many: []}
    with tempfile.TemporaryDirectory() as folder, virtual_cameras(Path(folder), many, pacing) as urls:
        for number in range(runs):
            for count, results in found.items():
                results.append(measure("haechi", urls[:count], seconds, transport))
                print(f"{count} cameras, run {number + 1}: {results[-1]}", file=sys.stderr)
    micros = {
        count: statistics.median(1e6 * each["cpu_seconds"] / each["pictures"] for each in results)
        for count, results in found.items()
    }
    return {
        "cost_growth": micros[many] / micros[few],
        "cpu_microseconds_a_picture_few": micros[few],
        "cpu_microseconds_a_picture_many": micros[many],
        "growth_pictures_per_second": statistics.median(
            result["pictures"] / result["seconds"] / many for result in found[many]
        ),
        "growth_lost": sum(result["lost"] for result in found[many]),
    }


def _median(results: list[dict[str, float]], name: str) -> float:
    return statistics.median(result[name] for result in results)


def run(cameras: int, seconds: float, runs: int, many: int, transport: Transport) -> dict[str, Any]:
    """Packets paced one by one and in bursts of whole pictures, then among `many` (0: not)."""
    paced, burst = (compare(cameras, seconds, runs, pacing, transport) for pacing in ("paced", "burst"))
    result: dict[str, Any] = {"cameras": cameras, "seconds": seconds, "runs": runs, "transport": transport, **paced}
    result["scanner"] = scanner.FORM
    result["cameras_per_core"] = 100 / paced["cpu_percent"]["haechi"]
    result["burst_cpu_percent"] = burst["cpu_percent"]
    result["lost"] += burst["lost"]
    for name in ("ffmpeg", "pyav"):
        for prefix, found in (("", paced["cpu_percent"]), ("burst_", burst["cpu_percent"])):
            result[f"{prefix}ratio_{name}"] = found[name] / found["haechi"] if name in found else None
    return result | (growth(cameras, many, seconds, runs, "paced", transport) if many else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--cameras", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--many", type=int, default=1000, help="cameras of the growth measurement; 0 leaves it out")
    parser.add_argument("--transport", choices=("tcp", "udp"), default="tcp")
    parser.add_argument("--contend", choices=_CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contend:
        contend(arguments.contend, json.load(sys.stdin), arguments.seconds, arguments.transport)
        return
    result = run(arguments.cameras, arguments.seconds, arguments.runs, arguments.many, arguments.transport)
    if not arguments.json:
        for pacing, found in (("paced", result["cpu_percent"]), ("burst", result["burst_cpu_percent"])):
            for name, percent in found.items():
                print(f"{pacing} {name:>8}: {percent:.3f} % of a core a camera, {100 / percent:.0f} cameras a core")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
