"""Clouds of surfels: the one material that people, vehicles, bags and leaves are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float32; OpenCV's stubs only say "a number"
Colour = tuple[float, float, float]  # linear BGR, 0..1


@dataclass(frozen=True, slots=True)
class Surfels:
    """N oriented points in random order, so that any prefix is a thinner cloud of the same thing.

    `positions` and unit `normals` (N, 3) in metres; `colours` (N, 3) linear BGR; `gloss` (N,) 0 matt .. 1 mirror;
    `glow` (N,) light of its own, in multiples of the colour. `spacing` is the usual distance between neighbours, in
    metres: it says how large a disc each point stands for.
    """

    positions: Floats
    normals: Floats
    colours: Floats
    gloss: Floats
    glow: Floats
    spacing: float = 0.02

    def __len__(self) -> int:
        return len(self.positions)

    def moved(self, rotation: Floats, offset: Sequence[float] | Floats) -> Surfels:
        """Turned by `rotation` (3, 3), columns being the new axes, then shifted."""
        turn = np.asarray(rotation, np.float32).T
        return replace(
            self, positions=self.positions @ turn + np.asarray(offset, np.float32), normals=self.normals @ turn
        )

    def at(self, x: float, y: float, heading: float = 0.0, z: float = 0.0) -> Surfels:
        """Standing on the ground, its +x axis turned to `heading` (radians, counter-clockwise from world +x)."""
        return self.moved(about_z(heading), (x, y, z))

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Surfels:
        return Surfels(
            self.positions[keep],
            self.normals[keep],
            self.colours[keep],
            self.gloss[keep],
            self.glow[keep],
            self.spacing,
        )

    def thinned(self, count: int) -> Surfels:
        if count >= len(self):
            return self
        return Surfels(
            self.positions[:count],
            self.normals[:count],
            self.colours[:count],
            self.gloss[:count],
            self.glow[:count],
            self.spacing * math.sqrt(len(self) / count),
        )

    def shuffled(self, rng: np.random.Generator) -> Surfels:
        order = rng.permutation(len(self))
        return self.where(order)


def joined(parts: Sequence[Surfels]) -> Surfels:
    return Surfels(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.colours for part in parts]),
        np.concatenate([part.gloss for part in parts]),
        np.concatenate([part.glow for part in parts]),
        max(part.spacing for part in parts),
    )


def painted(
    positions: Floats, normals: Floats, colour: Colour | Floats, gloss: float = 0.0, spacing: float = 0.02
) -> Surfels:
    """One colour (or one a point) over the whole cloud."""
    count = len(positions)
    colours = np.broadcast_to(np.asarray(colour, np.float32), (count, 3)).copy()
    return Surfels(positions, normals, colours, np.full(count, gloss, np.float32), np.zeros(count, np.float32), spacing)


def scaled(colour: Colour, factor: float) -> Colour:
    """A colour made lighter or darker, within what a surface can reflect."""
    b, g, r = (min(max(float(c) * float(factor), 0.0), 0.9) for c in colour)
    return b, g, r


def about_x(angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]], np.float32)


def about_y(angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)


def about_z(angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)


def sample_grid(grid: Floats, per_square_metre: float, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Evenly spread points on a surface given as a grid of its points, (A, B, 3).

    Returns positions (N, 3), unit normals (N, 3) on the side of d/da x d/db, and (N, 2) the fractions along a and b.
    """
    rows, columns = grid.shape[0] - 1, grid.shape[1] - 1
    step_a, step_b = grid[1:, :-1] - grid[:-1, :-1], grid[:-1, 1:] - grid[:-1, :-1]
    far_a, far_b = grid[1:, 1:] - grid[:-1, 1:], grid[1:, 1:] - grid[1:, :-1]
    cross = np.cross(step_a + far_a, step_b + far_b) / 4
    area = np.linalg.norm(cross, axis=2).ravel()
    count = max(4, int(area.sum() * per_square_metre))
    cell = _stratified(area, count, rng)
    a, b = rng.random((2, count), dtype=np.float32)
    i, j = cell // columns, cell % columns
    top = grid[i, j] * (1 - b)[:, None] + grid[i, j + 1] * b[:, None]
    bottom = grid[i + 1, j] * (1 - b)[:, None] + grid[i + 1, j + 1] * b[:, None]
    positions = top * (1 - a)[:, None] + bottom * a[:, None]
    normals = _smooth_normals(cross, i, j, a, b)
    fractions = np.stack([(i + a) / rows, (j + b) / columns], axis=1).astype(np.float32)
    return positions.astype(np.float32), normals, fractions


def _stratified(weights: NDArray[np.floating], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    edges = np.cumsum(weights)
    picks = (np.arange(count) + rng.random(count)) / count * edges[-1]
    return np.asarray(np.minimum(np.searchsorted(edges, picks), len(weights) - 1), np.intp)


def _smooth_normals(cross: Floats, i: NDArray[np.intp], j: NDArray[np.intp], a: Floats, b: Floats) -> Floats:
    """Normals of the cells, blended between neighbours by where in its cell a point lies."""
    unit = cross / np.maximum(np.linalg.norm(cross, axis=2, keepdims=True), 1e-9)
    i2 = np.clip(i + np.where(a > 0.5, 1, -1), 0, unit.shape[0] - 1)
    j2 = np.clip(j + np.where(b > 0.5, 1, -1), 0, unit.shape[1] - 1)
    wa, wb = np.abs(a - 0.5)[:, None], np.abs(b - 0.5)[:, None]
    mixed = (unit[i, j] * (1 - wa) + unit[i2, j] * wa) * (1 - wb) + (unit[i, j2] * (1 - wa) + unit[i2, j2] * wa) * wb
    return np.asarray(mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9), np.float32)


def ellipsoid(
    radii: tuple[float, float, float], per_square_metre: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Points, normals and (polar, azimuth) fractions of an ellipsoid about the origin."""
    polar = np.linspace(0.02, math.pi - 0.02, 17)[:, None]
    turn = np.linspace(0, 2 * math.pi, 25)[None, :]
    grid = np.stack(
        [
            radii[0] * np.sin(polar) * np.cos(turn),
            radii[1] * np.sin(polar) * np.sin(turn),
            radii[2] * np.cos(polar) * np.ones_like(turn),
        ],
        axis=2,
    ).astype(np.float32)
    return sample_grid(grid, per_square_metre, rng)


def tube(
    heights: Sequence[float],
    radii: Sequence[tuple[float, float]],
    per_square_metre: float,
    rng: np.random.Generator,
    *,
    centres: Sequence[tuple[float, float]] | None = None,
    closed: bool = True,
) -> tuple[Floats, Floats, Floats]:
    """A loft along z through ellipses of `radii` (x, y) about `centres` at `heights`; `closed` caps both ends."""
    middle = list(centres) if centres is not None else [(0.0, 0.0)] * len(heights)
    level, ring, centre = list(heights), list(radii), middle
    if closed:
        level = [level[0], *level, level[-1]]
        ring = [(1e-4, 1e-4), *ring, (1e-4, 1e-4)]
        centre = [centre[0], *centre, centre[-1]]
    turn = np.linspace(0, 2 * math.pi, 25)
    rings = np.asarray(ring)[::-1]
    levels = np.asarray(level)[::-1]
    middles = np.asarray(centre)[::-1]
    grid = np.stack(
        [
            middles[:, :1] + rings[:, :1] * np.cos(turn)[None],
            middles[:, 1:] + rings[:, 1:] * np.sin(turn)[None],
            levels[:, None] + 0 * turn[None],
        ],
        axis=2,
    ).astype(np.float32)
    return sample_grid(grid, per_square_metre, rng)


def box(
    size: tuple[float, float, float], per_square_metre: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Points, normals and face fractions of a box standing on the ground, centred on the origin in x and y."""
    half = np.array([size[0] / 2, size[1] / 2, size[2] / 2], np.float32)
    parts = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = [k for k in range(3) if k != axis]
            count = max(4, int(4 * half[u] * half[v] * per_square_metre))
            spot = rng.random((count, 2), dtype=np.float32)
            where = np.empty((count, 3), np.float32)
            where[:, axis] = sign * half[axis]
            where[:, u], where[:, v] = (2 * spot[:, 0] - 1) * half[u], (2 * spot[:, 1] - 1) * half[v]
            where[:, 2] += half[2]
            normal = np.zeros((count, 3), np.float32)
            normal[:, axis] = sign
            parts.append((where, normal, spot))
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )
