"""One WHEP session: from the offer to the end of its transport."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from config.settings import StreamName
from streams.relay.bandwidth import Step, StreamJudge
from streams.relay.choice import Choice, StreamKey, Streams, StreamWish
from streams.relay.errors import RelayError, RestartNotSupported
from streams.relay.feed import Feed
from streams.relay.header_extensions import HeaderExtensions
from streams.relay.pacer import Pacer
from streams.relay.rtp_sender import RtpSender
from streams.relay.sdp import H264Format, Offer, parse_candidates, parse_ice_user, write_answer
from streams.relay.transport import MediaTransport
from streams.relay.viewer import Viewer

log = logging.getLogger(__name__)
_STREAMS: tuple[StreamName, StreamName] = ("main", "sub")


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """A session that does not connect in time, or whose viewer is not heard of for so long, ends.

    One that has another stream than it wished for looks for its own again every `choose_again_seconds`.
    """

    connect_seconds: float = 12.0
    silence_seconds: float = 15.0
    first_picture_seconds: float = 30.0
    choose_again_seconds: float = 10.0


class Session:
    """Runs by itself once `start` was called; `on_end` is called once, whatever ended it. `reason` says what did."""

    def __init__(
        self,
        camera_id: str,
        wish: StreamWish,
        choice: Choice,
        streams: Streams,
        transport: MediaTransport,
        pacer: Pacer,
        limits: SessionLimits,
        on_end: Callable[[Session], None],
        opened_for: str = "",
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.camera_id = camera_id
        self.opened_for = opened_for
        self.wish = wish
        self.choice = choice
        self.viewer: Viewer | None = None
        self.reason = ""
        self._streams = streams
        self._judge: StreamJudge | None = None
        self._chosen_ns = time.monotonic_ns()
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
        self._task = asyncio.create_task(self._run(offer, h264), name=f"viewer of {self.choice.feed.name}")
        return answer

    async def add_candidates(self, fragment: str) -> None:
        """Trickled candidates. Another user name fragment asks for an ICE restart: RestartNotSupported. BadOffer."""
        for_user = parse_ice_user(fragment)
        if for_user is not None and for_user != self._peer_user:
            raise RestartNotSupported("this session goes on with the candidates it has; open a new session instead")
        for candidate in parse_candidates(fragment):
            await self._transport.add_candidate(candidate)

    def check(self, now_ns: int) -> None:
        """Look after the session now and then: report, and end it when its viewer is silent or waits in vain."""
        viewer = self.viewer
        if viewer is None:
            return
        viewer.report()
        if viewer.sender.counters.packets == self._packets_seen:
            viewer.heard_ns = now_ns  # nothing was sent, so nothing need be said; ICE consent watches meanwhile
        self._packets_seen = viewer.sender.counters.packets
        if closed := next((feed for feed in (viewer.feed, viewer.next_feed) if feed and feed.buffer.closed), None):
            self.lose(closed, "the stream has ended")
        elif now_ns - viewer.heard_ns > self._limits.silence_seconds * 1e9:
            self.end("the viewer is silent")
        elif not viewer.counters.units and now_ns - self._viewed_ns > self._limits.first_picture_seconds * 1e9:
            self.end(NO_KEY_FRAME)
        else:
            self._choose_again(viewer, now_ns)

    @property
    def stream_key(self) -> StreamKey:
        """The stream it has or is to have."""
        return self.camera_id, self.choice.stream

    def choose(self, wish: StreamWish) -> None:
        """Go over to another stream without a gap. Raises a RelayError that says why not; all goes on as it was."""
        choice = self._streams.choose(self.camera_id, wish)
        self.wish = wish
        self._judge = None
        if self.viewer is not None:
            self.viewer.filler_bits = 0.0
        self._take(choice)

    def lose(self, feed: Feed, reason: str) -> None:
        """`feed` can be sent no longer: go on with the other stream, or end."""
        viewer = self.viewer
        if self.choice.feed is not feed and (viewer is None or viewer.feed is not feed):
            return
        try:
            self._take(self._streams.choose(self.camera_id, self.wish), at_once=True)
        except RelayError:
            self.end(reason)

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
            try:
                await self._transport.close()
            finally:
                self._on_end(self)
            log.info("viewer of %s left: %s", self.choice.feed.name, self.reason or "it closed the connection")

    async def _connect(self, offer: Offer, h264: H264Format) -> bool:
        extensions = HeaderExtensions(offer.extensions, offer.mid)
        sender = RtpSender(self._transport, h264.payload_type, self._ssrc, self.camera_id, extensions)
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
        count = viewer.begin(self.choice.feed, self.choice.starter)
        name = self.choice.starter.name
        log.info("viewer of %s came, %s", name, f"{count} pictures at once" if count else "waiting")

    def _take(self, choice: Choice, *, at_once: bool = False) -> None:
        """Go over to the chosen stream. `at_once`: the present one goes on no longer."""
        viewer, self.choice = self.viewer, choice
        self._chosen_ns = time.monotonic_ns()
        if viewer is None:
            return
        if at_once or choice.starter is choice.feed or viewer.feed is choice.feed:
            viewer.change(choice.feed, at_once=at_once)
        else:
            viewer.change(choice.starter)
            viewer.wait_for(choice.feed)

    def _choose_again(self, viewer: Viewer, now_ns: int) -> None:
        """What the way carries, where the choice is the relay's; what was wished for, where it was not to be had."""
        if self.wish == "auto" and not self.choice.why:
            self._weigh(viewer, now_ns)
        passed = (now_ns - self._chosen_ns) / 1e9
        awaited = viewer.next_feed
        if awaited is not None and passed > self._limits.first_picture_seconds:
            if awaited.buffer.last_key_index is None:
                self._streams.remember_keyless(awaited)
                self._try(self.wish)
        elif self.choice.why and passed > self._limits.choose_again_seconds:
            self._try(self.wish)

    def _weigh(self, viewer: Viewer, now_ns: int) -> None:
        main, sub = (self._streams.feed_of(self.camera_id, name) for name in _STREAMS)
        if main is None or sub is None or viewer.next_feed is not None:
            return  # filler goes on until it has gone over: a way that is fed less gets less credit
        if self._judge is None:
            self._judge = StreamJudge(viewer.link)
        step = self._judge.look(now_ns, main.bits_per_second(now_ns))
        if step is not Step.UP:
            viewer.filler_bits = self._judge.filler_bits
        if step is not Step.STAY:
            log.info("viewer of camera %s goes %s, its way carries %s", self.camera_id, step.value, viewer.link)
            self._try("sub" if step is Step.DOWN else "main", at_once=step is Step.DOWN)
            if (self.choice.stream == "sub") != self._judge.is_down:
                self._judge = None

    def _try(self, wish: StreamWish, *, at_once: bool = False) -> None:
        self._chosen_ns = time.monotonic_ns()
        try:
            self._take(self._streams.choose(self.camera_id, wish), at_once=at_once)
        except RelayError as error:
            log.debug("viewer of %s stays: %s", self.choice.feed.name, error)

    def _receive_rtcp(self, data: bytes) -> None:
        if self.viewer is not None:
            self.viewer.receive_rtcp(data)


NO_KEY_FRAME = "no key frame came"
