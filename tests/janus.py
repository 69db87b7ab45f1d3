"""Debian's Janus as another server to compare with: a streaming mountpoint fed by RTP, viewers over HTTP."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from aiortc.sdp import SessionDescription

from tests.ports import free_port

if TYPE_CHECKING:
    from tests.light_receivers import LightReceiver, Receivers

_PLUGINS = Path("/usr/lib/x86_64-linux-gnu/janus")
_MAIN = """general: {{
  configs_folder = "{folder}"
  plugins_folder = "{folder}/plugins"
  transports_folder = "{folder}/transports"
  events_folder = "{folder}/none"
  loggers_folder = "{folder}/none"
  debug_level = 3
  session_timeout = 0
  {event_loops}
}}
nat: {{ nice_debug = false }}
media: {{ ipv6 = false }}
"""
_HTTP = """general: {{ json = "compact" base_path = "/janus" http = true port = {port} ip = "127.0.0.1" https = false }}
admin: {{ admin_http = false }}
"""
_STREAMING = """bench: {{
  type = "rtp"
  id = 1
  description = "bench"
  threads = {threads}
  media = ( {{ type = "video" mid = "v" label = "v" port = {port} pt = 102 codec = "h264"
              fmtp = "profile-level-id=42e01f;packetization-mode=1" }} )
}}
"""


@dataclass(frozen=True, slots=True)
class Janus:
    """A running one: its process, its API, and where its mountpoint takes RTP (payload type 102) on loopback."""

    pid: int
    url: str
    rtp_port: int
    version: str


@asynccontextmanager
async def running_janus(*, event_loops: int = 0, threads: int = 0) -> AsyncIterator[Janus]:
    """Until the block ends, with configuration files of its own. `event_loops` 0: a thread a viewer, its default."""
    with tempfile.TemporaryDirectory(prefix="haechi-janus-") as name:
        folder, http_port, rtp_port = Path(name), free_port(), free_port()
        _configure(folder, http_port, rtp_port, event_loops, threads)
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *("janus", "-F", name, "-C", f"{name}/janus.jcfg"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            url = f"http://127.0.0.1:{http_port}/janus"
            version = await _wait_until_up(process, url, folder / "log")
            yield Janus(process.pid, url, rtp_port, version)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def watch_mountpoint(receivers: Receivers, url: str, count: int) -> None:
    """Connect `count` light receivers to mountpoint 1, over one session of the API."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        session = f"{url}/{(await _call(http, url, janus='create'))['data']['id']}"
        for _ in range(count):
            receiver = receivers.new()
            await _watch(http, session, receiver)
            receivers.add(receiver)


async def _watch(http: httpx.AsyncClient, session: str, receiver: LightReceiver) -> None:
    attached = await _call(http, session, janus="attach", plugin="janus.plugin.streaming")
    handle = f"{session}/{attached['data']['id']}"
    await _call(http, handle, janus="message", body={"request": "watch", "id": 1})
    while "jsep" not in (event := (await http.get(session, params={"maxev": 1})).json()):
        if "error" in event.get("plugindata", {}).get("data", {}):
            raise RuntimeError(str(event))
    media = SessionDescription.parse(event["jsep"]["sdp"]).media[0]
    await receiver.gather()
    jsep = {"type": "answer", "sdp": receiver.description(media.rtp.muxId, answers=True)}
    await _call(http, handle, janus="message", body={"request": "start"}, jsep=jsep)
    await receiver.connect(media)


async def _call(http: httpx.AsyncClient, url: str, **body: object) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.post(url, json={**body, "transaction": secrets.token_hex(8)})).json()
    if answer["janus"] not in ("success", "ack"):
        raise RuntimeError(str(answer))
    return answer


def _configure(folder: Path, http_port: int, rtp_port: int, event_loops: int, threads: int) -> None:
    loops = f"event_loops = {event_loops}" if event_loops else ""
    (folder / "janus.jcfg").write_text(_MAIN.format(folder=folder, event_loops=loops))
    (folder / "janus.transport.http.jcfg").write_text(_HTTP.format(port=http_port))
    (folder / "janus.plugin.streaming.jcfg").write_text(_STREAMING.format(port=rtp_port, threads=threads))
    for kind, library in (("plugins", "streaming"), ("transports", "http")):  # the others would open ports
        (folder / kind).mkdir()
        found = sorted((_PLUGINS / kind).glob(f"libjanus_{library}.so*"))
        shutil.copy(found[0], folder / kind / f"libjanus_{library}.so")
    (folder / "none").mkdir()


async def _wait_until_up(process: asyncio.subprocess.Process, url: str, log: Path) -> str:
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(30):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"Janus ended: {log.read_text(errors='replace')[-2000:]}")
            try:
                return str((await http.get(f"{url}/info")).json()["version_string"])
            except httpx.TransportError:
                await asyncio.sleep(0.1)
