"""Places that have the colour of flame and flicker like it, found without a neural network.

Colour as in Çelik and Demirel, 2009 ("Fire detection in video sequences using a generic color model"), loosened;
flicker after Töreyin et al., 2006 ("Computer vision based method for real-time fire and flame detection"), in a
form that works at two to five pictures a second: the flame-coloured shape changes from picture to picture while its
place does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.boxes import Box
from detectors.masks import Mask, above, below, both, components, count, follow
from detectors.motion import Motion

MEMORY_SECONDS = 1.5
MIN_AREA = 20  # working pixels
MAX_FLAMES = 8
GONE_SECONDS = 3.0
_JOIN = np.ones((5, 5), np.uint8)


@dataclass(slots=True)
class Flame:
    """A flickering place. `box` in frame pixels, media seconds. `flicker` is how much of the shape changes from
    picture to picture (0..1), `steady` the share of looks it was there, `area` in working pixels, `growth` its area
    now over the first. `home` is the box it began with: what travels is no fire.
    """

    id: int
    box: Box
    home: Box
    since: float
    last_seen: float
    area: float
    first_area: float
    flicker: float = 0.0
    steady: float = 1.0
    looks: int = 1

    @property
    def growth(self) -> float:
        return self.area / max(self.first_area, 1.0)


class FlameField:
    """Follows one camera; `update` wants each Motion once, in order."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size` is the working (width, height)."""
        self._presence = np.zeros((size[1], size[0]), np.float32)
        self._activity = np.zeros((size[1], size[0]), np.float32)
        self._previous: NDArray[np.uint8] | None = None
        self._mask: Mask = np.zeros((size[1], size[0]), np.uint8)
        self._seconds = 0.0
        self._next_id = 1
        self.flames: list[Flame] = []

    def update(self, motion: Motion) -> list[Flame]:
        """The flickering places now."""
        before, self._previous = self._previous, motion.small
        if before is None or motion.scene_changed:
            self._presence[:] = 0
            self._activity[:] = 0
            self.flames = []
            self._seconds = motion.seconds
            return []
        elapsed = min(max(motion.seconds - self._seconds, 0.01), 3.0)
        self._seconds = motion.seconds
        old_mask, self._mask = self._mask, flame_coloured(motion.small)
        pace = 1.0 - float(np.exp(-elapsed / MEMORY_SECONDS))
        follow(self._mask, self._presence, pace)
        follow(cv2.absdiff(motion.small[:, :, 1], before[:, :, 1]), self._activity, pace)
        lively = both(above(self._presence, 50.0), above(self._activity, 7.0))
        self._follow(motion, lively, old_mask)
        return self.flames

    def _follow(self, motion: Motion, lively: Mask, old_mask: Mask) -> None:
        found = self._components(lively) if count(lively) >= MIN_AREA else []
        factor = np.tile(np.array(motion.scale, np.float32), 2)
        seen: set[int] = set()
        for box, area in found:
            frame_box: Box = (box / factor).astype(np.float32)
            flame = self._same(frame_box, seen)
            if flame is None:
                flame = Flame(self._next_id, frame_box, frame_box, motion.seconds, motion.seconds, area, area)
                self._next_id += 1
                self.flames.append(flame)
            seen.add(flame.id)
            flame.looks += 1
            flame.flicker += (self._change(box, old_mask) - flame.flicker) / min(flame.looks, 10)
            flame.box, flame.area, flame.last_seen = frame_box, area, motion.seconds
        for flame in self.flames:
            flame.steady += ((1.0 if flame.id in seen else 0.0) - flame.steady) / min(flame.looks + 1, 15)
        living = [flame for flame in self.flames if motion.seconds - flame.last_seen < GONE_SECONDS]
        self.flames = sorted(living, key=lambda flame: flame.since)[:MAX_FLAMES]

    @staticmethod
    def _components(lively: Mask) -> list[tuple[NDArray[np.float32], float]]:
        labels, stats = components(np.asarray(cv2.dilate(lively, _JOIN), np.uint8))
        found = []
        for index in range(len(stats)):
            x, y, width, height = (int(value) for value in stats[index, :4])
            window = (slice(y, y + height), slice(x, x + width))
            area = float(np.count_nonzero((labels[window] == index + 1) & (lively[window] > 0)))
            if area >= MIN_AREA:
                found.append((np.array([x, y, x + width, y + height], np.float32), area))
        return sorted(found, key=lambda item: -item[1])[:MAX_FLAMES]

    def _same(self, box: Box, seen: set[int]) -> Flame | None:
        for flame in self.flames:
            x1, y1 = np.maximum(flame.box[:2], box[:2])
            x2, y2 = np.minimum(flame.box[2:], box[2:])
            if flame.id not in seen and x2 > x1 and y2 > y1:
                return flame
        return None

    def _change(self, box: NDArray[np.float32], old_mask: Mask) -> float:
        """How much of the flame-coloured shape in `box` (working pixels) is new or gone since the last look."""
        x1, y1, x2, y2 = box.astype(int)
        now, before = self._mask[y1:y2, x1:x2] > 0, old_mask[y1:y2, x1:x2] > 0
        return float((now ^ before).sum()) / max(float((now | before).sum()), 1.0)


def flame_coloured(small: NDArray[np.uint8]) -> Mask:
    """(h, w, 3) BGR → 255 where it could be flame: bright red to yellow."""
    blue, green, red = (np.asarray(channel, np.uint8) for channel in cv2.split(small))
    warm = above(np.asarray(cv2.subtract(red, blue)), 55)
    ordered = above(np.asarray(cv2.subtract(red, green)), 12)
    not_pink = below(np.asarray(cv2.subtract(blue, green)), 25)
    return both(both(above(red, 165), warm), both(ordered, not_pink))
