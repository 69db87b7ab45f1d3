"""Masks (0 or 255 a pixel) at the speed of OpenCV, with types: its own stubs know neither scalars nor sizes."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]  # (height, width), 0 or 255
Plane = NDArray[Any]  # (height, width), any number type


def above(plane: Plane, threshold: Plane | float) -> Mask:
    """255 where `plane` is over `threshold` (of the same shape and type, or one number)."""
    return cast(Mask, cv2.compare(plane, cast(Any, threshold), cv2.CMP_GT))


def below(plane: Plane, threshold: Plane | float) -> Mask:
    """255 where `plane` is under `threshold`."""
    return cast(Mask, cv2.compare(plane, cast(Any, threshold), cv2.CMP_LT))


def both(first: Mask, second: Mask) -> Mask:
    return cast(Mask, cv2.bitwise_and(first, second))


def either(first: Mask, second: Mask) -> Mask:
    return cast(Mask, cv2.bitwise_or(first, second))


def without(first: Mask, second: Mask) -> Mask:
    """`first` where `second` is not."""
    return cast(Mask, cv2.bitwise_and(first, cv2.bitwise_not(second)))


def lowered(mask: Mask, amount: float) -> Mask:
    """`mask` with `amount` taken from every pixel, not below 0."""
    return cast(Mask, cv2.subtract(mask, cast(Any, float(amount))))


def higher(first: Mask, second: Mask) -> Mask:
    """The larger of the two, pixel by pixel."""
    return cast(Mask, cv2.max(first, second))


def follow(values: Plane, average: NDArray[np.float32], pace: float, where: Mask | None = None) -> None:
    """Move the running `average` towards `values` by the share `pace`, in place."""
    cv2.accumulateWeighted(values, average, pace, mask=where)


def bytes_of(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Rounded to 0..255."""
    return cast(NDArray[np.uint8], cv2.convertScaleAbs(values))


def distance(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two pictures (h, w, 3) → (h, w): how far apart, by the channel that differs most."""
    blue, green, red = cv2.split(cv2.absdiff(first, second))
    return cast(NDArray[np.uint8], cv2.max(cv2.max(blue, green), red))


def count(mask: Mask) -> int:
    """Pixels that are set; takes views."""
    return int(cv2.countNonZero(np.ascontiguousarray(mask)))


def components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Labels (h, w), 0 for nothing, and (components, 5): x, y, width, height, area of label 1, 2, ..."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    return cast(NDArray[np.int32], labels), cast(NDArray[np.int32], stats)[1:]


def write(values: Plane, where: Mask, target: Plane) -> None:
    """`target` takes `values` where `where` is set."""
    cv2.copyTo(values, where, target)
