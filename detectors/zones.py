"""Polygons in the picture, in frame pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from config.settings import Zone
from detectors.boxes import Box, areas

_MASK_WIDTH = 160


class ZoneArea:
    """The polygon of `zone` in a picture of `width` × `height` pixels."""

    def __init__(self, zone: Zone, width: int, height: int) -> None:
        self.zone = zone
        self.width, self.height = width, height
        points = np.array(zone.polygon, np.float32) * np.array([width, height], np.float32)
        self._contour = points.reshape(-1, 1, 2)
        low, high = points.min(axis=0), points.max(axis=0)
        self.bounds: Box = np.array([*low, *high], np.float32)
        # An integral image of a small mask answers "which share of a box lies inside" at once.
        self._step = max(width / _MASK_WIDTH, 1.0)
        size = (int(np.ceil(width / self._step)), int(np.ceil(height / self._step)))
        mask = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillPoly(mask, [np.round(points / self._step).astype(np.int32)], 1)
        self._sums: NDArray[np.int32] = np.asarray(cv2.integral(mask), np.int32)

    def distance(self, x: float, y: float) -> float:
        """Pixels from the edge: positive inside, negative outside."""
        return float(cv2.pointPolygonTest(self._contour, (float(x), float(y)), True))

    def contains(self, x: float, y: float, tolerance: float = 0.0) -> bool:
        """The point is inside, or outside by no more than `tolerance` pixels."""
        return self.distance(x, y) >= -tolerance

    def share_of(self, box: Box) -> float:
        """Share of `box` that lies inside (to the precision of the small mask)."""
        clipped = np.clip(box, 0, [self.width, self.height, self.width, self.height]) / self._step
        x1, y1 = np.floor(clipped[:2]).astype(int)
        x2, y2 = np.ceil(clipped[2:]).astype(int)
        rows, columns = self._sums.shape[0] - 1, self._sums.shape[1] - 1
        x1, y1 = min(x1, columns - 1), min(y1, rows - 1)
        x2, y2 = min(max(x2, x1 + 1), columns), min(max(y2, y1 + 1), rows)
        inside = self._sums[y2, x2] - self._sums[y1, x2] - self._sums[y2, x1] + self._sums[y1, x1]
        return float(inside) / float((x2 - x1) * (y2 - y1))

    def touches(self, box: Box, margin: float = 0.0) -> bool:
        """`box`, grown by `margin` pixels, shares some area with the zone."""
        grown: Box = (box + np.array([-margin, -margin, margin, margin], np.float32)).astype(np.float32)
        return bool(areas(grown[None])[0] > 0) and self.share_of(grown) > 0
