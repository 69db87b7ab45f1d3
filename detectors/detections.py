"""What a detector sees in a picture: one typed array container."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]  # (N, 4): x1, y1, x2, y2 in pixels of the frame


class ObjectClass(IntEnum):
    """Classes of the shipped detector, in the order of its output."""

    PERSON = 0
    BICYCLE = 1
    CAR = 2
    MOTORCYCLE = 3
    BUS = 4
    TRUCK = 5
    BAG = 6
    FIRE = 7
    SMOKE = 8


VEHICLES = frozenset({ObjectClass.CAR, ObjectClass.MOTORCYCLE, ObjectClass.BUS, ObjectClass.TRUCK})


@dataclass(frozen=True, slots=True)
class Detections:
    """`boxes` (N, 4) float32 xyxy in frame pixels, `scores` (N,) float32, `class_ids` (N,) int32."""

    boxes: Boxes
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.scores)

    def only(self, keep: NDArray[np.bool_]) -> Detections:
        """Those where `keep` (N,) is true."""
        return Detections(self.boxes[keep], self.scores[keep], self.class_ids[keep])
