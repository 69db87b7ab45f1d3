"""The short forms of `tests.benchmarks.fleet_return` and `tests.benchmarks.dead_cameras`; every fault's cure."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from streams.connect_budget import ConnectBudget
from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.benchmarks import dead_cameras, fleet_return
from tests.clips import cached_clip
from tests.integration.test_stream_life import Watched, clip

FAULTS = {
    "refuse-close": Faults(refuse="close"),
    "refuse-503": Faults(refuse="503"),
    "wrong-password": Faults(wrong_password=True),
    "stall": Faults(stall=True),
    "drop": Faults(drop=1.0),
    "not-video": Faults(not_video=True),
    "session-limit": Faults(session_limit=0),
    "over-limit-503": Faults(session_limit=0, over_limit_status=503),
    "only-udp": Faults(only_transport="udp"),
    "reorder": Faults(reorder=1.0),
    "duplicate": Faults(duplicate=1.0),
    "half-open": Faults(half_open=True),
    "clock": Faults(clock_offset_seconds=-1e6),
    "changed-now": Faults(changed="now"),
    "changed-new": Faults(changed="new_sessions"),
}


def test_every_fault_switch_is_tried() -> None:
    tried = {name for faults in FAULTS.values() for name in faults.model_fields_set}
    assert tried == set(Faults.model_fields)


async def test_after_the_cure_of_any_fault_a_stream_is_live_within_its_back_off() -> None:
    """All switches at once, each on its own camera. The wait ends far above 5 s and one back-off (0.4 s), which a
    machine that is busy with other tests cannot promise, and far below a back-off that did not begin anew (1 min)."""
    changed = cached_clip(seconds=0.5, fps=30, size=(640, 360), gop=15, profile="baseline")
    mounts = [Mount(name=name, main=clip(), changed=changed) for name in FAULTS]
    budget = ConnectBudget()
    async with VirtualCameraServer(mounts) as server:
        streams = {name: Watched(server.url(name), budget) for name in FAULTS}
        try:
            await asyncio.gather(*(stream.live() for stream in streams.values()))
            for name, faults in FAULTS.items():
                server.set_faults(name, faults)
                if faults.refuse != "no" or faults.wrong_password or faults.not_video or faults.session_limit == 0:
                    server.reset(name)  # these are felt by who connects
            gone = ("refuse-close", "refuse-503", "wrong-password", "stall", "drop", "not-video")
            gone += ("session-limit", "over-limit-503", "half-open")
            await asyncio.gather(*(streams[name].until(lambda status: status.state != "live") for name in gone))
            await asyncio.sleep(2)
            cured = time.monotonic()
            for name in FAULTS:
                server.set_faults(name, Faults())
            await asyncio.gather(*(_sees_pictures(stream) for stream in streams.values()))
            print(f"all live again after {time.monotonic() - cured:.1f} s")
        finally:
            await asyncio.gather(*(stream.stop() for stream in streams.values()))


async def _sees_pictures(stream: Watched) -> None:
    """Live, with pictures that come now."""
    before = stream.stream.status().counts.access_units
    await stream.until(lambda status: status.state == "live" and status.counts.access_units > before + 10, 30)


@pytest.mark.parametrize("session_limit", [False, True])
def test_a_fleet_that_vanishes_and_returns_is_live_again(
    tmp_path: Path, session_limit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_return, "_SESSION_SECONDS", 3.0)
    found = fleet_return.run(30, 1.0, session_limit)
    assert found["all_live_seconds"] < 60
    assert found["peak_connecting"] <= 32 and found["attempts_a_second_most"] <= 100
    assert found["attempts"] >= 30


def test_dead_cameras_cost_no_memory_no_files_and_few_lines() -> None:
    found = dead_cameras.soak(12, 0.34, seconds=6, warm_up=6)
    assert (found["cameras"], found["dead"]) == (12, 4)
    assert found["live_least"] == 8 and found["attempts"] > 8
    assert found["fd_growth"] < 0.1 and found["rss_growth"] < 0.1
    assert found["log_lines"] <= 8 + 2 * 4
