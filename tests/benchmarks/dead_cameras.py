"""A site with dead cameras: do memory, file descriptors and the log stay flat?

`python -m tests.benchmarks.dead_cameras --json [--cameras N] [--dead SHARE] [--minutes M] [--warm-up SECONDS]`

Virtual cameras (360p5) play in a process of their own. A share of the cameras is dead, in equal parts: the port is
closed, connections are never accepted (as behind a switch without power), sessions play and send nothing, requests
stay unanswered. One process reads them all with whole streams and their usual patience, and samples itself once a
second. `rss_growth` and `fd_growth` compare the median of the last quarter (at most a minute) after the warm-up with
that of the first. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvloop

from config.settings import Camera
from streams.connect_budget import ConnectBudget
from streams.stream import Stream
from tests.clips import make_clip

_RING_BYTES = 512 * 1024
_WAYS_TO_BE_DEAD = ("refuses", "unreachable", "stalls", "silent")


@contextmanager
def never_accepting() -> Iterator[int]:
    """A port whose queue of connections is full: the kernel drops every further attempt."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        for _ in range(8):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(("127.0.0.1", port))
        yield port


@contextmanager
def closed() -> Iterator[int]:
    """A port where nobody listens, and nobody will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def site(folder: Path, cameras: int, dead_share: float) -> Iterator[dict[str, str]]:
    """URLs by camera name; a dead one's name begins with what it does."""
    clip = make_clip(folder / "camera.mp4", seconds=4, fps=5, gop=10, bitrate=100_000, profile="baseline")
    dead = round(cameras * dead_share)
    names = [f"c{number}" for number in range(cameras - dead)]
    names += [f"{_WAYS_TO_BE_DEAD[number % 4]}{number}" for number in range(dead)]
    faults = {"stalls": {"stall": True}, "silent": {"half_open": True}}
    mounts: list[dict[str, Any]] = [
        {
            "name": name,
            "main": str(clip),
            "phase_seconds": number * 0.37,
            "faults": faults.get(name.rstrip("0123456789"), {}),
        }
        for number, name in enumerate(names)
    ]
    settings = folder / "cameras.yaml"
    settings.write_text(json.dumps({"pacing": "burst", "tick_seconds": 0.02, "mounts": mounts}), encoding="utf-8")
    command = [sys.executable, "-m", "streams.virtual", str(settings), "--control"]
    with closed() as refusing, never_accepting() as unreachable:
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert server.stdin is not None and server.stdout is not None
        try:
            urls = {mount["name"]: mount["main"] for mount in json.loads(server.stdout.readline())["mounts"]}
            for name in urls:
                if name.startswith("refuses"):
                    urls[name] = f"rtsp://127.0.0.1:{refusing}/{name}/main"
                elif name.startswith("unreachable"):
                    urls[name] = f"rtsp://127.0.0.1:{unreachable}/{name}/main"
            yield urls
        finally:
            server.stdin.close()
            server.wait(20)
            server.stdout.close()


class _Lines(logging.Handler):
    """Counts what the worker's log would hold."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)
        self.count += 1


async def read(urls: dict[str, str], seconds: float, warm_up: float) -> dict[str, Any]:
    """Body of the reading process."""
    lines = _Lines()
    logging.getLogger().addHandler(lines)
    logging.getLogger().setLevel(logging.INFO)
    budget = ConnectBudget()
    streams = [
        Stream(
            Camera(id=name, name="camera", purpose="benchmark", main=url),
            "main",
            budget=budget,
            ring_max_bytes=_RING_BYTES,
        )
        for name, url in urls.items()
    ]
    tasks = [asyncio.create_task(stream.run()) for stream in streams]
    await asyncio.sleep(warm_up)
    resident: list[int] = []
    open_files: list[int] = []
    lines_at: list[int] = [lines.count]
    live: list[int] = []
    ends = time.monotonic() + seconds
    cpu = time.process_time()
    while time.monotonic() < ends:
        resident.append(_resident_bytes())
        open_files.append(len(os.listdir("/proc/self/fd")))
        lines_at.append(lines.count)
        live.append(sum(stream.state == "live" for stream in streams))
        if len(resident) % 60 == 0:
            print(f"{len(resident)}: {resident[-1]} bytes, {open_files[-1]} files, {live[-1]} live", file=sys.stderr)
        await asyncio.sleep(1)
    cpu = time.process_time() - cpu
    states: dict[str, int] = {}
    for stream in streams:
        states[stream.state] = states.get(stream.state, 0) + 1
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return {
        **_growth("rss", resident),
        **_growth("fd", open_files),
        "log_lines_a_minute_most": max(b - a for a, b in zip(lines_at, lines_at[60:] or lines_at[-1:], strict=False)),
        "log_lines": lines_at[-1],
        "attempts": sum(stream.status().counts.attempts for stream in streams),
        "live_least": min(live),
        "states": states,
        "cpu_percent": 100 * cpu / seconds,
    }


def _growth(name: str, samples: list[int]) -> dict[str, float]:
    part = max(1, min(60, len(samples) // 4))
    first, last = statistics.median(samples[:part]), statistics.median(samples[-part:])
    return {
        f"{name}_first": first,
        f"{name}_last": last,
        f"{name}_most": max(samples),
        f"{name}_growth": last / first - 1,
    }


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def soak(cameras: int, dead_share: float, seconds: float, warm_up: float) -> dict[str, Any]:
    """The whole measurement; the reader in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.dead_cameras", "--read"]
    command += ["--minutes", str(seconds / 60), "--warm-up", str(warm_up)]
    with tempfile.TemporaryDirectory() as folder, site(Path(folder), cameras, dead_share) as urls:
        limit = seconds + warm_up + 120
        done = subprocess.run(command, input=json.dumps(urls), stdout=subprocess.PIPE, text=True, timeout=limit)
    if done.returncode:
        raise RuntimeError("the reader failed")
    measured = json.loads(done.stdout.splitlines()[-1])
    dead = sum(not name.startswith("c") for name in urls)
    return {"cameras": cameras, "dead": dead, "minutes": seconds / 60, "warm_up_seconds": warm_up, **measured}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--dead", type=float, default=0.3, help="share of the cameras")
    parser.add_argument("--minutes", type=float, default=20.0, help="after the warm-up")
    parser.add_argument("--warm-up", type=float, default=120.0, help="seconds, in which the rings fill")
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        print(json.dumps(uvloop.run(read(json.load(sys.stdin), arguments.minutes * 60, arguments.warm_up))))
        return
    print(json.dumps(soak(arguments.cameras, arguments.dead, arguments.minutes * 60, arguments.warm_up)))


if __name__ == "__main__":
    main()
