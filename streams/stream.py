"""The life of one stream: connecting → live → (stalled) → backing off → connecting, for ever."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from config.settings import Camera, StreamName, Transport
from streams.access_unit import AccessUnit
from streams.connect_budget import ConnectBudget
from streams.errors import ConnectFailed, Place, PlayedToItsEnd, Redirected, Stalled, StreamError, WrongCredentials
from streams.gop_buffer import GopBuffer
from streams.rtsp.address import is_rtsp, is_same_place
from streams.rtsp.client import RtspSession, SessionOptions
from streams.rtsp.receiver import PacketFault
from streams.rtsp.transport_header import Carrier
from streams.session import Session
from streams.sources.process import SourceProcess
from streams.sources.session import SourceOptions
from streams.stream_status import StreamCounts, StreamState, StreamStatus
from streams.supervision import BackOff

logger = logging.getLogger(__name__)

_SHORTEST_REPEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """Patience of a stream, in seconds.

    `stall`: without any picture. `key_wait`: with pictures of which none can be decoded. A run of `healthy` length
    resets the back-off, which grows from `first_backoff` to `last_backoff`. One log line of packet faults at most
    every `fault_log`. A camera that refuses user name and password is asked again after `first_refused`, growing to
    `last_refused`: many lock the account after a few wrong attempts.
    """

    answer: float = 5.0
    stall: float = 5.0
    key_wait: float = 30.0
    healthy: float = 20.0
    first_backoff: float = 1.0
    last_backoff: float = 15.0
    first_refused: float = 15.0
    last_refused: float = 600.0
    fault_log: float = 10.0


@dataclass(frozen=True, slots=True)
class _Target:
    """What a session is opened with."""

    url: str
    username: str | None
    password: str | None = field(repr=False)
    transport: Transport


def _target(camera: Camera, name: StreamName) -> _Target:
    password = camera.password.get_secret_value() if camera.password else None
    return _Target(camera.url(name), camera.username, password, camera.transport)


class Stream:
    """One encoding of one camera, kept alive. Readers take `buffer`, which outlives every reconnect.

    `budget` is shared by all streams of a site and bounds their attempts to connect. `on_change(status)` is
    called in the loop at every change of state or reason; it must not raise. `sources` opens what is not RTSP.
    `run` is to run once.
    """

    def __init__(
        self,
        camera: Camera,
        name: StreamName,
        *,
        budget: ConnectBudget,
        ring_max_bytes: int,
        on_change: Callable[[StreamStatus], None] = lambda status: None,
        times: StreamTimes | None = None,
        sources: SourceProcess | None = None,
    ) -> None:
        self.camera_id = camera.id
        self.name: StreamName = name
        self.buffer = GopBuffer(ring_max_bytes)
        self.buffer.on_urgency = self._hurry
        self.state: StreamState = "connecting"
        self.reason = ""
        self.since = datetime.now(UTC)
        self.next_attempt_at: datetime | None = None
        self._target = _target(camera, name)
        self._budget = budget
        self._on_change = on_change
        self._sources = sources
        self._times = times or StreamTimes()
        self._back_off = BackOff(self._times.first_backoff, self._times.last_backoff)
        self._refused_back_off = BackOff(self._times.first_refused, self._times.last_refused)
        self._enabled = asyncio.Event()
        self._enabled.set()
        self._life: asyncio.Task[None] | None = None
        self._session: Session | None = None
        self._past = StreamCounts()
        self._run = 0
        self._has_failed = False
        self._opened_at = 0.0
        self._udp_is_silent = False
        self._moved_to: str | None = None
        self._others: tuple[str, ...] = ()
        self._wall_clock_offset_seconds: float | None = None
        self._last_unit: AccessUnit | None = None
        self._decodable_ns = 0
        self._key_pts_90k = 0
        self._gop_seconds = 0.0
        self._logged_reason = ""
        self._fault_logged_at = 0.0
        self._faults_unlogged = 0

    # --- what others ask

    def status(self) -> StreamStatus:
        """State, reason and counters now."""
        last, session = self._last_unit, self._session
        parameters = last.parameters if last else None
        if session is not None:
            self._wall_clock_offset_seconds = session.wall_clock_offset_seconds
        counts = self._past.plus(session.counts) if session else self._past
        return StreamStatus(
            camera_id=self.camera_id,
            stream=self.name,
            state=self.state,
            reason=self.reason,
            since=self.since,
            next_attempt_at=self.next_attempt_at,
            run=self._run,
            codec=parameters.codec if parameters else None,
            width=parameters.width if parameters else None,
            height=parameters.height if parameters else None,
            last_picture_at=_utc_of(last.received_ns) if last else None,
            wall_clock_offset_seconds=self._wall_clock_offset_seconds,
            has_fast_start=self.buffer.last_key_index is not None,
            is_reordered=counts.reordered_units > self._past.reordered_units,
            others_offered=self._others,
            counts=counts,
        )

    @property
    def attempts(self) -> int:
        """Connections tried since the start."""
        return self._past.attempts

    def change(self, camera: Camera) -> None:
        """Go on with another definition: a changed URL, user name or password begins a new session at once.

        The ring stays, and with it who reads it.
        """
        target = _target(camera, self.name)
        if target == self._target:
            return
        self._target = target
        self._moved_to = None
        self._reset_back_off()
        self._logged_reason = ""
        if self._enabled.is_set():
            self._change("connecting", "")
        if self._life is not None:
            self._life.cancel()

    def disable(self, reason: str) -> None:
        """End the session and stay away until `enable`."""
        self._enabled.clear()
        if self._life is not None:
            self._life.cancel()
        self._change("disabled", reason)

    def enable(self) -> None:
        """Connect again after `disable`."""
        if not self._enabled.is_set():
            self._reset_back_off()
            self._change("connecting", "")
            self._enabled.set()

    async def run(self) -> None:
        """Keep the stream alive until cancelled; then the session is torn down and the buffer stays open."""
        while True:
            await self._enabled.wait()
            self._life = life = asyncio.create_task(self._live())
            try:
                await asyncio.wait({life})
            finally:
                life.cancel()
                await asyncio.wait({life})
            if not life.cancelled():
                life.result()

    # --- one life, between enable and disable

    async def _live(self) -> None:
        """Connect, watch, tear down, back off, again. A file that played to its end begins anew at once."""
        is_repeat = False
        while True:
            started = time.monotonic()
            if not is_repeat:
                self._change("connecting", self.reason)
            is_repeat, back_off = False, self._back_off
            try:
                await self._play()
            except PlayedToItsEnd as error:
                if self._decodable_ns:
                    is_repeat, self._has_failed = True, False
                    await asyncio.sleep(max(0.0, started + _SHORTEST_REPEAT_SECONDS - time.monotonic()))
                    continue
                reason, place = f"{error.reason}, and none of its pictures could be decoded", str(error.place)
            except StreamError as error:
                reason, place = error.reason, str(error.place)
                if isinstance(error, WrongCredentials):
                    back_off = self._refused_back_off
            except Exception as error:
                reason, place = f"internal fault: {type(error).__name__}", ""
                logger.exception("camera %s %s: internal fault", self.camera_id, self.name)
            self._has_failed = not self._decodable_ns
            if self._decodable_ns and time.monotonic() - self._opened_at >= self._times.healthy:
                self._reset_back_off()
            if reason != self._logged_reason:  # a dead camera says so once, not at every attempt
                logger.warning("camera %s %s: %s (%s)", self.camera_id, self.name, reason, place)
                self._logged_reason = reason
            pause = back_off.next_seconds()
            self.next_attempt_at = datetime.now(UTC) + timedelta(seconds=pause)
            self._change("backing_off", reason)
            await asyncio.sleep(pause)

    def _reset_back_off(self) -> None:
        self._back_off.reset()
        self._refused_back_off.reset()
        self._has_failed = False

    async def _play(self) -> None:
        """One session from connect to its end. Raises StreamError always."""
        self._run += 1
        self._decodable_ns = 0
        session = self._new_session()
        try:
            async with self._budget.attempt(has_failed=self._has_failed):
                self._past = dataclasses.replace(self._past, attempts=self._past.attempts + 1)
                await session.open()
            self._session, self._opened_at = session, time.monotonic()
            self._hurry(self.buffer.is_urgent)
            self._past = dataclasses.replace(self._past, sessions=self._past.sessions + 1)
            self._others = session.others
            if self.state == "connecting":
                self._change("connecting", "camera plays; waiting for a key frame")
            error = await self._watch(session)
            if isinstance(error, Redirected):
                self._moved_to = error.location  # for one session; after it, or where it fails, as it is configured
            raise error
        finally:
            self._session = None
            self._past = self._past.plus(session.counts)
            await session.close()
            if isinstance(session, RtspSession) and session.receiver and not session.receiver.counts.packets:
                self._udp_is_silent = session.datagrams is not None

    def _new_session(self) -> Session:
        """By the URL's scheme. Raises StreamError."""
        target, place = self._target, Place(self.camera_id, self.name)
        if is_rtsp(target.url):
            options = SessionOptions(
                username=target.username,
                password=target.password,
                run=self._run,
                answer_seconds=self._times.answer,
                place=place,
                carrier=self._carrier(),
            )
            url, self._moved_to = self._moved_to or target.url, None
            if not is_same_place(url, target.url):
                options = dataclasses.replace(options, username=None, password=None)
            return RtspSession(url, options, self._take, self._fault)
        if self._sources is None:
            raise ConnectFailed("only rtsp:// and rtsps:// can be opened here", place)
        order = SourceOptions(target.username, target.password, self._run, self._times.answer, place)
        return self._sources.session(target.url, order, self._take)

    def _carrier(self) -> Carrier:
        """What to ask for first."""
        if self._target.transport == "auto":
            return "tcp" if self._udp_is_silent else "udp"
        return self._target.transport

    def _take(self, unit: AccessUnit) -> None:
        """Every access unit of the session comes here."""
        if unit.is_key:
            last = self._last_unit
            if last is not None and last.run == unit.run:
                self._gop_seconds = (unit.pts_90k - self._key_pts_90k) / 90_000
            self._key_pts_90k = unit.pts_90k
        self._last_unit = unit
        if not unit.is_damaged:
            self._decodable_ns = unit.received_ns
            if self.state != "live":
                self._change("live", "")
        self.buffer.append(unit)

    def _hurry(self, is_urgent: bool) -> None:
        """Somebody looks on, or nobody does any more."""
        if self._session is not None:
            self._session.hurry(is_urgent)

    async def _watch(self, session: Session) -> StreamError:
        """Wait until the session ends or stalls; returns why."""
        played_ns = time.monotonic_ns()
        while not session.ended.done():
            left, reason = self._patience(session, played_ns)
            if left <= 0:
                self._change("stalled", reason)
                return Stalled(reason, Place(self.camera_id, self.name))
            await asyncio.wait({session.ended}, timeout=left)
        return session.ended.result()

    def _patience(self, session: Session, played_ns: int) -> tuple[float, str]:
        """Seconds left until the session counts as stalled, and what would be the reason."""
        times = self._times
        stall = max(times.stall, session.gap_seconds)
        now_ns = time.monotonic_ns()
        quiet = (now_ns - max(played_ns, session.last_unit_ns)) / 1e9
        undecodable = (now_ns - max(played_ns, self._decodable_ns)) / 1e9
        limit = max(times.key_wait, stall)
        if self._decodable_ns:
            limit = max(stall, min(2 * self._gop_seconds, times.key_wait))
        if stall - quiet <= limit - undecodable:
            return stall - quiet, f"no picture for {stall:g} s: {session.why_quiet()}"
        return limit - undecodable, (
            f"pictures come, but none could be decoded for {limit:.0f} s: {session.why_undecodable()}"
        )

    def _fault(self, fault: PacketFault) -> None:
        """Something is wrong with a packet: one log line now and then."""
        self._faults_unlogged += 1
        now = time.monotonic()
        if now - self._fault_logged_at < self._times.fault_log:
            return
        connection = self._session.place.connection if self._session is not None else None
        place = Place(self.camera_id, self.name, connection, fault.packet, fault.ssrc & 0xFFFF_FFFF, fault.sequence)
        logger.warning("%s (%s); %d packet faults since the last such line", fault.what, place, self._faults_unlogged)
        self._fault_logged_at, self._faults_unlogged = now, 0

    def _change(self, state: StreamState, reason: str) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        if state != "backing_off":
            self.next_attempt_at = None
        if state != self.state:
            self.since = datetime.now(UTC)
            if state == "live":
                logger.info("camera %s %s: live", self.camera_id, self.name)
                self._logged_reason = ""
        self.state, self.reason = state, reason
        self._on_change(self.status())


def _utc_of(monotonic_ns: int) -> datetime:
    return datetime.fromtimestamp(time.time() - (time.monotonic_ns() - monotonic_ns) / 1e9, UTC)
