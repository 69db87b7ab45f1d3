"""The WHEP relay of a worker: GOP buffers in, browsers out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from config.settings import WorkerSettings
from streams.gop_buffer import GopBuffer
from streams.relay.choice import StreamKey, Streams, StreamWish
from streams.relay.errors import RelayFull, UnknownSession
from streams.relay.feed import Feed
from streams.relay.pacer import Pacer
from streams.relay.sdp import choose_format, parse_offer
from streams.relay.session import NO_KEY_FRAME, Session, SessionLimits
from streams.relay.start import MOST_BURST_BYTES
from streams.relay.transport import Certificate, MediaAddress, MediaTransport

log = logging.getLogger(__name__)

_CHECK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is connecting or connected; `viewer` is whom it was opened for, as the opener named them."""

    camera_id: str
    session_id: str
    viewer: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened. `start` and `why` say how its picture begins, as in `Choice`."""

    session_id: str
    answer: str
    etag: str
    start: str
    why: str


class Relay:
    """Sends streams to WHEP viewers, copying. One event loop owns it; call `close` at the end.

    `streams` may change at any time. A kept GOP over `max_burst_bytes` is not sent at once (0: never).
    `reason_of` tells what is wrong with a stream that sends nothing.
    """

    def __init__(
        self,
        streams: Mapping[StreamKey, GopBuffer],
        settings: WorkerSettings,
        *,
        limits: SessionLimits | None = None,
        max_viewers: int = 2000,
        max_burst_bytes: int = MOST_BURST_BYTES,
        reason_of: Callable[[StreamKey], str] = lambda key: "",
    ) -> None:
        self._streams = Streams(streams, max_burst_bytes, self._end_feed, reason_of)
        self._limits = limits or SessionLimits()
        self._max_viewers = max_viewers
        self._address = MediaAddress(settings.media_hosts, settings.udp_ports)
        self._certificate = Certificate()
        self._pacer = Pacer()
        self._sessions: dict[str, Session] = {}
        self._totals: Counter[str] = Counter()
        self._checker: asyncio.Task[None] | None = None
        self._closing = False

    async def open(self, camera_id: str, stream: StreamWish, offer_sdp: str, viewer: str = "") -> Opened:
        """Open a session for a browser's offer. Raises a RelayError that says why not."""
        if self._closing or len(self._sessions) >= self._max_viewers:
            raise RelayFull("the relay is closing" if self._closing else f"{self._max_viewers} viewers are connected")
        choice = self._streams.choose(camera_id, stream)
        offer = parse_offer(offer_sdp)
        h264 = choose_format(offer, _profile(choice.feed.buffer))
        transport = MediaTransport(self._certificate.current(), self._address)
        session = Session(
            camera_id, stream, choice, self._streams, transport, self._pacer, self._limits, self._forget, viewer
        )
        self._sessions[session.id] = session
        try:
            await transport.gather()
            for candidate in offer.transport.candidates:
                await transport.add_candidate(candidate)
            if self._closing:
                raise RelayFull("the relay is closing")
        except BaseException:
            del self._sessions[session.id]
            await transport.close()
            raise
        answer = session.start(offer, h264)
        if self._checker is None:
            self._checker = asyncio.create_task(self._check(), name="relay check")
        return Opened(session.id, answer, session.etag, choice.start, choice.why)

    def session(self, camera_id: str, session_id: str) -> Session:
        """A session that is open. Raises UnknownSession."""
        session = self._sessions.get(session_id)
        if session is None or session.camera_id != camera_id:
            raise UnknownSession(f"camera {camera_id!r} has no session {session_id[:40]!r}")
        return session

    def viewer_counts(self) -> dict[StreamKey, int]:
        """Connected viewers by stream."""
        counts = Counter(session.stream_key for session in self._sessions.values() if session.viewer is not None)
        return dict(counts)

    def open_sessions(self) -> list[OpenSession]:
        """Every session and whom it is for."""
        return [OpenSession(one.camera_id, one.id, one.opened_for) for one in self._sessions.values()]

    @property
    def session_count(self) -> int:
        """Sessions that are connecting or connected."""
        return len(self._sessions)

    def counters(self) -> dict[str, int]:
        """What was sent since the start: viewers that came (`sessions`), packets, bytes, repeated, unsent packets,
        units, skipped_units, drops to a key frame, switches of stream, nacks (packets asked for), plis; viewers."""
        totals = Counter(self._totals)
        for session in self._sessions.values():
            totals += _count(session)
        names = [
            "packets",
            "bytes",
            "repeated",
            "unsent",
            "units",
            "skipped_units",
            "drops",
            "switches",
            "nacks",
            "plis",
        ]
        viewers = sum(session.viewer is not None for session in self._sessions.values())
        sessions = self._totals["sessions"] + len(self._sessions)
        return {"viewers": viewers, "sessions": sessions} | {name: totals[name] for name in names}

    async def close(self) -> None:
        """End all sessions and wait for it."""
        self._closing = True
        sessions = list(self._sessions.values())
        for session in sessions:
            session.end("the relay is closing")
        for session in sessions:
            await session.closed()
        if self._checker is not None:
            self._checker.cancel()
            await asyncio.wait((self._checker,))
            self._checker = None
        self._pacer.close()

    def _end_feed(self, feed: Feed) -> None:
        reason = feed.refusal.detail if feed.refusal else "the stream has ended"
        for session in list(self._sessions.values()):
            session.lose(feed, reason)

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.id, None)
        self._totals += _count(session)
        self._totals["sessions"] += 1
        if session.reason == NO_KEY_FRAME:
            self._streams.remember_keyless(session.choice.feed)

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            self._check_once()

    def _check_once(self) -> None:
        now_ns = time.monotonic_ns()
        for session in list(self._sessions.values()):
            session.check(now_ns)
        self._streams.sweep()


def _count(session: Session) -> Counter[str]:
    viewer = session.viewer
    return Counter(asdict(viewer.sender.counters) | asdict(viewer.counters)) if viewer is not None else Counter()


def _profile(buffer: GopBuffer) -> int:
    """profile_idc of the stream, from its SPS."""
    newest = buffer.get(buffer.next_index - 1)
    sets = newest.parameters.parameter_sets if newest is not None else ()
    return next((nal[1] for nal in sets if len(nal) > 3 and nal[0] & 0x1F == 7), 0)
