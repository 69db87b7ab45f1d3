"""Pieces of ground that several places lay out."""

from __future__ import annotations

import cv2
import numpy as np

from detectors.scenes import textures, walls
from detectors.scenes.hangul import width_of, write
from detectors.scenes.stage import Panel, floor, upright

PPM = 40.0
WHITE = (222, 224, 224)
YELLOW = (62, 178, 228)


def patch(
    painter: str,
    left: float,
    near: float,
    width: float,
    depth: float,
    rng: np.random.Generator,
    z: float = 0.0,
    ppm: float = PPM,
    **more: object,
) -> Panel:
    """A rectangle of `painter`'s ground (a function of `textures`)."""
    shape = (round(depth * ppm), round(width * ppm))
    return floor(getattr(textures, painter)(shape, ppm, rng, **more), left, near, width, depth, z)


def surroundings(rng: np.random.Generator, colour: tuple[float, float, float] = (112, 116, 118)) -> Panel:
    """Plain ground out to where nobody looks."""
    return floor(textures.asphalt((600, 600), 2.0, rng, colour), -150, -10, 300, 300, -0.02)


def stripe(
    left: float,
    near: float,
    width: float,
    depth: float,
    colour: tuple[int, int, int] = WHITE,
    z: float = 0.004,
    wear: int = 1,
) -> Panel:
    """A painted line, worn away in places."""
    rng = np.random.default_rng((wear, round(abs(left) * 100), round(near * 100)))
    shape = (max(8, round(depth * 30)), max(8, round(width * 30)))
    picture = np.zeros((*shape, 4), np.uint8)
    picture[..., :3] = np.clip(np.asarray(colour) + 6 * rng.standard_normal((*shape, 1)), 0, 255)
    worn = textures.noise(shape, 14, rng) + 0.4 * rng.standard_normal(shape)
    picture[..., 3] = np.where(worn > 1.15, 70, 235)
    return floor(picture, left, near, width, depth, z)


def crossing(
    left: float, near: float, width: float, depth: float, z: float = 0.004, *, across: bool = True
) -> list[Panel]:
    """Zebra stripes; `across` x (people walk along x) or along y."""
    if across:
        return [stripe(left, near + y, width, 0.45, z=z) for y in np.arange(0, depth - 0.4, 0.9)]
    return [stripe(left + x, near, 0.45, depth, z=z) for x in np.arange(0, width - 0.4, 0.9)]


def kerb(
    left: float, near: float, width: float, depth: float, rng: np.random.Generator, tall: float = 0.13
) -> list[Panel]:
    """A raised edge with its near and side faces."""
    top = floor(
        textures.concrete((max(8, round(depth * 30)), max(8, round(width * 30))), 30, rng, (172, 175, 177)),
        left,
        near,
        width,
        depth,
        tall,
    )
    face = np.full((8, 64, 3), 128, np.uint8)
    return [
        top,
        upright(face, (left, near), (left + width, near), tall, solid=False),
        upright(face, (left, near + depth), (left, near), tall, solid=False),
        upright(face, (left + width, near), (left + width, near + depth), tall, solid=False),
    ]


def painted_text(text: str, left: float, near: float, size: float, colour: tuple[int, int, int] = WHITE) -> Panel:
    """Letters on the road, stretched along it as road letters are."""
    step = 48
    wide = width_of(text, step) + 8
    picture = np.zeros((step + 16, wide, 4), np.uint8)
    mask = np.zeros((step + 16, wide, 3), np.uint8)
    write(mask, text, (4, 8), step, (255, 255, 255))
    bold = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    picture[..., :3] = colour
    picture[..., 3] = (bold[..., 0] * 0.85).astype(np.uint8)
    width = wide / step * size
    return floor(picture, left, near, width, size * 1.9, 0.005)


def manhole(x: float, y: float, radius: float = 0.36) -> Panel:
    size = 48
    picture = np.zeros((size, size, 4), np.uint8)
    middle = (size // 2, size // 2)
    cv2.circle(picture, middle, size // 2 - 1, (62, 63, 64, 255), -1, cv2.LINE_AA)
    for r in range(4, size // 2, 5):
        cv2.circle(picture, middle, r, (84, 85, 86, 255), 1, cv2.LINE_AA)
    return floor(picture, x - radius, y - radius, 2 * radius, 2 * radius, 0.004)


def skyline(rng: np.random.Generator, near: float = 78.0, reach: float = 70.0) -> list[Panel]:
    """Houses at the back of the picture, so that no bare ground runs to the horizon."""
    panels, left = [], -reach
    while left < reach:
        wide, tall = float(rng.uniform(12, 22)), float(rng.uniform(12, 22))
        grey = int(rng.integers(150, 195))
        front = walls.house(wide, tall, rng, wall="plaster", colour=(grey, grey + 4, grey + 8), first_storey=0.8)
        small = cv2.resize(front.texture, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
        y = near + float(rng.uniform(0, 6))
        panels.append(upright(np.asarray(small, np.uint8), (left, y), (left + wide, y), tall))
        left += wide + float(rng.uniform(-0.5, 1.5))
    return panels
