"""A live HLS feed as traffic authorities give them: ffmpeg writes it, a real HTTP server hands it out."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, FileServer)
        if server.wanted is not None and self.headers.get("Authorization") != server.wanted:
            self.send_error(401)
        elif self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


class FileServer(ThreadingHTTPServer):
    """`wanted` is the Authorization header without which it answers 401."""

    daemon_threads = True
    wanted: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def file_server(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[FileServer]:
    """Serves the files of `folder` on a free port."""
    with FileServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder))) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def live_playlist(clip: Path, folder: Path, *, fmp4: bool = False) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg writes `folder`/live.m3u8 in real time, a segment a second, until the block ends; it is there at once."""
    form = ("-hls_segment_type", "fmp4") if fmp4 else ()
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy", "-f", "hls", *form),
        *("-hls_time", "1", "-hls_list_size", "6", "-hls_flags", "delete_segments+temp_file", "live.m3u8"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not (folder / "live.m3u8").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
