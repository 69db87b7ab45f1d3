"""Cameras put up and taken down while Haechi runs, as an administrator does it."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from pathlib import Path
from typing import Any

import av

from streams.virtual import Mount, VirtualCameraServer
from tests.city import City, running_city, wait_for
from tests.clips import cached_clip
from tests.requirements import ROOT

SETTINGS = {"workers": {"count": 1}, "recording": {"segment_seconds": 600.0}}


def definition(server: VirtualCameraServer, name: str, mount: str = "") -> dict[str, Any]:
    return {"id": name, "name": name, "purpose": "crime prevention", "main": server.url(mount or name)}


async def wait_state(city: City, camera_id: str, state: str) -> None:
    async def is_so() -> bool:
        return bool((await city.cameras())[camera_id]["state"] == state)

    await wait_for(is_so, f"{camera_id} {state}; the log is {city.log}")


async def test_a_camera_is_added_changed_and_removed_and_the_other_is_recorded_without_a_gap(tmp_path: Path) -> None:
    main = cached_clip(seconds=4, fps=15, gop=15)
    async with VirtualCameraServer([Mount(name=name, main=main) for name in ("kept", "new", "moved")]) as server:
        async with running_city(tmp_path, {**SETTINGS, "cameras": [definition(server, "kept")]}) as city:
            await city.wait_live(1)
            pid = await city.packets_pid()
            began = time.monotonic()
            answer = await city.admin.post("/api/v1/register/cameras", json=definition(server, "new"))
            assert answer.status_code == 201, answer.text
            await wait_state(city, "new", "live")
            print(f"live {time.monotonic() - began:.1f} s after it was added")

            moved = definition(server, "new", "moved")
            answer = await city.admin.put("/api/v1/register/cameras/new", json=moved)
            assert answer.status_code == 200, answer.text
            await wait_for(lambda: sessions(server, new=0, moved=1), "the other URL is played")
            answer = await city.admin.put("/api/v1/register/cameras/new", json={**moved, "enabled": False})
            assert answer.status_code == 200, answer.text
            await wait_for(lambda: sessions(server, new=0, moved=0), "it is switched off")
            await wait_state(city, "new", "disabled")

            await remove_by_command(tmp_path / "haechi.yaml", "new")
            await wait_for(lambda: is_gone(city, "new"), "it is gone")
            assert (await city.packets_pid(), server.session_count("kept")) == (pid, 1)
        (file,) = (tmp_path / "data/recordings/kept").rglob("*.mp4")
        assert gap_seconds(file) < 0.1, "15 pictures a second, none missing"
        assert list((tmp_path / "data/recordings/new").rglob("*.mp4"))


async def sessions(server: VirtualCameraServer, **counts: int) -> bool:
    return all(server.session_count(name) == count for name, count in counts.items())


async def is_gone(city: City, camera_id: str) -> bool:
    by_id = (await city.status())["workers"]["by_id"]
    return camera_id not in await city.cameras() and by_id["w0"]["cameras"] == 1


async def remove_by_command(settings: Path, camera_id: str) -> None:
    command = [sys.executable, "-m", "control_center", "camera", "remove", camera_id, "--config", str(settings)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    assert await asyncio.wait_for(process.wait(), 60) == 0


def gap_seconds(file: Path) -> float:
    """The longest time from one picture of a recording to the next."""
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        times = [float(packet.pts * stream.time_base) for packet in container.demux(stream) if packet.pts is not None]
    assert len(times) > 30
    return max(later - earlier for earlier, later in itertools.pairwise(times))
