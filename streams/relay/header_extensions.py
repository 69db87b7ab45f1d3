"""RTP header extensions as one block of one size in every packet of a viewer (RFC 8285, one-byte headers).

abs-send-time: when the run left, 6.18 fixed-point seconds (webrtc.org/experiments/rtp-hdrext/abs-send-time).
playout-delay: no delay, twelve bits each for least and most. abs-capture-time: when the picture came, as NTP time.
"""

from __future__ import annotations

import struct
import time

from streams.relay.sdp import Extensions

_ONE_BYTE_HEADERS = 0xBEDE
_NO_DELAY = bytes(3)
_NTP_EPOCH_NS = 2_208_988_800 * 1_000_000_000  # 1900 → 1970


class HeaderExtensions:
    """Makes the block; `size` is its length in bytes, 0 when nothing was negotiated.

    The same arguments give the same bytes, so what was sent can be made again instead of being kept.
    """

    def __init__(self, extensions: Extensions, mid: str | None) -> None:
        fixed, self._sent_at = b"", -1
        if extensions.abs_send_time is not None:
            self._sent_at = 5
            fixed += _element(extensions.abs_send_time, bytes(3))
        if extensions.playout_delay is not None:
            fixed += _element(extensions.playout_delay, _NO_DELAY)
        if extensions.mid is not None and mid is not None:
            fixed += _element(extensions.mid, mid.encode())
        self._captured_at = -1
        if extensions.abs_capture_time is not None:
            self._captured_at = 5 + len(fixed)
            fixed += _element(extensions.abs_capture_time, bytes(8))
        fixed += bytes(-len(fixed) % 4)
        words = len(fixed) // 4
        self._block = bytearray(struct.pack("!HH", _ONE_BYTE_HEADERS, words) + fixed if words else b"")
        self._ntp_ns = time.time_ns() - time.monotonic_ns() + _NTP_EPOCH_NS
        self.size = len(self._block)

    def block(self, sent_24: int, received_ns: int) -> bytes:
        """The block of packets that leave at `sent_24` (`send_time`), of a picture that came at `received_ns`."""
        if self._sent_at >= 0:
            self._block[self._sent_at : self._sent_at + 3] = sent_24.to_bytes(3, "big")
        if self._captured_at >= 0:
            ntp = ((received_ns + self._ntp_ns) << 32) // 1_000_000_000
            struct.pack_into("!Q", self._block, self._captured_at, ntp & 0xFFFF_FFFF_FFFF_FFFF)
        return bytes(self._block)


def send_time(monotonic_ns: int) -> int:
    """A moment as abs-send-time: 24 bits, 6.18 fixed-point seconds."""
    return (monotonic_ns << 18) // 1_000_000_000 & 0xFF_FFFF


def _element(number: int, value: bytes) -> bytes:
    return bytes([number << 4 | len(value) - 1]) + value
