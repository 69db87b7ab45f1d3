"""RTP over UDP, the server's side: one pair of ports for all sessions, and what a bad network does to packets."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable

from streams.udp_ports import bind_pair
from streams.virtual.live_stream import LiveStream

Address = tuple[str, int]

_SEND_BUFFER_BYTES = 4 * 1024 * 1024
_LATE_PACKETS_MAX = 4
_LATE_SECONDS_MAX = 0.02


class UdpPorts:
    """An even port for RTP and the next one for RTCP. `on_report` hears whose receiver reports come."""

    def __init__(self, host: str, on_report: Callable[[Address], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._rtp, self._rtcp = bind_pair(host)
        for sock in (self._rtp, self._rtcp):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._on_report = on_report
        self.port: int = self._rtp.getsockname()[1]
        self.packets_dropped = 0
        self._loop.add_reader(self._rtcp.fileno(), self._read_reports)

    def close(self) -> None:
        self._loop.remove_reader(self._rtcp.fileno())
        self._rtp.close()
        self._rtcp.close()

    def send_packet(self, packet: bytes | memoryview, address: Address) -> None:
        """RTP; what the kernel does not take is lost."""
        self._send(self._rtp, packet, address)

    def send_report(self, packet: bytes | memoryview, address: Address) -> None:
        """RTCP."""
        self._send(self._rtcp, packet, address)

    def _send(self, sock: socket.socket, packet: bytes | memoryview, address: Address) -> None:
        try:
            sock.sendto(packet, address)
        except OSError:  # full, or the client's port is closed: a network loses such packets too
            self.packets_dropped += 1

    def _read_reports(self) -> None:
        for _ in range(64):
            try:
                _, address = self._rtcp.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                continue
            self._on_report((address[0], address[1]))


class UdpRoute:
    """One session's packets as datagrams; the mount's faults bring some late or twice."""

    channel = 0

    def __init__(self, ports: UdpPorts, host: str, rtp_port: int, rtcp_port: int, stream: LiveStream) -> None:
        self.report_address = (host, rtcp_port)
        self._ports = ports
        self._address = (host, rtp_port)
        self._stream = stream
        self._late: bytes | None = None
        self._late_after = 0

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Take interleaved frames, of channel 0 and 1."""
        view, position = memoryview(data), 0
        faults, send_packet = self._stream.faults, self._ports.send_packet
        disturbed = bool(faults.reorder or faults.duplicate or self._late)
        while position < len(view):
            end = position + 4 + (view[position + 2] << 8 | view[position + 3])
            packet = view[position + 4 : end]
            if view[position + 1]:
                self._ports.send_report(packet, self.report_address)
            elif disturbed:
                self._send_disturbed(packet)
            else:
                send_packet(packet, self._address)
            position = end

    def _send_disturbed(self, packet: memoryview) -> None:
        faults = self._stream.faults
        if self._late is None and random.random() < faults.reorder:
            self._late = bytes(packet)
            self._late_after = random.randint(1, _LATE_PACKETS_MAX)
            asyncio.get_running_loop().call_later(_LATE_SECONDS_MAX, self._send_late)
            return
        self._ports.send_packet(packet, self._address)
        if random.random() < faults.duplicate:
            self._ports.send_packet(packet, self._address)
        self._late_after -= 1
        if self._late_after <= 0:
            self._send_late()

    def _send_late(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            self._ports.send_packet(late, self._address)
