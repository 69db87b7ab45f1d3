"""Training pictures: random places, things and weather, cut like the crops round motion, with YOLO labels.

Places, clothes, paints and fires are all drawn from the seed; the demo's are fixed lists of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detections import ObjectClass
from detectors.scenes.compose import Seen, compose
from detectors.scenes.random_cast import Pool, random_items
from detectors.scenes.random_places import random_stage
from detectors.scenes.stage import Backdrop, bake
from detectors.scenes.surfels import Floats

Picture = NDArray[np.uint8]
PICTURES_PER_STAGE = 12
SIZE = 416
LEAST_PIXELS = 7
LEAST_VISIBLE = 0.25
LEAST_CONTRAST = 7.0


@dataclass(frozen=True, slots=True)
class Sample:
    """`image` (416, 416, 3) BGR and YOLO rows: class, centre x, centre y, width, height as fractions."""

    image: Picture
    rows: tuple[tuple[int, float, float, float, float], ...]

    def text(self) -> str:
        return "".join(f"{c} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for c, x, y, w, h in self.rows)


def _degraded(image: Floats, rng: np.random.Generator) -> Picture:
    """What a camera and its encoder add."""
    image = image * rng.uniform(0.85, 1.12) + rng.uniform(-10, 10)
    image = image * rng.uniform(0.95, 1.05, 3)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.1)))
    image = image + rng.normal(0, rng.uniform(0.5, 7), image.shape)
    out: Floats = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.08:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    _, packed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(28, 88))])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _cut(picture: Floats, seen: list[Seen], rng: np.random.Generator) -> Sample:
    """A square crop round one of the things (or anywhere), brought to the detector's size."""
    rows, width = picture.shape[:2]
    side = int(rng.uniform(110, rows))
    labelled = [thing for thing in seen if thing.label]
    if labelled and rng.random() < 0.9:
        x1, y1, x2, y2 = labelled[int(rng.integers(len(labelled)))].box
        side = min(rows, max(side, int(1.15 * max(x2 - x1, y2 - y1))))
        middle = (x1 + x2) / 2 + rng.uniform(-0.25, 0.25) * side, (y1 + y2) / 2 + rng.uniform(-0.25, 0.25) * side
    else:
        middle = rng.uniform(0, width), rng.uniform(0, rows)
    left = int(np.clip(middle[0] - side / 2, 0, width - side))
    top = int(np.clip(middle[1] - side / 2, 0, rows - side))
    crop = _degraded(picture[top : top + side, left : left + side], rng)
    labels = []
    for thing in labelled:
        row = _label(thing, left, top, side)
        if row is not None:
            labels.append(row)
    image = np.asarray(cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR), np.uint8)
    return Sample(image, tuple(labels))


def _label(thing: Seen, left: int, top: int, side: int) -> tuple[int, float, float, float, float] | None:
    x1, y1, x2, y2 = thing.box
    cx1, cy1, cx2, cy2 = max(x1, left), max(y1, top), min(x2, left + side), min(y2, top + side)
    if cx2 - cx1 < LEAST_PIXELS * 0.6 or cy2 - cy1 < LEAST_PIXELS * 0.6:
        return None
    kept = (cx2 - cx1) * (cy2 - cy1) / ((x2 - x1) * (y2 - y1))
    if thing.contrast < LEAST_CONTRAST:
        return None
    if thing.visible * kept < LEAST_VISIBLE and thing.label != "smoke":
        return None
    number = int(ObjectClass[thing.label.upper()])
    return (
        number,
        ((cx1 + cx2) / 2 - left) / side,
        ((cy1 + cy2) / 2 - top) / side,
        (cx2 - cx1) / side,
        (cy2 - cy1) / side,
    )


class Renderer:
    """An endless supply of samples; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng((seed, 0x7EA1))
        self._pool = Pool(self._rng)
        self._backdrop: Backdrop | None = None
        self._left = 0

    def next(self) -> Sample:
        if self._left == 0 or self._backdrop is None:
            self._pool.refresh()
            self._backdrop = bake(random_stage(self._rng))
            self._left = PICTURES_PER_STAGE
        self._left -= 1
        items, fires = random_items(self._pool, self._backdrop.stage.camera, self._rng)
        picture, seen = compose(self._backdrop, items, fires)
        return _cut(picture, seen, self._rng)


def write(folder: Path, count: int, seed: int) -> None:
    """`count` pictures into `folder`/images/*.jpg with labels in `folder`/labels/*.txt."""
    images, labels = folder / "images", folder / "labels"
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    renderer = Renderer(seed)
    for number in range(count):
        sample = renderer.next()
        name = f"rendered_{seed:04d}_{number:06d}"
        cv2.imwrite(str(images / f"{name}.jpg"), sample.image, [cv2.IMWRITE_JPEG_QUALITY, 92])
        (labels / f"{name}.txt").write_text(sample.text())
