"""What one frame showed, and which parts of it the detector shall see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.detections import Boxes
from detectors.flame import Flame
from detectors.frame import Frame, Image
from detectors.motion import Motion
from detectors.standing import StandingChange


@dataclass(frozen=True, slots=True)
class Crop:
    """`box` is x1, y1, x2, y2 in whole frame pixels; `priority` 3 (an alarm hangs on it) to 0 (round robin)."""

    box: tuple[int, int, int, int]
    priority: int

    def cut(self, image: Image) -> Image:
        """A view of that part of `image`."""
        x1, y1, x2, y2 = self.box
        return image[y1:y2, x1:x2]


@dataclass(frozen=True, slots=True)
class Look:
    """One frame without the detector, and the `crops` of it that the detector shall see now."""

    frame: Frame
    crops: tuple[Crop, ...]
    motion: Motion
    changes: tuple[StandingChange, ...]
    flames: tuple[Flame, ...]

    def keeping(self, crops: Sequence[Crop]) -> Look:
        """The same look when the detector sees only `crops`."""
        return replace(self, crops=tuple(crops))

    @property
    def looked(self) -> Boxes:
        """(N, 4): where the detector looks, in frame pixels."""
        return np.array([crop.box for crop in self.crops], np.float32).reshape(-1, 4)
