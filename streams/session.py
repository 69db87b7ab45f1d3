"""What a stream asks of whatever brings it access units: an RTSP session, an HLS feed, a file."""

from __future__ import annotations

import asyncio
from typing import Protocol

from streams.errors import Place, StreamError
from streams.stream_status import StreamCounts


class Session(Protocol):
    """One run of a source. It hands its access units on by a callback, in the loop.

    `wall_clock_offset_seconds` is the source's clock minus this machine's, None when unsaid. `place` names camera and
    connection.
    """

    @property
    def place(self) -> Place: ...

    @property
    def wall_clock_offset_seconds(self) -> float | None: ...

    @property
    def ended(self) -> asyncio.Future[StreamError]:
        """Done when the session ended by itself; its result says why. Only once `open` returned."""

    @property
    def counts(self) -> StreamCounts:
        """Of this session alone; attempts and sessions are the stream's to count."""

    @property
    def last_unit_ns(self) -> int:
        """When the last access unit came, decodable or not; 0: none did. Machine's monotonic clock."""

    @property
    def others(self) -> tuple[str, ...]:
        """What else is offered and nobody takes (audio)."""

    @property
    def gap_seconds(self) -> float:
        """How long it may be quiet while all is well; 0 for a source that sends pictures one by one."""

    async def open(self) -> None:
        """Until pictures may come. Raises StreamError; then nothing is left open."""

    async def close(self) -> None:
        """Never raises."""

    def hurry(self, is_urgent: bool) -> None:
        """Somebody looks at it, or nobody does any more."""

    def why_quiet(self) -> str:
        """For people: why no picture comes."""

    def why_undecodable(self) -> str:
        """For people: why pictures that come cannot be decoded."""
