"""Masks (0 or 255 a pixel) at the speed of OpenCV, with types: its own stubs know neither scalars nor sizes."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Blob:
    """A connected place in a mask: its `window` (rows, columns) and which pixels of that are `inside`."""

    window: tuple[slice, slice]
    inside: NDArray[np.bool_]

    @property
    def corners(self) -> NDArray[np.float32]:
        """x1, y1, x2, y2."""
        rows, columns = self.window
        return np.array([columns.start, rows.start, columns.stop, rows.stop], np.float32)


def blobs(mask: Mask, limit: int) -> list[Blob]:
    """The `limit` largest connected places of `mask`, largest first, holes filled.

    By their outlines: OpenCV's labelling with statistics takes ten times as long.
    """
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = []
    for outline in sorted(outlines, key=len, reverse=True)[: 2 * limit]:
        x, y, width, height = cv2.boundingRect(outline)
        inside = np.zeros((height, width), np.uint8)
        cv2.drawContours(inside, [outline], -1, 1, cv2.FILLED, offset=(-x, -y))
        found.append(
            (int(cv2.countNonZero(inside)), Blob((slice(y, y + height), slice(x, x + width)), inside.view(np.bool_)))
        )
    return [blob for _, blob in sorted(found, key=lambda item: -item[0])[:limit]]


def write(values: Plane, where: Mask, target: Plane) -> None:
    """`target` takes `values` where `where` is set."""
    cv2.copyTo(values, where, target)


def fill_outside(mask: Mask, window: tuple[int, int, int, int], value: int) -> None:
    """Set all of `mask` but `window` (x1, y1, x2, y2) to `value`, in place."""
    x1, y1, x2, y2 = window
    mask[:y1], mask[y2:], mask[:, :x1], mask[:, x2:] = value, value, value, value
