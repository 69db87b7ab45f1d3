"""Arithmetic on boxes: arrays (N, 4) or (4,) of x1, y1, x2, y2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Boxes

Box = NDArray[np.float32]  # (4,)


def areas(boxes: Boxes) -> NDArray[np.float32]:
    """(N, 4) → (N,), 0 for an inverted box."""
    sides = (boxes[:, 2:] - boxes[:, :2]).clip(min=0)
    result: NDArray[np.float32] = sides.prod(axis=1)
    return result


def shared_areas(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Area that each of `first` (N, 4) shares with each of `second` (M, 4): (N, M)."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    result: NDArray[np.float32] = (bottom_right - top_left).clip(min=0).prod(axis=2)
    return result


def iou_matrix(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Intersection over union of each of `first` (N, 4) with each of `second` (M, 4): (N, M)."""
    shared = shared_areas(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - shared
    result: NDArray[np.float32] = (shared / np.maximum(union, 1e-6)).astype(np.float32)
    return result


def iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes."""
    return float(iou_matrix(first[None], second[None])[0, 0])


def covered(inner: Box, outer: Box) -> float:
    """Share of `inner` that lies in `outer`."""
    area = max(float(areas(inner[None])[0]), 1e-6)
    return float(shared_areas(inner[None], outer[None])[0, 0]) / area


def gap(first: Box, second: Box) -> float:
    """Distance between the nearest points of two boxes, 0 when they touch."""
    dx = max(float(first[0] - second[2]), float(second[0] - first[2]), 0.0)
    dy = max(float(first[1] - second[3]), float(second[1] - first[3]), 0.0)
    return float(np.hypot(dx, dy))


def grown(box: Box, margin: float, width: int, height: int) -> Box:
    """`box` with `margin` pixels more on each side, kept within a picture of `width` × `height`."""
    limits = np.array([width, height, width, height], np.float32)
    result: Box = np.clip(box + np.array([-margin, -margin, margin, margin], np.float32), 0, limits)
    return result
