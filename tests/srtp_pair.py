"""Both ends of one viewer's SRTP without ICE and DTLS: real libsrtp sessions, real sockets."""

from __future__ import annotations

import secrets
import socket
from types import TracebackType
from typing import Self

from aiortc.rtp import AnyRtcpPacket, RtcpPacket, RtpPacket
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi

from streams.relay.datagrams import UdpSender

_PROFILES = {
    "gcm": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28, 16),
    "sha1": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30, 10),
}


class SrtpPair:
    """An `RtpTransport` whose packets `receive` gets. With `unix` the socket has room for a few datagrams only."""

    def __init__(self, profile: str = "gcm", unix: str | None = None) -> None:
        number, key_bytes, self.tag_bytes = _PROFILES[profile]
        key = secrets.token_bytes(key_bytes)
        self._tx = _session(key, Policy.SSRC_ANY_OUTBOUND, number)
        self._rx = _session(key, Policy.SSRC_ANY_INBOUND, number)
        self.srtp_handle = int(ffi.cast("uintptr_t", self._tx._srtp[0]))
        family = socket.AF_UNIX if unix else socket.AF_INET
        self._receiver = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._receiver.bind(unix or ("127.0.0.1", 0))
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.udp = UdpSender(self._socket, self._receiver.getsockname())
        self.udp.uses_gso = not unix

    def sender(self) -> UdpSender | None:
        return self.udp

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._tx.protect_rtcp(packet)

    def datagrams(self) -> list[bytes]:
        """All that has come, as it was on the wire."""
        found = []
        while True:
            try:
                found.append(self._receiver.recv(65_536))
            except BlockingIOError:
                return found

    def receive(self) -> list[RtpPacket]:
        """All RTP packets that have come, decrypted. Raises pylibsrtp.Error for a bad one."""
        return [RtpPacket.parse(data) for data in self.unprotected()]

    def unprotected(self) -> list[bytes]:
        """The same as bytes."""
        return [self._rx.unprotect(data) for data in self.datagrams() if not 192 <= data[1] < 224]

    def receive_rtcp(self) -> list[AnyRtcpPacket]:
        """All RTCP packets that have come, decrypted; RTP packets are thrown away."""
        compound = [self._rx.unprotect_rtcp(data) for data in self.datagrams() if 192 <= data[1] < 224]
        return [packet for data in compound for packet in RtcpPacket.parse(data)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._socket.close()
        self._receiver.close()


def _session(key: bytes, direction: int, profile: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)
