"""H.264 access units as RTP payloads (RFC 6184, packetization mode 1), made once and shared by all viewers.

A `Layout` is one contiguous block in which every packet already lies where it will be sent from: room for the RTP
header and its extensions, the payload, room for the SRTP tag. A viewer copies a run of it, fills in headers, encrypts
in place and sends the run in one system call (UDP GSO). All packets of a run have one size, only its last may be
shorter.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

from streams.access_unit import AccessUnit

PAYLOAD_BYTES = 1180  # with 24 of extensions, a tag of 16 and the headers of UDP and IPv6 1,280: fits every IPv6 link
HEADER_BYTES = 12
RUN_PACKETS = 16  # GSO allows 64 (54 of this size); network drivers in practice fewer
_SINGLE_SLICE, _IDR, _SPS, _PPS = 1, 5, 7, 8
_SENT_TYPES = frozenset({1, 2, 3, 4, _IDR, _SPS, _PPS})  # a decoder needs no delimiter, filler or SEI
_STAP_A, _FU_A = 24, 28
_FILLER = b"\x0c" + b"\xff" * (PAYLOAD_BYTES - 2) + b"\x80"  # a NAL unit that decoders pass over (H.264, 7.3.2.7)


class Run(NamedTuple):
    """Packets from `first` on, `segment_bytes` each with header and tag; the last one takes what is left."""

    first: int
    packet_count: int
    offset: int
    byte_count: int
    segment_bytes: int


@dataclass(frozen=True, slots=True)
class Layout:
    """`block` with all packets, `slots` (offset, size) of each, `runs` that cover them in order.

    `received_ns` is when the picture came (monotonic).
    """

    received_ns: int
    block: bytes
    slots: tuple[tuple[int, int], ...]
    runs: tuple[Run, ...]


class PacketizedUnit:
    """The packets of one access unit; `payload_bytes` is what they carry. Layouts are made at first use."""

    __slots__ = ("__weakref__", "_layouts", "payload_bytes", "payloads", "received_ns")

    def __init__(self, unit: AccessUnit) -> None:
        self.payloads = packetize(unit)
        self.payload_bytes = sum(map(len, self.payloads))
        self.received_ns = unit.received_ns
        self._layouts: dict[tuple[int, int], Layout] = {}

    def with_filler(self, packet_count: int) -> PacketizedUnit:
        """The same picture and so many packets of filler data behind it, to try what a way carries."""
        filled = copy(self)
        filled.payloads = [*self.payloads, *[_FILLER] * packet_count]
        filled.payload_bytes = self.payload_bytes + packet_count * PAYLOAD_BYTES
        filled._layouts = {}
        return filled

    def layout(self, tag_bytes: int, extension_bytes: int = 0) -> Layout:
        """The packets with room for header extensions and an SRTP tag (10 for AES-CM-SHA1-80, 16 for AES-GCM)."""
        layout = self._layouts.get((tag_bytes, extension_bytes))
        if layout is None:
            layout = _lay_out(self.payloads, HEADER_BYTES + extension_bytes, tag_bytes, self.received_ns)
            self._layouts[tag_bytes, extension_bytes] = layout
        return layout


def has_idr(unit: AccessUnit) -> bool:
    """Whether a browser can start here: it does so at an IDR picture only, not at a recovery point."""
    return any(nal[0] & 0x1F == _IDR for nal in unit.nal_units if nal)


def packetize(unit: AccessUnit) -> list[bytes]:
    """RTP payloads of at most PAYLOAD_BYTES; parameter sets go before a key frame. Empty without a slice."""
    nal_units = [nal for nal in unit.nal_units if nal and nal[0] & 0x1F in _SENT_TYPES]
    if unit.is_key and unit.parameters.parameter_sets:
        slices = [nal for nal in nal_units if nal[0] & 0x1F not in (_SPS, _PPS)]
        nal_units = [*unit.parameters.parameter_sets, *slices]
    if not any(nal[0] & 0x1F <= _IDR for nal in nal_units):
        return []
    payloads: list[bytes] = []
    small: list[bytes] = []
    room = PAYLOAD_BYTES - 1
    for nal in nal_units:
        if len(nal) + 2 > room and small:
            payloads.append(_aggregate(small))
            small, room = [], PAYLOAD_BYTES - 1
        if len(nal) > PAYLOAD_BYTES:
            payloads += _fragment(nal)
        elif len(nal) + 2 > room:
            payloads.append(nal)
        else:
            small.append(nal)
            room -= len(nal) + 2
    if small:
        payloads.append(_aggregate(small))
    return payloads


def _aggregate(nal_units: list[bytes]) -> bytes:
    """A single NAL unit packet, or STAP-A of several (RFC 6184, 5.7.1)."""
    if len(nal_units) == 1:
        return nal_units[0]
    importance = max(nal[0] & 0x60 for nal in nal_units)
    parts = [bytes([importance | _STAP_A])]
    for nal in nal_units:
        parts += [len(nal).to_bytes(2, "big"), nal]
    return b"".join(parts)


def _fragment(nal: bytes) -> list[bytes]:
    """FU-A of one fixed size with the last short (RFC 6184, 5.8), as UDP GSO wants it."""
    step = PAYLOAD_BYTES - 2
    indicator, kind = (nal[0] & 0xE0) | _FU_A, nal[0] & 0x1F
    pieces = []
    for start in range(1, len(nal), step):
        first, last = start == 1, start + step >= len(nal)
        pieces.append(bytes((indicator, first << 7 | last << 6 | kind)) + nal[start : start + step])
    return pieces


def _lay_out(payloads: list[bytes], header_bytes: int, tag_bytes: int, received_ns: int) -> Layout:
    header, tag = bytes(header_bytes), bytes(tag_bytes)
    slots: list[tuple[int, int]] = []
    runs: list[Run] = []
    parts: list[bytes] = []
    offset = first = start = 0
    for index, payload in enumerate(payloads):
        size = header_bytes + len(payload) + tag_bytes
        segment = slots[first][1] if first < index else size
        broken = first < index and (size > segment or slots[-1][1] < segment or index - first == RUN_PACKETS)
        if broken:
            runs.append(Run(first, index - first, start, offset - start, segment))
            first, start = index, offset
        slots.append((offset, size))
        parts += (header, payload, tag)
        offset += size
    if slots:
        runs.append(Run(first, len(slots) - first, start, offset - start, slots[first][1]))
    return Layout(received_ns, b"".join(parts), tuple(slots), tuple(runs))
