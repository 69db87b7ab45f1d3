"""A mutation engine over a corpus: seeded, so that every input can be had again from its seed and number."""

from __future__ import annotations

import random
from collections.abc import Sequence

MAX_INPUT_BYTES = 300_000
_TEXT_TOKENS = (
    b"\r\n", b"\n\n", b"\r\n\r\n", b"$", b"RTSP/1.0 200 OK\r\n", b"Content-Length: 262144\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n", b"1\r\nA\r\n", b"CSeq: 1\r\n", b"WWW-Authenticate: Digest ", b'realm="', b'\\"',
    b"m=video 0 RTP/AVP 96\r\n", b"a=rtpmap:96 H264/90000\r\n", b"sprop-parameter-sets=", b"=",
    b",", b";", b"%", b"[", b"@",
    b"://", b"..", b"\xff", b"\xed\xa0\x80", b"\xe2\x84\xab", b"9" * 5000, b"{", b"[" * 500, b"null", b"NaN", b"1e999",
)  # fmt: skip
_BINARY_TOKENS = (
    b"\x00\x00\x03", b"\x00\x00\x01", b"\x00" * 16, b"\xff" * 8, b"\x80\x60", b"\x80\xe0", b"$\x00\xff\xff",
    b"$\x01\x00\x08",
    b"\x7c\x85", b"\x7c\x05", b"\x7c\x45", b"\x78\x00\x01", b"\x62\x01", b"\x60\x01", b"\x67", b"\x68",
    b"\x42\x01", b"\x44\x01",
    b"moof", b"mdat", b"prft", b"trun", b"tfdt", b"\x00\x00\x00\x08mdat", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00",
)  # fmt: skip
TOKENS = _TEXT_TOKENS + _BINARY_TOKENS


class Mutator:
    """`make(number)` is the same bytes whenever it is asked with the same seed and corpus."""

    def __init__(self, corpus: Sequence[bytes], seed: int) -> None:
        self._corpus = tuple(corpus) or (b"",)
        self._seed = seed

    def make(self, number: int) -> bytes:
        """Input `number`: a piece of corpus, torn; now and then one that was blown up, or noise."""
        chance = random.Random(self._seed << 32 | number)
        if chance.random() < 0.02:
            return chance.randbytes(chance.randrange(400))
        data = bytearray(chance.choice(self._corpus))
        for _ in range(1 + int(chance.expovariate(0.4))):
            self._tear(data, chance)
        if chance.random() < 0.005:
            _blow_up(data, chance)
        return bytes(data[:MAX_INPUT_BYTES])

    def _tear(self, data: bytearray, chance: random.Random) -> None:
        at = chance.randrange(len(data) + 1)
        stop = min(len(data), at + 1 + int(chance.expovariate(0.05)))
        kind = chance.randrange(9)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 2:
            del data[at:stop]
        elif kind == 3:
            data[at:at] = chance.choice(TOKENS)
        elif kind == 4:
            token = chance.choice(TOKENS)
            data[at : at + len(token)] = token
        elif kind == 5:
            data[at:at] = data[at:stop] * chance.choice((1, 1, 2, 5))
        elif kind == 6:
            other = chance.choice(self._corpus)
            begin = chance.randrange(len(other) + 1)
            data[at:stop] = other[begin : begin + int(chance.expovariate(0.01))]
        elif kind == 7:
            size = chance.choice((1, 2, 4))
            data[at : at + size] = chance.choice((0, 1, 0x7F, 0x80, 0xFF)).to_bytes(1, "big") * size
        elif chance.random() < 0.3:
            del data[at:]


def _blow_up(data: bytearray, chance: random.Random) -> None:
    """Repeat a short piece until the input is large: what grows worse than linearly shows itself."""
    at = chance.randrange(len(data) + 1)
    piece = bytes(data[at : at + chance.choice((1, 2, 3, 6, 20, 100))]) or chance.choice(TOKENS)
    size = chance.choice((5_000, 60_000, 250_000))
    data[at:at] = piece * (size // len(piece))
