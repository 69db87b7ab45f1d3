"""One viewer is stopped, one sits behind a narrow way: each is alone in it, and nothing grows for them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from config.settings import WorkerSettings
from streams.gop_buffer import GopBuffer
from streams.relay import Relay, SessionLimits
from streams.relay.session import Session
from streams.relay.viewer import MOST_WAITING_BYTES, Viewer
from tests.browser import serve
from tests.clips import cached_clip
from tests.live_feed import LiveFeed, load_units
from tests.narrow_path import narrow_path
from tests.whep_client import WhepClient

FPS = 15
_WATCH = """
import asyncio, sys
from tests.whep_client import WhepClient
async def main():
    async with WhepClient(sys.argv[1]) as client:
        while True:
            await client.frame()
            print(flush=True)
asyncio.run(main())
"""


async def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_stopped_viewer_and_one_behind_500_kbits_cost_the_others_nothing() -> None:
    clip = cached_clip(seconds=4, fps=FPS, size=(640, 360), gop=30, bitrate=1_500_000)
    buffer = GopBuffer()
    relay = Relay({("cam", "main"): buffer}, WorkerSettings(), limits=SessionLimits(silence_seconds=4))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    most_waiting = 0
    async with (
        serve(relay) as base,
        LiveFeed(buffer, load_units(clip), FPS, 20),
        narrow_path() as path,
        WhepClient(f"{base}/whep/cam") as good,
        WhepClient(f"{base}/whep/cam", path),
    ):
        watching = asyncio.create_task(_watch(good))
        command = [sys.executable, "-c", _WATCH, f"{base}/whep/cam"]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
        try:
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readline(), 60)
            well, narrow, stopped = relay._sessions.values()
            process.send_signal(signal.SIGSTOP)
            path.carries = 500_000
            async with asyncio.timeout(120):
                while not stopped.reason or not _viewer(narrow).counters.drops:
                    most_waiting = max(most_waiting, *(_viewer(one)._waiting_bytes for one in (narrow, stopped)))
                    assert not narrow.reason, "it goes on as well as it can"
                    await asyncio.sleep(0.02)
            assert stopped.reason == "the viewer is silent"
            await _until(lambda: relay.session_count == 2)
        finally:
            process.kill()
            await process.wait()
        assert most_waiting <= MOST_WAITING_BYTES + 100_000
        assert path.dropped and not watching.done()
        counters = _viewer(well).counters
        assert (counters.drops, counters.skipped_units) == (0, 0) and counters.units > FPS
        assert relay.counters()["drops"] >= 1
        watching.cancel()
        await relay.close()


def _viewer(session: Session) -> Viewer:
    assert session.viewer is not None
    return session.viewer


async def _watch(client: WhepClient) -> None:
    while True:
        await client.frame(60)
