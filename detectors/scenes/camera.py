"""A camera on a pole over the ground plane."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float32; OpenCV's stubs only say "a number"


@dataclass(frozen=True, slots=True)
class PoleCamera:
    """A pinhole at (0, 0, `height` m), looking along +y turned right by `pan_degrees`, down by `tilt_degrees`.

    `field_of_view_degrees` is horizontal; the picture is `width` x `rows` pixels.
    """

    height: float
    tilt_degrees: float
    field_of_view_degrees: float = 60.0
    pan_degrees: float = 0.0
    width: int = 1280
    rows: int = 720

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.width / 2 / math.tan(math.radians(self.field_of_view_degrees) / 2)

    @property
    def eye(self) -> Floats:
        return np.array([0.0, 0.0, self.height], np.float32)

    @property
    def axes(self) -> Floats:
        """Rows: right, down and forward of the picture in the world, (3, 3)."""
        tilt, pan = math.radians(self.tilt_degrees), math.radians(self.pan_degrees)
        right = (math.cos(pan), -math.sin(pan), 0.0)
        ahead = (math.sin(pan), math.cos(pan))
        down = (-math.sin(tilt) * ahead[0], -math.sin(tilt) * ahead[1], -math.cos(tilt))
        forward = (math.cos(tilt) * ahead[0], math.cos(tilt) * ahead[1], -math.sin(tilt))
        return np.array([right, down, forward], np.float32)

    def project(self, points: Floats) -> Floats:
        """World points (N, 3) to (N, 3): column, row, depth in metres along the optical axis."""
        seen = (points - self.eye) @ self.axes.T
        depth = np.maximum(seen[:, 2], 1e-3)
        scale = self.focal / depth
        out = np.empty_like(seen)
        out[:, 0] = self.width / 2 + seen[:, 0] * scale
        out[:, 1] = self.rows / 2 + seen[:, 1] * scale
        out[:, 2] = seen[:, 2]
        return out

    def on_ground(self, column: float, row: float) -> tuple[float, float]:
        """Where the ray through a pixel meets the ground; the pixel must lie below the horizon."""
        ray = np.array([(column - self.width / 2) / self.focal, (row - self.rows / 2) / self.focal, 1.0]) @ self.axes
        if ray[2] >= -1e-6:
            raise ValueError(f"pixel ({column}, {row}) looks above the horizon")
        along = -self.height / ray[2]
        return float(along * ray[0]), float(along * ray[1])

    def pixels_per_metre(self, x: float, y: float, z: float = 0.0) -> float:
        depth = float(self.project(np.array([[x, y, z]], np.float32))[0, 2])
        return self.focal / max(depth, 0.1)

    def plane_to_picture(self, corner: Floats, along: Floats, up: Floats) -> NDArray[np.float64]:
        """Homography from plane coordinates (a, b), point = corner + a * along + b * up, to pixels."""
        basis = np.stack([along, up, corner - self.eye], axis=1)  # world from (a, b, 1)
        seen = self.axes @ basis
        intrinsic = np.array([[self.focal, 0, self.width / 2], [0, self.focal, self.rows / 2], [0, 0, 1.0]])
        return np.asarray(intrinsic @ seen, np.float64)
