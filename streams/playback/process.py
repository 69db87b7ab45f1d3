"""The packets process's side of the playback process: a listening socket that outlives it, and its supervision."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

from streams import worker_http

_STOP_SECONDS = 3.0


class PlaybackEnded(Exception):
    """The playback process ended; recorded pictures are not shown until the next one runs."""


class PlaybackProcess:
    """Run `run` under a supervisor; each run is one child. Requests that come while there is none wait in `base_url`'s
    queue for the next one. Raises OSError when made: there is no port.
    """

    def __init__(self, data_dir: Path, index_path: Path, token: str) -> None:
        self.pid: int | None = None
        self.starts = 0
        self._data_dir, self._index_path, self._token = data_dir, index_path, token
        self._listening: socket.socket = worker_http.listen(0)
        self.base_url = f"http://{worker_http.HTTP_HOST}:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        """Give the port back."""
        self._listening.close()

    async def run(self) -> None:
        """One child, until it ends. Raises PlaybackEnded; when cancelled, ends the child first."""
        process = await self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(f"{self._token}\n".encode())
            status = await process.wait()
            raise PlaybackEnded(f"playback process {process.pid} ended with status {status}")
        finally:
            self.pid = None
            process.stdin.close()
            await asyncio.shield(_end(process))

    async def _start(self) -> asyncio.subprocess.Process:
        environment = {key: value for key, value in os.environ.items() if key != "HAECHI_WORKER_TOKEN"}
        descriptor = self._listening.fileno()
        self.starts += 1
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streams.playback", "--fd", str(descriptor)),
            *("--data-dir", str(self._data_dir), "--index", str(self._index_path)),
            pass_fds=[descriptor],
            stdin=asyncio.subprocess.PIPE,
            env=environment,
        )
        self.pid = process.pid
        return process


async def _end(process: asyncio.subprocess.Process) -> None:
    """Its input is closed, so it ends by itself; if it does not, it is killed."""
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
