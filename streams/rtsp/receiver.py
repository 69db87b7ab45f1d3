"""Interleaved RTP of one video media track to NAL units: header checks, sequence, and what the scanner leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from streams.errors import MalformedNal
from streams.rtsp.assembler import MAX_UNIT_BYTES, AccessUnitAssembler
from streams.rtsp.depacketizer import Depacketizer
from streams.rtsp.rtcp import ReportBlock
from streams.rtsp.scanner import Scan, scan

_FRAME = Struct(">BBH")  # interleaved frame (RFC 2326, 10.12): '$', channel, length
_RTP = Struct(">BBHII")  # RFC 3550, 5.1: flags, marker and payload type, sequence, time stamp, SSRC
_DOLLAR = 0x24
_DUPLICATES = 64  # this far back a sequence number is a repeat, farther it is a jump


@dataclass(slots=True)
class ReceiverCounts:
    """Since the start of the run. `lost` counts missing sequence numbers."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    gaps: int = 0
    duplicates: int = 0
    malformed: int = 0
    other_payload: int = 0
    ssrc_changes: int = 0


@dataclass(frozen=True, slots=True)
class PacketFault:
    """Something wrong with one packet; the stream goes on. `packet` counts from 0 in the run."""

    what: str
    packet: int
    ssrc: int
    sequence: int


class RtpReceiver:
    """Feeds `assembler` from the frames of one interleaved channel."""

    def __init__(
        self,
        channel: int,
        payload_type: int,
        depacketizer: Depacketizer,
        assembler: AccessUnitAssembler,
        on_fault: Callable[[PacketFault], None] = lambda fault: None,
        scan: Scan = scan,
    ) -> None:
        self.channel = channel
        self.payload_type = payload_type
        self.assembler = assembler
        self.counts = ReceiverCounts()
        self.ssrc = -1
        self.last_stamp = -1
        self.seen_payload_type = -1
        self._depacketizer = depacketizer
        self._scan = scan
        self._on_fault = on_fault
        self._next_sequence = -1

    def report_block(self, last: ReportBlock) -> ReportBlock:
        """For a receiver report after the one with `last`."""
        if self._next_sequence < 0:
            return last
        counts = self.counts
        return last.next(self.ssrc, self._next_sequence - 1 & 0xFFFF, counts.packets + counts.lost, counts.lost)

    def feed(self, buffer: memoryview, pos: int, end: int) -> int:
        """Take the frames of this channel that are whole in `buffer[pos:end]`; returns where it stopped.

        It stops before the first byte that is not such a frame.
        """
        assembler, depacketizer, scan = self.assembler, self._depacketizer, self._scan
        start = pos
        while True:
            pos, packets, stamp, is_started, depacketizer.mid, depacketizer.ending, nal, is_marked = scan(
                buffer,
                pos,
                end,
                self.channel,
                self.payload_type,
                self.ssrc,
                self.last_stamp,
                self._next_sequence,
                depacketizer.mid,
                depacketizer.ending,
                depacketizer.form,
                depacketizer.fragment,
            )
            if packets:
                self.counts.packets += packets
                self._next_sequence = self._next_sequence + packets & 0xFFFF
                if stamp != self.last_stamp:
                    self.last_stamp = stamp
                    assembler.start_packet(stamp)
                if is_started:
                    assembler.end_packet(False)
                if nal is not None:
                    assembler.add(nal)
                    assembler.end_packet(is_marked)
                    continue
            if pos + 4 > end:
                break
            dollar, channel, length = _FRAME.unpack_from(buffer, pos)
            after = pos + 4 + length
            if dollar != _DOLLAR or channel != self.channel or after > end:
                break
            self._packet(buffer[pos + 4 : after])
            pos = after
        self.counts.bytes += pos - start
        if len(self._depacketizer.fragment) > MAX_UNIT_BYTES:
            self._fault("NAL unit outgrew its bound")
            self._break()
        return pos

    def _packet(self, packet: memoryview) -> None:
        """Any packet: checks, then its NAL units."""
        self.counts.packets += 1
        if len(packet) < 12:
            self._refuse("not an RTP packet")
            return
        flags, second, number, stamp, ssrc = _RTP.unpack_from(packet)
        if flags >> 6 != 2:
            self._refuse("not an RTP packet")
            return
        if not self._is_next(second & 0x7F, number, ssrc):
            return
        payload = packet[12:] if flags == 0x80 else self._payload(packet, flags)
        if not payload:
            return
        assembler, depacketizer = self.assembler, self._depacketizer
        if stamp != self.last_stamp:
            if depacketizer.mid != -1:
                self._fault("picture ended inside a NAL unit")
                self._break()
            self.last_stamp = stamp
            assembler.start_packet(stamp)
        try:
            nal_units = depacketizer.push(payload)
        except MalformedNal as error:
            self._refuse(str(error))
            self._break()
            return
        for nal in nal_units:
            assembler.add(nal)
        assembler.end_packet(second & 0x80 != 0)

    def _is_next(self, payload_type: int, number: int, ssrc: int) -> bool:
        """Check payload type, source and sequence: whether the packet is to be used."""
        if payload_type != self.payload_type:
            self.counts.other_payload += 1
            self.seen_payload_type = payload_type
            if ssrc == self.ssrc and number == self._next_sequence:
                self._next_sequence = number + 1 & 0xFFFF
            return False
        if ssrc != self.ssrc:
            self._change_source(ssrc)
        elif number != self._next_sequence and not self._skip_to(number):
            return False
        self._next_sequence = number + 1 & 0xFFFF
        return True

    def _payload(self, packet: memoryview, flags: int) -> memoryview:
        """The payload between sources and extension in front and padding behind; empty when there is none."""
        begin, stop = 12 + 4 * (flags & 0x0F), len(packet)
        if flags & 0x10 and begin + 4 <= stop:
            begin += 4 + 4 * (packet[begin + 2] << 8 | packet[begin + 3])
        if flags & 0x20:
            stop -= packet[-1]
        if begin > stop:
            self._refuse("padding or extension is longer than the packet")
            self._break()
        return packet[begin : max(begin, stop)]

    def _change_source(self, ssrc: int) -> None:
        first = self.ssrc < 0
        self.ssrc = ssrc
        if not first:
            self.counts.ssrc_changes += 1
            self._fault("the source (SSRC) changed")
            self._break()
            self.assembler.timeline.discontinue()

    def _skip_to(self, number: int) -> bool:
        """The sequence number is not the one expected: whether the packet is to be used."""
        missing = number - self._next_sequence & 0xFFFF
        if missing >= 0x1_0000 - _DUPLICATES:
            self.counts.duplicates += 1
            return False
        self.counts.gaps += 1
        self.counts.lost += missing
        self._fault(f"{missing} packets are missing before this one", number)
        self._break()
        return True

    def _refuse(self, what: str) -> None:
        self.counts.malformed += 1
        self._fault(what)

    def _break(self) -> None:
        self._depacketizer.reset()
        self.assembler.gap()

    def _fault(self, what: str, sequence: int | None = None) -> None:
        number = self._next_sequence if sequence is None else sequence
        self._on_fault(PacketFault(what, self.counts.packets - 1, self.ssrc, number))
