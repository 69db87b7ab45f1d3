"""Cars, vans, buses, trucks and two-wheelers as surfels, in their own axes: x ahead, y to the left, z up."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.scenes.surfels import Colour, Floats, Surfels, about_y, box, joined, painted, sample_grid, scaled, tube
from detectors.scenes.vehicle_paint import BodyPainter, bow
from detectors.scenes.vehicle_shapes import (
    CAB,
    LAMP,
    RUBBER,
    TAIL,
    TRIM,
    BodyShape,
    line,
)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """`body` and, apart because they turn, `wheels` about the y axis at `axles` (x, y, radius)."""

    body: Surfels
    wheels: tuple[Surfels, ...]
    axles: tuple[tuple[float, float, float], ...]
    size: tuple[float, float, float]
    head_lamps: tuple[tuple[float, float, float], ...] = ()
    tail_lamps: tuple[tuple[float, float, float], ...] = ()
    label: str = "car"

    def posed(self, rolled_metres: float = 0.0, *, braking: bool = False, lit: bool = False) -> Surfels:
        """The whole vehicle after its wheels have rolled so far; lamps glow when lit."""
        body = self.body
        if braking or lit:
            glow = body.glow.copy()
            tail = np.all(np.abs(body.colours - np.asarray(TAIL, np.float32)) < 1e-4, axis=1)
            glow[tail] = 2.4 if braking else 1.2
            if lit:
                glow[np.all(np.abs(body.colours - np.asarray(LAMP, np.float32)) < 1e-4, axis=1)] = 3.0
            body = replace(body, glow=glow)
        parts = [body]
        for one, (x, y, radius) in zip(self.wheels, self.axles, strict=True):
            parts.append(one.moved(about_y(rolled_metres / radius), (x, y, radius)))
        return joined(parts)


def _body_grid(shape: BodyShape) -> tuple[Floats, Floats]:
    """Grid (A, B, 3) of the left and right halves in one, from sill over the roof to sill, and z of belt per row."""
    half = shape.length / 2
    ends = np.linspace(0, 1, 90)
    xs = (half * np.sign(ends - 0.5) * (1 - (1 - np.abs(2 * ends - 1)) ** 1.35)).astype(np.float32)
    u = np.abs(xs) / half
    width = shape.width / 2 * (1 - 0.05 * u**2) * (1 - 0.20 * np.clip((u - 0.90) / 0.10, 0, 1) ** 2)
    top, belt = line(shape.top, xs), line(shape.belt, xs)
    belt = np.minimum(belt, top - 0.02)
    low = np.full_like(xs, shape.clearance) + 0.10 * np.clip((u - 0.86) / 0.14, 0, 1) ** 2
    rise = top - belt
    edge = width * 0.965 - shape.tumble * np.maximum(rise - 0.05, 0)
    mid = (low + belt) * 0.52
    points = [
        (width * 0.60, low),
        (width * 0.93, low),
        (width * 0.985, low + 0.10),
        (width, mid),
        (width * 0.985, belt - 0.08),
        (width * 0.962, belt),
        (edge + 0.012, top - np.minimum(0.09, rise * 0.35)),
        (edge - 0.05, top - np.minimum(0.03, rise * 0.12)),
        (edge * 0.55, top + 0.004),
        (edge * 0.0, top + 0.022),
    ]
    ys, zs = np.stack([p[0] for p in points], 1), np.stack([p[1] for p in points], 1)
    ys, zs = _rounded(ys), _rounded(zs)
    ys = np.concatenate([-ys, ys[:, ::-1][:, 1:]], axis=1)
    zs = np.concatenate([zs, zs[:, ::-1][:, 1:]], axis=1)
    grid = np.stack([xs[:, None] - bow(xs[:, None], ys, shape), ys, zs], axis=2).astype(np.float32)
    return _capped(grid), belt


def _rounded(lines: Floats) -> Floats:
    """Two rounds of Chaikin's corner cutting along the second axis, ends kept."""
    for _ in range(2):
        left, right = lines[:, :-1], lines[:, 1:]
        cut = np.stack([0.75 * left + 0.25 * right, 0.25 * left + 0.75 * right], axis=2)
        lines = np.concatenate([lines[:, :1], cut.reshape(len(lines), -1), lines[:, -1:]], axis=1)
    return lines


def _capped(grid: Floats) -> Floats:
    """Closed front and back: each end row is drawn together into a line across at its middle height."""
    ends = []
    for row, push in ((grid[0], -0.03), (grid[-1], 0.03)):
        steps = []
        low, high = row[:, 2].min(), row[:, 2].max()
        for share in (0.25, 0.5, 0.75, 1.0):
            flat = row.copy()
            flat[:, 0] += push * math.sin(share * math.pi / 2)
            flat[:, 2] = row[:, 2] * (1 - share) + ((low + high) / 2) * share
            steps.append(flat)
        ends.append(steps)
    return np.stack([*ends[0][::-1], *grid, *ends[1]])


def wheel(radius: float, width: float, spokes: int, density: float, rng: np.random.Generator) -> Surfels:
    """About the y axis through the origin; both faces, so that it serves left and right."""
    positions, normals, _ = tube(
        [-width / 2, -width / 2 + 0.02, width / 2 - 0.02, width / 2],
        [(radius * 0.95,) * 2, (radius,) * 2, (radius,) * 2, (radius * 0.95,) * 2],
        density,
        rng,
    )
    distance = np.hypot(positions[:, 0], positions[:, 1])
    angle = np.arctan2(positions[:, 1], positions[:, 0])
    face = np.abs(normals[:, 2]) > 0.6
    rim = face & (distance < radius * 0.68)
    gap = rim & (distance > radius * 0.20) & (distance < radius * 0.60) & (np.cos(spokes * angle) < -0.05)
    surfels = painted(positions, normals, RUBBER, spacing=1 / math.sqrt(density))
    surfels.colours[rim] = (0.36, 0.36, 0.36)
    surfels.colours[gap] = (0.03, 0.03, 0.03)
    surfels.gloss[rim & ~gap] = 0.4
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32).T  # the wheel's axis from z to y
    return surfels.moved(turn, (0, 0, 0))


def _body(shape: BodyShape, paint: Colour, density: float, rng: np.random.Generator, *, blind: bool = False) -> Surfels:
    grid, _ = _body_grid(shape)
    positions, normals, _ = sample_grid(grid, density, rng)
    outward = np.einsum("ij,ij->i", normals, positions - np.array([0, 0, 0.7], np.float32))
    if np.median(outward) < 0:
        normals = -normals
    painter = BodyPainter(shape, positions, normals, paint)
    painter.all(blind=blind)
    surfels = painted(positions, normals, painter.colours)
    surfels.gloss[:] = painter.gloss
    return surfels


def _mirrors(shape: BodyShape, paint: Colour, density: float, rng: np.random.Generator) -> list[Surfels]:
    parts = []
    belt = float(line(shape.belt, np.array([shape.glass_ends[0]], np.float32))[0])
    for side in (-1, 1):
        where, normal, _ = box((0.12, 0.20, 0.14), density, rng)
        offset = (shape.glass_ends[0] - 0.06, side * (shape.width / 2 + 0.06), belt + 0.03)
        parts.append(painted(where, normal, paint, 0.4).moved(np.eye(3, dtype=np.float32), offset))
    return parts


def _four_wheels(
    shape: BodyShape, density: float, rng: np.random.Generator
) -> tuple[tuple[Surfels, ...], tuple[tuple[float, float, float], ...]]:
    tyre = wheel(shape.wheel_radius, 0.22, int(rng.integers(5, 9)), density, rng)
    axles = tuple(
        (x, side * (shape.width / 2 - 0.125), shape.wheel_radius) for x in shape.wheels if x > -8 for side in (-1, 1)
    )
    return (tyre,) * len(axles), axles


def car(
    shape: BodyShape,
    paint: Colour,
    rng: np.random.Generator,
    *,
    density: float = 4000.0,
    blind: bool = False,
    label: str = "car",
) -> Vehicle:
    """A closed vehicle; `blind` leaves out the windows behind the first row, as delivery vans do."""
    wheels, axles = _four_wheels(shape, density, rng)
    parts = [_body(shape, paint, density, rng, blind=blind), *_mirrors(shape, paint, density, rng)]
    half, wide = shape.length / 2, shape.width / 2
    head = sum(shape.head_lamps) / 2
    tail = sum(shape.tail_lamps) / 2
    return Vehicle(
        replace(joined(parts).shuffled(rng), spacing=1 / math.sqrt(density)),
        wheels,
        axles,
        (shape.length, shape.width, max(z for _, z in shape.top)),
        tuple((half - 0.1, side * wide * 0.7, head) for side in (-1, 1)),
        tuple((-half + 0.05, side * wide * 0.75, tail) for side in (-1, 1)),
        label,
    )


def _box_doors(where: Floats, normal: Floats) -> NDArray[np.bool_]:
    """Seam, locking bars and hinges of the doors at the back of a box body."""
    across, up = np.abs(where[:, 1]), where[:, 2]
    bars = (across < 0.015) | (np.abs(across - 0.30) < 0.018) | (np.abs(across - 0.86) < 0.03)
    hinges = (across > 0.62) & (np.mod(up, 0.42) < 0.05)
    handles = (across > 0.22) & (across < 0.42) & (np.abs(up - 0.62) < 0.025)
    return np.asarray((normal[:, 0] < -0.5) & (bars | hinges | handles))


def truck(
    paint: Colour, load: str, rng: np.random.Generator, *, density: float = 4000.0, bed_length: float = 2.9
) -> Vehicle:
    """A one-tonne cab-over. `load`: "flat" (open bed with side boards) or "box"."""
    cab = _body(CAB, paint, density, rng).moved(np.eye(3, dtype=np.float32), (bed_length / 2 + 0.30, 0, 0))
    cab = joined(
        [
            cab,
            *[
                m.moved(np.eye(3, dtype=np.float32), (bed_length / 2 + 0.30, 0, 0))
                for m in _mirrors(CAB, TRIM, density, rng)
            ],
        ]
    )
    middle = -0.62
    parts = [cab]
    frame, normal, _ = box((bed_length + 0.5, 0.8, 0.22), density, rng)
    parts.append(painted(frame, normal, TRIM).moved(np.eye(3, dtype=np.float32), (middle, 0, 0.48)))
    if load == "box":
        where, normal, _ = box((bed_length, 1.78, 1.75), density, rng)
        colour = np.broadcast_to(np.array([0.72, 0.73, 0.73], np.float32), (len(where), 3)).copy()
        ribs = (np.abs(normal[:, 1]) > 0.5) & (np.mod(where[:, 0], 0.45) < 0.03)
        colour[ribs] *= 0.75
        colour[(np.abs(normal[:, 1]) > 0.5) & (np.abs(where[:, 2] - 0.85) < 0.14)] = np.asarray(paint) * 0.8
        colour[_box_doors(where, normal)] = (0.16, 0.16, 0.16)
        edges = (np.abs(where[:, 2] - 1.70) < 0.06) | (where[:, 2] < 0.07)
        colour[edges & (np.abs(normal[:, 2]) < 0.5)] = (0.30, 0.30, 0.31)
        stripe = (normal[:, 0] < -0.5) & (np.abs(where[:, 2] - 0.16) < 0.04)
        colour[stripe] = np.where(np.mod(where[stripe, 1:2], 0.3) < 0.15, TAIL, (0.7, 0.7, 0.7))
        parts.append(painted(where, normal, colour, 0.15).moved(np.eye(3, dtype=np.float32), (middle, 0, 0.72)))
        height = 2.47
    else:
        for size, spot in (
            ((bed_length, 1.72, 0.06), (middle, 0, 0.70)),
            ((bed_length, 0.04, 0.38), (middle, 0.86, 0.74)),
            ((bed_length, 0.04, 0.38), (middle, -0.86, 0.74)),
            ((0.04, 1.72, 0.38), (middle - bed_length / 2, 0, 0.74)),
            ((0.04, 1.72, 0.90), (middle + bed_length / 2, 0, 0.74)),
        ):
            where, normal, _ = box(size, density, rng)
            board = painted(where, normal, scaled(paint, 0.8), 0.2)
            parts.append(board.moved(np.eye(3, dtype=np.float32), spot))
        height = 1.95
    back = middle - bed_length / 2
    under, normal, _ = box((0.08, 1.66, 0.12), density, rng)
    parts.append(painted(under, normal, (0.12, 0.12, 0.12)).moved(np.eye(3, dtype=np.float32), (back + 0.02, 0, 0.36)))
    plate, normal, _ = box((0.03, 0.44, 0.14), density * 3, rng)
    parts.append(
        painted(plate, normal, (0.06, 0.55, 0.60), 0.2).moved(np.eye(3, dtype=np.float32), (back - 0.04, 0, 0.50))
    )
    for side in (-1, 1):
        where, normal, _ = box((0.06, 0.30, 0.12), density * 3, rng)
        parts.append(
            painted(where, normal, TAIL, 0.5).moved(np.eye(3, dtype=np.float32), (back - 0.03, side * 0.68, 0.50))
        )
    axles = tuple((x, side * 0.74, 0.33) for x in (bed_length / 2 + 0.52, back + 0.75) for side in (-1, 1))
    tyre = wheel(0.33, 0.22, 5, density, rng)
    length = bed_length + 2.0
    front = bed_length / 2 + 0.30 + 0.86
    return Vehicle(
        replace(joined(parts).shuffled(rng), spacing=1 / math.sqrt(density)), (tyre,) * 4, axles,
        (length, 1.78, height),
        tuple((front, s * 0.62, 0.83) for s in (-1, 1)), tuple((back, s * 0.68, 0.55) for s in (-1, 1)), "truck",
    )  # fmt: skip
