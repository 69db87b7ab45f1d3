"""The packets process's end of one source: a `streams.session.Session` whose pictures a child demuxes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.access_unit import AccessUnit
from streams.codecs.h264 import H264Syntax
from streams.codecs.h265 import H265Syntax
from streams.errors import NoAnswer, Place, StreamError
from streams.rtsp.assembler import AccessUnitAssembler, Marker
from streams.sources import link
from streams.sources.link import Ended, Open, Opened
from streams.stream_status import StreamCounts

_OPENING_ANSWERS = 4  # a playlist, another one, a segment, and the start of the child


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How to open a source. `place` names camera and stream in errors. `run` goes into every access unit."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    run: int = 0
    answer_seconds: float = 5.0
    place: Place = field(default_factory=Place)


class Reader(Protocol):
    """The child that reads sources."""

    async def open(self, session: SourceSession) -> int:
        """Have `session.order` played once there is a child; its number."""

    def close(self, number: int) -> None: ...


class SourceSession:
    """One source being played. What the child says of it comes to the `take_…` methods."""

    wall_clock_offset_seconds: float | None = None

    def __init__(self, url: str, options: SourceOptions, reader: Reader, on_unit: Callable[[AccessUnit], None]) -> None:
        self.place = options.place
        self.others: tuple[str, ...] = ()
        self.gap_seconds = 0.0
        self.ended: asyncio.Future[StreamError] = asyncio.get_running_loop().create_future()
        self._url = url
        self._options = options
        self._reader = reader
        self._on_unit = on_unit
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number: int | None = None
        self._assembler: AccessUnitAssembler | None = None
        self._packets = self._bytes = 0
        self._note = ""

    def order(self, number: int, files_folder: str | None) -> Open:
        """What the child is told."""
        options = self._options
        return Open(
            number=number,
            url=self._url,
            username=options.username,
            password=options.password,
            answer_seconds=options.answer_seconds,
            files_folder=files_folder,
        )

    async def open(self) -> None:
        seconds = _OPENING_ANSWERS * self._options.answer_seconds
        try:
            async with asyncio.timeout(seconds):
                self._number = await self._reader.open(self)
                ends: set[asyncio.Future[Any]] = {self._opened, self.ended}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            await self.close()
            raise NoAnswer(f"no picture within {seconds:g} s; check the address and the network", self.place) from None
        if not self._opened.done():
            raise self.ended.result()

    async def close(self) -> None:
        if self._number is not None:
            self._reader.close(self._number)
            self._number = None

    def hurry(self, is_urgent: bool) -> None:
        """Nothing to do: pictures come when they are due."""

    @property
    def counts(self) -> StreamCounts:
        if self._assembler is None:
            return StreamCounts()
        units = self._assembler.counts
        return StreamCounts(
            packets=self._packets,
            bytes=self._bytes,
            access_units=units.units,
            key_frames=units.key_frames,
            damaged_units=units.damaged_units,
            malformed=units.malformed,
            clock_jumps=self._assembler.timeline.jumps,
            reordered_units=units.reordered,
        )

    @property
    def last_unit_ns(self) -> int:
        return self._assembler.last_unit_ns if self._assembler else 0

    def why_quiet(self) -> str:
        return self._note or "nothing more comes from the server; check it and the network"

    def why_undecodable(self) -> str:
        assembler = self._assembler
        if assembler is not None and assembler.refreshes_gradually:
            return "it uses periodic intra refresh and has no key frames"
        if assembler is not None and assembler.parameters is None:
            return "parameter sets (SPS, PPS) are missing"
        return "no key frame came"

    # --- what the child says

    def take_opened(self, opened: Opened) -> None:
        syntax = H264Syntax() if opened.codec == "h264" else H265Syntax()
        self._assembler = AccessUnitAssembler(syntax, self._on_unit, run=self._options.run)
        self._assembler.marker = Marker.ENDS_UNIT  # a packet of a container is a whole picture
        self.others = opened.others
        self.gap_seconds = 2 * opened.piece_seconds
        if not self._opened.done():
            self._opened.set_result(None)

    def take_unit(self, body: bytes) -> None:
        """Raises LinkError."""
        assembler = self._assembler
        if assembler is None or self.ended.done():
            return
        stamp, nal_units = link.decode_unit(body)
        self._packets += 1
        self._bytes += len(body)
        assembler.start_packet(stamp)
        for nal in nal_units:
            assembler.add(nal)
        assembler.end_packet(True)

    def take_note(self, text: str) -> None:
        self._note = text

    def take_ended(self, ended: Ended) -> None:
        if not self.ended.done():
            self.ended.set_result(link.error_of(ended, self.place))
