"""One WHEP session: from the offer to the end of its transport."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from streams.relay.errors import StaleSession
from streams.relay.feed import Feed
from streams.relay.pacer import Pacer
from streams.relay.rtp_sender import RtpSender
from streams.relay.sdp import H264Format, Offer, parse_candidates, parse_ice_user, write_answer
from streams.relay.transport import MediaTransport
from streams.relay.viewer import Viewer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """A session that does not connect in time, or whose viewer is not heard of for so long, ends."""

    connect_seconds: float = 12.0
    silence_seconds: float = 15.0
    first_picture_seconds: float = 30.0


class Session:
    """Runs by itself once `start` was called; `on_end` is called once, whatever ended it. `reason` says what did."""

    def __init__(
        self,
        camera_id: str,
        feed: Feed,
        starter: Feed,
        transport: MediaTransport,
        pacer: Pacer,
        limits: SessionLimits,
        on_end: Callable[[Session], None],
        opened_for: str = "",
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.camera_id = camera_id
        self.opened_for = opened_for
        self.feed = feed
        self.viewer: Viewer | None = None
        self.reason = ""
        self._starter = starter
        self._transport = transport
        self._pacer = pacer
        self._limits = limits
        self._on_end = on_end
        self._ssrc = 1 + secrets.randbelow(0xFFFF_FFFE)
        self._sender: RtpSender | None = None
        self._task: asyncio.Task[None] | None = None
        self._viewed_ns = 0
        self._peer_user = ""
        self._packets_seen = 0

    @property
    def etag(self) -> str:
        """Names the ICE session (RFC 9725, 4.3.1)."""
        return f'"{self._transport.answer().ice_user}"'

    def start(self, offer: Offer, h264: H264Format) -> str:
        """Begin to connect; returns the answer."""
        answer = write_answer(
            offer,
            h264,
            self._transport.answer(),
            ssrc=self._ssrc,
            stream_id=self.camera_id,
            session_id=secrets.randbits(62),
        )
        self._peer_user = offer.transport.ice_user
        self._task = asyncio.create_task(self._run(offer, h264), name=f"viewer of {self.feed.name}")
        return answer

    async def add_candidates(self, fragment: str) -> None:
        """Trickled candidates. Raises StaleSession, BadOffer."""
        for_user = parse_ice_user(fragment)
        if for_user is not None and for_user != self._peer_user:
            raise StaleSession("the candidates are of another ICE session; open a new session instead")
        for candidate in parse_candidates(fragment):
            await self._transport.add_candidate(candidate)

    def check(self, now_ns: int) -> None:
        """Look after the session now and then: report, and end it when its viewer is silent or waits in vain."""
        viewer = self.viewer
        if viewer is None:
            return
        viewer.report(now_ns)
        if viewer.sender.counters.packets == self._packets_seen:
            viewer.heard_ns = now_ns  # nothing was sent, so nothing need be said; ICE consent watches meanwhile
        self._packets_seen = viewer.sender.counters.packets
        if viewer.feed is not None and viewer.feed.buffer.closed:
            self.end("the stream has ended")
        elif now_ns - viewer.heard_ns > self._limits.silence_seconds * 1e9:
            self.end("the viewer is silent")
        elif not viewer.counters.units and now_ns - self._viewed_ns > self._limits.first_picture_seconds * 1e9:
            self.end(NO_KEY_FRAME)

    def end(self, reason: str) -> None:
        """Ask the session to end; it says good-bye and closes its socket soon after."""
        self.reason = self.reason or reason
        self._transport.closed.set()

    async def closed(self) -> None:
        """Wait until all is closed."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _run(self, offer: Offer, h264: H264Format) -> None:
        try:
            if await self._connect(offer, h264):
                await self._transport.closed.wait()
        finally:
            if self.viewer is not None:
                self.viewer.end()
                self.feed.remove(self.viewer)  # where it was still to go over to it
            try:
                await self._transport.close()
            finally:
                self._on_end(self)
            log.info("viewer of %s left: %s", self.feed.name, self.reason or "it closed the connection")

    async def _connect(self, offer: Offer, h264: H264Format) -> bool:
        sender = RtpSender(self._transport, h264.payload_type, self._ssrc, self.camera_id)
        connecting = asyncio.ensure_future(self._transport.connect(offer.transport, self._receive_rtcp))
        ended = asyncio.ensure_future(self._transport.closed.wait())
        try:
            await asyncio.wait(
                (connecting, ended), timeout=self._limits.connect_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not connecting.done() or self._transport.closed.is_set():
                self.reason = self.reason or "it did not connect in time"
                return False
            await connecting
        except ConnectionError as error:
            self.reason = f"it could not connect: {error}"
            return False
        finally:
            ended.cancel()
            connecting.cancel()
            await asyncio.gather(ended, connecting, return_exceptions=True)
        self._begin(sender)
        return True

    def _begin(self, sender: RtpSender) -> None:
        viewer = Viewer(sender, self._transport.tag_bytes, self._pacer, lambda: self.end("it said good-bye"))
        self._viewed_ns = time.monotonic_ns()
        self.viewer = viewer
        units = self._starter.start_units()
        viewer.feed = self._starter if units else self.feed
        viewer.feed.add(viewer)
        if viewer.feed is not self.feed:
            self.feed.add(viewer)  # its next key frame takes over
        if units:
            viewer.burst(units, viewer.feed)
        log.info("viewer of %s came, %s", self.feed.name, f"{len(units)} pictures at once" if units else "waiting")

    def _receive_rtcp(self, data: bytes) -> None:
        if self.viewer is not None:
            self.viewer.receive_rtcp(data)


NO_KEY_FRAME = "no key frame came"
