"""What stands in streets: trees, poles, lamps, benches, bollards. Surfels standing on the ground at the origin."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from detectors.scenes.surfels import Colour, Floats, Surfels, box, ellipsoid, joined, painted, tube

EYE = np.eye(3, dtype=np.float32)


def _pole(
    tall: float, low: float, high: float, colour: Colour, rng: np.random.Generator, density: float = 6000
) -> Surfels:
    where, normal, _ = tube([0, tall], [(low, low), (high, high)], density, rng)
    return painted(where, normal, colour, 0.1, 1 / math.sqrt(density))


def _slab(
    size: tuple[float, float, float],
    spot: tuple[float, float, float],
    colour: Colour,
    rng: np.random.Generator,
    gloss: float = 0.05,
    density: float = 5000,
) -> Surfels:
    where, normal, _ = box(size, density, rng)
    return painted(where, normal, colour, gloss, 1 / math.sqrt(density)).moved(EYE, spot)


def utility_pole(rng: np.random.Generator, tall: float = 9.0) -> Surfels:
    """A concrete pole with cross arms, a transformer and the yellow and black band at its foot."""
    pole = _pole(tall, 0.17, 0.11, (0.36, 0.38, 0.39), rng, 5000)
    band = pole.positions[:, 2] < 1.5
    stripes = np.mod(pole.positions[:, 2] * 3.2 + np.arctan2(pole.positions[:, 1], pole.positions[:, 0]) / 3.1, 1) < 0.5
    pole.colours[band & stripes] = (0.02, 0.45, 0.62)
    pole.colours[band & ~stripes] = (0.03, 0.03, 0.03)
    parts = [pole]
    for z in (tall - 0.6, tall - 1.5):
        parts.append(_slab((1.9, 0.09, 0.09), (0, 0, z), (0.2, 0.2, 0.2), rng))
        for x in (-0.8, -0.4, 0.4, 0.8):
            where, normal, _ = tube([z + 0.09, z + 0.3], [(0.05, 0.05), (0.035, 0.035)], 5000, rng)
            parts.append(painted(where, normal, (0.25, 0.2, 0.18)).moved(EYE, (x, 0, 0)))
    where, normal, _ = tube([tall - 3.2, tall - 2.2], [(0.24, 0.24), (0.24, 0.24)], 5000, rng)
    parts.append(painted(where, normal, (0.3, 0.3, 0.3), 0.2).moved(EYE, (0.38, 0, 0)))
    return joined(parts).shuffled(rng)


def street_lamp(rng: np.random.Generator, tall: float = 6.5, arm: float = 1.3, *, lit: bool = False) -> Surfels:
    parts = [
        _pole(tall, 0.09, 0.06, (0.10, 0.10, 0.10), rng),
        _slab((arm, 0.06, 0.06), (arm / 2, 0, tall - 0.05), (0.10, 0.10, 0.10), rng),
    ]
    head = _slab((0.5, 0.2, 0.1), (arm, 0, tall - 0.1), (0.5, 0.5, 0.5), rng)
    if lit:
        under = (head.normals[:, 2] < -0.5) | (np.abs(head.normals[:, 2]) < 0.5)
        head.colours[under] = (0.7, 0.9, 1.0)
        head.glow[under] = 3.0
    return joined([*parts, head]).shuffled(rng)


def bollard(rng: np.random.Generator, colour: Colour = (0.30, 0.32, 0.33)) -> Surfels:
    where, normal, _ = tube([0, 0.7, 0.75], [(0.08, 0.08), (0.08, 0.08), (0.05, 0.05)], 8000, rng)
    post = painted(where, normal, colour, 0.2, 0.011)
    post.colours[(where[:, 2] > 0.52) & (where[:, 2] < 0.62)] = (0.02, 0.45, 0.7)
    return post.shuffled(rng)


def hydrant(rng: np.random.Generator) -> Surfels:
    where, normal, _ = tube(
        [0, 0.08, 0.1, 0.6, 0.7, 0.78],
        [(0.2, 0.2), (0.2, 0.2), (0.12, 0.12), (0.12, 0.12), (0.14, 0.14), (0.05, 0.05)],
        9000,
        rng,
    )
    body = painted(where, normal, (0.04, 0.05, 0.55), 0.3, 0.01)
    body.colours[where[:, 2] > 0.62] = (0.05, 0.5, 0.7)
    arm, normal, _ = tube([-0.22, 0.22], [(0.06, 0.06), (0.06, 0.06)], 9000, rng)
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
    return joined([body, painted(arm, normal, (0.04, 0.05, 0.5), 0.3, 0.01).moved(turn, (0, 0, 0.45))]).shuffled(rng)


def bench(rng: np.random.Generator) -> Surfels:
    wood: Colour = (0.08, 0.16, 0.28)
    parts = [_slab((1.6, 0.09, 0.035), (0, -0.16 + 0.11 * k, 0.42), wood, rng) for k in range(4)]
    parts += [_slab((1.6, 0.035, 0.10), (0, 0.26, 0.55 + 0.14 * k), wood, rng) for k in range(3)]
    parts += [_slab((0.06, 0.5, 0.45), (x, 0.02, 0), (0.06, 0.06, 0.06), rng) for x in (-0.7, 0.7)]
    parts += [_slab((0.06, 0.05, 0.9), (x, 0.29, 0), (0.06, 0.06, 0.06), rng) for x in (-0.7, 0.7)]
    return joined(parts).shuffled(rng)


def post_sign(rng: np.random.Generator, tall: float = 2.6) -> Surfels:
    return _pole(tall, 0.04, 0.04, (0.35, 0.36, 0.36), rng, 9000)


def crate_stack(rng: np.random.Generator, colour: Colour = (0.45, 0.22, 0.05)) -> Surfels:
    """Plastic bottle crates."""
    parts = []
    for k in range(3):
        one = _slab((0.5, 0.36, 0.28), (0.02 * k, 0, 0.29 * k), colour, rng)
        holes = (np.mod(one.positions[:, 0] * 9, 1) < 0.5) & (np.mod(one.positions[:, 2] * 8, 1) < 0.55)
        one.colours[holes & (np.abs(one.normals[:, 2]) < 0.5)] *= 0.35
        parts.append(one)
    return joined(parts).shuffled(rng)


def planter(rng: np.random.Generator, flowers: Colour = (0.25, 0.10, 0.55)) -> Surfels:
    pot = _slab((1.2, 0.5, 0.45), (0, 0, 0), (0.30, 0.33, 0.36), rng)
    spread = rng.uniform(-1, 1, (2600, 3)).astype(np.float32) * np.array([0.55, 0.22, 0.12], np.float32)
    spread[:, 2] += 0.56
    way = rng.normal(0, 1, spread.shape).astype(np.float32) + np.array([0, 0, 0.8], np.float32)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    green = painted(spread, way, (0.03, 0.14, 0.06), spacing=0.02)
    green.colours[rng.random(len(spread)) < 0.18] = flowers
    return joined([pot, green]).shuffled(rng)


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree whose `leaves` sway; `clump` numbers the branch of each leaf. At (x, y) in the world."""

    trunk: Surfels
    leaves: Surfels
    clump: Floats
    x: float
    y: float

    def at_rest(self) -> Surfels:
        return joined([self.trunk, self.leaves])

    def swayed(self, turn: float, strength: float = 1.0) -> Surfels:
        """The leaves after `turn` radians of the wind's cycle; every 2 pi it is back where it was."""
        high = np.maximum(self.leaves.positions[:, 2] - 1.5, 0)
        phase = self.clump * 6.28
        gust = np.sin(3 * turn + phase * 0.3) + 0.6 * np.sin(5 * turn + phase) + 0.35 * np.sin(11 * turn + 2 * phase)
        shift = np.zeros_like(self.leaves.positions)
        shift[:, 0] = 0.016 * strength * high * gust
        shift[:, 1] = 0.010 * strength * high * np.sin(4 * turn + phase)
        shift[:, 2] = 0.012 * strength * np.sin(7 * turn + 2 * phase) * high * 0.3
        return replace(self.leaves, positions=self.leaves.positions + shift.astype(np.float32))


def tree(
    x: float,
    y: float,
    rng: np.random.Generator,
    *,
    tall: float = 6.5,
    crown: float = 1.9,
    leaf: Colour = (0.035, 0.15, 0.07),
    clumps: int = 46,
    per_clump: int = 560,
) -> Tree:
    bark = [(0.16, 0.16), (0.11, 0.11), (0.08, 0.08)]
    where, normal, _ = tube([0, tall * 0.35, tall * 0.75], bark, 5000, rng)
    trunk = painted(where, normal, (0.09, 0.12, 0.16), 0.0, 0.014)
    trunk.colours[:] *= (0.75 + 0.5 * rng.random(len(where), dtype=np.float32))[:, None]
    centres = rng.normal(0, 1, (clumps, 3))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    centres *= (rng.random(clumps) ** 0.4)[:, None] * np.array([crown, crown, tall * 0.30])
    centres[:, 2] += tall * 0.68
    number = np.repeat(np.arange(clumps), per_clump)
    away = rng.normal(0, 1, (len(number), 3))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    reach = (rng.random(len(number)) ** 0.5)[:, None] * rng.uniform(0.45, 0.75, clumps)[number][:, None] * crown / 1.9
    positions = (centres[number] + away * reach * np.array([1, 1, 0.75])).astype(np.float32)
    normals = away * 0.8 + rng.normal(0, 0.5, away.shape) + np.array([0, 0, 0.25])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    outer = np.linalg.norm((positions - [0, 0, tall * 0.68]) / [crown, crown, tall * 0.32], axis=1)
    shade = 0.45 + 0.65 * np.clip(outer, 0, 1.1)
    tint = rng.uniform(0.75, 1.25, clumps)[number] * rng.uniform(0.8, 1.2, len(number)) * shade
    colours = (np.asarray(leaf)[None] * tint[:, None]).astype(np.float32)
    leaves = Surfels(
        positions, normals.astype(np.float32), colours, np.full(len(number), 0.06, np.float32),
        np.zeros(len(number), np.float32), 0.034,
    )  # fmt: skip
    order = rng.permutation(len(number))
    return Tree(trunk.at(x, y), leaves.where(order).at(x, y), (number[order] / clumps).astype(np.float32), x, y)


def hedge(length: float, rng: np.random.Generator, leaf: Colour = (0.03, 0.12, 0.05), tall: float = 0.9) -> Surfels:
    where, normal, _ = box((length, 0.7, tall), 2600, rng)
    where = where + rng.normal(0, 0.06, where.shape).astype(np.float32)
    normal = normal + rng.normal(0, 0.6, normal.shape).astype(np.float32)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    green = painted(where, normal.astype(np.float32), leaf, 0.03, 0.026)
    green.colours[:] *= rng.uniform(0.6, 1.4, len(where)).astype(np.float32)[:, None]
    return green.shuffled(rng)


def cable(
    start: tuple[float, float, float], end: tuple[float, float, float], sag: float, rng: np.random.Generator
) -> Surfels:
    """A wire between poles."""
    along = np.linspace(0, 1, 500, dtype=np.float32)[:, None]
    line = np.asarray(start, np.float32) * (1 - along) + np.asarray(end, np.float32) * along
    line[:, 2] -= (sag * 4 * along * (1 - along))[:, 0]
    normal = np.tile(np.array([0, -0.8, -0.6], np.float32), (500, 1))
    _ = rng
    return painted(line, normal, (0.01, 0.01, 0.01), 0.0, 0.012)


def blob(radii: tuple[float, float, float], colour: Colour, rng: np.random.Generator, density: float = 4000) -> Surfels:
    where, normal, _ = ellipsoid(radii, density, rng)
    return painted(where, normal, colour, 0.0, 1 / math.sqrt(density))
