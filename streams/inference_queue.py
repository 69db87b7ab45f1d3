"""The shared queue before the detector: weighted fair turns of cameras, the newest look of each.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): a camera's virtual time grows by crops / weight, and the
camera with the least goes next. So more weight means more turns, and nobody starves.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

INCIDENT_WEIGHT = 8.0
"""An incident is open at the camera."""
ARMED_WEIGHT = 3.0
"""Something moves or is followed where a rule holds."""
ROUND_ROBIN_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    item: T
    crops: int
    weight: float
    start: float
    order: int
    size: int


class FairQueue(Generic[T]):
    """At most one item a camera and `max_bytes` in all; what is over the bound, or older, is shed and counted."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.byte_count = 0
        self._waiting: dict[str, _Waiting[T]] = {}
        self._finish: dict[str, float] = {}
        self._clock = 0.0
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, camera_id: str, item: T, *, crops: int, weight: float, size: int) -> list[str]:
        """Let `item` wait; an older one of the camera gives it its place. Returns the cameras that lost theirs."""
        shed = []
        old = self._waiting.get(camera_id)
        if old is not None:
            shed.append(camera_id)
            self.byte_count -= old.size
            start, order = old.start, old.order
        else:
            start, order = max(self._clock, self._finish.get(camera_id, 0.0)), next(self._order)
        self._waiting[camera_id] = _Waiting(item, crops, weight, start, order, size)
        self.byte_count += size
        while self.byte_count > self.max_bytes and len(self._waiting) > 1:
            last = max(self._waiting, key=self._turn)
            self._remove(last)
            shed.append(last)
        return shed

    def take(self, max_crops: int) -> list[tuple[str, T]]:
        """The next cameras' items, together at most `max_crops` (one item may be larger)."""
        taken: list[tuple[str, T]] = []
        crops = 0
        while self._waiting:
            camera_id = min(self._waiting, key=self._turn)
            waiting = self._waiting[camera_id]
            if taken and crops + waiting.crops > max_crops:
                break
            self._remove(camera_id)
            crops += waiting.crops
            self._clock = max(self._clock, waiting.start)
            self._finish[camera_id] = waiting.start + waiting.crops / waiting.weight
            taken.append((camera_id, waiting.item))
        return taken

    def _turn(self, camera_id: str) -> tuple[float, int]:
        waiting = self._waiting[camera_id]
        return waiting.start, waiting.order

    def _remove(self, camera_id: str) -> None:
        self.byte_count -= self._waiting.pop(camera_id).size
