"""RTP made by hand, as bytes, and a receiver to feed with it. Knows nothing of the project's own packetizers."""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from streams.access_unit import AccessUnit
from streams.codecs.h264 import H264Syntax
from streams.codecs.h265 import H265Syntax
from streams.errors import Place
from streams.rtsp.assembler import AccessUnitAssembler
from streams.rtsp.connection import RtspConnection
from streams.rtsp.depacketizer import H264Depacketizer, H265Depacketizer
from streams.rtsp.receiver import PacketFault, RtpReceiver
from streams.rtsp.scanner import Scan, scan

SSRC = 0x00C0FFEE
PAYLOAD_TYPE = 96

# made by x264 and x265, 640×360, and 1920×1080 for the second of a kind
SPS = bytes.fromhex("6742c016da0280bfe584000003000400000300783c58ba80")
PPS = bytes.fromhex("68ce0fc8")
SPS_1080 = bytes.fromhex("6742c028da01e0089f9610000003001000000301e0f1832a")
VPS_265 = bytes.fromhex("40010c01ffff01600000030090000003000003003f959409")
SPS_265 = bytes.fromhex("42010101600000030090000003000003003fa005020171f2e595952930b9a020000003002000000301e1")
PPS_265 = bytes.fromhex("4401c073c189")

IDR = b"\x65\x88" + bytes(range(1, 200))
P_SLICE = b"\x41\x9a" + bytes(range(1, 100))
B_SLICE = b"\x01\x9e" + bytes(range(1, 60))  # nal_ref_idc 0
LATER_SLICE = b"\x41\x4a" + bytes(range(1, 80))  # first_mb_in_slice is not 0
LATER_IDR_SLICE = b"\x65\x48" + bytes(range(1, 80))
DELIMITER = b"\x09\x10"
SEI_RECOVERY_NOW = b"\x06\x06\x01\xc4\x80"
SEI_RECOVERY_GRADUAL = b"\x06\x06\x01\x2c\x80"


def packet(
    payload: bytes,
    sequence: int,
    stamp: int = 0,
    marker: bool = False,
    *,
    ssrc: int = SSRC,
    payload_type: int = PAYLOAD_TYPE,
    extension: bytes | None = None,
    padding: int = 0,
    sources: int = 0,
) -> bytes:
    """An RTP packet (RFC 3550, 5.1)."""
    flags = 0x80 | (0x20 if padding else 0) | (0x10 if extension is not None else 0) | sources
    head = struct.pack(
        ">BBHII", flags, payload_type | (0x80 if marker else 0), sequence & 0xFFFF, stamp & 0xFFFF_FFFF, ssrc
    )
    head += b"\x00\x00\x00\x01" * sources
    if extension is not None:
        head += struct.pack(">HH", 0xABAC, len(extension) // 4) + extension
    return head + payload + (bytes(padding - 1) + bytes((padding,)) if padding else b"")


def interleaved(data: bytes, channel: int = 0) -> bytes:
    """The packet as a frame in an RTSP connection (RFC 2326, 10.12)."""
    return struct.pack(">BBH", 0x24, channel, len(data)) + data


def fragments(nal: bytes, size: int) -> list[bytes]:
    """FU-A payloads of an H.264 NAL unit, `size` bytes of it in each (RFC 6184, 5.8)."""
    parts = [nal[1:][at : at + size] for at in range(0, len(nal) - 1, size)]
    payloads = []
    for number, part in enumerate(parts):
        flags = (0x80 if number == 0 else 0) | (0x40 if number == len(parts) - 1 else 0)
        payloads.append(bytes((nal[0] & 0xE0 | 28, flags | nal[0] & 0x1F)) + part)
    return payloads


def fragments_265(nal: bytes, size: int) -> list[bytes]:
    """FU payloads of an H.265 NAL unit (RFC 7798, 4.4.3)."""
    parts = [nal[2:][at : at + size] for at in range(0, len(nal) - 2, size)]
    payloads = []
    for number, part in enumerate(parts):
        flags = (0x80 if number == 0 else 0) | (0x40 if number == len(parts) - 1 else 0)
        payloads.append(bytes((nal[0] & 0x81 | 49 << 1, nal[1], flags | nal[0] >> 1 & 0x3F)) + part)
    return payloads


def aggregate(*nal_units: bytes) -> bytes:
    """A STAP-A payload (RFC 6184, 5.7.1)."""
    return b"\x78" + b"".join(struct.pack(">H", len(nal)) + nal for nal in nal_units)


@dataclass
class Receiver:
    """An RtpReceiver of channel 0 in a connection, and what came out of it. Needs a running event loop.

    `usual_scan` is how packets are read where nothing else is asked for; the fixture `each_scanner` sets it.
    """

    usual_scan: ClassVar[Scan] = staticmethod(scan)
    codec: Literal["h264", "h265"] = "h264"
    parameter_sets: tuple[bytes, ...] = (SPS, PPS)
    units: list[AccessUnit] = field(default_factory=list)
    faults: list[PacketFault] = field(default_factory=list)
    scan: Scan | None = None

    def __post_init__(self) -> None:
        syntax = H264Syntax() if self.codec == "h264" else H265Syntax()
        depacketizer = H264Depacketizer() if self.codec == "h264" else H265Depacketizer()
        self.assembler = AccessUnitAssembler(syntax, self.units.append, self.parameter_sets, run=7)
        self.rtp = RtpReceiver(
            0, PAYLOAD_TYPE, depacketizer, self.assembler, self.faults.append, self.scan or self.usual_scan
        )
        self.connection = RtspConnection(Place())
        self.connection.video = self.rtp
        self.connection.control_channel = 1

    def feed(self, data: bytes, read_size: int = 0) -> None:
        """Bytes from the network, in reads of `read_size` (0: one read)."""
        step = read_size or len(data) or 1
        for at in range(0, len(data), step):
            part = data[at : at + step]
            self.connection.get_buffer(-1)[: len(part)] = part
            self.connection.buffer_updated(len(part))

    @property
    def outcome(self) -> tuple[object, ...]:
        """Everything that came of the bytes but the time, to compare."""
        units = [dataclasses.replace(unit, received_ns=0) for unit in self.units]
        rtp, connection = self.rtp, self.connection
        lost = connection.lost.result().reason if connection.lost.done() else None
        state = rtp.ssrc, rtp.last_stamp, rtp.seen_payload_type, self.assembler.marker, connection._left, lost
        return units, self.faults, rtp.counts, self.assembler.counts, self.assembler.timeline.jumps, state

    @property
    def nal_units(self) -> list[tuple[bytes, ...]]:
        """Of every access unit."""
        return [unit.nal_units for unit in self.units]


class Camera:
    """Makes the bytes a camera sends: pictures of NAL units, with running sequence numbers and time stamps."""

    def __init__(self, sequence: int = 1000, stamp: int = 90_000, step: int = 6_000, mtu: int = 60) -> None:
        self.sequence = sequence
        self.stamp = stamp
        self.step = step
        self.mtu = mtu
        self.codec = "h264"

    def payloads(self, nal: bytes) -> list[bytes]:
        if len(nal) <= self.mtu:
            return [nal]
        return fragments(nal, self.mtu - 2) if self.codec == "h264" else fragments_265(nal, self.mtu - 3)

    def packets(self, *nal_units: bytes, markers: Literal["last", "never", "each"] = "last") -> list[bytes]:
        """The frames of one picture."""
        frames = []
        for number, nal in enumerate(nal_units):
            payloads = self.payloads(nal)
            for part, payload in enumerate(payloads):
                ends_nal = part == len(payloads) - 1
                marked = ends_nal and (markers == "each" or (markers == "last" and number == len(nal_units) - 1))
                frames.append(interleaved(packet(payload, self.sequence, self.stamp, marked)))
                self.sequence += 1
        self.stamp += self.step
        return frames

    def picture(self, *nal_units: bytes, markers: Literal["last", "never", "each"] = "last") -> bytes:
        return b"".join(self.packets(*nal_units, markers=markers))

    def proven(self) -> bytes:
        """A key frame and two pictures, after which the marker is trusted."""
        return self.picture(IDR) + self.picture(P_SLICE) + self.picture(P_SLICE)
