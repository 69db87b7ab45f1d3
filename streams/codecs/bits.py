"""Reading the bit strings of H.264 and H.265 headers (ITU-T H.264 7.2, 9.1)."""

from __future__ import annotations

from streams.errors import MalformedNal


def unescape(nal: bytes) -> bytes:
    """`nal` without emulation prevention bytes (00 00 03 → 00 00)."""
    if b"\x00\x00\x03" not in nal:
        return nal
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")


class BitReader:
    """Reads from the first bit of `data` on. Raises MalformedNal past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def bits(self, count: int) -> int:
        """The next `count` bits as an unsigned number: u(n)."""
        self._left -= count
        if self._left < 0:
            raise MalformedNal("header ends too early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit: u(1)."""
        return self.bits(1) == 1

    def unsigned(self) -> int:
        """Exp-Golomb code: ue(v)."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise MalformedNal("Exp-Golomb code is too long")
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """Signed Exp-Golomb code: se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)
