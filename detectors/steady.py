"""Holds the picture of a swaying camera still: a pole in the wind, a lamp post beside a road.

The shift against a slowly renewed reference comes from phase correlation (Kuglin and Hines, 1975) on a small picture
and is believed only when undoing it makes the pictures more alike. What is left after that is for the noise
threshold of the motion field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.frame import Image

DIVISOR = 3
MIN_SHIFT = 0.8  # working pixels
MAX_LEAP = 8.0
MAX_SHARE = 0.12  # of the width: farther is another view
MIN_RESPONSE = 0.12
MIN_GAIN = 0.1
RENEWAL = 0.03


@dataclass(frozen=True, slots=True)
class Held:
    """`image` moved by `shift` (x, y, working pixels) to lie on the reference. `is_new_view`: it no longer can.
    `sway`: how far the camera moved since the picture before.
    """

    image: Image
    shift: tuple[float, float]
    is_new_view: bool
    sway: float = 0.0


class Steadier:
    """Follows one camera; `hold` wants each working picture once, in order."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size` is the working (width, height)."""
        self._size = size
        self._small = (max(size[0] // DIVISOR, 8), max(size[1] // DIVISOR, 8))
        self._window = np.asarray(cv2.createHanningWindow(self._small, cv2.CV_32F), np.float32)
        self._reference: NDArray[np.float32] | None = None
        self._last = self._raw = (0.0, 0.0)

    def hold(self, image: Image) -> Held:
        """`image` laid on the reference."""
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        small = np.asarray(cv2.resize(grey, self._small, interpolation=cv2.INTER_AREA), np.float32)
        if self._reference is None:
            self._reference = small
            return Held(image, (0.0, 0.0), False)
        # Copies: OpenCV applies the window in place where it need not pad.
        (x, y), response = cv2.phaseCorrelate(small.copy(), self._reference.copy(), self._window)
        factor = self._size[0] / self._small[0]
        shift = (x * factor, y * factor)
        sway = max(abs(shift[0] - self._raw[0]), abs(shift[1] - self._raw[1]))
        self._raw = shift
        farthest = max(abs(shift[0]), abs(shift[1]))
        if farthest < MIN_SHIFT or response < MIN_RESPONSE:
            cv2.accumulateWeighted(small, self._reference, RENEWAL)
            self._last = (0.0, 0.0)
            return Held(image, (0.0, 0.0), False, sway if response >= MIN_RESPONSE else 0.0)
        if not self._helps(small, x, y):
            return Held(image, (0.0, 0.0), False)
        leap, self._last = max(abs(shift[0] - self._last[0]), abs(shift[1] - self._last[1])), shift
        if leap > MAX_LEAP:  # a large vehicle before plain asphalt moves like a camera, but not twice the same
            return Held(image, (0.0, 0.0), False)
        if farthest > MAX_SHARE * self._size[0]:
            self._reference = small
            self._last = (0.0, 0.0)
            return Held(image, (0.0, 0.0), True)
        return Held(np.asarray(_moved(image, *shift), np.uint8), shift, False, sway)

    def forget(self) -> None:
        """The next picture is the reference."""
        self._reference = None

    def _helps(self, small: NDArray[np.float32], x: float, y: float) -> bool:
        assert self._reference is not None
        margin = int(max(abs(x), abs(y))) + 1
        if 2 * margin >= min(self._small):
            return False
        inner = (slice(margin, -margin), slice(margin, -margin))
        before = float(np.abs(small - self._reference)[inner].mean())
        after = float(np.abs(_moved(small, x, y) - self._reference)[inner].mean())
        return after < (1 - MIN_GAIN) * before


def _moved(image: NDArray[Any], x: float, y: float) -> NDArray[Any]:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
