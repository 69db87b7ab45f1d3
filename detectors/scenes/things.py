"""Things that are left behind: tied bags, woven sacks, boxes, and bins. Standing on the ground at the origin."""

from __future__ import annotations

import math

import numpy as np

from detectors.scenes.surfels import Colour, Surfels, box, joined, painted, sample_grid, scaled, tube

BLACK_BAG: Colour = (0.022, 0.020, 0.020)
WHITE_BAG: Colour = (0.62, 0.64, 0.64)
BLUE_BAG: Colour = (0.42, 0.20, 0.05)
GREEN_BAG: Colour = (0.16, 0.34, 0.08)
YELLOW_BAG: Colour = (0.10, 0.55, 0.66)
PINK_BAG: Colour = (0.45, 0.32, 0.66)
SACK: Colour = (0.52, 0.58, 0.60)
CARDBOARD: Colour = (0.14, 0.25, 0.38)


def bag(
    colour: Colour,
    tall: float,
    rng: np.random.Generator,
    *,
    fat: float = 0.75,
    gloss: float = 0.6,
    print_colour: Colour | None = None,
    density: float = 9000.0,
) -> Surfels:
    """A tied plastic bag, lumpy and creased; `tall` with its knot, `fat` is width over height."""
    level = np.linspace(1.0, 0.0, 60)  # from the tip of the knot down
    turn = np.linspace(0, 2 * math.pi, 73)
    neck = float(rng.uniform(0.74, 0.86))
    known = [0.0, 0.02, 0.08, 0.20, 0.45, neck - 0.16, neck - 0.04, neck, neck + 0.05, 1.0]
    radius = np.interp(
        level, known, [0.02, 0.72, 0.90, 1.0, rng.uniform(0.86, 1.0), 0.62, 0.24, 0.13, 0.20, rng.uniform(0.25, 0.42)]
    )
    radius = np.convolve(np.pad(radius, 2, mode="edge"), [0.1, 0.2, 0.4, 0.2, 0.1], mode="valid")
    lumps = np.zeros((60, 73))
    for _ in range(10):
        k, m = int(rng.integers(1, 5)), rng.uniform(2, 14)
        lumps += rng.uniform(0.2, 1.0) / k * np.sin(k * turn[None] + m * level[:, None] + rng.uniform(0, 6.28))
    pleats = np.sin(int(rng.integers(9, 16)) * turn[None] + 2 * np.sin(5 * level[:, None]))
    rough = 1 + 0.05 * lumps + 0.13 * pleats * np.clip((level - 0.40) * 2.2, 0, 1)[:, None]
    wide = tall * fat / 2
    lean = rng.uniform(-0.10, 0.10, 2)
    height = tall * level[:, None] * (1 + 0 * turn[None]) * (1 + 0.03 * lumps)
    x = wide * radius[:, None] * rough * np.cos(turn)[None] * rng.uniform(0.85, 1.15) + lean[0] * height
    y = wide * radius[:, None] * rough * np.sin(turn)[None] + lean[1] * height
    grid = np.stack([x, y, np.maximum(height, 0)], axis=2).astype(np.float32)
    positions, normals, spot = sample_grid(grid, density, rng)
    crumple = 0.22 * np.sin(positions * rng.uniform(35, 60) / max(tall, 0.2) * 0.6 + rng.uniform(0, 6.28, 3))
    normals = normals + crumple.astype(np.float32)[:, [1, 2, 0]]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    surfels = painted(positions, normals.astype(np.float32), colour, gloss, 1 / math.sqrt(density))
    surfels.colours[:] *= (0.9 + 0.2 * rng.random(len(positions), dtype=np.float32))[:, None]
    if print_colour is not None:
        band = (np.abs(spot[:, 0] - 0.68) < 0.12) & (np.abs(np.mod(spot[:, 1] * 2, 1) - 0.5) < 0.28)
        lines = np.mod(spot[:, 0] * 30, 1.0) < 0.55
        surfels.colours[band & lines] = print_colour
    return surfels.shuffled(rng)


def sack(tall: float, rng: np.random.Generator, colour: Colour = SACK, *, density: float = 9000.0) -> Surfels:
    """A woven builder's sack, standing, its top gathered and tied."""
    heights = [0, 0.03, 0.25, 0.55, 0.75, 0.84, 0.90, 1.0]
    radii = [0.26, 0.31, 0.34, 0.31, 0.22, 0.08, 0.10, 0.14]
    slump = rng.uniform(-0.10, 0.10)
    positions, normals, spot = tube(
        [h * tall for h in heights],
        [(r * tall * 0.85, r * tall * 1.1) for r in radii],
        density,
        rng,
        centres=[(slump * h * h * tall, 0.0) for h in heights],
    )
    weave = np.sin(positions[:, 2] * 160) * np.sin(spot[:, 1] * 180)
    folds = 0.12 * np.sin(spot[:, 1] * 44 + 6 * positions[:, 2] / tall)
    normals = normals + (folds[:, None] * np.array([0.7, 0.7, 0.3])).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    surfels = painted(positions, normals.astype(np.float32), colour, 0.08, 1 / math.sqrt(density))
    surfels.colours[:] *= (1 + 0.08 * weave)[:, None].astype(np.float32)
    stripe = (np.abs(np.mod(spot[:, 1] * 2, 1) - 0.5) < 0.03) & (positions[:, 2] < 0.75 * tall)
    surfels.colours[stripe] = (0.30, 0.16, 0.05)
    return surfels.shuffled(rng)


def carton(
    size: tuple[float, float, float], rng: np.random.Generator, colour: Colour = CARDBOARD, *, density: float = 7000.0
) -> Surfels:
    """A taped cardboard box."""
    positions, normals, spot = box(size, density, rng)
    surfels = painted(positions, normals, colour, 0.02, 1 / math.sqrt(density))
    upward = normals[:, 2] > 0.5
    tape = (np.abs(positions[:, 1]) < 0.03) & (upward | ((np.abs(normals[:, 0]) > 0.5) & (spot[:, 1] > 0.65)))
    surfels.colours[tape] = tuple(min(1.0, 1.7 * c) for c in colour)
    seam = upward & (np.abs(positions[:, 1]) < 0.004)
    surfels.colours[seam] *= 0.4
    side = (np.abs(normals[:, 1]) > 0.5) & (np.abs(spot[:, 0] - 0.5) < 0.18) & (np.abs(spot[:, 1] - 0.5) < 0.14)
    surfels.colours[side] *= 0.6
    surfels.colours[:] *= (1 + 0.05 * rng.standard_normal(len(positions), dtype=np.float32))[:, None]
    return surfels.shuffled(rng)


def heap(count: int, rng: np.random.Generator, palette: tuple[Colour, ...]) -> Surfels:
    """Several bags thrown together."""
    parts = []
    for k in range(count):
        colour = palette[int(rng.integers(len(palette)))]
        one = bag(colour, float(rng.uniform(0.35, 0.6)), rng, fat=float(rng.uniform(0.7, 1.0)))
        angle = 2 * math.pi * k / count
        reach = 0.28 if count > 1 else 0.0
        parts.append(one.at(reach * math.cos(angle), reach * math.sin(angle), float(rng.uniform(0, 6.28))))
    return joined(parts).shuffled(rng)


def bin_with_wheels(colour: Colour, rng: np.random.Generator, *, density: float = 5000.0) -> Surfels:
    """A 120-litre street bin."""
    where, normal, _ = tube([0.08, 0.9], [(0.20, 0.20), (0.26, 0.25)], density, rng)
    body = painted(where, normal, colour, 0.2, 1 / math.sqrt(density))
    where, normal, _ = tube([0.9, 0.94, 1.0], [(0.29, 0.28), (0.29, 0.28), (0.22, 0.22)], density, rng)
    lid = painted(where, normal, scaled(colour, 0.7), 0.25, 1 / math.sqrt(density))
    parts = [body, lid]
    for side in (-1, 1):
        where, normal, _ = box((0.16, 0.06, 0.16), density, rng)
        parts.append(
            painted(where, normal, (0.02, 0.02, 0.02), 0.0, 1 / math.sqrt(density)).moved(
                np.eye(3, dtype=np.float32), (-0.16, side * 0.2, 0)
            )
        )
    return joined(parts).shuffled(rng)


def random_bag(rng: np.random.Generator) -> Surfels:
    """Any of the things above, in any size a person can carry, for training."""
    palette: tuple[Colour, ...] = (BLACK_BAG, WHITE_BAG, BLUE_BAG, GREEN_BAG, YELLOW_BAG, PINK_BAG, (0.3, 0.3, 0.3))
    pick = rng.random()
    if pick < 0.62:
        base = palette[int(rng.choice(len(palette), p=[0.30, 0.28, 0.10, 0.08, 0.10, 0.06, 0.08]))]
        b, g, r = np.clip(np.asarray(base) * rng.uniform(0.7, 1.3) + rng.normal(0, 0.01, 3), 0.01, 0.85)
        ink = (0.3, 0.1, 0.05) if rng.random() < 0.35 else None
        tall = float(rng.uniform(0.32, 0.85))
        return bag(
            (b, g, r),
            tall,
            rng,
            fat=float(rng.uniform(0.55, 1.05)),
            gloss=float(rng.uniform(0.2, 0.8)),
            print_colour=ink,
        )
    if pick < 0.76:
        return sack(float(rng.uniform(0.55, 0.9)), rng, scaled(SACK, rng.uniform(0.6, 1.2)))
    if pick < 0.86:
        return carton((float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.25, 0.5)), float(rng.uniform(0.25, 0.5))), rng)
    return heap(int(rng.integers(2, 4)), rng, palette)
