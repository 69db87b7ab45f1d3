"""NAL units to RTP packets, framed for interleaving in RTSP (RFC 2326, 10.12).

A picture is packetized once per clip. A mount patches sequence number, timestamp and SSRC into a copy.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from streams.virtual.codec import ClipCodec

PAYLOAD_TYPE = 96
MAX_PAYLOAD_BYTES = 1388
"""With 12 bytes of RTP header a packet has 1,400."""

_FRAME_HEADER = struct.Struct(">BBH")
_RTP_HEADER = struct.Struct(">BBHII")
_PER_MOUNT = struct.Struct(">HII")
_PER_MOUNT_OFFSET = _FRAME_HEADER.size + 2


@dataclass(frozen=True, slots=True)
class PacketTemplate:
    """One picture's packets, each `$`, channel 0, length, RTP header, payload, one behind the other.

    `offsets` are the packets' starts and the end of the last: one more than there are packets.
    """

    data: bytes
    offsets: tuple[int, ...]

    @property
    def packet_count(self) -> int:
        """RTP packets in it."""
        return len(self.offsets) - 1

    def patched(self, sequence: int, timestamp: int, ssrc: int) -> bytearray:
        """A copy with the numbers of a mount; `sequence` is that of its first packet and wraps at 16 bits."""
        data = bytearray(self.data)
        pack_into = _PER_MOUNT.pack_into
        for offset in self.offsets[:-1]:
            pack_into(data, offset + _PER_MOUNT_OFFSET, sequence & 0xFFFF, timestamp, ssrc)
            sequence += 1
        return data


def packetize(codec: ClipCodec, nal_units: list[bytes], parameter_sets: tuple[bytes, ...] = ()) -> PacketTemplate:
    """Packets of one picture; `parameter_sets` go in front as one aggregate (apart when they are too large)."""
    payloads: list[bytes] = []
    if parameter_sets:
        aggregate = codec.aggregate(parameter_sets)
        payloads.extend([aggregate] if len(aggregate) <= MAX_PAYLOAD_BYTES else parameter_sets)
    for nal_unit in nal_units:
        if len(nal_unit) <= MAX_PAYLOAD_BYTES:
            payloads.append(nal_unit)
        else:
            payloads.extend(codec.fragments(nal_unit, MAX_PAYLOAD_BYTES))
    pieces: list[bytes] = []
    offsets = [0]
    for number, payload in enumerate(payloads):
        marker = 0x80 if number == len(payloads) - 1 else 0
        pieces.append(_FRAME_HEADER.pack(0x24, 0, _RTP_HEADER.size + len(payload)))
        pieces.append(_RTP_HEADER.pack(0x80, marker | PAYLOAD_TYPE, 0, 0, 0))
        pieces.append(payload)
        offsets.append(offsets[-1] + _FRAME_HEADER.size + _RTP_HEADER.size + len(payload))
    return PacketTemplate(b"".join(pieces), tuple(offsets))
