"""What moves in a fixed camera's picture, at reduced size and a cost under a millisecond.

The picture is compared with a running average of the last second or so. The threshold rises where the picture is
never at rest (leaves, water, sensor noise), so that those places stop asking for the detector.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detections import Boxes
from detectors.frame import Image
from detectors.masks import Mask, above, bytes_of, components, count, distance, follow

WORK_WIDTH = 480
RECENT_SECONDS = 0.8
NOISE_SECONDS = 25.0
BASE_THRESHOLD = 13.0
MAX_NOISE = 14.0
SCENE_CHANGE_SHARE = 0.6
MIN_REGION_SHARE = 0.00025
MAX_REGIONS = 12


@dataclass(frozen=True, slots=True)
class Motion:
    """`small` is the picture at working size, `moving` (h, w) is 255 where it moves, `recent` (h, w, 3) float32
    its average over the last second. `scale` is working pixels for one frame pixel (x, y). `regions` are boxes of
    movement in frame pixels, largest first. `scene_changed`: nearly all changed at once (cut, switched light).
    """

    seconds: float
    small: Image
    moving: Mask
    recent: NDArray[np.float32]
    noise: NDArray[np.float32]
    scale: tuple[float, float]
    regions: Boxes
    share: float
    scene_changed: bool

    def share_in(self, box: NDArray[np.float32]) -> float:
        """Share of `box` (frame pixels) that moves."""
        return filled_share(self.moving, scaled_box(box, self.scale, self.moving.shape))


class MotionField:
    """Follows one camera. `update` wants frames of one size in order of media time."""

    def __init__(self, width: int, height: int) -> None:
        self.size = working_size(width, height)
        self.scale = (self.size[0] / width, self.size[1] / height)
        shape = (self.size[1], self.size[0])
        self._recent: NDArray[np.float32] | None = None
        self._noise = np.full(shape, 2.0, np.float32)
        self._seconds = 0.0

    def update(self, image: Image, seconds: float) -> Motion:
        """The movement in `image` at media time `seconds`."""
        small = shrink(image, self.size)
        if self._recent is None:
            self._recent = small.astype(np.float32)
            self._seconds = seconds
            return self._motion(small, np.zeros(self._noise.shape, np.uint8), seconds, False)
        elapsed = min(max(seconds - self._seconds, 0.01), 5.0)
        self._seconds = seconds
        difference = distance(small, bytes_of(self._recent)).astype(np.float32)
        moving = above(difference, np.minimum(self._noise, MAX_NOISE) * 2.0 + BASE_THRESHOLD)
        scene_changed = count(moving) > SCENE_CHANGE_SHARE * moving.size
        if scene_changed:
            self._recent = small.astype(np.float32)
        else:
            follow(small, self._recent, 1.0 - float(np.exp(-elapsed / RECENT_SECONDS)))
            follow(difference, self._noise, min(elapsed, 1.0) / NOISE_SECONDS)
        return self._motion(small, moving, seconds, scene_changed)

    def _motion(self, small: Image, moving: Mask, seconds: float, scene_changed: bool) -> Motion:
        moving = np.asarray(cv2.medianBlur(moving, 3), np.uint8)
        share = count(moving) / moving.size
        regions = self._regions(moving) if share else np.zeros((0, 4), np.float32)
        assert self._recent is not None
        return Motion(seconds, small, moving, self._recent, self._noise, self.scale, regions, share, scene_changed)

    def _regions(self, moving: Mask) -> Boxes:
        """Boxes of movement in frame pixels, largest first; found at a third of the working size."""
        coarse = cv2.resize(moving, (self.size[0] // 3, self.size[1] // 3), interpolation=cv2.INTER_AREA)
        joined = np.asarray(cv2.dilate(above(coarse, 40), np.ones((5, 5), np.uint8)), np.uint8)
        _, found = components(joined)
        found = found[found[:, 4] >= max(8.0, MIN_REGION_SHARE * coarse.size)]
        stats = found[np.argsort(-found[:, 4])][:MAX_REGIONS].astype(np.float32)
        boxes = np.concatenate([stats[:, :2], stats[:, :2] + stats[:, 2:4]], axis=1)
        factor = np.array([moving.shape[1] / coarse.shape[1], moving.shape[0] / coarse.shape[0]], np.float32)
        factor /= np.array(self.scale, np.float32)
        result: Boxes = (boxes * np.tile(factor, 2)).astype(np.float32)
        return result


def working_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the reduced picture: the longer side at most WORK_WIDTH."""
    factor = min(1.0, WORK_WIDTH / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def shrink(image: Image, size: tuple[int, int]) -> Image:
    """`image` at `size`, lightly smoothed against coding noise."""
    step = min(image.shape[1] // size[0], image.shape[0] // size[1])
    if step >= 2:
        half = (image.shape[1] // step, image.shape[0] // step)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.blur(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), (3, 3)), np.uint8)


def scaled_box(
    box: NDArray[np.float32], scale: tuple[float, float], shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """`box` in frame pixels → whole working pixels within `shape`, at least one pixel wide and high."""
    x1 = min(max(int(box[0] * scale[0]), 0), shape[1] - 1)
    y1 = min(max(int(box[1] * scale[1]), 0), shape[0] - 1)
    x2 = min(max(int(np.ceil(box[2] * scale[0])), x1 + 1), shape[1])
    y2 = min(max(int(np.ceil(box[3] * scale[1])), y1 + 1), shape[0])
    return x1, y1, x2, y2


def filled_share(mask: Mask, box: tuple[int, int, int, int]) -> float:
    """Share of the `box` (working pixels) that is set in `mask`."""
    x1, y1, x2, y2 = box
    return count(mask[y1:y2, x1:x2]) / ((x2 - x1) * (y2 - y1))
