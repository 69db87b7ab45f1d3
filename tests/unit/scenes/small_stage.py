"""A small made-up place that renders in milliseconds."""

import numpy as np

from detectors.scenes.camera import PoleCamera
from detectors.scenes.light import Light
from detectors.scenes.stage import Panel, Stage, floor, upright

CAMERA = PoleCamera(5.0, 20.0, 60.0, width=320, rows=180)


def small_stage(*panels: Panel, light: Light | None = None) -> Stage:
    """Grey ground with grain, and `panels`."""
    grain = np.random.default_rng(1).integers(90, 110, (400, 400, 1), np.uint8).repeat(3, axis=2)
    return Stage(CAMERA, light or Light(), (floor(grain, -60, -10, 120, 160), *panels))


def wall_across(y: float, tall: float = 3.0) -> Panel:
    return upright(np.full((30, 60, 3), 160, np.uint8), (-8.0, y), (8.0, y), tall)
