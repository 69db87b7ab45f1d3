"""One viewer's RTP stream: sequence numbers, encryption in place, retransmission (RFC 3550, 3711, 4585)."""

from __future__ import annotations

import ctypes
import secrets
import struct
import time
from array import array
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Any, Protocol

from streams.relay.datagrams import UdpSender
from streams.relay.header_extensions import HeaderExtensions, send_time
from streams.relay.packetizer import HEADER_BYTES, RUN_PACKETS, Layout, Run
from streams.relay.rtcp import goodbye, sender_report
from streams.relay.sdp import Extensions
from streams.relay.transport import srtp_protect

_HISTORY_RUNS = 256
_TIDY_PACKETS = 128
_HISTORY_PACKETS = 1000  # libsrtp protects a number again only inside its window of 1,024
_REPEAT_NS = 20_000_000  # the same packet is not sent again sooner: a second NACK crossed the first answer
_MOST_REPEATS_A_SECOND = 400
_MARKER = 0x80
_VERSION, _EXTENDED = 0x80, 0x90
_FIELDS = "!BBHII"


class RtpTransport(Protocol):
    """What is needed of `MediaTransport`."""

    srtp_handle: int
    tag_bytes: int

    def sender(self) -> UdpSender | None: ...

    def protect_rtcp(self, packet: bytes) -> bytes: ...


@dataclass(slots=True)
class SenderCounters:
    """Since the viewer connected. `unsent` packets had their number but met a full socket."""

    packets: int = 0
    bytes: int = 0
    repeated: int = 0
    unsent: int = 0


class _History:
    """The newest runs of one viewer, enough to make each of their packets again bit for bit.

    One array and one list, written in turn: objects of its own for each run would be memory that is cold whenever
    this viewer's turn comes again, which was measured at 7 µs a picture.
    """

    __slots__ = ("_held", "_let_go", "_numbers", "_tidy_at", "_written")

    def __init__(self) -> None:
        self._numbers = array("Q", bytes(8 * 3 * _HISTORY_RUNS))
        self._held: list[Any] = [None] * (2 * _HISTORY_RUNS)
        self._written = 0
        self._let_go = 0
        self._tidy_at = 0

    def add(self, sequence: int, timestamp: int, sent_24: int, layout: Layout, run: Run) -> None:
        """A run that begins with `sequence`; runs and layouts are shared by all viewers."""
        if sequence >= self._tidy_at:
            self._tidy(sequence)
        numbers, held = self._numbers, self._held
        slot = self._written % _HISTORY_RUNS
        self._written += 1
        numbers[3 * slot], numbers[3 * slot + 1], numbers[3 * slot + 2] = sequence, timestamp, sent_24
        held[2 * slot], held[2 * slot + 1] = layout, run

    def find(self, sequence: int) -> tuple[int, int, int, Layout, Run] | None:
        """What `add` was told of the run with this packet."""
        for written in range(self._written - 1, max(self._let_go, self._written - _HISTORY_RUNS) - 1, -1):
            slot = written % _HISTORY_RUNS
            first = self._numbers[3 * slot]
            if first <= sequence:
                layout, run = self._held[2 * slot : 2 * slot + 2]
                _, timestamp, sent_24 = self._numbers[3 * slot : 3 * slot + 3]
                return (first, timestamp, sent_24, layout, run) if sequence < first + run.packet_count else None
        return None

    def _tidy(self, sequence: int) -> None:
        """Let go of runs too old to be sent again: their pictures need not stay in memory."""
        self._let_go = max(self._let_go, self._written - _HISTORY_RUNS)
        while self._let_go < self._written:
            slot = self._let_go % _HISTORY_RUNS
            if self._numbers[3 * slot] > sequence - _HISTORY_PACKETS - RUN_PACKETS:
                break
            self._held[2 * slot] = self._held[2 * slot + 1] = None
            self._let_go += 1
        self._tidy_at = sequence + _TIDY_PACKETS


class _Scratch:
    """One buffer for all viewers of the process: a run is copied here, encrypted in place and sent at once.

    `lengths` holds, for each packet, its length before and after. Arguments for `srtp_protect` are made once.
    """

    def __init__(self) -> None:
        self.data = bytearray(RUN_PACKETS * 1500)
        self.view = memoryview(self.data)
        self._keep = (ctypes.c_char * len(self.data)).from_buffer(self.data)
        self.lengths = (ctypes.c_int * RUN_PACKETS)()
        self.length_bytes = memoryview(self.lengths).cast("B")
        self.length_arguments = tuple(ctypes.byref(self.lengths, 4 * index) for index in range(RUN_PACKETS))
        self.arguments = cache(self._arguments)
        self.equal_lengths = cache(self._equal_lengths)

    def _arguments(self, segment: int) -> tuple[Any, ...]:
        """Where packets of so many bytes begin."""
        return tuple(ctypes.byref(self._keep, index * segment) for index in range(RUN_PACKETS))

    def _equal_lengths(self, length: int) -> bytes:
        """`lengths` when all packets have that one."""
        return bytes((ctypes.c_int * RUN_PACKETS)(*[length] * RUN_PACKETS))


_scratch = _Scratch()


class RtpSender:
    """Sends runs of packets with contiguous sequence numbers, whatever is skipped in between."""

    def __init__(
        self,
        transport: RtpTransport,
        payload_type: int,
        ssrc: int,
        cname: str,
        extensions: HeaderExtensions | None = None,
    ) -> None:
        self._transport = transport
        self._extensions = extensions or HeaderExtensions(Extensions(), None)
        self.extension_bytes = self._extensions.size
        self._pack_header = struct.Struct(f"{_FIELDS}{self.extension_bytes}s").pack_into
        self._first_byte = _EXTENDED if self.extension_bytes else _VERSION
        self._context: Any = None
        self._payload_type = payload_type
        self.ssrc = ssrc
        self._cname = cname
        # below 32,768: a receiver that misses the first packets still guesses the roll-over counter right
        self.sequence = secrets.randbelow(0x7FFF)  # not wrapped; its low 16 bits are sent
        self.counters = SenderCounters()
        self._history = _History()
        self._kept_from = 0
        self._layout: Layout | None = None
        self._timestamp = 0
        self._repeated_ns: dict[int, int] = {}
        self._repeat_allowance = float(_MOST_REPEATS_A_SECOND)
        self._allowance_ns = 0

    def begin_unit(self, layout: Layout, timestamp: int) -> None:
        """Say that the runs that follow are of this unit, all to be sent with `timestamp` (90 kHz, 32 bits)."""
        self._layout, self._timestamp = layout, timestamp

    def send_run(self, run: Run) -> bool:
        """Send the next run of the unit begun last. False when the socket took none or not all of it.

        Hot, with `_protect`: measured by tests.benchmarks.relay.
        """
        sender, layout = self._transport.sender(), self._layout
        if sender is None or layout is None:
            return False
        _, count, offset, size, segment = run
        sequence, view = self.sequence, _scratch.view[:size]
        self.sequence = sequence + count
        view[:] = layout.block[offset : offset + size]
        sent_24 = send_time(time.monotonic_ns())
        self._history.add(sequence, self._timestamp, sent_24, layout, run)
        block = self._extensions.block(sent_24, layout.received_ns) if self.extension_bytes else b""
        is_sent = self._protect(run, sequence, self._timestamp, block, layout) and sender.send_run(view, segment)
        if is_sent:
            self.counters.packets += count
            self.counters.bytes += size
        else:
            self.counters.unsent += count
        return is_sent

    def _protect(self, run: Run, sequence: int, timestamp: int, block: bytes, layout: Layout) -> bool:
        """Write the headers of a run that lies in the scratch buffer, and encrypt it there.

        `map` over ranges instead of a loop, which costs twice as much.
        """
        first, count, _, size, segment = run
        scratch, low, tag = _scratch, sequence & 0xFFFF, self._transport.tag_bytes
        numbers = range(low, low + count) if low + count <= 0x10000 else [n & 0xFFFF for n in range(low, low + count)]
        headers = map(
            self._pack_header,
            repeat(scratch.data),
            range(0, count * segment, segment),
            repeat(self._first_byte),
            repeat(self._payload_type),
            numbers,
            repeat(timestamp),
            repeat(self.ssrc),
            repeat(block),
        )
        any(headers)  # each gives None: this runs through all
        last = count - 1
        if first + count == len(layout.slots):
            scratch.data[last * segment + 1] |= _MARKER
        scratch.length_bytes[:] = scratch.equal_lengths(segment - tag)
        scratch.lengths[last] = size - last * segment - tag
        if self._context is None:
            self._context = ctypes.byref(ctypes.c_char.from_address(self._transport.srtp_handle))
        arguments = scratch.arguments(segment if count > 1 else 0)
        return not any(map(srtp_protect, repeat(self._context, count), arguments, scratch.length_arguments))

    def forget(self) -> None:
        """Repeat nothing of what was sent so far: a key frame comes, and what was before it is of no use."""
        self._kept_from = self.sequence

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
        sender = self._transport.sender()
        found = self._history.find(sequence)
        is_kept = max(self._kept_from, self.sequence - _HISTORY_PACKETS) <= sequence < self.sequence
        if sender is None or found is None or not is_kept:
            return False
        first, timestamp, sent_24, layout, run = found
        index = run.first + sequence - first
        offset, size = layout.slots[index]
        view = _scratch.view[:size]
        view[:] = layout.block[offset : offset + size]
        block = self._extensions.block(sent_24, layout.received_ns)
        alone = Run(index, 1, offset, size, size)
        return self._protect(alone, sequence, timestamp, block, layout) and sender.send_run(view, size)


assert struct.calcsize(_FIELDS) == HEADER_BYTES
