"""One viewer's RTP stream: sequence numbers, encryption in place, retransmission (RFC 3550, 3711, 4585)."""

from __future__ import annotations

import ctypes
import secrets
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from streams.relay.datagrams import DatagramSender
from streams.relay.packetizer import HEADER_BYTES, RUN_PACKETS, Layout, Run
from streams.relay.rtcp import goodbye, sender_report
from streams.relay.transport import srtp_protect

_HISTORY_PACKETS = 1000  # libsrtp protects a number again only inside its window of 1,024
_REPEAT_NS = 20_000_000  # the same packet is not sent again sooner: a second NACK crossed the first answer
_MOST_REPEATS_A_SECOND = 400
_MARKER = 0x80
_pack_header = struct.Struct("!BBHII").pack_into


class RtpTransport(Protocol):
    """What is needed of `MediaTransport`."""

    srtp_handle: int
    tag_bytes: int

    def sender(self) -> DatagramSender | None: ...

    def protect_rtcp(self, packet: bytes) -> bytes: ...


@dataclass(slots=True)
class SenderCounters:
    """Since the viewer connected. `unsent` packets had their number but met a full socket."""

    packets: int = 0
    bytes: int = 0
    repeated: int = 0
    unsent: int = 0


class _Sent(NamedTuple):
    """A unit in the history: its packets by reference, never copied."""

    first_sequence: int
    layout: Layout
    timestamp: int


class _Scratch:
    """One buffer for all viewers of the process: a run is copied here, encrypted in place and sent at once."""

    def __init__(self) -> None:
        self.data = bytearray(RUN_PACKETS * 1500)
        self.view = memoryview(self.data)
        self._keep = (ctypes.c_char * len(self.data)).from_buffer(self.data)
        self.address = ctypes.addressof(self._keep)
        self.length = ctypes.c_int(0)
        self.length_address = ctypes.addressof(self.length)


_scratch = _Scratch()


class RtpSender:
    """Sends runs of packets with contiguous sequence numbers, whatever is skipped in between."""

    def __init__(self, transport: RtpTransport, payload_type: int, ssrc: int, cname: str) -> None:
        self._transport = transport
        self._payload_type = payload_type
        self.ssrc = ssrc
        self._cname = cname
        # below 32,768: a receiver that misses the first packets still guesses the roll-over counter right
        self.sequence = secrets.randbelow(0x7FFF)  # not wrapped; its low 16 bits are sent
        self.counters = SenderCounters()
        self._history: deque[_Sent] = deque()
        self._repeated_ns: dict[int, int] = {}
        self._repeat_allowance = float(_MOST_REPEATS_A_SECOND)
        self._allowance_ns = 0

    def begin_unit(self, layout: Layout, timestamp: int) -> None:
        """Say that the runs that follow are of this unit, all to be sent with `timestamp` (90 kHz, 32 bits)."""
        history = self._history
        history.append(_Sent(self.sequence, layout, timestamp))
        while len(history) > 1 and history[1].first_sequence <= self.sequence - _HISTORY_PACKETS:
            history.popleft()

    def send_run(self, run: Run) -> bool:
        """Send a run of the unit begun last. False when the socket took none or not all of it.

        Hot: measured by tests.benchmarks.relay; hence one function and no objects in the loop.
        """
        sender = self._transport.sender()
        if sender is None:
            return False
        _, layout, timestamp = self._history[-1]
        first, count, offset, size, segment = run
        scratch = _scratch
        view, address, length = scratch.view, scratch.address, scratch.length
        view[:size] = layout.block[offset : offset + size]
        handle, length_address, ssrc, kind = (
            self._transport.srtp_handle,
            scratch.length_address,
            self.ssrc,
            self._payload_type,
        )
        sequence = self.sequence
        clear = segment - self._transport.tag_bytes
        last = count - 1
        position = failed = 0
        for index in range(count):
            if index == last:
                clear = size - position - self._transport.tag_bytes
                if first + count == len(layout.slots):
                    kind |= _MARKER
            _pack_header(view, position, 0x80, kind, sequence & 0xFFFF, timestamp, ssrc)
            length.value = clear
            failed |= srtp_protect(handle, address + position, length_address)
            sequence += 1
            position += segment
        self.sequence = sequence
        if failed or not sender.send_run(view[:size], segment):
            self.counters.unsent += count
            return False
        self.counters.packets += count
        self.counters.bytes += size
        return True

    def repeat(self, lost: tuple[int, ...]) -> int:
        """Send packets again, bit for bit as they were (the same number with other bytes would break GCM).

        Returns how many were; too old ones, too many, and those just repeated are not.
        """
        now_ns = time.monotonic_ns()
        earned = (now_ns - self._allowance_ns) * _MOST_REPEATS_A_SECOND / 1e9
        self._repeat_allowance = min(float(_MOST_REPEATS_A_SECOND), self._repeat_allowance + earned)
        self._allowance_ns = now_ns
        self._repeated_ns = {s: at for s, at in self._repeated_ns.items() if now_ns - at < _REPEAT_NS}
        repeated = 0
        for low in lost:
            sequence = self.sequence - ((self.sequence - low) & 0xFFFF)
            if self._repeat_allowance < 1 or sequence in self._repeated_ns or not self._repeat(sequence):
                continue
            self._repeated_ns[sequence] = now_ns
            self._repeat_allowance -= 1
            repeated += 1
        self.counters.repeated += repeated
        return repeated

    def send_report(self, timestamp: int) -> bool:
        """A sender report: `timestamp` is the stream's RTP clock now."""
        report = sender_report(
            self.ssrc,
            self._cname,
            unix_ns=time.time_ns(),
            rtp_timestamp=timestamp,
            packet_count=self.counters.packets,
            byte_count=self.counters.bytes,
        )
        return self._send_rtcp(report)

    def send_goodbye(self) -> bool:
        """BYE: no more will come."""
        return self._send_rtcp(goodbye(self.ssrc, self._cname))

    def _send_rtcp(self, packet: bytes) -> bool:
        sender = self._transport.sender()
        if sender is None:
            return False
        protected = self._transport.protect_rtcp(packet)
        return sender.send_run(memoryview(protected), len(protected))

    def _repeat(self, sequence: int) -> bool:
        sent = next((unit for unit in reversed(self._history) if unit.first_sequence <= sequence), None)
        sender = self._transport.sender()
        if sent is None or sender is None or sequence >= self.sequence or sequence < self.sequence - _HISTORY_PACKETS:
            return False
        index = sequence - sent.first_sequence
        if index >= len(sent.layout.slots):
            return False
        offset, size = sent.layout.slots[index]
        scratch = _scratch
        scratch.view[:size] = sent.layout.block[offset : offset + size]
        marker = _MARKER if index == len(sent.layout.slots) - 1 else 0
        header = (0x80, self._payload_type | marker, sequence & 0xFFFF, sent.timestamp, self.ssrc)
        _pack_header(scratch.view, 0, *header)
        scratch.length.value = size - self._transport.tag_bytes
        if srtp_protect(self._transport.srtp_handle, scratch.address, scratch.length_address):
            return False
        return sender.send_run(scratch.view[:size], size)


assert struct.calcsize("!BBHII") == HEADER_BYTES
