"""Decides which access units are worth decoding: whole GOPs of a camera, or its key frames alone.

Every gate is open while all cameras fit the decode budget. When they do not, quiet cameras are closed to key frames,
the least urgent first. Packet sizes tell of motion before anything is decoded (PacketGame, SIGCOMM'23; CoVA,
ATC'22). They tell nothing on a stream of constant bit rate; there the pictures process's own word decides.
An inter frame needs the pictures before it, so a gate passes unbroken runs that begin at a key frame, or nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer

HOLD_SECONDS = 10.0
"""A gate that motion opened stays urgent for this long after it."""

_SECONDS_PER_PIXEL = 1.4e-9
"""Decoding cost before it is measured: 3.2 ms for an inter frame of 1920x1080, a little more for small ones."""


class MotionHint:
    """Suspects motion when inter frames grow against their own running baseline (a low quantile of their sizes)."""

    __slots__ = ("_baseline", "_mean")

    def __init__(self) -> None:
        self._baseline = 0.0
        self._mean = 0.0

    def offer(self, inter_frame_bytes: int) -> None:
        """Take the size of the next inter frame."""
        size = float(inter_frame_bytes)
        if not self._baseline:
            self._baseline = self._mean = size
            return
        self._mean += 0.2 * (size - self._mean)
        step = 0.02 * self._baseline + 1.0
        self._baseline += 0.3 * step if size > self._baseline else -0.7 * step
        self._baseline = max(self._baseline, 1.0)

    @property
    def suspected(self) -> bool:
        return self._mean > 1.6 * self._baseline + 150.0


@dataclass(frozen=True, slots=True)
class GateStatus:
    """Running totals. `shed` units were wanted but the pictures process was behind; `skipped` were not wanted."""

    is_open: bool
    motion_suspected: bool
    sent: int
    shed: int
    skipped: int


class PacketGate:
    """Passes one stream's access units on. `offer` is a listener of its GopBuffer and never waits.

    `send(unit)` returns whether there was room. Without room the rest of the GOP is shed. While it is not `attached`
    to a decoder it only measures.
    """

    def __init__(self, buffer: GopBuffer, send: Callable[[AccessUnit], bool]) -> None:
        self._buffer = buffer
        self._send = send
        self._motion = MotionHint()
        self._motion_seen_at = -HOLD_SECONDS
        self._is_open = True
        self.attached = False
        self._next_index: int | None = None  # of the unbroken run; None: begins at a key frame
        self._waits_for_key = False
        self._run = -1
        self.units = 0
        self.keys = 0
        self.pixels = 0
        self._sent = self._shed = self._skipped = 0

    @property
    def is_open(self) -> bool:
        return self._is_open

    @is_open.setter
    def is_open(self, value: bool) -> None:
        """An opened gate catches up from the ring at the next unit, without waiting for the next key frame."""
        self._is_open = value

    def motion_suspected(self, now: float | None = None) -> bool:
        """Whether sizes hinted at motion within the last HOLD_SECONDS (`now`: time.monotonic())."""
        return (time.monotonic() if now is None else now) - self._motion_seen_at < HOLD_SECONDS

    def status(self) -> GateStatus:
        return GateStatus(self._is_open, self.motion_suspected(), self._sent, self._shed, self._skipped)

    def restart(self) -> None:
        """A new decoder is at the other end: begin again at the newest key frame in the ring."""
        self.attached = True
        self._next_index = None
        self._waits_for_key = False

    def offer(self, index: int, unit: AccessUnit) -> None:
        """Take the unit just appended to the buffer as `index`."""
        self._measure(unit)
        if unit.is_key:
            self._next_index, self._waits_for_key = index, False
        elif unit.is_damaged or unit.run != self._run:
            self._next_index, self._waits_for_key = None, True
        self._run = unit.run
        if not self.attached:
            return
        if self._waits_for_key or not (self._is_open or unit.is_key):
            self._skipped += 1
            return
        self._pass_on(index)

    def _measure(self, unit: AccessUnit) -> None:
        self.units += 1
        self.pixels = unit.parameters.width * unit.parameters.height
        if unit.is_key:
            self.keys += 1
            return
        self._motion.offer(unit.size)
        if self._motion.suspected:
            self._motion_seen_at = time.monotonic()

    def _pass_on(self, index: int) -> None:
        start = self._buffer.last_key_index if self._next_index is None else self._next_index
        if start is None:
            self._waits_for_key = True
            self._skipped += 1
            return
        for position in range(start, index + 1):
            unit = self._buffer.get(position)
            if unit is None or (unit.is_damaged and not unit.is_key) or not self._send(unit):
                self._shed += index + 1 - position
                self._next_index, self._waits_for_key = None, True
                return
            self._sent += 1
        self._next_index = index + 1


@dataclass(frozen=True, slots=True)
class Demand:
    """What decoding a camera costs, in seconds a second, wholly or key frames alone; a higher `urgency` goes first."""

    full_cost: float
    key_cost: float
    urgency: int
    closed_seconds: float


def allocate(demands: dict[str, Demand], budget: float) -> frozenset[str]:
    """Cameras whose gates are open, so that the whole costs at most `budget` seconds of decoding a second.

    All when they fit; else by urgency, then the longest closed, so that quiet cameras take turns. An incident's
    camera (urgency 3) is open whatever it costs.
    """
    if sum(demand.full_cost for demand in demands.values()) <= budget:
        return frozenset(demands)
    left = budget - sum(demand.key_cost for demand in demands.values())
    opened = set()
    for camera_id, demand in sorted(demands.items(), key=lambda item: (-item[1].urgency, -item[1].closed_seconds)):
        extra = demand.full_cost - demand.key_cost
        if extra <= left or demand.urgency >= 3:
            opened.add(camera_id)
            left -= extra
    return frozenset(opened)


class GateKeeper:
    """Opens and closes the gates of a worker's cameras once a second, by what they cost and who needs them."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.cost = 0.0
        self._gates: dict[str, PacketGate] = {}
        self._rates: dict[str, tuple[float, float]] = {}  # access units and key frames a second
        self._counted: dict[str, tuple[int, int]] = {}
        self._unit_seconds: dict[str, float] = {}
        self._changed_at: dict[str, float] = {}
        self._decided_at: float | None = None

    def add(self, camera_id: str, gate: PacketGate) -> None:
        self._gates[camera_id] = gate

    def remove(self, camera_id: str) -> None:
        """Forget a camera and what it cost."""
        for known in (self._gates, self._rates, self._counted, self._unit_seconds, self._changed_at):
            known.pop(camera_id, None)

    def items(self) -> Iterable[tuple[str, PacketGate]]:
        return self._gates.items()

    def measured(self, camera_id: str, seconds_per_unit: float) -> None:
        """What decoding one access unit of the camera took, of late."""
        self._unit_seconds[camera_id] = seconds_per_unit

    def attach(self) -> None:
        """There is a new decoder."""
        for gate in self._gates.values():
            gate.restart()

    def detach(self) -> None:
        """There is no decoder any more."""
        for gate in self._gates.values():
            gate.attached = False

    def decide(self, now: float, incidents: frozenset[str], active: frozenset[str]) -> None:
        """`incidents`: cameras with an open incident; `active`: where something is followed (both camera ids)."""
        self._count(now)
        demands = {name: self._demand(name, gate, now, incidents, active) for name, gate in self._gates.items()}
        opened = allocate(demands, self.budget)
        self.cost = sum(demand.full_cost if name in opened else demand.key_cost for name, demand in demands.items())
        for name, gate in self._gates.items():
            if gate.is_open != (name in opened):
                gate.is_open = name in opened
                self._changed_at[name] = now

    def _count(self, now: float) -> None:
        seconds = None if self._decided_at is None else now - self._decided_at
        self._decided_at = now
        for name, gate in self._gates.items():
            units, keys = self._counted.get(name, (gate.units, gate.keys))
            self._counted[name] = (gate.units, gate.keys)
            if not seconds:
                continue
            fresh = ((gate.units - units) / seconds, (gate.keys - keys) / seconds)
            old = self._rates.get(name, fresh)
            self._rates[name] = (old[0] + 0.2 * (fresh[0] - old[0]), old[1] + 0.2 * (fresh[1] - old[1]))

    def _demand(
        self, name: str, gate: PacketGate, now: float, incidents: frozenset[str], active: frozenset[str]
    ) -> Demand:
        units, keys = self._rates.get(name, (0.0, 0.0))
        seconds = self._unit_seconds.get(name) or gate.pixels * _SECONDS_PER_PIXEL
        since = now - self._changed_at.get(name, now - HOLD_SECONDS)
        urgency = 3 if name in incidents else 2 if name in active else 1 if gate.motion_suspected(now) else 0
        if gate.is_open and since < HOLD_SECONDS:
            urgency = max(urgency, 1)
        return Demand(units * seconds, keys * seconds, urgency, 0.0 if gate.is_open else since)
