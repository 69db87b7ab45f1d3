"""ICE, DTLS and the SRTP keys of one viewer, from aiortc and aioice.

The only module that touches their private attributes; it refuses to be imported with versions it was not written
against. What is taken over: where ICE binds (fixed ports, advertised address), when DTLS may start (at once when a
pair is nominated, not up to 20 ms later), RTCP as it comes in, and the SRTP session's handle.
"""

from __future__ import annotations

import asyncio
import ctypes
import datetime
import errno
import ipaddress
import random
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any

import aioice.ice
from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
)
from aiortc.rtcdtlstransport import SRTP_PROFILES, SRTPProtectionProfile
from pylibsrtp import _binding as _libsrtp

from streams.relay.datagrams import UdpSender
from streams.relay.errors import BadOffer, NoMediaAddress, RelayFull
from streams.relay.sdp import AnswerTransport, PeerTransport

_WRITTEN_AGAINST = {"aiortc": "1.16.", "aioice": "0.13.", "pylibsrtp": "1.0."}
for _package, _prefix in _WRITTEN_AGAINST.items():
    if not version(_package).startswith(_prefix):
        raise ImportError(f"{_package} {version(_package)} is installed; streams.relay needs {_prefix}x (private API)")

_MOST_CANDIDATES = 32
_MOST_UNREAD = 256
_CERTIFICATE_RENEWAL = datetime.timedelta(days=7)
_TAG_BYTES = {b"SRTP_AES128_CM_SHA1_80": 10, b"SRTP_AEAD_AES_128_GCM": 16, b"SRTP_AEAD_AES_256_GCM": 16}
_PREFERRED_PROFILE = b"SRTP_AEAD_AES_128_GCM"  # half the cost of AES-CM with SHA-1 where there is AES in hardware

# The C function itself through ctypes, which keeps the GIL: through cffi each call drops it, and beside a busy thread
# getting it back was measured at 5 ms a packet. (context, packet in place, length in and out), each as `byref` gives
# it, → 0 when it went well. Without declared types such arguments go through as they are: a quarter of a microsecond a
# packet saved; but an int would be cut to 32 bits.
srtp_protect: Callable[[Any, Any, Any], int] = ctypes.PYFUNCTYPE(ctypes.c_int)(
    int(_libsrtp.ffi.cast("uintptr_t", _libsrtp.ffi.addressof(_libsrtp.lib, "srtp_protect")))
)


class MediaAddress:
    """Where viewers' sockets are bound and what addresses the browsers are told: one of each of `hosts`.

    A host is bound to when it is an address of this machine; otherwise (NAT, container) the socket is bound to every
    address of its family and the host is what the answer says. `ports` is an inclusive range, None for any.
    """

    def __init__(self, hosts: Sequence[str], ports: tuple[int, int] | None = None) -> None:
        if wrong := {"", "0.0.0.0", "::"} & set(hosts):
            raise ValueError(f"media_host {min(wrong)!r}: name an address that browsers reach, not all of them")
        self._hosts = hosts
        self._ports = ports
        self._resolved: list[str] = []

    async def bind(self) -> list[tuple[socket.socket, str]]:
        """Bound UDP sockets and the address to advertise of each. Raises RelayFull, NoMediaAddress."""
        if not self._resolved:
            self._resolved = [await _resolve(host) for host in self._hosts]
        with ExitStack() as opened:
            bound = [(opened.enter_context(self._bind_to(address)), address) for address in self._resolved]
            opened.pop_all()
        return bound

    def _bind_to(self, advertised: str) -> socket.socket:
        is_ipv4 = ipaddress.ip_address(advertised).version == 4
        family, anywhere = (socket.AF_INET, "0.0.0.0") if is_ipv4 else (socket.AF_INET6, "::")
        low, high = self._ports or (0, 0)
        ports = list(range(low, high + 1))
        start = random.randrange(len(ports))
        for port in ports[start:] + ports[:start]:
            for address in (advertised, anywhere):
                try:
                    return _bound(family, address, port)
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        break
                    if error.errno == errno.EADDRNOTAVAIL and address != anywhere:
                        continue  # not an address of this machine
                    raise NoMediaAddress(
                        f"workers.media_host {advertised}: no UDP socket ({error.strerror})"
                    ) from error
        raise RelayFull(f"no UDP port of {low}-{high} is free; widen workers.udp_ports")


async def _resolve(host: str) -> str:
    try:
        info = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise NoMediaAddress(f"workers.media_host {host!r} has no address ({error})") from error
    return str(info[0][4][0])


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


class Certificate:
    """The worker's DTLS certificate, made again before it expires (aiortc makes them for 30 days)."""

    def __init__(self) -> None:
        self._current = RTCCertificate.generateCertificate()

    def current(self) -> RTCCertificate:
        """A certificate that is good for at least a week."""
        if self._current.expires - datetime.datetime.now(datetime.UTC) < _CERTIFICATE_RENEWAL:
            self._current = RTCCertificate.generateCertificate()
        return self._current


class _Connection(aioice.ice.Connection):
    """aioice's agent, bound where we say, telling at once when a pair is nominated."""

    def __init__(self, address: MediaAddress) -> None:
        super().__init__(ice_controlling=False)
        self._address = address
        self.sockets: dict[Any, socket.socket] = {}  # by the protocol that reads it
        self.nominated = asyncio.Event()

    async def gather_candidates(self) -> None:
        self._local_candidates_start = True
        for preference, (sock, advertised) in enumerate(await self._address.bind()):
            await self._listen(sock, advertised, 65535 - preference)
        self._local_candidates_end = True

    async def _listen(self, sock: socket.socket, advertised: str, preference: int) -> None:
        protocol = aioice.ice.StunProtocol(self)
        protocol.local_candidate = Candidate(  # before it reads: the port may have been another viewer's just now
            foundation=candidate_foundation("host", "udp", advertised),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host", preference),
            host=advertised,
            port=sock.getsockname()[1],
            type="host",
        )
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: protocol, sock=sock)
        self.sockets[protocol] = sock
        self._protocols.append(protocol)
        self._local_candidates.append(protocol.local_candidate)

    def data_received(self, data: bytes, component: int) -> None:
        if self._queue.qsize() < _MOST_UNREAD:  # aioice's queue has no bound, and anybody can send to the port
            super().data_received(data, component)

    def _check_list_maybe_complete(self) -> bool:
        complete = super()._check_list_maybe_complete()
        if complete:
            self.nominated.set()
        return complete


class _Gatherer(RTCIceGatherer):
    def __init__(self, address: MediaAddress) -> None:
        super().__init__(iceServers=[])
        self._connection: _Connection = _Connection(address)


class _Dtls(RTCDtlsTransport):
    """Hands decrypted RTCP over as it is; what a viewer sends as RTP is none of our business."""

    on_rtcp: Callable[[bytes], None] | None = None

    async def _handle_rtcp_data(self, data: bytes) -> None:
        if self.on_rtcp is not None:
            self.on_rtcp(data)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        pass


class MediaTransport:
    """One viewer's transport: `gather`, tell the browser `answer`, `connect`, then send until `closed` is set.

    `srtp_handle` and `tag_bytes` are what `srtp_protect` needs, valid once connected and as long as this lives.
    """

    def __init__(self, certificate: RTCCertificate, address: MediaAddress) -> None:
        self._gatherer = _Gatherer(address)
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = _Dtls(self._ice, [certificate])
        self._dtls._srtp_profiles = _by_preference()
        self._pair: Any = None
        self._sender: UdpSender | None = None
        self._srtp: Any = None
        self._starting: asyncio.Future[None] | None = None
        self.closed = asyncio.Event()
        self.srtp_handle = 0
        self.tag_bytes = 0

    async def gather(self) -> None:
        """Bind the sockets. Raises RelayFull, NoMediaAddress."""
        await self._gatherer.gather()

    def answer(self) -> AnswerTransport:
        """What the answer must say of this side."""
        ice = self._gatherer.getLocalParameters()
        fingerprints = {f.algorithm: f.value for f in self._dtls.getLocalParameters().fingerprints}
        candidates = tuple(candidate.to_sdp() for candidate in self._gatherer._connection.local_candidates)
        user, password = ice.usernameFragment or "", ice.password or ""
        return AnswerTransport(user, password, candidates, ("sha-256", fingerprints["sha-256"]))

    async def add_candidate(self, value: str) -> None:
        """Add a candidate of the browser, the value after `candidate:`. Raises BadOffer.

        Only plain UDP addresses are of use; names (mDNS) are passed over, the browser's own checks tell its address.
        """
        try:
            candidate = Candidate.from_sdp(value)
        except ValueError as error:
            raise BadOffer(f"candidate {value[:120]!r} cannot be understood") from error
        try:
            host = ipaddress.ip_address(candidate.host)
        except ValueError:
            return
        connection = self._gatherer._connection
        usable = candidate.transport.lower() == "udp" and candidate.component == 1 and 0 < candidate.port < 65536
        if usable and not host.is_multicast and len(connection.remote_candidates) < _MOST_CANDIDATES:
            await connection.add_remote_candidate(candidate)

    async def connect(self, peer: PeerTransport, on_rtcp: Callable[[bytes], None]) -> None:
        """ICE, then DTLS. Raises ConnectionError; wait for it with a time limit. Candidates are added apart."""
        self._dtls.on_rtcp = on_rtcp
        self._dtls.on("statechange", self._follow_state)
        parameters = RTCIceParameters(usernameFragment=peer.ice_user, password=peer.ice_password)
        self._starting = asyncio.ensure_future(self._ice.start(parameters))
        nominated = asyncio.ensure_future(self._gatherer._connection.nominated.wait())
        try:
            await asyncio.wait((self._starting, nominated), return_when=asyncio.FIRST_COMPLETED)
        finally:
            nominated.cancel()
        if not self._gatherer._connection.nominated.is_set():
            raise ConnectionError("ICE failed")
        self._dtls._set_role("server" if peer.we_are_dtls_server else "client")
        fingerprints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in peer.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints=fingerprints))
        if self._dtls.state != "connected":
            raise ConnectionError("DTLS failed")
        self._take_keys()

    def sender(self) -> UdpSender | None:
        """The way to the browser over the pair that is nominated now; None when there is none any more."""
        connection = self._gatherer._connection
        pair = connection._nominated.get(1)
        if pair is not self._pair:
            self._pair = pair
            self._sender = None if pair is None else UdpSender(connection.sockets[pair.protocol], pair.remote_addr)
        return self._sender

    def protect_rtcp(self, packet: bytes) -> bytes:
        """`packet` as SRTCP."""
        protected: bytes = self._srtp.protect_rtcp(packet)
        return protected

    async def close(self) -> None:
        """Say good-bye (DTLS close_notify) and close the socket; may be called at any time, and again."""
        self.closed.set()
        await self._dtls.stop()
        await self._ice.stop()
        await self._gatherer._connection.close()
        if self._starting is not None:
            await asyncio.wait((self._starting,))
        self._dtls.remove_all_listeners()
        self._dtls.on_rtcp = None

    def _follow_state(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self.closed.set()

    def _take_keys(self) -> None:
        self._srtp = self._dtls._tx_srtp
        self.srtp_handle = int(_libsrtp.ffi.cast("uintptr_t", self._srtp._srtp[0]))
        assert self._dtls._ssl is not None
        self.tag_bytes = _TAG_BYTES[self._dtls._ssl.get_selected_srtp_profile()]


def _by_preference() -> list[SRTPProtectionProfile]:
    return sorted(SRTP_PROFILES, key=lambda profile: profile.openssl_profile != _PREFERRED_PROFILE)
