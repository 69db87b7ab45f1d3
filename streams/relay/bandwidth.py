"""Whether a viewer's way carries the main stream: what its feedback says, and trials that step up again.

A camera cannot send a little less, so the question is only main or sub. Stepping down takes proof: the receiver's
estimate fell, or much was lost. Stepping up is a trial beforehand: pictures of the sub stream get filler data behind
them, as much as the estimate allows, until it carries the main stream. Each trial that fails makes the next one later.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple

_FALLEN = 0.97  # estimates of the receiver rise a little at a time and fall when the way gets slower than it is fed
_PROOF_NS = 5_000_000_000
_MUCH_LOST, _LITTLE_LOST = 0.15, 0.02  # what a bad wireless link loses is less
_GROWTH = 1.08
_WINDOW_NS, _ENOUGH_PACKETS = 950_000_000, 100
_FED = 1.5  # an estimate grows only while this part of it is used
_LEAST_BITS = 50_000.0
_MOST_BEHIND_SECONDS = 0.5
_ROOM = 1.15
_FIRST_WAIT_NS, _LONGEST_WAIT_NS = 10_000_000_000, 300_000_000_000
_HELD_NS = 60_000_000_000
_LONGEST_TRIAL_NS = 90_000_000_000


class _Reported(NamedTuple):
    """Where a receiver was at its last report."""

    at_ns: int
    highest: int
    missing: int


class LinkEstimate:
    """Bits/s that a viewer's way carries: the smaller of its estimate (REMB) and one from losses; inf: unknown."""

    def __init__(self, first_sequence: int, now_ns: int) -> None:
        self._by_receiver = math.inf
        self._by_loss = math.inf
        self._proven_ns: int | None = None
        self._got_bits = 0.0
        self._reported = _Reported(now_ns, first_sequence - 1, 0)

    @property
    def bits(self) -> float:
        return min(self._by_receiver, self._by_loss)

    def __str__(self) -> str:
        return "any amount" if self.bits == math.inf else f"{self.bits / 1000:.0f} kbit/s"

    def receiver_says(self, bits: float, now_ns: int) -> None:
        """A REMB came."""
        if self._by_receiver < math.inf and bits < self._by_receiver * _FALLEN:
            self._proven_ns = now_ns
        self._by_receiver = max(bits, _LEAST_BITS)

    def receiver_got(self, highest: int, missing: int, packet_bytes: float, now_ns: int) -> None:
        """A receiver report came: number of the last packet, how many did not come in all, bytes of one on average."""
        before = self._reported
        expected, passed_ns = highest - before.highest, now_ns - before.at_ns
        if expected < _ENOUGH_PACKETS and (passed_ns < _WINDOW_NS or expected <= 0):
            return
        self._reported = _Reported(now_ns, highest, missing)
        lost = max(0, missing - before.missing)
        bits = (expected - lost) * packet_bytes * 8e9 / max(1, passed_ns)
        if lost > _MUCH_LOST * expected:
            # what came later than it was sent is missing in one report and too much in the next
            recent = bits if self._proven_ns is None or now_ns - self._proven_ns > _PROOF_NS else self._got_bits
            self._by_loss = max(_LEAST_BITS, bits, recent)
            self._proven_ns, self._got_bits = now_ns, bits
        elif lost < _LITTLE_LOST * expected and bits * _FED > self._by_loss:
            self._by_loss *= _GROWTH

    def is_narrow(self, now_ns: int, since_ns: int = 0) -> bool:
        """Whether lately, and after `since_ns`, it was proven that no more than `bits` get through."""
        return self._proven_ns is not None and self._proven_ns > max(now_ns - _PROOF_NS, since_ns)

    def seconds_for(self, byte_count: int, now_ns: int) -> float:
        """How long so many bytes take; 0 on a way that has not shown itself narrow within a minute."""
        proven = self._proven_ns
        return 0.0 if proven is None or now_ns - proven > _HELD_NS else byte_count * 8 / self.bits


class Step(Enum):
    """What the judge says."""

    STAY = "stay"
    DOWN = "down"
    UP = "up"


class StreamJudge:
    """For one viewer that left the choice to the relay. Ask `look` about once a second."""

    def __init__(self, link: LinkEstimate) -> None:
        self._link = link
        self._is_down = False
        self._behind_seconds = 0.0
        self._looked_ns: int | None = None
        self._wait_ns = _FIRST_WAIT_NS
        self._changed_ns = 0
        self._next_trial_ns = 0
        self._trial_ns: int | None = None

    @property
    def filler_bits(self) -> float:
        """Bits/s that the pictures should have with filler; 0 while nothing is tried."""
        return 0.0 if self._trial_ns is None else self._link.bits

    @property
    def is_down(self) -> bool:
        """Whether the sub stream is what the way carries."""
        return self._is_down

    def look(self, now_ns: int, main_bits: float) -> Step:
        """What to do, where the main stream has `main_bits` a second."""
        passed = 0 if self._looked_ns is None else now_ns - self._looked_ns
        self._looked_ns = now_ns
        if self._is_down:
            return self._look_up(now_ns, main_bits)
        if not self._link.is_narrow(now_ns) or self._link.bits >= main_bits:
            self._behind_seconds = 0.0
            if now_ns - self._changed_ns > _HELD_NS:
                self._wait_ns = _FIRST_WAIT_NS
            return Step.STAY
        self._behind_seconds += passed / 1e9 * (1 - self._link.bits / main_bits)
        if self._behind_seconds < _MOST_BEHIND_SECONDS:
            return Step.STAY
        self._is_down = True
        self._put_off(now_ns)
        return Step.DOWN

    def _look_up(self, now_ns: int, main_bits: float) -> Step:
        link = self._link
        if now_ns < self._next_trial_ns:
            return Step.STAY
        if self._trial_ns is None:
            self._trial_ns = now_ns
        if link.is_narrow(now_ns, self._trial_ns) or now_ns - self._trial_ns > _LONGEST_TRIAL_NS:
            self._put_off(now_ns)
        elif link.bits >= main_bits * _ROOM:
            self._is_down = False
            self._changed_ns = now_ns
            self._behind_seconds = 0.0
            self._trial_ns = None
            return Step.UP
        return Step.STAY

    def _put_off(self, now_ns: int) -> None:
        self._trial_ns = None
        self._next_trial_ns = now_ns + self._wait_ns
        self._wait_ns = min(2 * self._wait_ns, _LONGEST_WAIT_NS)
