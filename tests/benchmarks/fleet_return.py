"""A whole fleet of cameras vanishes and returns: how soon is all of it live again, and how hard was it asked?

`python -m tests.benchmarks.fleet_return --json [--cameras N] [--away SECONDS] [--session-limit]`

Virtual cameras (180p5) play in a process of their own; another process reads them with whole streams, their usual
patience and one budget. Once all are live the server is killed and, `--away` later, started again at the same port.
With `--session-limit` each camera takes one session: connections are reset, the server stands still while it is
away, and back again it holds every old session until that times out (20 s). `all_live_seconds` counts from the
return. `attempts` counts from the loss on, `attempts_a_second_most` is the busiest second. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import uvloop

from config.settings import Camera
from streams.connect_budget import ConnectBudget
from streams.stream import Stream
from tests.clips import make_clip

_SECONDS_TO_PLAY = 90.0
_SESSION_SECONDS = 20.0


class Fleet:
    """The virtual cameras' process, which can be killed and started again at its port."""

    def __init__(self, folder: Path, cameras: int, session_limit: bool) -> None:
        clip = make_clip(
            folder / "camera.mp4", seconds=4, fps=5, size=(320, 180), gop=5, bitrate=60_000, profile="baseline"
        )
        faults = {"session_limit": 1} if session_limit else {}
        self.names = [f"c{number}" for number in range(cameras)]
        mounts = [{"name": name, "main": str(clip), "faults": faults} for name in self.names]
        settings = {"pacing": "burst", "tick_seconds": 0.02, "session_timeout_seconds": _SESSION_SECONDS}
        self._file = folder / "cameras.yaml"
        self._file.write_text(json.dumps({**settings, "mounts": mounts}), encoding="utf-8")
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> list[str]:
        """URLs, once it listens."""
        command = [sys.executable, "-m", "streams.virtual", str(self._file), "--control", "--port", str(self._port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        listening = json.loads(self._process.stdout.readline())
        self._port = listening["port"]
        return [mount["main"] for mount in listening["mounts"]]

    def kill(self) -> None:
        """As when its power goes."""
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def reset_and_stop(self) -> None:
        """Every connection is reset, then nothing is answered; the sessions stay."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        for name in self.names:
            process.stdin.write(json.dumps({"mount": name, "reset": True}).encode() + b"\n")
        process.stdin.flush()
        for _ in self.names:
            process.stdout.readline()
        process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


async def measure(fleet: Fleet, away_seconds: float, session_limit: bool) -> dict[str, Any]:
    """Play all, lose all, have all again."""
    budget = ConnectBudget()
    streams = [
        Stream(
            Camera(id=name, name="camera", purpose="benchmark", main=url),
            "main",
            budget=budget,
            ring_max_bytes=512 * 1024,
        )
        for name, url in zip(fleet.names, await asyncio.to_thread(fleet.start), strict=True)
    ]
    tasks = [asyncio.create_task(stream.run()) for stream in streams]
    begun: list[int] = []
    counting = asyncio.create_task(_count(budget, begun))
    try:
        started = time.monotonic()
        await _all(streams, live=True)
        first_seconds = time.monotonic() - started
        attempts, budget.most_running = budget.begun, 0
        begun.clear()
        await asyncio.to_thread(fleet.reset_and_stop if session_limit else fleet.kill)
        await _all(streams, live=False)
        await asyncio.sleep(away_seconds)
        await asyncio.to_thread(fleet.resume if session_limit else fleet.start)
        returned = time.monotonic()
        await _all(streams, live=True)
        seconds = time.monotonic() - returned
    finally:
        for task in (counting, *tasks):
            task.cancel()
        await asyncio.gather(counting, *tasks, return_exceptions=True)
    return {
        "cameras": len(streams),
        "session_limit": session_limit,
        "away_seconds": away_seconds,
        "first_live_seconds": first_seconds,
        "all_live_seconds": seconds,
        "attempts": budget.begun - attempts,
        "attempts_a_second_most": max(b - a for a, b in pairwise(begun)),
        "peak_connecting": budget.most_running,
    }


async def _all(streams: list[Stream], *, live: bool) -> None:
    async with asyncio.timeout(_SECONDS_TO_PLAY):
        while any((stream.state == "live") != live for stream in streams):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _count(budget: ConnectBudget, begun: list[int]) -> None:
    while True:
        begun.append(budget.begun)
        await asyncio.sleep(1)


def run(cameras: int, away_seconds: float, session_limit: bool) -> dict[str, Any]:
    """The whole measurement."""
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), cameras, session_limit)
        try:
            return uvloop.run(measure(fleet, away_seconds, session_limit))
        finally:
            fleet.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--cameras", type=int, default=300)
    parser.add_argument("--away", type=float, default=20.0, help="seconds")
    parser.add_argument("--session-limit", action="store_true", help="one session a camera, old ones are held")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)  # two lines for each camera are right, and not wanted here
    print(json.dumps(run(arguments.cameras, arguments.away, arguments.session_limit)))


if __name__ == "__main__":
    main()
