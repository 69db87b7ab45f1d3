"""What moves in a fixed camera's picture, at reduced size and a cost under a millisecond.

The picture is compared with a running average of the last second or so. The threshold rises where the picture is
never at rest (leaves, water, sensor noise), so that those places stop asking for the detector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.boxes import Box
from detectors.detections import Boxes
from detectors.frame import Image
from detectors.masks import Mask, above, blobs, bytes_of, count, distance, fill_outside, follow
from detectors.steady import Held, Steadier

WORK_WIDTH = 480
RECENT_SECONDS = 0.8
NOISE_SECONDS = 25.0
BASE_THRESHOLD = 13.0
MAX_NOISE = 14.0
SCENE_CHANGE_SHARE = 0.6
MIN_REGION_SHARE = 0.00025
MAX_REGIONS = 12


@dataclass(frozen=True, slots=True)
class Grid:
    """Where frame pixels lie in the working picture of `width` × `height`: `scale` times frame pixels plus `shift`,
    by which a swaying camera's picture was moved to hold it still (working pixels).
    """

    width: int
    height: int
    scale: tuple[float, float]
    shift: tuple[float, float] = (0.0, 0.0)

    def window(self, box: Box) -> tuple[int, int, int, int]:
        """`box` in frame pixels → x1, y1, x2, y2 in whole working pixels, inside, at least one wide and high."""
        x1 = min(max(int(box[0] * self.scale[0] + self.shift[0]), 0), self.width - 1)
        y1 = min(max(int(box[1] * self.scale[1] + self.shift[1]), 0), self.height - 1)
        x2 = min(max(int(np.ceil(box[2] * self.scale[0] + self.shift[0])), x1 + 1), self.width)
        y2 = min(max(int(np.ceil(box[3] * self.scale[1] + self.shift[1])), y1 + 1), self.height)
        return x1, y1, x2, y2

    def seen(self) -> tuple[int, int, int, int]:
        """x1, y1, x2, y2 of the working picture's part that shows the frame and not what lies beyond its edge."""
        x, y = self.shift
        x1, y1 = max(int(np.ceil(x)), 0), max(int(np.ceil(y)), 0)
        return x1, y1, self.width + min(int(np.floor(x)), 0), self.height + min(int(np.floor(y)), 0)

    def frame_boxes(self, corners: NDArray[np.float32]) -> NDArray[np.float32]:
        """(..., 4) in working pixels → frame pixels."""
        result: NDArray[np.float32] = ((corners - np.tile(self.shift, 2)) / np.tile(self.scale, 2)).astype(np.float32)
        return result


@dataclass(frozen=True, slots=True)
class Motion:
    """`small` is the picture at working size, `moving` (h, w) is 255 where it moves, `recent` (h, w, 3) float32 its
    average over the last second, `noise` (h, w) float32 how much it never rests. `grid` maps frame pixels to them.
    `regions` are boxes of movement in frame pixels, largest first. `scene_changed`: nearly all changed at once (cut,
    switched light); `background_lost`: that, or the camera now looks elsewhere. `sway`: by how many working pixels the
    camera moved since the picture before.
    """

    seconds: float
    small: Image
    moving: Mask
    recent: NDArray[np.float32]
    noise: NDArray[np.float32]
    grid: Grid
    regions: Boxes
    share: float
    scene_changed: bool
    background_lost: bool
    sway: float

    def share_in(self, box: Box) -> float:
        """Share of `box` (frame pixels) that moves."""
        x1, y1, x2, y2 = self.grid.window(box)
        return count(self.moving[y1:y2, x1:x2]) / ((x2 - x1) * (y2 - y1))


class MotionField:
    """Follows one camera. `update` wants frames of one size in order of media time."""

    def __init__(self, width: int, height: int) -> None:
        self.size = working_size(width, height)
        self._grid = Grid(*self.size, (self.size[0] / width, self.size[1] / height))
        self._steadier = Steadier(self.size)
        self._recent: NDArray[np.float32] | None = None
        self._noise = np.full((self.size[1], self.size[0]), 2.0, np.float32)
        self._seconds = 0.0

    def update(self, image: Image, seconds: float) -> Motion:
        """The movement in `image` at media time `seconds`."""
        held = self._steadier.hold(shrink(image, self.size))
        small = held.image
        elapsed = min(max(seconds - self._seconds, 0.01), 5.0)
        self._seconds = seconds
        if self._recent is None or held.is_new_view:
            self._recent = small.astype(np.float32)
            return self._motion(held, np.zeros(self._noise.shape, np.uint8), seconds, False)
        difference = distance(small, bytes_of(self._recent)).astype(np.float32)
        moving = above(difference, np.minimum(self._noise, MAX_NOISE) * 2.0 + BASE_THRESHOLD)
        fill_outside(moving, self._grid_of(held).seen(), 0)
        scene_changed = count(moving) > SCENE_CHANGE_SHARE * moving.size
        if scene_changed:
            self._steadier.forget()
            self._recent = small.astype(np.float32)
        else:
            follow(small, self._recent, 1.0 - float(np.exp(-elapsed / RECENT_SECONDS)))
            follow(difference, self._noise, min(elapsed, 1.0) / NOISE_SECONDS)
        return self._motion(held, moving, seconds, scene_changed)

    def _grid_of(self, held: Held) -> Grid:
        return replace(self._grid, shift=held.shift)

    def _motion(self, held: Held, moving: Mask, seconds: float, scene_changed: bool) -> Motion:
        moving = np.asarray(cv2.medianBlur(moving, 3), np.uint8)
        share = count(moving) / moving.size
        grid = self._grid_of(held)
        regions = self._regions(moving, grid) if share else np.zeros((0, 4), np.float32)
        assert self._recent is not None
        return Motion(
            seconds,
            held.image,
            moving,
            self._recent,
            self._noise,
            grid,
            regions,
            share,
            scene_changed,
            scene_changed or held.is_new_view,
            held.sway,
        )

    def _regions(self, moving: Mask, grid: Grid) -> Boxes:
        """Boxes of movement in frame pixels, largest first; found at a third of the working size."""
        coarse = cv2.resize(moving, (self.size[0] // 3, self.size[1] // 3), interpolation=cv2.INTER_AREA)
        joined = np.asarray(cv2.dilate(above(coarse, 40), np.ones((5, 5), np.uint8)), np.uint8)
        least = max(8.0, MIN_REGION_SHARE * coarse.size)
        found = [blob.corners for blob in blobs(joined, MAX_REGIONS) if np.count_nonzero(blob.inside) >= least]
        boxes = np.array(found, np.float32).reshape(-1, 4)
        factor = np.array([moving.shape[1] / coarse.shape[1], moving.shape[0] / coarse.shape[0]], np.float32)
        return grid.frame_boxes(boxes * np.tile(factor, 2))


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
