"""An RTSP server that plays clips as if they were cameras: an instrument for tests, the demo and benchmarks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from config.settings import StreamName
from streams.virtual.authentication import challenge, is_authorized
from streams.virtual.clip import Clip, load_clip
from streams.virtual.connection import MAX_UNSENT_BYTES, Connection
from streams.virtual.description import describe, describe_audio_only
from streams.virtual.live_stream import LiveStream
from streams.virtual.mount import MountedCamera
from streams.virtual.rtsp_request import ClientPorts, Interleaved, Request, Response, transport_offers
from streams.virtual.session import InterleavedRoute, Session
from streams.virtual.settings import Faults, Mount, Pacing
from streams.virtual.timeline import LoopTimeline
from streams.virtual.timer_wheel import TimerWheel
from streams.virtual.udp import Address, UdpPorts, UdpRoute

_CLOSE_SECONDS = 1.0
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"


class VirtualCameraServer:
    """`async with VirtualCameraServer(mounts) as server: server.url("gate", "main")`.

    Raises ClipError for a clip that cannot be served and OSError for an address that cannot be had, both on entry.
    `started_at` is position 0 of mounts without phase; each client sees the same picture at the same time.
    """

    def __init__(
        self,
        mounts: Sequence[Mount],
        host: str = "127.0.0.1",
        port: int = 0,
        pacing: Pacing = "paced",
        session_timeout_seconds: float = 60.0,
        tick_seconds: float = 0.002,
        max_unsent_bytes: int = MAX_UNSENT_BYTES,
    ) -> None:
        self.host = host
        self.port = port
        self.started_at = datetime.now(UTC)
        self.slow_clients_dropped = 0
        self._mounts = tuple(mounts)
        self._pacing = pacing
        self._session_timeout_seconds = session_timeout_seconds
        self._tick_seconds = tick_seconds
        self._max_unsent_bytes = max_unsent_bytes
        self._states: dict[str, MountedCamera] = {}
        self._sessions: dict[str, Session] = {}
        self._by_report_address: dict[Address, Session] = {}
        self._rebooting: set[asyncio.Task[None]] = set()
        self._connections: set[Connection] = set()
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self._lifetime = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        clips = await asyncio.to_thread(self._load_clips)
        self._wheel = TimerWheel(self._tick_seconds)
        epoch = time.monotonic()
        epoch_utc_ns = time.time_ns()
        self.started_at = datetime.fromtimestamp(epoch_utc_ns // 1000 / 1e6, UTC)
        for mount in self._mounts:
            self._states[mount.name] = self._make_state(mount, clips, epoch, epoch_utc_ns)
        self._udp = UdpPorts(self.host, self._heard_from)
        self._lifetime.callback(self._udp.close)
        await self._listen()
        self._expiry = self._loop.call_later(self._expiry_seconds, self._expire_sessions)
        self._lifetime.callback(lambda: self._expiry.cancel())
        self._lifetime.callback(self._wheel.close)
        self._lifetime.push_async_callback(self._close_connections)
        self._lifetime.callback(lambda: [task.cancel() for task in self._rebooting])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lifetime.aclose()

    def url(self, name: str, stream: StreamName = "main") -> str:
        """Where a client finds `stream` of mount `name`; no user name or password in it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"rtsp://{host}:{self.port}/{name}/{stream}"

    def timeline(self, name: str) -> LoopTimeline:
        """The clock of mount `name`."""
        return self._states[name].timeline

    def faults(self, name: str) -> Faults:
        """What is wrong with mount `name` now."""
        return self._states[name].faults

    def set_faults(self, name: str, faults: Faults) -> None:
        """Replace the faults of mount `name`; sessions that stand feel most of them at the next picture.

        Raises ClipError for `changed` where the mount has no such clip.
        """
        state = self._states[name]
        state.set_faults(faults)
        for session in self._sessions.values():
            if session.mount_name == name:
                session.stream.faults = faults  # of a stream that a changed one replaced, too
        if faults.half_open:
            self._silence(name)

    def reboot(self, seconds: float, name: str | None = None) -> None:
        """Mount `name`, or the whole server with its port, is away for `seconds`, without a farewell.

        Sessions are gone; SSRCs, sequence numbers and RTP times begin anew. A client that still writes to an old
        connection afterwards gets an RST. A mount by itself shares its port with the others: it resets who asks.
        """
        for state in [self._states[name]] if name is not None else self._states.values():
            self._silence(state.mount.name)
            state.reboot(seconds)
        if name is None:
            self._server.close()
            task = self._loop.create_task(self._boot(seconds))
            self._rebooting.add(task)
            task.add_done_callback(self._rebooting.discard)

    def reset(self, name: str) -> int:
        """RST every connection of mount `name`; gives how many there were."""
        mount_name = self._states[name].mount.name
        found = [connection for connection in self._connections if connection.mount_name == mount_name]
        for connection in found:
            connection.reset()
        return len(found)

    async def stop_listening(self) -> None:
        """Have the kernel refuse new connections (all mounts); those that stand go on."""
        self._server.close()

    async def resume_listening(self) -> None:
        """Take connections again, at the same port."""
        await self._listen()

    def session_count(self, name: str) -> int:
        """Sessions of mount `name`, those of killed clients that have not timed out included."""
        return sum(session.mount_name == name for session in self._sessions.values())

    def statistics(self) -> dict[str, float]:
        """Counters since the start; `late_seconds_max` is how late a sweep was since the last call."""
        late, self._wheel.late_seconds_max = self._wheel.late_seconds_max, 0.0
        streams = [stream for state in self._states.values() for stream in state.streams.values()]
        return {
            "connections": len(self._connections),
            "sessions": len(self._sessions),
            "pictures_sent": sum(stream.pictures_sent for stream in streams),
            "packets_sent": sum(stream.packets_sent for stream in streams),
            "datagrams_dropped": self._udp.packets_dropped,
            "slow_clients_dropped": self.slow_clients_dropped,
            "late_seconds_max": late,
        }

    def describe_mounts(self) -> list[dict[str, Any]]:
        """Name, URLs, clip and clock of each mount, as JSON holds them."""
        return [
            {
                "name": name,
                "main": self.url(name, "main"),
                "sub": self.url(name, "sub") if "sub" in state.streams else None,
                "clip": str(state.mount.main),
                "duration_seconds": state.timeline.duration_seconds,
                "phase_seconds": state.timeline.phase_seconds,
            }
            for name, state in self._states.items()
        ]

    # What follows is for Connection.

    def connection_opened(self, connection: Connection) -> None:
        self._connections.add(connection)
        self._all_closed.clear()

    def connection_closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_closed.set()
        for session in [session for session in self._sessions.values() if session.connection is connection]:
            if self._states[session.mount_name].faults.session_limit is None:
                self._end(session)
            else:
                session.detach()

    def spoken_to_the_silent(self, connection: Connection) -> None:
        """A client wrote to a connection that this camera forgot: an RST, once it is back."""
        state = self._states.get(connection.mount_name or "")
        if state is None or not state.is_silent:
            connection.reset()

    def answer(self, connection: Connection, request: Request) -> Response | None:
        """The response to `request`; None: close the connection, unless it fell silent."""
        name, stream_name = _split_path(request.url)
        state = self._states.get(name)
        if state is None:
            return Response(404) if name or request.method != "OPTIONS" else _options()
        connection.mount_name = name
        if state.is_away:
            connection.reset()
            return None
        if state.faults.half_open:
            connection.fall_silent()
            return None
        if state.faults.refuse != "no":
            return Response(503) if state.faults.refuse == "503" else None
        if request.method == "OPTIONS":
            return _options()
        authorization = request.headers.get("authorization", "")
        authorized = is_authorized(state.mount, authorization, request.method, connection.nonce)
        if state.faults.wrong_password or not authorized:
            return Response(401, (("WWW-Authenticate", challenge(state.mount, connection.nonce)),))
        stream = state.streams.get(stream_name)
        if stream is None:
            return Response(404)
        return self._answer_method(connection, request, state, stream)

    def _answer_method(
        self, connection: Connection, request: Request, state: MountedCamera, stream: LiveStream
    ) -> Response:
        if request.method == "DESCRIBE":
            return self._answer_describe(connection, request, state, stream)
        if request.method == "SETUP":
            return self._answer_setup(connection, request, state, stream)
        session_id = request.headers.get("session", "").partition(";")[0].strip()
        session = self._sessions.get(session_id)
        if request.method in ("GET_PARAMETER", "SET_PARAMETER") and not session_id:
            return Response(200)
        if session is None or session.mount_name != state.mount.name:
            return Response(454)
        if request.method == "PLAY":
            return self._answer_play(request, session)
        if request.method in ("PAUSE", "GET_PARAMETER", "SET_PARAMETER"):
            if request.method == "PAUSE":
                session.stream.leave(session)
            return Response(200, (("Session", session.id),))
        if request.method == "TEARDOWN":
            self._end(session)
            return Response(200, (("Session", session.id),))
        return Response(501, (("Public", _METHODS),))

    def _answer_describe(
        self, connection: Connection, request: Request, state: MountedCamera, stream: LiveStream
    ) -> Response:
        host, _ = connection.local_address()
        name = state.mount.name
        body = (
            describe_audio_only(name, host) if state.faults.not_video else describe(name, host, stream.described_clip)
        )
        base = request.url.rstrip("/") + "/"
        return Response(200, (("Content-Base", base), ("Content-Type", "application/sdp")), body)

    def _answer_setup(
        self, connection: Connection, request: Request, state: MountedCamera, stream: LiveStream
    ) -> Response:
        only = {"tcp": (Interleaved,), "udp": (ClientPorts,), None: (Interleaved, ClientPorts)}
        offers = transport_offers(request.headers.get("transport", ""))
        chosen = next((offer for offer in offers if isinstance(offer, only[state.faults.only_transport])), None)
        if chosen is None:
            return Response(461)
        limit = state.faults.session_limit
        if limit is not None and self.session_count(state.mount.name) >= limit:
            return Response(state.faults.over_limit_status)
        if isinstance(chosen, Interleaved):
            session = Session(state.mount.name, stream, connection, InterleavedRoute(connection, chosen.channel))
            transport = f"RTP/AVP/TCP;unicast;interleaved={chosen.channel}-{chosen.channel + 1}"
        else:
            route = UdpRoute(self._udp, connection.remote_host(), chosen.rtp, chosen.rtcp, stream)
            session = Session(state.mount.name, stream, connection, route)
            session.report_address = route.report_address
            self._by_report_address[route.report_address] = session
            own = f"{self._udp.port}-{self._udp.port + 1}"
            transport = f"RTP/AVP;unicast;client_port={chosen.rtp}-{chosen.rtcp};server_port={own}"
        self._sessions[session.id] = session
        transport += f";ssrc={stream.ssrc:08X}"
        timeout = f"{session.id};timeout={max(1, round(self._session_timeout_seconds))}"
        return Response(200, (("Transport", transport), ("Session", timeout)))

    def _answer_play(self, request: Request, session: Session) -> Response:
        if session.connection is None:
            return Response(455)
        session.stream.leave(session)
        sequence, timestamp, due = session.stream.join(session, time.monotonic())
        if due is not None:
            self._wheel.add(session.stream, due)
        info = f"url={request.url.rstrip('/')}/trackID=0;seq={sequence};rtptime={timestamp}"
        return Response(200, (("Session", session.id), ("Range", "npt=now-"), ("RTP-Info", info)))

    def _end(self, session: Session) -> None:
        session.detach()
        self._sessions.pop(session.id, None)
        if session.report_address is not None:
            self._by_report_address.pop(session.report_address, None)

    def _heard_from(self, address: Address) -> None:
        if session := self._by_report_address.get(address):
            session.touch()

    def _silence(self, name: str) -> None:
        """End the sessions of a mount and let its connections stand."""
        for session in [session for session in self._sessions.values() if session.mount_name == name]:
            self._end(session)
        for connection in self._connections:
            if connection.mount_name == name:
                connection.fall_silent()

    async def _boot(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen()

    # Lifetime.

    @property
    def _expiry_seconds(self) -> float:
        return min(1.0, self._session_timeout_seconds / 4)

    def _expire_sessions(self) -> None:
        self._expiry = self._loop.call_later(self._expiry_seconds, self._expire_sessions)
        oldest = time.monotonic() - self._session_timeout_seconds
        for session in [session for session in self._sessions.values() if session.last_alive < oldest]:
            connection = session.connection
            self._end(session)
            if connection is not None:
                connection.close()

    def _load_clips(self) -> dict[Path, Clip]:
        named = (path for mount in self._mounts for path in (mount.main, mount.sub, mount.changed))
        paths = {path.resolve() for path in named if path is not None}
        return {path: load_clip(path) for path in sorted(paths)}

    def _make_state(self, mount: Mount, clips: dict[Path, Clip], epoch: float, epoch_utc_ns: int) -> MountedCamera:
        main = clips[mount.main.resolve()]
        timeline = LoopTimeline(self.started_at, main.duration_seconds, mount.phase_seconds)
        media_epoch = epoch - mount.phase_seconds
        media_epoch_utc_ns = epoch_utc_ns - round(mount.phase_seconds * 1e9)

        def make_stream(clip: Clip, duration_90k: int, faults: Faults) -> LiveStream:
            return LiveStream(clip, duration_90k, media_epoch, media_epoch_utc_ns, self._pacing, faults)

        return MountedCamera(mount, timeline, clips, make_stream)

    async def _listen(self) -> None:
        def accept() -> Connection:
            return Connection(self, self._max_unsent_bytes)

        self._server = await self._loop.create_server(accept, self.host, self.port, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close_connections(self) -> None:
        self._server.close()
        for connection in tuple(self._connections):
            connection.close()
        try:
            await asyncio.wait_for(self._all_closed.wait(), _CLOSE_SECONDS)
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.abort()
            await self._all_closed.wait()


def _options() -> Response:
    return Response(200, (("Public", _METHODS),))


def _split_path(url: str) -> tuple[str, str]:
    """(mount, stream) of a URL like rtsp://host/gate/main/trackID=0; the stream is main where none stands."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return (parts[0] if parts else "", parts[1] if len(parts) > 1 else "main")
