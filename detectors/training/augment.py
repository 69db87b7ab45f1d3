"""Training pictures: 416 by 416, made from labelled pictures, cut-out sprites and the weather of street cameras.

Everything is drawn from one `numpy.random.Generator`, so a seed gives the same pictures again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detections import ObjectClass
from detectors.detector import Detector
from detectors.frame import Image
from detectors.training import sprites
from detectors.training.data import FIRE_SMOKE, NEW_CLASSES, Picture

SIDE = 416
PAD = 114  # YOLOX's letterbox grey
STORED_SIDE = 480
PSEUDO_LABEL_SCORE = 0.35
Boxes = NDArray[np.float32]
Classes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Scene:
    """An image with its boxes (N, 4) xyxy pixels and classes (N,)."""

    image: Image
    boxes: Boxes
    classes: Classes

    def only(self, keep: NDArray[np.bool_]) -> Scene:
        return Scene(self.image, self.boxes[keep], self.classes[keep])


def loaded(picture: Picture) -> Scene:
    """The picture at most STORED_SIDE wide or high; ignored regions blurred away; only the new classes kept."""
    image = _stored(picture.read())
    boxes, classes = picture.boxes(image.shape[1], image.shape[0])
    for x1, y1, x2, y2 in boxes[classes < 0].astype(int):
        part = image[y1:y2, x1:x2]
        if part.size:
            image[y1:y2, x1:x2] = cv2.blur(part, (61, 61))
    return Scene(image, boxes, classes).only(np.isin(classes, [int(c) for c in NEW_CLASSES]))


def _stored(image: Image) -> Image:
    scale = min(1.0, STORED_SIDE / max(image.shape[:2]))
    size = (max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True, slots=True)
class Pools:
    """What a Composer draws from. `streets` are pictures without bag, fire or smoke."""

    burning: Sequence[Scene]
    bags: Sequence[Scene]
    streets: Sequence[Scene]
    rendered: Sequence[Scene] = ()
    bag_sprites: Sequence[sprites.Sprite] = field(default_factory=list)
    flame_sprites: Sequence[sprites.Sprite] = field(default_factory=list)


def with_carried_bags(scene: Scene, finder: Detector | None) -> Scene:
    """`scene` and the luggage that `finder` (the published network) sees in it, so that no bag is taught as nothing."""
    if finder is None:
        return scene
    found = finder.detect([scene.image])[0]
    found = found.only((found.class_ids == int(ObjectClass.BAG)) & (found.scores >= PSEUDO_LABEL_SCORE))
    boxes = np.concatenate([scene.boxes, found.boxes]).astype(np.float32)
    return Scene(scene.image, boxes, np.concatenate([scene.classes, found.class_ids]).astype(np.int32))


def fill_pools(
    pictures: Sequence[Picture],
    streets: Iterable[Image] = (),
    rendered: Iterable[Picture] = (),
    finder: Detector | None = None,
) -> Pools:
    """Load everything into memory (about 0.5 MB a picture). `streets` are further pictures with nothing to find.

    `finder` labels carried bags in pictures whose bags nobody labelled.
    """
    burning: list[Scene] = []
    bags: list[Scene] = []
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int32)
    empty = [with_carried_bags(Scene(_stored(image), *nothing), finder) for image in streets]
    for picture in pictures:
        scene = loaded(picture)
        if ObjectClass.BAG not in picture.complete:
            scene = with_carried_bags(scene, finder)
        if np.isin(scene.classes, [int(c) for c in FIRE_SMOKE]).any():
            burning.append(scene)
        elif ObjectClass.BAG in picture.complete and len(scene.classes):
            bags.append(scene)
        else:
            empty.append(scene)
    return Pools(
        burning,
        bags,
        empty,
        [loaded(picture) for picture in rendered],
        sprites.bag_sprites(pictures),
        sprites.flame_sprites(pictures),
    )


def placed(
    scene: Scene, rng: np.random.Generator, canvas: Image, window: tuple[int, int, int, int], scale: float
) -> Scene:
    """`scene` scaled and put at random into `window` (x1, y1, x2, y2) of `canvas`, in place; boxes in canvas pixels."""
    wx1, wy1, wx2, wy2 = window
    stretch = float(np.exp(rng.uniform(-0.18, 0.18)))
    image: Any = scene.image
    boxes = scene.boxes.copy()
    if rng.random() < 0.5:
        image = image[:, ::-1]
        boxes[:, [0, 2]] = image.shape[1] - boxes[:, [2, 0]]
    size = (max(8, round(image.shape[1] * scale * stretch)), max(8, round(image.shape[0] * scale / stretch)))
    boxes *= np.array([size[0] / image.shape[1], size[1] / image.shape[0]] * 2, np.float32)
    image = cv2.resize(
        np.ascontiguousarray(image), size, interpolation=cv2.INTER_LINEAR if scale > 0.7 else cv2.INTER_AREA
    )
    left = int(rng.integers(min(0, wx2 - wx1 - size[0]), max(0, wx2 - wx1 - size[0]) + 1)) + wx1
    top = int(rng.integers(min(0, wy2 - wy1 - size[1]), max(0, wy2 - wy1 - size[1]) + 1)) + wy1
    x1, y1, x2, y2 = max(wx1, left), max(wy1, top), min(wx2, left + size[0]), min(wy2, top + size[1])
    canvas[y1:y2, x1:x2] = image[y1 - top : y2 - top, x1 - left : x2 - left]
    boxes += np.array([left, top, left, top], np.float32)
    return clipped(Scene(canvas, boxes, scene.classes), (x1, y1, x2, y2))


def clipped(scene: Scene, window: tuple[int, int, int, int]) -> Scene:
    """Boxes cut to `window`; those that lost three quarters of their area or are under 6 px are dropped."""
    x1, y1, x2, y2 = window
    whole = scene.boxes
    boxes = np.clip(whole, [x1, y1, x1, y1], [x2, y2, x2, y2]).astype(np.float32)
    sides, whole_sides = boxes[:, 2:] - boxes[:, :2], whole[:, 2:] - whole[:, :2]
    visible = sides.prod(axis=1) / np.maximum(1e-6, whole_sides.prod(axis=1))
    return Scene(scene.image, boxes, scene.classes).only((visible > 0.25) & (sides.min(axis=1) >= 6))


class Composer:
    """Makes training pictures without end."""

    def __init__(self, pools: Pools, seed: int) -> None:
        self._pools = pools
        self._rng = np.random.default_rng(seed)

    def picture(self) -> Scene:
        """One picture, SIDE by SIDE, with boxes of the new classes."""
        kind = self._rng.random()
        if self._pools.rendered and kind < 0.2:
            scene = self._single(self._pools.rendered)
        elif kind < 0.44:
            scene = self._single(self._any_pool())
        elif kind < 0.64:
            scene = self._mosaic()
        else:
            scene = self._street()
        return Scene(weathered(scene.image, self._rng), scene.boxes, scene.classes)

    def _any_pool(self) -> Sequence[Scene]:
        pools = (self._pools.burning, self._pools.bags, self._pools.streets)
        return pools[int(self._rng.choice(3, p=(0.55, 0.2, 0.25)))]

    def _draw(self, pool: Sequence[Scene]) -> Scene:
        return pool[int(self._rng.integers(len(pool)))]

    def _canvas(self) -> Image:
        return np.full((SIDE, SIDE, 3), PAD, np.uint8)

    def _single(self, pool: Sequence[Scene]) -> Scene:
        scene, canvas = self._draw(pool), self._canvas()
        fit = SIDE / max(scene.image.shape[:2])
        scale = fit * (1.0 if self._rng.random() < 0.3 else float(np.exp(self._rng.uniform(-0.9, 0.4))))
        if scale < 0.8 * fit and self._rng.random() < 0.7:  # a small one lies on a street instead of on grey
            backdrop = self._backdrop()
            if not len(backdrop.boxes):
                canvas = backdrop.image
        return placed(scene, self._rng, canvas, (0, 0, SIDE, SIDE), scale)

    def _backdrop(self) -> Scene:
        scene, canvas = self._draw(self._pools.streets), self._canvas()
        cover = SIDE / min(scene.image.shape[:2])
        return placed(scene, self._rng, canvas, (0, 0, SIDE, SIDE), cover * self._rng.uniform(1.0, 1.8) * 1.2)

    def _mosaic(self) -> Scene:
        canvas = self._canvas()
        cx, cy = (int(value) for value in self._rng.uniform(0.3, 0.7, 2) * SIDE)
        parts = []
        for window in ((0, 0, cx, cy), (cx, 0, SIDE, cy), (0, cy, cx, SIDE), (cx, cy, SIDE, SIDE)):
            scene = self._draw(self._any_pool())
            fit = max((window[2] - window[0]) / scene.image.shape[1], (window[3] - window[1]) / scene.image.shape[0])
            parts.append(placed(scene, self._rng, canvas, window, fit * float(np.exp(self._rng.uniform(-0.5, 0.5)))))
        return Scene(canvas, np.concatenate([p.boxes for p in parts]), np.concatenate([p.classes for p in parts]))

    def _street(self) -> Scene:
        """A street, then bags on it, a fire, smoke, lamps, patches of other streets; one in four stays as it is."""
        rng, backdrop = self._rng, self._backdrop()
        canvas = at_night(backdrop.image, rng) if rng.random() < 0.35 else backdrop.image
        boxes: list[sprites.Box] = [tuple(map(float, box)) for box in backdrop.boxes]  # type: ignore[misc]
        classes = [ObjectClass(int(number)) for number in backdrop.classes]
        if rng.random() < 0.5:
            self._add_patches(canvas)
        if rng.random() < 0.35:
            for _ in range(int(rng.integers(1, 5))):
                sprites.lamp(canvas, rng)
        kinds = rng.random(3)
        if kinds[0] < 0.28:
            self._add_smoke(canvas, boxes, classes)
        if kinds[1] < 0.45:
            self._add_bags(canvas, boxes, classes)
        if kinds[2] < 0.3:
            self._add_flames(canvas, boxes, classes)
        found = Scene(canvas, np.array(boxes, np.float32).reshape(-1, 4), np.array([int(c) for c in classes], np.int32))
        return clipped(found, (0, 0, SIDE, SIDE))

    def _add_patches(self, canvas: Image) -> None:
        """Round pieces of other streets, shaded like bags and never labelled: what is pasted is not what matters."""
        rng = self._rng
        for _ in range(int(rng.integers(1, 4))):
            image = self._draw(self._pools.streets).image
            side = int(np.exp(rng.uniform(np.log(14), np.log(100))))
            if side >= min(image.shape[:2]):
                continue
            x, y = int(rng.integers(image.shape[1] - side)), int(rng.integers(image.shape[0] - side))
            part = image[y : y + side, x : x + side]
            piece = np.dstack([sprites.tinted(part, rng) if rng.random() < 0.4 else part, sprites.blob(side, rng)])
            left, top = int(rng.integers(SIDE - side)), int(rng.integers(SIDE // 5, SIDE - side // 2))
            sprites.shadow(canvas, (left, top, left + side, top + side), rng)
            sprites.paste(canvas, piece, left, top, rng.uniform(0.5, 1.2))

    def _add_bags(self, canvas: Image, boxes: list[sprites.Box], classes: list[ObjectClass]) -> None:
        rng, pool = self._rng, self._pools.bag_sprites
        if not pool:
            return
        side = float(np.exp(rng.uniform(np.log(12), np.log(110))))
        x0, y0 = rng.uniform(0, SIDE), rng.uniform(0.25, 1.0) * SIDE
        for _ in range(int(rng.integers(1, 5))):
            sprite = sprites.turned(sprites.recoloured(pool[int(rng.integers(len(pool)))], rng), rng, 40)
            scale = side * rng.uniform(0.7, 1.3) / max(sprite.shape[:2])
            size = (max(5, round(sprite.shape[1] * scale)), max(5, round(sprite.shape[0] * scale)))
            sprite = np.asarray(cv2.resize(sprite, size, interpolation=cv2.INTER_AREA), np.uint8)
            x, y = (int(v + rng.normal(0, 1.3 * side)) for v in (x0, y0))
            light = canvas[max(0, y) : y + size[1], max(0, x) : x + size[0]]
            if not light.size:
                continue
            gain = float(np.clip(light.mean() / 110, 0.25, 1.3)) * rng.uniform(0.8, 1.2)
            sprites.shadow(canvas, (x, y, x + size[0], y + size[1]), rng)
            box = sprites.paste(canvas, sprite, x, y, gain)
            if box is not None:
                boxes.append(box)
                classes.append(ObjectClass.BAG)

    def _add_flames(self, canvas: Image, boxes: list[sprites.Box], classes: list[ObjectClass]) -> None:
        rng, pool = self._rng, self._pools.flame_sprites
        for _ in range(int(rng.integers(1, 3)) if pool else 0):
            sprite = sprites.turned(pool[int(rng.integers(len(pool)))], rng, 8)
            scale = float(np.exp(rng.uniform(np.log(14), np.log(150)))) / max(sprite.shape[:2])
            size = (max(5, round(sprite.shape[1] * scale)), max(5, round(sprite.shape[0] * scale)))
            sprite = np.asarray(cv2.resize(sprite, size, interpolation=cv2.INTER_AREA), np.uint8)
            x, y = int(rng.integers(-size[0] // 4, SIDE - size[0] // 2)), int(rng.integers(40, SIDE - size[1] // 2))
            box = sprites.paste(canvas, sprite, x, y, rng.uniform(0.95, 1.3))
            if box is not None:
                boxes.append(box)
                classes.append(ObjectClass.FIRE)

    def _add_smoke(self, canvas: Image, boxes: list[sprites.Box], classes: list[ObjectClass]) -> None:
        rng = self._rng
        height, width = int(rng.uniform(60, 380)), int(rng.uniform(60, 320))
        plume = sprites.smoke(rng, height, width)
        x, y = int(rng.integers(-width // 4, SIDE - width // 2)), int(rng.integers(-height // 4, SIDE - height // 2))
        gain = float(np.clip(canvas.mean() / 100, 0.35, 1.15))
        box = sprites.visible_box(plume, x, y)
        if box is not None and sprites.paste(canvas, plume, x, y, gain) is not None:
            boxes.append(box)
            classes.append(ObjectClass.SMOKE)


def at_night(image: Image, rng: np.random.Generator) -> Image:
    """Dark, of little contrast, sometimes without colour (infrared) or under sodium lamps."""
    dark = (image.astype(np.float32) / 255) ** rng.uniform(1.2, 2.2) * 255 * rng.uniform(0.25, 0.7)
    kind = rng.random()
    if kind < 0.35:
        dark[:] = dark.mean(axis=2, keepdims=True) * 1.3
    elif kind < 0.6:
        dark *= np.array([0.6, 0.85, 1.1], np.float32)
    return np.clip(dark, 0, 255).astype(np.uint8)


def weathered(image: Image, rng: np.random.Generator) -> Image:
    """Gain, gamma, small shifts of hue (fire's colour must stay fire's), blur, coarse pixels, noise, JPEG.

    One in twelve loses its colour, as cameras do under infrared light.
    """
    out: Any = image
    if rng.random() < 1 / 12:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.7:
        levels = (np.arange(256, dtype=np.float32) / 255) ** np.exp(rng.uniform(-0.35, 0.35)) * rng.uniform(0.75, 1.2)
        out = cv2.LUT(out, np.clip(levels * 255 + rng.uniform(-12, 12), 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        hsv = cv2.cvtColor(out, cv2.COLOR_BGR2HSV).astype(np.float32)
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(-5, 5)) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.5, 1.35), 0, 255)
        out = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)
    if rng.random() < 0.25:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.5))
    if rng.random() < 0.3:  # a substream, enlarged
        side = round(SIDE / rng.uniform(1.2, 2.4))
        out = cv2.resize(cv2.resize(out, (side, side), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    if rng.random() < 0.35:
        noise: Any = rng.integers(-1000, 1001, (SIDE // 2, SIDE, 3), dtype=np.int16).astype(np.float32)
        noise = np.concatenate([noise, noise[::-1]]) * (rng.uniform(2, 16) / 577)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        done, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        out = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else out
    return np.asarray(out, np.uint8)


def sheet(scenes: Sequence[Scene], path: Path, columns: int = 8) -> None:
    """Draw `scenes` with their boxes side by side into an image file."""
    colours = {ObjectClass.BAG: (0, 255, 0), ObjectClass.FIRE: (0, 0, 255), ObjectClass.SMOKE: (255, 0, 0)}
    cells = []
    for scene in scenes:
        image = scene.image.copy()
        for (x1, y1, x2, y2), number in zip(scene.boxes.astype(int), scene.classes, strict=True):
            cv2.rectangle(image, (int(x1), int(y1)), (int(x2), int(y2)), colours[ObjectClass(int(number))], 2)
        cells.append(cv2.resize(image, (240, 240)))
    rows = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells) - columns + 1, columns)]
    cv2.imwrite(str(path), np.vstack(rows))
