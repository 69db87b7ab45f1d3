"""One look at a stream: what a camera offers and whether Haechi can use it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote, urlsplit

from config.settings import SourceSettings
from streams.access_unit import AccessUnit, Codec, CodecParameters
from streams.errors import BadAnswer, ConnectFailed, Stalled
from streams.rtsp.address import credentials_in, is_rtsp, without_credentials
from streams.rtsp.client import RtspSession, SessionOptions
from streams.session import Session
from streams.sources.process import SourceProcess
from streams.sources.session import SourceOptions
from streams.supervision import running, supervise

_KEY_WAIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What was found at `url` (shown without credentials).

    `server` is what the camera calls itself. `first_picture_seconds` is from the first connection attempt to the
    first key frame. Rates are measured over `seconds` of video from there. `gop_seconds` and `gop_pictures` are None
    when no whole GOP was seen. `is_reordered`: it has B frames, so that WebRTC cannot relay it. `others_offered` are
    offered and left alone (audio). `wall_clock_offset_seconds` is the camera's clock minus ours, None when unsaid.
    """

    url: str
    server: str | None
    codec: Codec
    width: int
    height: int
    first_picture_seconds: float
    seconds: float
    pictures: int
    frames_per_second: float
    bits_per_second: float
    gop_seconds: float | None
    gop_pictures: int | None
    is_reordered: bool
    lost_packets: int
    others_offered: tuple[str, ...]
    wall_clock_offset_seconds: float | None


async def probe(
    url: str, username: str | None = None, password: str | None = None, seconds: float = 5.0
) -> ProbeReport:
    """Play `url` for `seconds` and tell what came.

    Credentials in the URL count where none are given. Raises StreamError; its `reason` says how to mend it.
    """
    stands_username, stands_password = credentials_in(url)
    units: list[AccessUnit] = []
    came = asyncio.Event()

    def take(unit: AccessUnit) -> None:
        units.append(unit)
        came.set()

    username = stands_username if username is None else username
    password = stands_password if password is None else password
    started_ns = time.monotonic_ns()
    async with _session(without_credentials(url), username, password, take) as session:
        try:
            await session.open()
            await _wait_for_picture(session, came)
            # One that hangs up before, or a file that ends, has shown enough.
            await asyncio.wait({session.ended}, timeout=seconds)
        finally:
            await session.close()
        return _report(url, session, units, started_ns)


@asynccontextmanager
async def _session(
    url: str, username: str | None, password: str | None, take: Callable[[AccessUnit], None]
) -> AsyncIterator[Session]:
    """Not yet open; what is not RTSP is read by a child, as in a worker."""
    if is_rtsp(url):
        yield RtspSession(url, SessionOptions(username=username, password=password, swept=False), take)
        return
    if urlsplit(url).scheme not in {"http", "https", "file"}:
        raise ConnectFailed("must look like rtsp://host[:port]/path, https://host/playlist.m3u8 or file:///clip.mp4")
    folder = Path(unquote(urlsplit(url).path)).parent if url.startswith("file:") else None
    sources = SourceProcess(SourceSettings(files_folder=folder))
    async with running(supervise("HLS and files", sources.run)):
        yield sources.session(url, SourceOptions(username, password), take)


async def _wait_for_picture(session: Session, came: asyncio.Event) -> None:
    waiter = asyncio.create_task(came.wait())
    try:
        ends: set[asyncio.Future[Any]] = {waiter, session.ended}
        await asyncio.wait(ends, timeout=_KEY_WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
    if came.is_set():
        return
    if session.ended.done():
        raise session.ended.result()
    why = session.why_undecodable() if session.last_unit_ns else session.why_quiet()
    raise Stalled(f"no picture within {_KEY_WAIT_SECONDS:.0f} s: {why}")


def _report(url: str, session: Session, units: list[AccessUnit], started_ns: int) -> ProbeReport:
    """Raises BadAnswer."""
    if not units:
        raise BadAnswer("camera sent no picture")
    parameters: CodecParameters = units[-1].parameters
    stamps = sorted(unit.pts_90k for unit in units)
    span = (stamps[-1] - stamps[0]) / 90_000
    rate = 90_000 / median(later - earlier for earlier, later in pairwise(stamps)) if span > 0 else 0.0
    keys = [index for index, unit in enumerate(units) if unit.is_key]
    whole = len(keys) > 1
    gop_pictures = round((keys[-1] - keys[0]) / (len(keys) - 1)) if whole else None
    return ProbeReport(
        url=without_credentials(url),
        server=session.server if isinstance(session, RtspSession) else None,
        codec=parameters.codec,
        width=parameters.width,
        height=parameters.height,
        first_picture_seconds=(units[0].received_ns - started_ns) / 1e9,
        seconds=span,
        pictures=len(units),
        frames_per_second=rate,
        bits_per_second=sum(unit.size for unit in units[:-1]) * 8 / span if span > 0 else 0.0,
        gop_seconds=gop_pictures / rate if gop_pictures and rate else None,
        gop_pictures=gop_pictures,
        is_reordered=session.counts.reordered_units > 0,
        lost_packets=session.counts.lost_packets,
        others_offered=session.others,
        wall_clock_offset_seconds=session.wall_clock_offset_seconds,
    )
