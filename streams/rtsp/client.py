"""RTSP 1.0 sessions (RFC 2326), media over TCP or UDP: from a URL to access units, and TEARDOWN at the end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from streams.access_unit import AccessUnit
from streams.codecs.h264 import H264Syntax
from streams.codecs.h265 import H265Syntax
from streams.errors import (
    BadAnswer,
    ConnectFailed,
    Disconnected,
    NoAnswer,
    Place,
    RequestRefused,
    StreamError,
    WrongCredentials,
    redact,
)
from streams.rtsp.address import control_urls, is_same_place, parse_address, without_credentials
from streams.rtsp.assembler import AccessUnitAssembler
from streams.rtsp.auth import Authenticator, secrets_of
from streams.rtsp.connection import RtspConnection
from streams.rtsp.counts import counts_of
from streams.rtsp.datagrams import DatagramSource
from streams.rtsp.depacketizer import H264Depacketizer, H265Depacketizer
from streams.rtsp.message import Message
from streams.rtsp.reasons import (
    how_to_mend,
    why_not_connected,
    why_quiet,
    why_unauthorized,
    why_undecodable,
)
from streams.rtsp.receiver import PacketFault, RtpReceiver
from streams.rtsp.rtcp import Goodbye, SenderReport, parse_rtcp
from streams.rtsp.sdp import VideoMedia, parse_video
from streams.rtsp.sweep import SocketSweep
from streams.rtsp.transport_header import TCP_OFFER, Carrier, ChosenTransport, parse_transport, udp_offer
from streams.stream_status import StreamCounts

_MAX_REDIRECTS = 3
_MAX_ATTEMPTS = 3  # of one request: without nonce, with it, and once more when it was stale
_DEFAULT_SESSION_SECONDS = 60
_TEARDOWN_SECONDS = 1.5
_KEEP_ALIVE_METHODS = ("GET_PARAMETER", "OPTIONS", "SET_PARAMETER")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How to open a session. `place` names camera and stream in errors. `run` goes into every access unit.

    `carrier` is asked for first, the other one when the camera refuses it. `rtsps://` is always over TCP: nobody
    who asks for encryption wants pictures in the clear.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    run: int = 0
    answer_seconds: float = 5.0
    place: Place = field(default_factory=Place)
    tls: ssl.SSLContext | None = None
    swept: bool = True
    carrier: Carrier = "tcp"


class RtspSession:
    """One playing `streams.session.Session`. `media` says what is played, `receiver` and `assembler` hold the counts.

    `wall_clock_offset_seconds` is the camera's clock minus this machine's, by its last sender report. `datagrams` is
    where packets come from over UDP, None over TCP. `place` names camera and connection.
    """

    def __init__(
        self,
        url: str,
        options: SessionOptions,
        on_unit: Callable[[AccessUnit], None],
        on_fault: Callable[[PacketFault], None] = lambda fault: None,
    ) -> None:
        self.media: VideoMedia | None = None
        self.receiver: RtpReceiver | None = None
        self.assembler: AccessUnitAssembler | None = None
        self.connection: RtspConnection | None = None
        self.wall_clock_offset_seconds: float | None = None
        self.server: str | None = None
        self.datagrams: DatagramSource | None = None
        self.place = options.place
        self.gap_seconds = 0.0
        self._address = parse_address(url)
        self._options = options
        self._on_unit = on_unit
        self._on_fault = on_fault
        self._authenticator = (
            Authenticator(options.username, options.password or "") if options.username is not None else None
        )
        self._secrets = secrets_of(options.username, options.password)
        self._public: frozenset[str] = frozenset()
        self._session_id: str | None = None
        self._session_seconds = _DEFAULT_SESSION_SECONDS
        self._control = ""
        self._keep_alive: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, describe, set up the video, play. Raises StreamError; then nothing is left open."""
        try:
            description = await self._describe()
            await self._set_up(description)
            await self._play()
        except StreamError as error:
            error.hide(*self._secrets)
            if error.place == self._options.place or error.place == Place():
                error.place = self.place
            await self.close()
            raise
        except BaseException:
            await self.close()
            raise
        self._keep_alive = asyncio.create_task(self._keep_session())

    @property
    def ended(self) -> asyncio.Future[StreamError]:
        assert self.connection is not None
        return self.connection.lost

    @property
    def counts(self) -> StreamCounts:
        return counts_of(self.receiver, self.assembler, self.connection)

    @property
    def last_unit_ns(self) -> int:
        return self.assembler.last_unit_ns if self.assembler else 0

    @property
    def others(self) -> tuple[str, ...]:
        return self.media.others if self.media else ()

    async def close(self) -> None:
        """TEARDOWN, so that the camera frees the session at once, then hang up."""
        if self._keep_alive is not None:
            self._keep_alive.cancel()
        self._close_datagrams()
        connection = self.connection
        if connection is None:
            return
        try:
            if self._session_id is not None and not connection.lost.done():
                with contextlib.suppress(StreamError):
                    await self._request("TEARDOWN", self._control, seconds=_TEARDOWN_SECONDS)
        finally:
            connection.close()

    def hurry(self, is_urgent: bool) -> None:
        """Read this session as one that somebody looks at, or that nobody does."""
        sweep = SocketSweep.of_running_loop()
        if self.datagrams is not None:
            sweep.set_urgent(self.datagrams, is_urgent or not self.datagrams.is_patient)
        elif self.connection is not None:
            sweep.set_urgent(self.connection, is_urgent)

    def why_quiet(self) -> str:
        """For people: why no picture comes."""
        return why_quiet(self.receiver, over_udp=self.datagrams is not None)

    def why_undecodable(self) -> str:
        """For people: why pictures that come cannot be decoded."""
        return why_undecodable(self.assembler)

    # --- opening

    async def _connect(self) -> None:
        address, options = self._address, self._options
        where = f"{address.host}:{address.port}"
        tls = (options.tls or _trusted_by_the_system()) if address.is_tls else None
        try:
            async with asyncio.timeout(options.answer_seconds):
                transport, connection = await asyncio.get_running_loop().create_connection(
                    lambda: RtspConnection(self.place, self._secrets), address.host, address.port, ssl=tls
                )
        except TimeoutError:
            raise ConnectFailed(
                f"no answer from {where} within {options.answer_seconds:g} s; check address, power and network",
                self.place,
            ) from None
        except ssl.SSLError as error:
            raise ConnectFailed(
                f"TLS with {where} failed ({error.reason or error}); check the camera's certificate", self.place
            ) from error
        except OSError as error:
            raise ConnectFailed(why_not_connected(error, where), self.place) from error
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if local and remote:
            shown = f"{local[0]}:{local[1]} → {remote[0]}:{remote[1]}"
            self.place = connection.place = dataclasses.replace(self.place, connection=shown)
        self.connection = connection

    async def _describe(self) -> Message:
        """The answer to DESCRIBE, redirects followed."""
        for _ in range(_MAX_REDIRECTS + 1):
            await self._connect()
            await self._ask_options()
            answer = await self._request("DESCRIBE", self._address.uri, ("Accept", "application/sdp"))
            if answer.status not in (301, 302, 303, 305, 307):
                return self._check(answer, "DESCRIBE")
            self._redirect(answer.header("location") or "")
        raise BadAnswer(f"camera redirected more than {_MAX_REDIRECTS} times", self.place)

    def _redirect(self, location: str) -> None:
        """Go on at `location`. User name and password go only to the same host, and not from TLS into the clear."""
        assert self.connection is not None
        self.connection.close()
        try:
            target = parse_address(location)
        except ConnectFailed as error:
            said = repr(without_credentials(location)[:60])
            raise BadAnswer(f"camera redirected to {said}, which is no RTSP address", self.place, said) from error
        if not is_same_place(target.uri, self._address.uri):
            self._authenticator = None
        elif self._authenticator is not None:
            self._authenticator.challenge = None
        self._address = target

    async def _ask_options(self) -> None:
        answer = await self._request("OPTIONS", self._address.uri)
        if answer.status in (401, 403):
            self._check(answer, "OPTIONS")
        methods = ",".join(answer.all_headers("public")).upper()
        self._public = frozenset(word.strip() for word in methods.split(",") if word.strip())
        server = answer.header("server")
        self.server = redact(server, *self._secrets) if server else None

    async def _set_up(self, description: Message) -> None:
        request_uri = self._address.uri
        base = description.header("content-base") or description.header("content-location") or request_uri
        base = without_credentials(base if "://" in base else request_uri)
        media = parse_video(description.body)
        others = tuple(redact(other, *self._secrets) for other in media.others)
        self.media = dataclasses.replace(media, others=others)
        session_control = media.session_control
        self._control = session_control if session_control and "://" in session_control else base
        self._control = without_credentials(self._control)
        uris = control_urls(base, request_uri, media.control)
        first = "tcp" if self._address.is_tls else self._options.carrier
        answer, chosen = await self._set_up_over(first, uris)
        if (answer.status == 461 or chosen.carrier != first) and not self._address.is_tls:
            first = "udp" if first == "tcp" else "tcp"
            answer, chosen = await self._set_up_over(first, uris)
        self._check(answer, "SETUP")
        if chosen.carrier != first:
            raise BadAnswer(f"camera was asked for RTP over {first.upper()} and answered with another way", self.place)
        self._listen(media, chosen)

    async def _set_up_over(self, carrier: Carrier, uris: list[str]) -> tuple[Message, ChosenTransport]:
        """The answer to SETUP of the first of `uris` that the camera knows, and what it chose."""
        self._close_datagrams()
        self.datagrams = None
        offer = TCP_OFFER if carrier == "tcp" else udp_offer(self._bind().port)
        answer = None
        for uri in uris:
            answer = await self._request("SETUP", uri, ("Transport", offer))
            if answer.status not in (400, 404, 454, 459, 460):
                break
        assert answer is not None
        if not 200 <= answer.status < 300:
            return answer, ChosenTransport(carrier)
        self._take_session(answer)
        return answer, parse_transport(answer.header("transport") or "", carrier)

    def _bind(self) -> DatagramSource:
        """Ports on the address that this side of the connection has."""
        assert self.connection is not None and self.connection.transport is not None
        transport = self.connection.transport
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        try:
            self.datagrams = DatagramSource(local[0], frozenset((remote[0],)), self.place)
        except OSError as error:
            raise StreamError(f"no UDP ports can be had here: {error.strerror or error}", self.place) from error
        return self.datagrams

    def _close_datagrams(self) -> None:
        if self.datagrams is not None:
            SocketSweep.of_running_loop().remove(self.datagrams)
            self.datagrams.close()

    def _take_session(self, answer: Message) -> None:
        session_id, _, parameters = (answer.header("session") or "").partition(";")
        self._session_id = session_id.strip() or None
        for parameter in parameters.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name.strip().lower() == "timeout" and value.strip().isascii() and value.strip().isdigit():
                self._session_seconds = max(2, min(int(value.strip()[:6]), 3600))

    def _listen(self, media: VideoMedia, chosen: ChosenTransport) -> None:
        """Make the receiver for the channels or ports the camera chose."""
        connection = self.connection
        assert connection is not None
        syntax = H264Syntax() if media.codec == "h264" else H265Syntax()
        depacketizer = (
            H264Depacketizer() if media.codec == "h264" else H265Depacketizer(has_order=media.has_order_numbers)
        )
        self.assembler = AccessUnitAssembler(syntax, self._on_unit, media.parameter_sets, self._options.run)
        channel, control_channel = (0, 1) if self.datagrams is not None else chosen.channels
        self.receiver = RtpReceiver(channel, media.payload_type, depacketizer, self.assembler, self._on_fault)
        if self.datagrams is not None:
            self.datagrams.start(self.receiver, self._control_packet, connection.fail, chosen)
            return
        connection.control_channel = control_channel
        connection.on_control = self._control_packet
        connection.video = self.receiver

    async def _play(self) -> None:
        answer = await self._request("PLAY", self._control, ("Range", "npt=0.000-"))
        self._check(answer, "PLAY")
        connection = self.connection
        assert connection is not None
        if self.datagrams is not None and self._options.swept:
            SocketSweep.of_running_loop().add_datagrams(self.datagrams, is_urgent=not self.datagrams.is_patient)
        elif self.datagrams is not None:
            self.datagrams.read_by_itself()
        elif self._options.swept and not self._address.is_tls:
            SocketSweep.of_running_loop().add(connection)

    # --- requests

    async def _request(self, method: str, uri: str, *headers: tuple[str, str], seconds: float = 0) -> Message:
        """The answer to a request, after answering a challenge where there is one."""
        connection, authenticator = self.connection, self._authenticator
        assert connection is not None
        for attempt in range(_MAX_ATTEMPTS):
            extra = list(headers)
            if self._session_id is not None:
                extra.append(("Session", self._session_id))
            authorization = authenticator.header(method, uri) if authenticator else None
            if authorization is not None:
                extra.append(("Authorization", authorization))
            answer = await connection.request(
                method, uri, extra, timeout_seconds=seconds or self._options.answer_seconds
            )
            challenges = answer.all_headers("www-authenticate")
            if answer.status != 401 or authenticator is None:
                return answer
            tried = authenticator.challenge
            if not authenticator.accept(challenges):
                raise self._cannot_authenticate(challenges)
            renewed = authenticator.challenge
            is_stale = renewed is not None and renewed.stale and (tried is None or renewed.nonce != tried.nonce)
            if attempt and not is_stale:
                return answer
        return answer

    def _cannot_authenticate(self, challenges: list[str]) -> WrongCredentials:
        kinds = ", ".join(sorted({words[0] for challenge in challenges if (words := challenge.split()[:1])}))
        said = kinds[:80] or "none"
        return WrongCredentials(
            f"camera answered 401 and offers no sign-in this client knows ({said}); switch it to Digest",
            401,
            self.place,
            said,
        )

    def _check(self, answer: Message, method: str) -> Message:
        """`answer` when it is a success. Raises RequestRefused."""
        status = answer.status
        if 200 <= status < 300:
            return answer
        if status == 401:
            raise WrongCredentials(why_unauthorized(self._authenticator is not None), status, self.place)
        phrase = redact(answer.first_line.partition(str(status))[2].strip()[:60])
        said = f"camera answered {status}{' ' + phrase if phrase else ''} to {method}"
        mend = how_to_mend(status, urlsplit(self._address.uri).path)
        raise RequestRefused(f"{said}: {mend}" if mend else said, status, self.place, phrase)

    # --- while playing

    async def _keep_session(self) -> None:
        """Ask something at a third of the session's time-out, by whatever method the camera takes."""
        connection = self.connection
        assert connection is not None
        methods = [name for name in _KEEP_ALIVE_METHODS if not self._public or name in self._public] or ["OPTIONS"]
        while not connection.lost.done():
            await asyncio.sleep(min(self._session_seconds / 3, 30.0))
            try:
                answer = await self._request(methods[0], self._control)
            except NoAnswer:  # many cameras do not answer while they play; pictures tell whether they live
                methods.append(methods.pop(0))
                continue
            except StreamError:
                return
            if answer.status == 454:
                connection.fail(Disconnected("camera forgot the session (454)", self.place))
            elif answer.status in (400, 404, 405, 451, 455, 501, 551) and len(methods) > 1:
                del methods[0]

    def _control_packet(self, packet: memoryview) -> None:
        receiver, connection = self.receiver, self.connection
        for report in parse_rtcp(packet):
            if isinstance(report, SenderReport):
                self.wall_clock_offset_seconds = report.unix_seconds - time.time()
                if self.datagrams is not None:
                    self.datagrams.heard(report)
            elif isinstance(report, Goodbye):
                if self.datagrams is not None:
                    self.datagrams.read()  # what came before it may wait for the next sweep
                if receiver and connection and report.ssrc == receiver.ssrc:
                    connection.fail(Disconnected("camera stopped sending (RTCP BYE)", self.place))


@cache
def _trusted_by_the_system() -> ssl.SSLContext:
    return ssl.create_default_context()
