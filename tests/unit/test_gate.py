"""What is sent to the decoder: unbroken runs from a key frame on, within a budget."""

from __future__ import annotations

import random

from streams.access_unit import AccessUnit, CodecParameters
from streams.gate import Demand, GateKeeper, MotionHint, PacketGate, allocate
from streams.gop_buffer import GopBuffer

PARAMETERS = CodecParameters("h264", (b"\x67", b"\x68"), 640, 360)


def unit(number: int, *, key: bool = False, damaged: bool = False, run: int = 0, size: int = 100) -> AccessUnit:
    return AccessUnit((bytes(size),), number, number, key, PARAMETERS, run=run, is_damaged=damaged)


class Bench:
    """A gate on a buffer, with room that can be taken away."""

    def __init__(self, max_bytes: int = 1_000_000) -> None:
        self.buffer = GopBuffer(max_bytes)
        self.sent: list[int] = []
        self.has_room = True
        self.gate = PacketGate(self.buffer, self._send)
        self.gate.restart()
        self.buffer.listen(self.gate.offer)

    def _send(self, unit: AccessUnit) -> bool:
        if self.has_room:
            self.sent.append(unit.pts_90k)
        return self.has_room

    def feed(self, first: int, last: int, gop: int = 10, run: int = 0) -> None:
        for number in range(first, last + 1):
            self.buffer.append(unit(number, key=number % gop == 0, run=run))


def test_an_open_gate_passes_everything_from_the_first_key_frame_on() -> None:
    bench = Bench()
    bench.feed(5, 25)
    assert bench.sent == list(range(10, 26))


def test_a_closed_gate_passes_key_frames_alone() -> None:
    bench = Bench()
    bench.gate.is_open = False
    bench.feed(0, 35)
    assert bench.sent == [0, 10, 20, 30]


def test_a_gate_that_opens_catches_up_from_the_ring() -> None:
    bench = Bench()
    bench.gate.is_open = False
    bench.feed(0, 24)
    bench.gate.is_open = True
    bench.feed(25, 27)
    assert bench.sent == [0, 10, 20, 21, 22, 23, 24, 25, 26, 27]


def test_without_room_the_rest_of_the_gop_is_shed_and_counted() -> None:
    bench = Bench()
    bench.feed(0, 4)
    bench.has_room = False
    bench.feed(5, 5)
    bench.has_room = True
    bench.feed(6, 12)
    assert bench.sent == [0, 1, 2, 3, 4, 10, 11, 12]
    assert bench.gate.status().shed == 1 and bench.gate.status().skipped == 4


def test_what_follows_a_damaged_unit_is_not_decoded_until_the_next_key_frame() -> None:
    bench = Bench()
    bench.feed(0, 2)
    bench.buffer.append(unit(3, damaged=True))
    bench.buffer.append(unit(4, damaged=True))
    bench.feed(10, 11)
    assert bench.sent == [0, 1, 2, 10, 11]


def test_a_new_run_begins_at_its_key_frame() -> None:
    bench = Bench()
    bench.feed(0, 3)
    bench.buffer.append(unit(4, run=1))
    bench.feed(10, 11, run=1)
    assert bench.sent == [0, 1, 2, 3, 10, 11]


def test_a_new_decoder_gets_the_present_gop_from_its_key_frame() -> None:
    bench = Bench()
    bench.feed(0, 15)
    bench.gate.attached = False
    bench.feed(16, 17)
    bench.sent.clear()
    bench.gate.restart()
    bench.feed(18, 18)
    assert bench.sent == list(range(10, 19))


def test_a_gop_that_outgrew_the_ring_waits_for_the_next_key_frame() -> None:
    bench = Bench(max_bytes=500)
    bench.feed(0, 8)
    bench.gate.restart()
    bench.sent.clear()
    bench.feed(9, 12)
    assert bench.sent == [10, 11, 12]


def test_whatever_happens_only_unbroken_runs_are_sent() -> None:
    dice = random.Random(7)
    bench = Bench(max_bytes=2000)
    for number in range(3000):
        bench.has_room = dice.random() > 0.05
        if dice.random() < 0.05:
            bench.gate.is_open = not bench.gate.is_open
        if dice.random() < 0.01:
            bench.gate.restart()
            bench.sent.append(-1)
        bench.feed(number, number, gop=12)
    previous = -1
    for number in bench.sent:
        assert number == -1 or number % 12 == 0 or number == previous + 1, (previous, number)
        previous = number
    assert len(bench.sent) > 1000


def test_motion_is_suspected_when_inter_frames_grow_and_not_when_they_are_steady() -> None:
    dice = random.Random(1)
    hint = MotionHint()
    for _ in range(300):
        hint.offer(800 + dice.randrange(-200, 200))
    assert not hint.suspected
    for _ in range(15):
        hint.offer(3000)
    assert hint.suspected
    for _ in range(60):
        hint.offer(800)
    assert not hint.suspected


def test_within_the_budget_all_gates_are_open() -> None:
    demands = {str(i): Demand(0.05, 0.005, 0, 0.0) for i in range(10)}
    assert allocate(demands, 0.5) == frozenset(demands)


def test_over_the_budget_the_urgent_go_first_and_quiet_ones_take_turns() -> None:
    demands = {str(i): Demand(0.1, 0.01, 0, closed_seconds=float(i)) for i in range(10)}
    demands["3"] = Demand(0.1, 0.01, 2, 0.0)
    demands["4"] = Demand(0.1, 0.01, 1, 0.0)
    opened = allocate(demands, 0.5)
    assert opened == {"3", "4", "9", "8"}
    cost = sum(demand.full_cost if name in opened else demand.key_cost for name, demand in demands.items())
    assert cost <= 0.5


def test_the_camera_of_an_open_incident_is_open_whatever_it_costs() -> None:
    demands = {"quiet": Demand(0.1, 0.01, 0, 0.0), "incident": Demand(5.0, 0.5, 3, 0.0)}
    assert allocate(demands, 0.3) == {"incident"}


def test_every_quiet_camera_gets_its_turn_under_a_small_budget() -> None:
    keeper = GateKeeper(budget=0.02)
    buffers = {str(i): GopBuffer() for i in range(6)}
    seen: set[str] = set()
    for name, buffer in buffers.items():
        gate = PacketGate(buffer, lambda unit: True)
        gate.restart()
        keeper.add(name, gate)
        buffer.listen(gate.offer)
        keeper.measured(name, 0.001)
    for second in range(120):
        for buffer in buffers.values():
            for number in range(10):
                buffer.append(unit(second * 10 + number, key=number == 0))
        keeper.decide(float(second), frozenset(), frozenset())
        opened = {name for name, gate in keeper.items() if gate.is_open}
        if second > 2:
            assert len(opened) < 6 and keeper.cost <= 0.021
        seen |= opened if second > 2 else set()
    assert seen == set(buffers)


def test_a_camera_that_is_gone_costs_nothing_and_is_known_no_more() -> None:
    keeper = GateKeeper(budget=10.0)
    buffers = {name: GopBuffer() for name in ("gate", "yard")}
    for name, buffer in buffers.items():
        gate = PacketGate(buffer, lambda _: True)
        buffer.listen(gate.offer)
        keeper.add(name, gate)
        keeper.measured(name, 0.5)
    for second in range(3):
        for buffer in buffers.values():
            buffer.append(unit(second, key=True))
        keeper.decide(float(second), frozenset(), frozenset())
    both = keeper.cost
    keeper.remove("yard")
    keeper.remove("nobody")
    keeper.decide(3.0, frozenset({"yard"}), frozenset({"yard"}))
    assert 0 < keeper.cost < 0.8 * both
    assert dict(keeper.items()).keys() == {"gate"}
