"""A camera's access units without the camera: a clip appended to a GopBuffer in real time, over and over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from streams.access_unit import AccessUnit, CodecParameters
from streams.gop_buffer import GopBuffer


def load_units(path: Path) -> list[AccessUnit]:
    """The H.264 access units of a clip in decode order; parameter sets stand in `parameters` only."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = [out for packet in container.demux(stream) if packet.size for out in to_annex_b.filter(packet)]
        packets += to_annex_b.filter(None)
        width, height = stream.codec_context.width, stream.codec_context.height
    units: list[AccessUnit] = []
    parameters: CodecParameters | None = None
    for packet in packets:
        nal_units = _split(bytes(packet))
        sets = tuple(nal for nal in nal_units if nal[0] & 0x1F in (7, 8))
        if sets and (parameters is None or sets != parameters.parameter_sets):
            parameters = CodecParameters("h264", sets, width, height)
        assert parameters is not None and packet.pts is not None
        pictures = tuple(nal for nal in nal_units if nal[0] & 0x1F in (1, 5))
        pts_90k = round(packet.pts * packet.time_base * 90_000)
        units.append(
            AccessUnit(
                pictures,
                pts_90k,
                0,
                any(nal[0] & 0x1F == 5 for nal in pictures),
                parameters,
                is_reference=any(nal[0] & 0x60 for nal in pictures),
            )
        )
    return units


def append_now(buffer: GopBuffer, units: Sequence[AccessUnit]) -> None:
    """Append all of `units` at once, as if they had come just now."""
    now_ns = time.monotonic_ns()
    for unit in units:
        buffer.append(replace(unit, received_ns=now_ns))


class LiveFeed:
    """Loops over `units` at `fps`; `async with` it. `played` counts units; `phase` is where in the loop it begins."""

    def __init__(
        self, buffer: GopBuffer, units: Sequence[AccessUnit], fps: int = 15, phase: int = 0, run: int = 0
    ) -> None:
        self.buffer = buffer
        self.units = units
        self.played = phase
        self.run = run
        self._step_90k = 90_000 // fps
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LiveFeed:
        key = max(i for i in range(self.played % len(self.units) + 1) if self.units[i].is_key)
        for number in range(key, self.played % len(self.units)):
            self._append(number - self.played % len(self.units) + self.played)
        self._task = asyncio.create_task(self._play())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _play(self) -> None:
        start, first = time.monotonic(), self.played
        while True:
            self._append(self.played)
            self.played += 1
            due = start + (self.played - first) * self._step_90k / 90_000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _append(self, number: int) -> None:
        unit = self.units[number % len(self.units)]
        pts_90k = 1_000_000 + number * self._step_90k
        self.buffer.append(replace(unit, pts_90k=pts_90k, received_ns=time.monotonic_ns(), run=self.run))


def _split(data: bytes) -> list[bytes]:
    pieces = [piece.rstrip(b"\x00") for piece in data.split(b"\x00\x00\x01")[1:]]
    return [piece for piece in pieces if piece]
