"""All viewers of one stream, fed from one place: each access unit is packetized once, whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice, takewhile
from weakref import WeakValueDictionary

from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.relay.errors import CodecNotRelayable, NotRelayable, ReorderedFrames
from streams.relay.packetizer import PacketizedUnit
from streams.relay.start import is_reordered, is_start, plan_start
from streams.relay.viewer import Viewer

_RATE_NS = 10_000_000_000


class Feed:
    """Listens to the buffer only while it has viewers. `refusal` is set when the stream turns out not relayable."""

    def __init__(self, name: str, buffer: GopBuffer, max_burst_bytes: int, on_refusal: Callable[[Feed], None]) -> None:
        self.name = name
        self.buffer = buffer
        self.refusal: NotRelayable | None = None
        self._max_burst_bytes = max_burst_bytes
        self._on_refusal = on_refusal
        self._viewers: dict[Viewer, None] = {}
        self._packets: WeakValueDictionary[int, PacketizedUnit] = WeakValueDictionary()
        self._previous: AccessUnit | None = None
        self._rate = (0, 0.0)
        self._stop = ExitStack()

    @property
    def viewers(self) -> list[Viewer]:
        return list(self._viewers)

    def add(self, viewer: Viewer) -> None:
        """Let `viewer` have every unit from the next one on."""
        if not self._viewers:
            self._previous = self.buffer.get(self.buffer.next_index - 1)
            self._stop.callback(self.buffer.listen(self._take))
            self._stop.callback(self.buffer.look_on())
        self._viewers[viewer] = None

    def remove(self, viewer: Viewer) -> None:
        self._viewers.pop(viewer, None)
        if not self._viewers:
            self._stop.close()

    def start_units(self) -> list[tuple[AccessUnit, PacketizedUnit]]:
        """The cached GOP as it is sent to a viewer who has just come; empty when it must wait for a key frame."""
        plan = plan_start(self.buffer, self._max_burst_bytes)
        return [(unit, self._packetized(index, unit)) for index, unit in plan]

    def bits_per_second(self, now_ns: int) -> float:
        """What the stream needs, from what is kept of its last 10 s; looked up once a second at most."""
        looked_ns, bits = self._rate
        if now_ns - looked_ns >= 1_000_000_000:
            kept = list(takewhile(lambda unit: now_ns - unit.received_ns < _RATE_NS, self._kept_backwards()))
            bits = sum(unit.size for unit in kept) * 8e9 / max(1, now_ns - kept[-1].received_ns) if kept else 0.0
            self._rate = (now_ns, bits)
        return bits

    def seconds_to_key_frame(self, now_ns: int) -> float:
        """When the next key frame is due, going by the GOP before; 2 s where it does not tell."""
        came = list(islice((unit.received_ns for unit in self._kept_backwards() if unit.is_key), 2))
        return max(0.0, (2 * came[0] - came[1] - now_ns) / 1e9) if len(came) > 1 else 2.0

    def _kept_backwards(self) -> Iterator[AccessUnit]:
        for index in range(self.buffer.next_index - 1, self.buffer.first_index - 1, -1):
            unit = self.buffer.get(index)
            assert unit is not None
            yield unit

    def _take(self, index: int, unit: AccessUnit) -> None:
        previous, self._previous = self._previous, unit
        if unit.parameters.codec != "h264":  # the camera was set to another, or another camera has taken its place
            self._refuse(CodecNotRelayable(f"{self.name} has become {unit.parameters.codec.upper()}; set it to H.264"))
            return
        if previous is not None and is_reordered(previous, unit):
            self._refuse(ReorderedFrames(f"{self.name} has begun to send reordered pictures"))
            return
        may_start = is_start(unit)
        is_broken = previous is not None and previous.run != unit.run
        for viewer in list(self._viewers):
            if is_broken and viewer.feed is self:
                viewer.wait_for_key_frame()
            viewer.take(unit, lambda: self._packetized(index, unit), may_start=may_start, feed=self)

    def _refuse(self, refusal: NotRelayable) -> None:
        self.refusal = refusal
        self._on_refusal(self)

    def _packetized(self, index: int, unit: AccessUnit) -> PacketizedUnit:
        packets = self._packets.get(index)
        if packets is None:
            packets = self._packets[index] = PacketizedUnit(unit)
        return packets
