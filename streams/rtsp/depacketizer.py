"""RTP payloads to NAL units: H.264 (RFC 6184, modes 0 and 1) and H.265 (RFC 7798).

`fragment` holds the NAL unit whose fragments are being joined, `mid` what the bytes before the data of its next
fragment look like (-1: none is open), `ending` before that of its last one (-1: none is open, or its end is to be
looked at). `streams.rtsp.scanner` takes the usual fragments by these alone; the others come here.
"""

from __future__ import annotations

from streams.errors import MalformedNal
from streams.rtsp.scanner import FU_END, FU_START, H264, H265, H265_ORDERED

_START_CODE = b"\x00\x00\x01"


class Depacketizer:
    """Common to both codecs: the state of the open fragment. `form` is how the scanner is to look at payloads."""

    def __init__(self, form: int) -> None:
        self.form = form
        self.fragment = bytearray()
        self.mid = self.ending = -1

    def push(self, payload: memoryview) -> list[bytes]:
        """NAL units completed by `payload`. Raises MalformedNal; the caller then calls `reset`."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget the open fragment."""
        self.fragment.clear()
        self.mid = self.ending = -1

    def _aggregated(self, payload: memoryview, pos: int, order_bytes: int) -> list[bytes]:
        """NAL units of an aggregation packet: sizes of 16 bits, each after `order_bytes` of decoding order."""
        nal_units = []
        end = len(payload)
        while pos + order_bytes + 2 <= end:
            pos += order_bytes
            size = payload[pos] << 8 | payload[pos + 1]
            pos += 2
            if size == 0:
                break  # padding that no padding bit announced
            if pos + size > end:
                raise MalformedNal("NAL unit in an aggregation packet is longer than the packet")
            nal_units.append(bytes(payload[pos : pos + size]))
            pos += size
        return nal_units

    def _start(self, header: tuple[int, ...], mid: int, *, is_plain: bool = True) -> None:
        """The first fragment of a NAL unit with `header`."""
        if self.mid != -1:
            raise MalformedNal("a NAL unit starts before the end of the one in fragments came")
        self.fragment += bytes(header)
        self.mid = mid
        self.ending = mid | FU_END if is_plain else -1

    def _join(self, mid: int, flags: int, data: memoryview) -> list[bytes]:
        """Take one fragment; `flags` holds the start and end bits."""
        if self.mid != mid:
            raise MalformedNal("fragment of a NAL unit whose start did not come")
        self.fragment += data
        if not flags & FU_END:
            return []
        nal = bytes(self.fragment)
        self.reset()
        return [nal]


class H264Depacketizer(Depacketizer):
    """Single NAL unit, STAP-A, FU-A."""

    def __init__(self) -> None:
        super().__init__(H264)

    def push(self, payload: memoryview) -> list[bytes]:
        if len(payload) < 2:
            raise MalformedNal("payload is too short for a NAL unit")
        indicator = payload[0]
        nal_type = indicator & 0x1F
        if nal_type == 28:
            flags = payload[1]
            if len(payload) < 3 and not flags & FU_END:
                raise MalformedNal("fragment is empty")
            mid = indicator << 8 | flags & 0x1F
            if flags & FU_START:
                self._start((indicator & 0xE0 | flags & 0x1F,), mid, is_plain=flags & 0x1F not in (7, 8))
            nal_units = self._join(mid, flags, payload[2:])
            return _split_joined(nal_units[0]) if nal_units and flags & 0x1F in (7, 8) else nal_units
        if nal_type == 24:
            return self._aggregated(payload, 1, 0)
        if nal_type == 0 or nal_type > 23:
            raise MalformedNal(f"RTP packet type {nal_type} is not supported")
        return _split_joined(bytes(payload)) if nal_type in (7, 8) else [bytes(payload)]


class H265Depacketizer(Depacketizer):
    """Single NAL unit, AP, FU. `has_order`: decoding order numbers are present (sprop-max-don-diff > 0); they are
    passed over, since cameras send in decoding order anyway."""

    def __init__(self, *, has_order: bool = False) -> None:
        super().__init__(H265_ORDERED if has_order else H265)
        self._has_order = has_order

    def push(self, payload: memoryview) -> list[bytes]:
        if len(payload) < 3:
            raise MalformedNal("payload is too short for a NAL unit")
        nal_type = payload[0] >> 1 & 0x3F
        if nal_type == 49:
            flags = payload[2]
            mid = payload[0] << 16 | payload[1] << 8 | flags & 0x3F
            if flags & FU_START:
                self._start((payload[0] & 0x81 | (flags & 0x3F) << 1, payload[1]), mid)
            return self._join(mid, flags, payload[5 if self._has_order and flags & FU_START else 3 :])
        if nal_type == 48:
            return self._ordered(payload) if self._has_order else self._aggregated(payload, 2, 0)
        if nal_type > 49:
            raise MalformedNal(f"RTP packet type {nal_type} is not supported")
        if self._has_order:
            return [bytes(payload[:2]) + bytes(payload[4:])]
        return _split_joined(bytes(payload)) if 32 <= nal_type <= 34 else [bytes(payload)]

    def _ordered(self, payload: memoryview) -> list[bytes]:
        """Aggregation packet with DONL (16 bits) before the first NAL unit and DOND (8 bits) before the others."""
        if len(payload) < 6:
            raise MalformedNal("aggregation packet is too short")
        end = 6 + (payload[4] << 8 | payload[5])
        return self._aggregated(payload[:end], 2, 2) + self._aggregated(payload, end, 1)


def _split_joined(nal: bytes) -> list[bytes]:
    """Some cameras put SPS, PPS and the picture into one "NAL unit" with start codes between them, or zeros behind."""
    if _START_CODE not in nal:
        stripped = nal.rstrip(b"\x00")
        return [stripped] if stripped else []
    return [part for piece in nal.split(_START_CODE) if (part := piece.rstrip(b"\x00"))]
