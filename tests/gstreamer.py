"""GStreamer's RTSP server as a subprocess: a camera that is not ours."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.requirements import need_gst_rtsp_server

_SCRIPT = Path(__file__).parent / "media" / "gst_rtsp_server.py"


def clip_pipeline(path: Path, codec: Literal["h264", "h265"] = "h264", audio: bool = False) -> str:
    """A pipeline that plays the video of an MP4 file once; `audio` adds a tone as G.711."""
    video = f"filesrc location={path} ! qtdemux ! {codec}parse ! rtp{codec}pay name=pay0 pt=96 config-interval=-1"
    sound = "audiotestsrc is-live=true ! audio/x-raw,rate=8000 ! alawenc ! rtppcmapay name=pay1 pt=8"
    return f"( {video} {sound if audio else ''} )"


class GStreamerServer:
    """`async with GStreamerServer({"gate": pipeline}) as server: server.url("gate")`. Skips where it is missing."""

    def __init__(
        self,
        mounts: dict[str, str],
        username: str | None = None,
        password: str = "",
        method: Literal["digest", "basic"] = "digest",
    ) -> None:
        self._order = {"mounts": mounts, "username": username, "password": password, "method": method}
        self.port = 0

    def url(self, name: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    async def __aenter__(self) -> Self:
        python = await asyncio.to_thread(need_gst_rtsp_server)
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            python, str(_SCRIPT), stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._order).encode() + b"\n")
        await self._process.stdin.drain()
        async with asyncio.timeout(30):
            self.port = json.loads(await self._process.stdout.readline())["port"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
