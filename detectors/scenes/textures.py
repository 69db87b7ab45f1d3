"""Grounds and walls, painted flat: display BGR uint8, `ppm` pixels a metre."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Texture = NDArray[np.uint8]
Display = tuple[float, float, float]  # BGR 0..255


def noise(shape: tuple[int, int], cell: float, rng: np.random.Generator, octaves: int = 4) -> NDArray[np.float32]:
    """Fractal noise of about zero mean and unit size; the largest blots are `cell` pixels wide."""
    total = np.zeros(shape, np.float32)
    weight, size = 1.0, cell
    for _ in range(octaves):
        small = (max(2, int(shape[0] / size) + 2), max(2, int(shape[1] / size) + 2))
        coarse = rng.standard_normal(small, dtype=np.float32)
        total += weight * cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        weight, size = weight * 0.55, max(1.0, size / 2.6)
    return total / 1.3


def _plain(shape: tuple[int, int], colour: Display) -> NDArray[np.float32]:
    return np.broadcast_to(np.asarray(colour, np.float32), (*shape, 3)).copy()


def _done(picture: NDArray[np.float32]) -> Texture:
    return np.clip(picture, 0, 255).astype(np.uint8)


def asphalt(shape: tuple[int, int], ppm: float, rng: np.random.Generator, colour: Display = (98, 97, 95)) -> Texture:
    """Grain, worn patches, cracks, stains and mends."""
    picture = _plain(shape, colour)
    picture += (7 * noise(shape, 3.5 * ppm, rng))[..., None]
    picture += (7 * rng.standard_normal(shape, dtype=np.float32))[..., None]
    area = shape[0] * shape[1] / ppm**2
    lines = np.zeros(shape, np.float32)
    for _ in range(int(area / 60) + 1):
        at = np.array([rng.uniform(0, shape[1]), rng.uniform(0, shape[0])])
        way = rng.uniform(0, 6.28)
        points = [at]
        for _ in range(int(rng.integers(6, 22))):
            way += rng.normal(0, 0.55)
            at = at + 0.3 * ppm * np.array([np.cos(way), np.sin(way)])
            points.append(at)
        cv2.polylines(lines, [np.array(points, np.int32)], False, 1.0, 1, cv2.LINE_AA)
    picture -= 26 * lines[..., None]
    for _ in range(int(area / 90)):
        x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
        stain = np.zeros(shape, np.float32)
        axes = (max(1, int(rng.uniform(0.15, 0.6) * ppm)), max(1, int(rng.uniform(0.1, 0.3) * ppm)))
        cv2.ellipse(stain, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
        picture -= 14 * cv2.GaussianBlur(stain, (0, 0), 0.08 * ppm + 1)[..., None]
    for _ in range(int(area / 160)):
        x, y = int(rng.uniform(0, shape[1])), int(rng.uniform(0, shape[0]))
        w, h = int(rng.uniform(0.8, 2.4) * ppm), int(rng.uniform(0.6, 3.0) * ppm)
        picture[y : y + h, x : x + w] += rng.uniform(-16, 9)
    return _done(picture)


def paving(
    shape: tuple[int, int],
    ppm: float,
    rng: np.random.Generator,
    colour: Display = (138, 142, 146),
    tile: tuple[float, float] = (0.30, 0.30),
    second: Display | None = None,
) -> Texture:
    """Blocks in running bond, each a little different, with joints; `second` mixes in another colour."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    j = np.floor(rows / (tile[1] * ppm)).astype(np.int32)
    shift = (j % 2) * 0.5
    i = np.floor(columns / (tile[0] * ppm) + shift).astype(np.int32)
    tints = rng.normal(0, 6, (int(j.max()) + 1, int(i.max()) + 1)).astype(np.float32)
    picture = _plain(shape, colour)
    if second is not None:
        pick = rng.random((int(j.max()) + 1, int(i.max()) + 1)) < 0.3
        picture[pick[j, i]] = second
    picture += tints[j, i][..., None]
    u = np.mod(columns / (tile[0] * ppm) + shift, 1.0) * tile[0] * ppm
    v = np.mod(rows / (tile[1] * ppm), 1.0) * tile[1] * ppm
    joint = (u < max(1.0, 0.012 * ppm)) | (v < max(1.0, 0.012 * ppm))
    picture[joint] *= 0.72
    picture += (6 * noise(shape, 2.0 * ppm, rng))[..., None]
    picture += (3.5 * rng.standard_normal(shape, dtype=np.float32))[..., None]
    return _done(picture)


def concrete(
    shape: tuple[int, int], ppm: float, rng: np.random.Generator, colour: Display = (150, 153, 155)
) -> Texture:
    picture = _plain(shape, colour)
    picture += (9 * noise(shape, 2.5 * ppm, rng))[..., None] + (3 * rng.standard_normal(shape, dtype=np.float32))[
        ..., None
    ]
    step = int(3.0 * ppm)
    for at in range(step, max(shape), step):
        if at < shape[0]:
            picture[at : at + max(1, int(0.02 * ppm))] *= 0.75
        if at < shape[1]:
            picture[:, at : at + max(1, int(0.02 * ppm))] *= 0.75
    return _done(picture)


def grass(shape: tuple[int, int], ppm: float, rng: np.random.Generator, colour: Display = (52, 98, 82)) -> Texture:
    picture = _plain(shape, colour)
    picture += (14 * noise(shape, 1.5 * ppm, rng, 5))[..., None] * np.array([0.6, 1.0, 0.8], np.float32)
    blades = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 0.8)
    picture += (26 * blades)[..., None]
    return _done(picture)


def soil(shape: tuple[int, int], ppm: float, rng: np.random.Generator, colour: Display = (88, 112, 132)) -> Texture:
    picture = _plain(shape, colour)
    picture += (12 * noise(shape, 1.8 * ppm, rng, 5))[..., None] + (7 * rng.standard_normal(shape, dtype=np.float32))[
        ..., None
    ]
    return _done(picture)


def brick(shape: tuple[int, int], ppm: float, rng: np.random.Generator, colour: Display = (72, 88, 138)) -> Texture:
    wall = paving(shape, ppm, rng, colour, (0.21, 0.075), tuple(0.85 * c for c in colour))  # type: ignore[arg-type]
    return weathered(wall, ppm, rng)


def plaster(shape: tuple[int, int], ppm: float, rng: np.random.Generator, colour: Display = (190, 198, 204)) -> Texture:
    picture = _plain(shape, colour) + (4 * noise(shape, 1.2 * ppm, rng))[..., None]
    picture += (2 * rng.standard_normal(shape, dtype=np.float32))[..., None]
    return weathered(_done(picture), ppm, rng)


def weathered(wall: Texture, ppm: float, rng: np.random.Generator, amount: float = 1.0) -> Texture:
    """Streaks from above and dirt near the ground (the bottom row)."""
    height, width = wall.shape[:2]
    picture = wall.astype(np.float32)
    streaks = cv2.GaussianBlur(np.maximum(noise((1, width), 0.25 * ppm, rng), 0.2) - 0.2, (1, 1), 0)
    fall = np.linspace(1, 0.2, height, dtype=np.float32)[:, None]
    picture *= 1 - 0.12 * amount * np.clip(streaks * fall, 0, 1)[..., None]
    low = np.clip(1 - np.arange(height, dtype=np.float32)[::-1] / (0.7 * ppm), 0, 1)[:, None]
    blots = 0.6 + 0.4 * noise(wall.shape[:2], 0.8 * ppm, rng)
    picture *= 1 - 0.22 * amount * np.clip(low * blots, 0, 1)[..., None]
    return _done(picture)
