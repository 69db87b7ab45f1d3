"""The demo: virtual cameras as a process, and settings that point at them."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

import config
from config.plain import plain
from config.settings import Camera, Settings
from control_center.supervision.child import die_with_parent, stop
from control_center.supervision.errors import StartError
from control_center.supervision.installation import listening

logger = logging.getLogger(__name__)

DEMO_FOLDER = Path(config.__file__).parent / "demo"
CAMERAS_START_IN_SECONDS = 60.0
_MAX_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class VirtualCameras:
    """`started_at` is aware UTC. `ended` is set when the process ends by itself."""

    port: int
    started_at: datetime
    mounts: tuple[dict[str, Any], ...]
    ended: asyncio.Event


@asynccontextmanager
async def virtual_cameras(mounts_file: Path) -> AsyncIterator[VirtualCameras]:
    """Serve the demo's clips over RTSP on a free port for the length of the block. Raises StartError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams.virtual", str(mounts_file), "--port", "0"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        limit=_MAX_LINE_BYTES,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    watch: asyncio.Task[None] | None = None
    try:
        said = await _first_line(process, mounts_file)
        cameras = VirtualCameras(
            port=int(said["port"]),
            started_at=datetime.fromisoformat(said["started_at"]),
            mounts=tuple(said["mounts"]),
            ended=asyncio.Event(),
        )
        watch = asyncio.create_task(_watch(process, cameras.ended))
        yield cameras
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        await stop(process, "virtual cameras")


async def _first_line(process: asyncio.subprocess.Process, mounts_file: Path) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(CAMERAS_START_IN_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise StartError(
            f"{mounts_file}: the virtual cameras did not start in {CAMERAS_START_IN_SECONDS:.0f} s"
        ) from error
    if not line:
        await process.wait()
        raise StartError(f"{mounts_file}: the virtual cameras did not start; the lines above say why")
    said: dict[str, Any] = json.loads(line)
    return said


async def _watch(process: asyncio.subprocess.Process, ended: asyncio.Event) -> None:
    await process.wait()
    logger.error("the virtual cameras ended with status %s; stop the demo and start it again", process.returncode)
    ended.set()


def demo_settings(shipped: Settings, rtsp_port: int, data_dir: Path, host: str, port: int) -> Settings:
    """The shipped demo settings with this run's addresses."""
    cameras = tuple(_at_port(camera, rtsp_port) for camera in shipped.cameras)
    center = shipped.center.model_copy(update={"host": host, "port": port})
    return shipped.model_copy(update={"cameras": cameras, "data_dir": data_dir, "center": center})


def _at_port(camera: Camera, rtsp_port: int) -> Camera:
    def moved(url: str | None) -> str | None:
        return url and urlsplit(url)._replace(netloc=f"127.0.0.1:{rtsp_port}").geturl()

    return camera.model_copy(update={"main": moved(camera.main), "sub": moved(camera.sub)})


def usable_port(host: str, port: int) -> int:
    """`port` when nobody has it at this moment, a free one for 0. Raises StartError."""
    with listening(host, port, "give another with --port or --host") as listener:
        found: int = listener.getsockname()[1]
    return found


def write_settings(settings: Settings, file: Path) -> None:
    """As YAML that `load_settings` reads, passwords included, so only its owner may read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(yaml.safe_dump(plain(settings), allow_unicode=True, sort_keys=False), encoding="utf-8")
