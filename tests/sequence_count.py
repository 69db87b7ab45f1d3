"""What a viewer can tell from RTP headers alone: which numbers came, which are missing, how late pictures are."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_NACK_AFTER_SECONDS = 0.02


@dataclass(slots=True)
class Account:
    """What one receiver saw since the last `mark`. `lost` never came, not even asked for again; `late` came out of
    turn. `pictures` counts markers. Delays are of whole pictures against the least seen since it connected."""

    packets: int = 0
    lost: int = 0
    late: int = 0
    pictures: int = 0
    worst_gap_ms: float = 0.0
    p99_delay_ms: float = 0.0
    worst_delay_ms: float = 0.0


class SequenceCount:
    """Sequence numbers, pictures and their delays as they come in."""

    def __init__(self) -> None:
        self.highest = -1  # unwrapped
        self.missing: dict[int, tuple[float, int]] = {}  # number → when to ask for it, how often it was asked for
        self._reported = (-1, 0)
        self._came_in_all = 0
        self.ssrc = 0
        self._account = Account()
        self._delays: list[float] = []
        self._least_delay = float("inf")
        self._stamp: int | None = None
        self._stamp_base = 0
        self._came = 0.0

    def take(self, header: bytes | bytearray, now: float) -> None:
        """A packet's first twelve bytes."""
        _, kind, low, stamp, ssrc = struct.unpack_from("!BBHII", header)
        account = self._account
        if self.ssrc != ssrc:
            self.ssrc, self.highest = ssrc, low - 1
            self.missing.clear()
        ahead = (low - self.highest) & 0xFFFF
        if ahead == 1:
            self.highest += 1
        elif 0 < ahead < 0x8000:
            due = now + _NACK_AFTER_SECONDS
            self.missing.update(dict.fromkeys(range(self.highest + 1, self.highest + ahead), (due, 0)))
            self.highest += ahead
        elif self.missing.pop(self.highest - (-ahead & 0xFFFF), None) is None:
            return  # it came twice
        else:
            account.late += 1
        account.packets += 1
        self._came_in_all += 1
        if self._came:
            account.worst_gap_ms = max(account.worst_gap_ms, (now - self._came) * 1000)
        self._came = now
        if kind & 0x80:
            account.pictures += 1
            self._note_delay(stamp, now)

    def mark(self) -> None:
        """Count from here on."""
        self._account = Account()
        self._delays.clear()
        self.missing.clear()

    def missing_up_to(self, highest: int) -> int:
        return sum(number <= highest for number in self.missing)

    def account(self, highest: int | None = None) -> Account:
        """What was seen; what is missing now, up to `highest`, is lost."""
        account = self._account
        account.lost = self.missing_up_to(self.highest if highest is None else highest)
        if self._delays:
            later = sorted(delay - self._least_delay for delay in self._delays)
            account.p99_delay_ms = round(later[int(len(later) * 0.99)] * 1000, 1)
            account.worst_delay_ms = round(later[-1] * 1000, 1)
        account.worst_gap_ms = round(account.worst_gap_ms, 1)
        return account

    def fraction_lost(self) -> int:
        """In 256ths, since it was asked last (RFC 3550, 6.4.1)."""
        highest, came = self._reported
        self._reported = (self.highest, self._came_in_all)
        expected = self.highest - highest
        if highest < 0 or expected <= 0:
            return 0
        return min(255, max(0, (expected - (self._came_in_all - came)) * 256 // expected))

    def _note_delay(self, stamp: int, now: float) -> None:
        if self._stamp is not None:
            self._stamp_base += (stamp - self._stamp + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
        self._stamp = stamp
        delay = now - self._stamp_base / 90_000
        self._least_delay = min(self._least_delay, delay)
        self._delays.append(delay)
