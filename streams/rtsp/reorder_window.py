"""Puts packets that a network brought out of order back into it (RFC 3550, A.1, for what counts as a restart)."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

_RTP_IN_FRAME = Struct(">4xBBH4xI")  # behind the four bytes of an interleaved frame: flags, type, sequence, SSRC
_FRAME_AND_HEADER_BYTES = 16
_MAX_AHEAD = 3_000
_MAX_BEHIND = 1_000


class ReorderWindow:
    """Holds packets that came before their turn until the missing ones come, `wait_seconds` at most.

    Packets are interleaved frames. `deliver` gets them in the order of their sequence numbers. What comes twice, or
    after its turn was given up, is counted in `late` and dropped. A number far away is a new beginning. At most
    `max_packets` and `max_bytes` are held. Times are `time.monotonic()` seconds.
    """

    def __init__(
        self,
        deliver: Callable[[bytes], None],
        wait_seconds: float = 0.1,
        max_packets: int = 512,
        max_bytes: int = 1024 * 1024,
    ) -> None:
        self.expected = -1
        self.late = 0
        self.held: dict[int, tuple[float, bytes]] = {}
        self._deliver = deliver
        self._wait_seconds = wait_seconds
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self._held_bytes = 0
        self._ssrc = -1

    @property
    def deadline(self) -> float | None:
        """When the gap that is waited for is to be given up; None while nothing is held."""
        return self.held[self._first()][0] + self._wait_seconds if self.held else None

    def push(self, frame: bytes, now: float) -> None:
        """Take a packet that is not simply the next one."""
        if len(frame) < _FRAME_AND_HEADER_BYTES or frame[4] >> 6 != 2:
            self._deliver(frame)  # it will be refused
            return
        _, _, number, ssrc = _RTP_IN_FRAME.unpack_from(frame)
        ahead = number - self.expected & 0xFFFF
        if ssrc != self._ssrc or self.expected < 0 or _MAX_AHEAD < ahead < 0x1_0000 - _MAX_BEHIND:
            self.flush()
            self._ssrc = ssrc
            self._advance(number, frame)
        elif ahead == 0:
            self._advance(number, frame)
            self._drain()
        elif ahead > _MAX_AHEAD or number in self.held:
            self.late += 1
        else:
            self.held[number] = now, frame
            self._held_bytes += len(frame)
            while len(self.held) > self._max_packets or self._held_bytes > self._max_bytes:
                self._give_up()

    def expire(self, now: float) -> None:
        """Give up gaps that were waited for long enough."""
        while (deadline := self.deadline) is not None and deadline <= now:
            self._give_up()

    def flush(self) -> None:
        """Deliver all that is held."""
        while self.held:
            self._give_up()

    def _first(self) -> int:
        """The held number that is next, in sequence."""
        return min(self.held, key=lambda number: number - self.expected & 0xFFFF)

    def _give_up(self) -> None:
        """What is missing before the first held packet is lost."""
        self.expected = self._first()
        self._drain()

    def _drain(self) -> None:
        while (found := self.held.pop(self.expected, None)) is not None:
            self._held_bytes -= len(found[1])
            self._advance(self.expected, found[1])

    def _advance(self, number: int, frame: bytes) -> None:
        self.expected = number + 1 & 0xFFFF
        self._deliver(frame)
