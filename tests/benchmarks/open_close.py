"""Sessions opened and closed by the thousand, in every way a viewer can leave: does a worker keep anything?

`python -m tests.benchmarks.open_close --json`: a real worker with a virtual camera, its own HTTP interface. Of ten
viewers six see a picture and are deleted, two close the connection, one vanishes without a word, one never connects.
Descriptors, tasks of the loop and resident memory are read when no session is left: after a warm-up, and at the end.
The warm-up is as long as the rest: a vanished viewer is kept for seconds, so memory grows up to the most at one time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiortc import RTCCertificate
from aiortc.sdp import SessionDescription

from streams.virtual import Mount, VirtualCameraServer
from tests.clips import cached_clip
from tests.light_receivers import LightReceiver, gathering_only
from tests.ports import free_port
from tests.worker_process import WorkerProcess, running_worker

WAYS = ("delete", "close", "delete", "delete", "vanish", "delete", "close", "delete", "never", "delete")
_AT_ONCE = 10
_PICTURE_SECONDS = 60.0
_RING_BYTES = 1024 * 1024  # full soon, so that it does not look like a leak


@dataclass(frozen=True, slots=True)
class Held:
    """What the packets process holds. `bytes` is its resident memory."""

    descriptors: int
    tasks: int
    bytes: int


@asynccontextmanager
async def watched_worker(folder: Path) -> AsyncIterator[WorkerProcess]:
    """A worker whose one camera is live. There is no center: it takes its cameras from the settings file."""
    clip = cached_clip(seconds=4, fps=15, gop=15, bitrate=300_000)
    async with VirtualCameraServer([Mount(name="cam0", main=clip)]) as server:
        names = {"id": "cam0", "name": "cam0", "purpose": "crime prevention"}
        camera = {**names, "main": server.url("cam0"), "record": False}
        workers = {"ring_max_bytes": _RING_BYTES}
        async with running_worker(folder, [camera], f"http://127.0.0.1:{free_port()}", workers=workers) as worker:
            await worker.wait_status(
                lambda status: status["cameras"]["cam0"]["streams"]["main"]["state"] == "live", "the camera is live"
            )
            yield worker


async def held(worker: WorkerProcess) -> Held:
    """Once every session has ended: those that nobody ends, by their time limits."""
    await worker.wait_status(lambda status: status["relay"]["viewers"] == 0, "viewers left", seconds=120)
    await _until_alone(worker)
    figures = await _metrics(worker)
    names = "process_open_fds", "haechi_loop_tasks", "process_resident_memory_bytes"
    return Held(*(int(figures[name]) for name in names))


async def open_and_close(worker: WorkerProcess, count: int) -> Counter[str]:
    """`count` cycles, ten at a time; how often each way of leaving was gone."""
    certificate = RTCCertificate.generateCertificate()
    gone: Counter[str] = Counter()
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            way = WAYS[number % len(WAYS)]
            await _cycle(worker.client, certificate, way)
            gone[way] += 1

    with gathering_only("127.0.0.1"):
        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    return gone


async def _cycle(client: httpx.AsyncClient, certificate: RTCCertificate, way: str) -> None:
    receiver = LightReceiver(certificate, "gcm", extensions=True)
    await receiver.gather()
    try:
        headers = {"content-type": "application/sdp"}
        answer = await client.post("/whep/cam0", content=receiver.description(), headers=headers)
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code} {answer.text}")
        if way == "never":
            return
        await receiver.connect(SessionDescription.parse(answer.text).media[0])
        await _picture(receiver)
        if way == "delete":
            (await client.delete(answer.headers["location"])).raise_for_status()
    finally:
        await receiver.close(say_so=way not in ("vanish", "never"))


async def _picture(receiver: LightReceiver) -> None:
    async with asyncio.timeout(_PICTURE_SECONDS):
        while not receiver.count.account().pictures:
            await asyncio.sleep(0.02)
            receiver.sweep(time.monotonic())


async def _until_alone(worker: WorkerProcess) -> None:
    """Until the relay has no session, connecting ones included; the client's connections are let go, too."""
    async with asyncio.timeout(120):
        while (await _metrics(worker))["haechi_relay_open_sessions"]:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    await asyncio.sleep(1)


async def _metrics(worker: WorkerProcess) -> dict[str, float]:
    text = (await worker.client.get("/metrics")).text
    lines = (line.rpartition(" ") for line in text.splitlines() if line[:1] not in ("", "#") and "{" not in line)
    return {name: float(value) for name, _, value in lines}


async def run(cycles: int, warm_up: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        async with watched_worker(Path(folder)) as worker:
            await open_and_close(worker, warm_up)
            before = await held(worker)
            began = time.monotonic()
            gone = await open_and_close(worker, cycles)
            seconds = time.monotonic() - began
            after = await held(worker)
            sessions = (await worker.status())["relay"]["sessions"]
    return {
        "benchmark": "open_close",
        "cycles": cycles,
        "warm_up": warm_up,
        "ways": dict(gone),
        "sessions": sessions,
        "seconds": round(seconds, 1),
        "descriptors_before": before.descriptors,
        "descriptors_after": after.descriptors,
        "tasks_before": before.tasks,
        "tasks_after": after.tasks,
        "rss_mib_before": round(before.bytes / 2**20, 1),
        "rss_mib_after": round(after.bytes / 2**20, 1),
        "rss_growth_percent": round((after.bytes / before.bytes - 1) * 100, 2),
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--warm-up", type=int, default=1500)
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.cycles, arguments.warm_up))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:24} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
