"""Things to paste into street pictures: cut-out bags, flames, drawn smoke, and lamps that only look like fire.

A sprite is BGRA uint8, alpha in the fourth channel. Drawn things are made anew each time from the given generator.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detections import ObjectClass
from detectors.frame import Image
from detectors.training.data import Picture

Sprite = NDArray[np.uint8]  # (height, width, 4) BGRA
SPRITE_SIDE = 160
Box = tuple[float, float, float, float]


def bag_sprites(pictures: Iterable[Picture], most: int = 900) -> list[Sprite]:
    """Bags cut out along their outlines."""
    sprites: list[Sprite] = []
    for picture in pictures:
        outlines = [label for label in picture.labels if label.object_class is ObjectClass.BAG and label.outlined]
        if not outlines or len(sprites) >= most:
            continue
        image = picture.read()
        height, width = image.shape[:2]
        for label in outlines:
            mask: Any = np.zeros((height, width), np.uint8)
            cv2.fillPoly(mask, [np.round(label.polygon * (width, height)).astype(np.int32)], 255)
            mask = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3), np.uint8)), (0, 0), 1.2)
            sprites.extend(_cut(image, mask, label.box, least=28))
    return sprites[:most]


def flame_sprites(pictures: Iterable[Picture], most: int = 700) -> list[Sprite]:
    """Flames cut out of their boxes by colour: bright, and much more red than blue."""
    sprites: list[Sprite] = []
    for picture in pictures:
        boxes = [label.box for label in picture.labels if label.object_class is ObjectClass.FIRE]
        if not boxes or len(sprites) >= most:
            continue
        image = picture.read()
        blue, green, red = (image[..., channel].astype(np.float32) for channel in range(3))
        warmth = np.clip((red - 0.55 * blue - 70) / 70, 0, 1) * np.clip((red + green - 230) / 90, 0, 1)
        mask = cv2.GaussianBlur((warmth * 255).astype(np.uint8), (0, 0), 1.5).astype(np.uint8)
        for box in boxes:
            sprites.extend(
                sprite for sprite in _cut(image, mask, box, least=24) if 0.18 < sprite[..., 3].mean() / 255 < 0.85
            )
    return sprites[:most]


def _cut(image: Image, mask: NDArray[np.uint8], box: Box, least: int) -> list[Sprite]:
    """The part of `image` in `box` (fractions) with `mask` as alpha; nothing where it is smaller than `least` px."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = int(box[0] * width), int(box[1] * height), round(box[2] * width), round(box[3] * height)
    if min(x2 - x1, y2 - y1) < least:
        return []
    sprite = np.dstack([image[y1:y2, x1:x2], mask[y1:y2, x1:x2]])
    scale = min(1.0, SPRITE_SIDE / max(sprite.shape[:2]))
    size = (max(1, round(sprite.shape[1] * scale)), max(1, round(sprite.shape[0] * scale)))
    return [np.asarray(cv2.resize(sprite, size, interpolation=cv2.INTER_AREA), np.uint8)]


def recoloured(sprite: Sprite, rng: np.random.Generator) -> Sprite:
    """The bag as it is, or black, white, or of another hue: fee bags differ by city."""
    choice = rng.random()
    if choice < 0.4:
        return sprite
    hsv = cv2.cvtColor(np.ascontiguousarray(sprite[..., :3]), cv2.COLOR_BGR2HSV).astype(np.float32)
    if choice < 0.65:  # black or dark blue rubbish bag, with its gloss
        hsv[..., 1] *= rng.uniform(0.1, 0.5)
        hsv[..., 2] = (hsv[..., 2] / 255) ** rng.uniform(1.5, 3.0) * rng.uniform(70, 150)
    elif choice < 0.82:  # white
        hsv[..., 1] *= rng.uniform(0.0, 0.25)
        hsv[..., 2] = 255 * (hsv[..., 2] / 255) ** rng.uniform(0.4, 0.8)
    else:
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 180)) % 180
    colour = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2BGR)
    return np.dstack([colour, sprite[..., 3]]).astype(np.uint8)


def turned(sprite: Sprite, rng: np.random.Generator, largest: float) -> Sprite:
    """`sprite` mirrored, turned by up to `largest` degrees and trimmed to what is left visible."""
    if rng.random() < 0.5:
        sprite = np.ascontiguousarray(sprite[:, ::-1])
    height, width = sprite.shape[:2]
    side = int(np.hypot(height, width)) + 2
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-largest, largest), 1.0)
    turn[:, 2] += (side - width) / 2, (side - height) / 2
    out = cv2.warpAffine(sprite, turn, (side, side))
    rows, columns = np.flatnonzero(out[..., 3].max(axis=1) > 80), np.flatnonzero(out[..., 3].max(axis=0) > 80)
    if not len(rows) or not len(columns):
        return sprite
    return np.asarray(out[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.uint8)


def paste(canvas: Image, sprite: Sprite, x: int, y: int, gain: float = 1.0) -> Box | None:
    """Blend `sprite` into `canvas` in place with its top left at (x, y). Its visible box in pixels, None outside."""
    height, width = canvas.shape[:2]
    x1, y1, x2, y2 = max(0, x), max(0, y), min(width, x + sprite.shape[1]), min(height, y + sprite.shape[0])
    if x2 - x1 < 3 or y2 - y1 < 3:
        return None
    part = sprite[y1 - y : y2 - y, x1 - x : x2 - x]
    alpha = part[..., 3:].astype(np.float32) / 255
    below = canvas[y1:y2, x1:x2].astype(np.float32)
    above = np.clip(part[..., :3].astype(np.float32) * gain, 0, 255)
    canvas[y1:y2, x1:x2] = (below * (1 - alpha) + above * alpha).astype(np.uint8)
    return float(x1), float(y1), float(x2), float(y2)


def shadow(canvas: Image, box: Box, rng: np.random.Generator) -> None:
    """A soft contact shadow under `box` (pixels), in place."""
    x1, y1, x2, y2 = box
    mask: Any = np.zeros(canvas.shape[:2], np.float32)
    centre = (round((x1 + x2) / 2 + rng.uniform(-0.2, 0.2) * (x2 - x1)), round(y2 - 0.04 * (y2 - y1)))
    axes = (max(2, round((x2 - x1) * rng.uniform(0.45, 0.65))), max(2, round((y2 - y1) * rng.uniform(0.06, 0.18))))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, float(rng.uniform(0.25, 0.65)), -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(1.0, axes[1] * 0.5))
    canvas[:] = (canvas * (1 - mask[..., None])).astype(np.uint8)


def tinted(image: Image, rng: np.random.Generator) -> Image:
    """`image` in the colours of fire without being one: clothes, tarpaulins, autumn leaves, sodium light."""
    hsv = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2HSV).astype(np.float32)
    hsv[..., 0] = (rng.uniform(-8, 28) + 0.1 * (hsv[..., 0] - 90)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * 0.5 + rng.uniform(70, 200), 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] * rng.uniform(0.8, 1.8), 0, 255)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR), np.uint8)


def blob(side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Alpha (side, side) of a lumpy round shape with a soft edge."""
    turns = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    reach = side / 2 * rng.uniform(0.6, 1.0, len(turns)) * 0.95
    points = np.stack([np.cos(turns) * reach, np.sin(turns) * reach], axis=-1) + side / 2
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 255)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.8, side / 40)), np.uint8)


def smoke(rng: np.random.Generator, height: int, width: int) -> Sprite:
    """A drawn plume: octaves of noise inside an envelope that widens and thins upwards."""
    noise: Any = np.zeros((height, width), np.float32)
    for octave in (3, 6, 12, 24):
        cells = rng.random((octave + 1, octave + 1), dtype=np.float32)
        noise += cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC) / octave**0.7
    noise = (noise - noise.min()) / max(1e-6, float(noise.max() - noise.min()))
    up = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    lean = rng.uniform(-0.25, 0.25) * up**1.5
    spread = rng.uniform(0.08, 0.16) + rng.uniform(0.15, 0.3) * up ** rng.uniform(0.5, 1.2)
    across = (np.linspace(0, 1, width, dtype=np.float32)[None] - 0.5 - lean + 0.12 * (noise - 0.5)) / spread
    envelope = np.exp(-(across**4)) * np.clip(1.25 - up, 0, 1) ** rng.uniform(0.3, 1.0) * np.clip(up / 0.05, 0, 1)
    alpha = np.clip(envelope * (0.35 + 0.9 * noise) * rng.uniform(0.6, 1.25), 0, rng.uniform(0.7, 0.98))
    dark = rng.random() < 0.45
    base, relief = (rng.uniform(15, 70), rng.uniform(25, 60)) if dark else (rng.uniform(110, 190), rng.uniform(30, 65))
    tint = rng.uniform(0.94, 1.06, 3).astype(np.float32)
    colour = (base + relief * np.roll(noise, -max(1, height // 20), axis=0))[..., None] * tint
    return np.dstack([np.clip(colour, 0, 255), alpha * 255]).astype(np.uint8)


def visible_box(sprite: Sprite, x: int, y: int, least: int = 40) -> Box | None:
    """Box in pixels of what can be seen of `sprite` placed at (x, y): alpha over `least`."""
    rows = np.flatnonzero((sprite[..., 3] > least).mean(axis=1) > 0.06)
    columns = np.flatnonzero((sprite[..., 3] > least).mean(axis=0) > 0.06)
    if len(rows) < 8 or len(columns) < 8:
        return None
    return float(x + columns[0]), float(y + rows[0]), float(x + columns[-1] + 1), float(y + rows[-1] + 1)


def lamp(canvas: Image, rng: np.random.Generator) -> None:
    """A lamp with its bloom, in place: tail-light, street lamp, traffic light, headlight. Never labelled."""
    height, width = canvas.shape[:2]
    x, y, radius = int(rng.integers(width)), int(rng.integers(height)), rng.uniform(1.5, 11)
    colours = ((40, 40, 255), (60, 140, 255), (120, 200, 255), (235, 245, 255), (80, 230, 120), (60, 190, 255))
    colour = np.array(colours[int(rng.integers(len(colours)))], np.float32)
    core: Any = np.zeros((height, width), np.float32)
    copies = [x] if rng.random() < 0.5 else [x, x + int(radius * rng.uniform(4, 14))]  # tail-lights come in pairs
    squash = rng.uniform(0.5, 1.2)
    for centre in copies:
        cv2.ellipse(core, (centre, y), (max(1, int(radius)), max(1, int(radius * squash))), 0, 0, 360, 1.0, -1)
    small = cv2.resize(core, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    glow: Any = cv2.resize(cv2.GaussianBlur(small, (0, 0), max(1.0, radius * rng.uniform(0.3, 0.9))), (width, height))
    core = cv2.GaussianBlur(core, (0, 0), 0.8)
    light = core[..., None] * (0.35 * colour + 165) + glow[..., None] * colour * rng.uniform(0.4, 1.4)
    canvas[:] = np.clip(canvas + light, 0, 255).astype(np.uint8)
