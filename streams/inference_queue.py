"""The shared queue before the detector: weighted fair turns of cameras, the newest look of each.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): a camera's virtual time grows by crops / weight, and the
camera with the least goes next. So more weight means more turns, and nobody starves.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    item: T
    crops: int
    weight: float
    start: float
    order: int
    size: int


class FairQueue(Generic[T]):
    """At most one item a camera, and `max_bytes` in all unless a single one is larger."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.byte_count = 0
        self._waiting: dict[str, _Waiting[T]] = {}
        self._finish: dict[str, float] = {}
        self._clock = 0.0
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, camera_id: str, item: T, *, crops: int, weight: float, size: int) -> list[tuple[str, T]]:
        """Let `item` of a camera that has none here wait. Returns what lost its place over the bound."""
        start = max(self._clock, self._finish.get(camera_id, 0.0))
        self._waiting[camera_id] = _Waiting(item, crops, weight, start, next(self._order), size)
        self.byte_count += size
        shed = []
        while self.byte_count > self.max_bytes and len(self._waiting) > 1:
            last = max(self._waiting, key=self._turn)
            shed.append((last, self._remove(last)))
        return shed

    def drop(self, camera_id: str) -> T | None:
        """Take the camera's item out of its turn, None when it has none. A newer one may follow at no loss of rank."""
        return self._remove(camera_id) if camera_id in self._waiting else None

    def forget(self, camera_id: str) -> None:
        """The camera is gone, and with it its item and its rank."""
        self.drop(camera_id)
        self._finish.pop(camera_id, None)

    def take(self, max_crops: int) -> list[tuple[str, T]]:
        """The next cameras' items, together at most `max_crops` (one item may be larger)."""
        taken: list[tuple[str, T]] = []
        crops = 0
        while self._waiting:
            camera_id = min(self._waiting, key=self._turn)
            waiting = self._waiting[camera_id]
            if taken and crops + waiting.crops > max_crops:
                break
            item = self._remove(camera_id)
            crops += waiting.crops
            self._clock = max(self._clock, waiting.start)
            self._finish[camera_id] = waiting.start + waiting.crops / waiting.weight
            taken.append((camera_id, item))
        return taken

    def _turn(self, camera_id: str) -> tuple[float, int]:
        waiting = self._waiting[camera_id]
        return waiting.start, waiting.order

    def _remove(self, camera_id: str) -> T:
        waiting = self._waiting.pop(camera_id)
        self.byte_count -= waiting.size
        return waiting.item
