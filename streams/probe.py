"""One look at a stream: what a camera offers and whether Haechi can use it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from streams.access_unit import AccessUnit, Codec, CodecParameters
from streams.errors import BadAnswer, Stalled
from streams.rtsp.address import credentials_in, without_credentials
from streams.rtsp.client import RtspSession, SessionOptions

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

    options = SessionOptions(
        username=stands_username if username is None else username,
        password=stands_password if password is None else password,
        swept=False,
    )
    started_ns = time.monotonic_ns()
    session = RtspSession(without_credentials(url), options, take)
    try:
        await session.open()
        await _wait_for_picture(session, came)
        await _wait_for_end(session, seconds)
    finally:
        await session.close()
    return _report(url, session, units, started_ns)


async def _wait_for_picture(session: RtspSession, came: asyncio.Event) -> None:
    assert session.connection is not None
    waiter = asyncio.create_task(came.wait())
    try:
        ends: set[asyncio.Future[Any]] = {waiter, session.connection.lost}
        await asyncio.wait(ends, timeout=_KEY_WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
    if came.is_set():
        return
    if session.connection.lost.done():
        raise session.connection.lost.result()
    assembler = session.assembler
    quiet = assembler is None or not assembler.last_unit_ns
    why = session.why_quiet() if quiet else session.why_undecodable()
    raise Stalled(f"no picture within {_KEY_WAIT_SECONDS:.0f} s: {why}")


async def _wait_for_end(session: RtspSession, seconds: float) -> None:
    """Let it play; a camera that hangs up before has shown enough."""
    assert session.connection is not None
    await asyncio.wait({session.connection.lost}, timeout=seconds)


def _report(url: str, session: RtspSession, units: list[AccessUnit], started_ns: int) -> ProbeReport:
    media, receiver, assembler = session.media, session.receiver, session.assembler
    if media is None or receiver is None or assembler is None or not units:
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
        server=session.server,
        codec=media.codec,
        width=parameters.width,
        height=parameters.height,
        first_picture_seconds=(units[0].received_ns - started_ns) / 1e9,
        seconds=span,
        pictures=len(units),
        frames_per_second=rate,
        bits_per_second=sum(unit.size for unit in units[:-1]) * 8 / span if span > 0 else 0.0,
        gop_seconds=gop_pictures / rate if gop_pictures and rate else None,
        gop_pictures=gop_pictures,
        is_reordered=assembler.counts.reordered > 0,
        lost_packets=receiver.counts.lost,
        others_offered=media.others,
        wall_clock_offset_seconds=session.wall_clock_offset_seconds,
    )
