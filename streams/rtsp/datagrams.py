"""RTP over UDP, the client's side (RFC 2326, 12.39; RFC 3550): a pair of ports for one session.

Each datagram is put behind the four bytes of an interleaved frame, so that the receiver's hot loop takes packets in
order, the bulk of all, from one buffer, as it does over TCP. Only what is out of order goes through the window.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import time
from collections.abc import Callable
from struct import Struct

from streams.errors import Place, StreamError
from streams.rtsp.connection import shared_buffer
from streams.rtsp.receiver import RtpReceiver
from streams.rtsp.reorder_window import ReorderWindow
from streams.rtsp.rtcp import ReportBlock, SenderReport, receiver_report
from streams.rtsp.transport_header import ChosenTransport
from streams.udp_ports import bind_pair

logger = logging.getLogger(__name__)

_FRAME = Struct(">BBH")
_SEQUENCE = Struct(">H")
_DOLLAR = 0x24
_MAX_DATAGRAM = 65_536
_MAX_READ_BYTES = 256 * 1024
_WANTED_BUFFER_BYTES = 4 * 1024 * 1024
_PATIENT_BUFFER_BYTES = 1024 * 1024
_REPORT_SECONDS = 5.0
_PUNCH = b"\x80\x00" + bytes(10)  # an RTP packet of no use: opens the way back through firewalls


class DatagramSource:
    """The packets that camera `hosts` send to a pair of ports; everybody else's are dropped and counted (`foreign`).

    The first packet settles from which port of the camera they come; then the kernel drops what comes from elsewhere.
    `is_patient`: the kernel gave it a receive buffer that can wait for a calm sweep.
    """

    def __init__(self, local_host: str, hosts: frozenset[str], place: Place) -> None:
        """Raises OSError."""
        self.place = place
        self.foreign = 0
        self.remote: tuple[str, int] | None = None
        self._hosts = hosts
        self._ssrc = secrets.randbits(32)
        self._rtp, self._rtcp = bind_pair(local_host)
        self.port: int = self._rtp.getsockname()[1]
        self.is_patient = _enlarge(self._rtp) >= _PATIENT_BUFFER_BYTES
        self._buffer = shared_buffer()
        self._loop = asyncio.get_running_loop()
        self._is_settled = False
        self._expiry: asyncio.TimerHandle | None = None
        self._reporting: asyncio.TimerHandle | None = None
        self._control_address: tuple[str, int] | None = None
        self._last_report: tuple[SenderReport, float] | None = None
        self._reported = ReportBlock()

    @property
    def late(self) -> int:
        """Packets that came twice, or after their turn was given up."""
        return self._window.late

    @property
    def descriptor(self) -> int:
        """Of the RTP socket."""
        return self._rtp.fileno()

    def start(
        self,
        receiver: RtpReceiver,
        on_control: Callable[[memoryview], None],
        fail: Callable[[StreamError], None],
        chosen: ChosenTransport,
    ) -> None:
        """Receive from now on, as the camera chose; `fail` hears of faults of this program's own."""
        self._receiver = receiver
        self._on_control = on_control
        self._fail = fail
        self._window = ReorderWindow(self._deliver)
        self._loop.add_reader(self._rtcp.fileno(), self._read_control)
        if chosen.source is not None:
            self._hosts |= {chosen.source}
        if chosen.server_ports is not None:
            host = chosen.source or next(iter(self._hosts))
            self._control_address = host, chosen.server_ports[1]
            with contextlib.suppress(OSError):
                self._rtp.sendto(_PUNCH, (host, chosen.server_ports[0]))
        self._report()

    def read_by_itself(self) -> None:
        """Read whenever something comes, instead of in a sweep."""
        self._loop.add_reader(self._rtp.fileno(), self.read)

    def read(self) -> int:
        """Take what has come; returns how many bytes that were."""
        try:
            return self._read() if self._is_settled else self._read_first()
        except Exception:  # a consumer's fault must not stop the sweep that reads all cameras
            logger.exception("internal fault while reading (%s)", self.place)
            self._fail(StreamError("internal fault while reading the stream", self.place))
            return 0

    def close(self) -> None:
        """Give the ports back."""
        for timer in (self._expiry, self._reporting):
            if timer is not None:
                timer.cancel()
        for sock in (self._rtp, self._rtcp):
            if sock.fileno() >= 0:
                self._loop.remove_reader(sock.fileno())
                sock.close()

    def heard(self, report: SenderReport) -> None:
        """A sender report came, for the times that receiver reports carry."""
        self._last_report = report, time.monotonic()

    def _read(self) -> int:
        """A measured hot loop (`tests.benchmarks.ingest`)."""
        buffer, receive, window = self._buffer, self._rtp.recv_into, self._window
        held, expected = window.held, window.expected
        start = position = total = 0
        try:
            while total < _MAX_READ_BYTES:
                count = receive(buffer[position + 4 :], _MAX_DATAGRAM)
                total += count
                _FRAME.pack_into(buffer, position, _DOLLAR, 0, count)
                end = position + 4 + count
                if count >= 12 and not held and _SEQUENCE.unpack_from(buffer, position + 6)[0] == expected:
                    expected = expected + 1 & 0xFFFF
                    position = end
                    continue
                window.expected = expected
                frame = bytes(buffer[position:end])
                if position > start:
                    self._receiver.feed(buffer, start, position)
                start = position = 0
                window.push(frame, time.monotonic())
                expected = window.expected
        except OSError:
            pass  # nothing left; or ICMP says that the camera's port is closed, and whether pictures come is watched
        window.expected = expected
        if position > start:
            self._receiver.feed(buffer, start, position)
        if held:
            self._await_gap()
        return total

    # --- before it is settled where packets come from

    def _read_first(self) -> int:
        total = 0
        while not self._is_settled and total < _MAX_READ_BYTES:
            try:
                data, address = self._rtp.recvfrom(_MAX_DATAGRAM)
            except BlockingIOError:
                self._is_settled = self.remote is not None  # nothing of before `connect` is left in the socket
                break
            except OSError:
                break
            total += len(data)
            if not self._is_from_camera(address) or len(data) < 12:
                self.foreign += 1
                continue
            if self.remote is None:
                self.remote = address[0], address[1]
                self._rtp.connect(address)
            self._window.push(_FRAME.pack(_DOLLAR, 0, len(data)) + data, time.monotonic())
        self._await_gap()
        return total

    def _is_from_camera(self, address: tuple[str, int]) -> bool:
        return address[:2] == self.remote if self.remote is not None else address[0] in self._hosts

    # --- packets in order

    def _deliver(self, frame: bytes) -> None:
        self._receiver.feed(memoryview(frame), 0, len(frame))

    def _await_gap(self) -> None:
        deadline = self._window.deadline
        if deadline is not None and self._expiry is None:
            self._expiry = self._loop.call_at(
                self._loop.time() + max(0.0, deadline - time.monotonic()), self._give_gap_up
            )

    def _give_gap_up(self) -> None:
        self._expiry = None
        self.read()  # what is missing may be waiting for the next sweep
        self._window.expire(time.monotonic())
        self._await_gap()

    # --- RTCP

    def _read_control(self) -> None:
        for _ in range(16):
            try:
                data, address = self._rtcp.recvfrom(_MAX_DATAGRAM)
            except OSError:
                return
            if address[0] not in self._hosts:
                self.foreign += 1
                continue
            self._control_address = address[0], address[1]
            self._on_control(memoryview(data))

    def _report(self) -> None:
        """A receiver report, now and every five seconds (RFC 3550, 6.4.2)."""
        self._reporting = self._loop.call_later(_REPORT_SECONDS, self._report)
        if self._control_address is None:
            return
        block = self._reported = self._receiver.report_block(self._reported)
        packet = receiver_report(self._ssrc, block, self._last_report, time.monotonic())
        with contextlib.suppress(OSError):
            self._rtcp.sendto(packet, self._control_address)


def _enlarge(sock: socket.socket) -> int:
    """Ask for a large receive buffer; returns what the kernel gave, in bytes of payload, about."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WANTED_BUFFER_BYTES)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
