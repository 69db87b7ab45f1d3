"""Scooters and bicycles, with the pose of who rides them. x ahead, y to the left, z up, as `vehicles`."""

from __future__ import annotations

import math

import numpy as np

from detectors.scenes.people import Person, Pose
from detectors.scenes.surfels import Colour, Floats, Surfels, about_y, box, ellipsoid, joined, painted, tube
from detectors.scenes.vehicle_shapes import LAMP, TAIL
from detectors.scenes.vehicles import Vehicle, wheel

DENSITY = 9000.0
SPACING = 1 / math.sqrt(DENSITY)
EYE = np.eye(3, dtype=np.float32)
SCOOTER_POSE = Pose(
    hip=(1.25, 1.25), knee=(1.35, 1.35), shoulder=(0.85, 0.85), elbow=(0.55, 0.55), lean=0.10, seated=True
)


def _bar(
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: float,
    colour: Colour,
    rng: np.random.Generator,
    gloss: float = 0.3,
) -> Surfels:
    """A round bar between two points."""
    first, last = np.asarray(start, np.float32), np.asarray(end, np.float32)
    length = float(np.linalg.norm(last - first))
    where, normal, _ = tube([0, length], [(radius, radius), (radius, radius)], DENSITY, rng)
    return painted(where, normal, colour, gloss, SPACING).moved(_towards((last - first) / length), start)


def _towards(way: Floats) -> Floats:
    """A rotation that brings +z to `way`."""
    side = np.cross(way, [0.0, 1.0, 0.0]) if abs(way[1]) < 0.9 else np.cross(way, [1.0, 0.0, 0.0])
    side = side / np.linalg.norm(side)
    return np.stack([side, np.cross(way, side), way], axis=1).astype(np.float32)


def _lump(
    radii: tuple[float, float, float],
    spot: tuple[float, float, float],
    colour: Colour,
    rng: np.random.Generator,
    gloss: float = 0.4,
) -> Surfels:
    where, normal, _ = ellipsoid(radii, DENSITY, rng)
    return painted(where, normal, colour, gloss, SPACING).moved(EYE, spot)


def _case(
    size: tuple[float, float, float], spot: tuple[float, float, float], colour: Colour, rng: np.random.Generator
) -> Surfels:
    where, normal, _ = box(size, DENSITY, rng)
    return painted(where, normal, colour, 0.2, SPACING).moved(EYE, spot)


def scooter(paint: Colour, rng: np.random.Generator, *, case: Colour | None = None) -> Vehicle:
    """A 125 cc scooter, with a delivery box when `case` has a colour."""
    dark: Colour = (0.03, 0.03, 0.03)
    parts = [
        _lump((0.42, 0.16, 0.20), (-0.36, 0, 0.58), paint, rng),
        _lump((0.40, 0.15, 0.07), (-0.30, 0, 0.80), dark, rng, 0.2),
        _case((0.62, 0.26, 0.06), (0.10, 0, 0.30), dark, rng),
        _lump((0.10, 0.20, 0.34), (0.46, 0, 0.66), paint, rng),
        _lump((0.20, 0.09, 0.09), (0.62, 0, 0.52), paint, rng),
        _bar((0.66, 0, 0.27), (0.44, 0, 0.98), 0.035, dark, rng),
        _bar((0.44, -0.32, 1.04), (0.44, 0.32, 1.04), 0.022, dark, rng),
        _lump((0.10, 0.13, 0.10), (0.52, 0, 0.98), paint, rng),
        _lump((0.04, 0.08, 0.06), (0.60, 0, 0.96), LAMP, rng, 0.8),
        _lump((0.03, 0.09, 0.05), (-0.78, 0, 0.66), TAIL, rng, 0.6),
        _bar((-0.5, -0.16, 0.30), (-0.85, -0.18, 0.36), 0.05, (0.3, 0.3, 0.3), rng),
    ]
    for side in (-1, 1):
        parts.append(_bar((0.44, 0.26 * side, 1.06), (0.42, 0.30 * side, 1.22), 0.01, dark, rng))
        parts.append(_lump((0.015, 0.06, 0.045), (0.42, 0.31 * side, 1.25), dark, rng))
    if case is not None:
        parts.append(_case((0.46, 0.48, 0.44), (-0.72, 0, 0.84), case, rng))
    tyre = wheel(0.25, 0.11, 5, DENSITY, rng)
    return Vehicle(
        joined(parts).shuffled(rng), (tyre, tyre), ((0.66, 0, 0.25), (-0.60, 0, 0.25)), (1.85, 0.7, 1.3),
        ((0.62, 0, 0.96),), ((-0.8, 0, 0.66),), "motorcycle",
    )  # fmt: skip


def bicycle(paint: Colour, rng: np.random.Generator) -> Vehicle:
    seat, crank, head, back, front = (
        (-0.18, 0, 0.78),
        (-0.05, 0, 0.30),
        (0.40, 0, 0.80),
        (-0.50, 0, 0.33),
        (0.55, 0, 0.33),
    )
    dark: Colour = (0.02, 0.02, 0.02)
    lines = [(seat, crank), (crank, head), (seat, head), (crank, back), (seat, back), (head, front)]
    parts = [_bar(a, b, 0.022, paint, rng) for a, b in lines]
    parts += [
        _bar(seat, (-0.22, 0, 0.92), 0.018, dark, rng),
        _lump((0.13, 0.07, 0.03), (-0.22, 0, 0.94), dark, rng),
        _bar(head, (0.38, 0, 1.00), 0.018, dark, rng),
        _bar((0.40, -0.27, 1.02), (0.40, 0.27, 1.02), 0.016, dark, rng),
        _case((0.30, 0.30, 0.20), (0.60, 0, 0.78), (0.25, 0.25, 0.25), rng),
    ]
    hoop = _hoop(0.33, rng)
    return Vehicle(
        joined(parts).shuffled(rng), (hoop, hoop), ((0.55, 0, 0.33), (-0.50, 0, 0.33)), (1.75, 0.6, 1.1),
        (), (), "bicycle",
    )  # fmt: skip


def _hoop(radius: float, rng: np.random.Generator) -> Surfels:
    turn = rng.random(2600, dtype=np.float32) * 2 * math.pi
    around = rng.random(2600, dtype=np.float32) * 2 * math.pi
    ring = radius - 0.02 + 0.02 * np.cos(around)
    where = np.stack([ring * np.cos(turn), 0.02 * np.sin(around), ring * np.sin(turn)], axis=1)
    normal = np.stack([np.cos(around) * np.cos(turn), np.sin(around), np.cos(around) * np.sin(turn)], axis=1)
    tyre = painted(where.astype(np.float32), normal.astype(np.float32), (0.02, 0.02, 0.02), spacing=0.012)
    spokes = [
        _bar((0, 0.0, 0), (0.3 * math.cos(a), 0.0, 0.3 * math.sin(a)), 0.004, (0.4, 0.4, 0.4), rng)
        for a in np.arange(0, 6.28, 0.7)
    ]
    return joined([tyre, *spokes])


def rider(person: Person, vehicle: Vehicle, phase: float = 0.0) -> Surfels:
    """The person on the seat of `vehicle`, in its axes; `phase` turns the pedals of a bicycle."""
    if vehicle.label == "motorcycle":
        return person.posed(SCOOTER_POSE).moved(EYE, (-0.34, 0, 0.36))
    up, down = 0.85 + 0.35 * math.sin(phase), 0.85 - 0.35 * math.sin(phase)
    pose = Pose(
        hip=(up, down), knee=(1.15 + 0.3 * math.cos(phase), 1.15 - 0.3 * math.cos(phase)), shoulder=(0.95, 0.95),
        elbow=(0.25, 0.25), lean=0.35, seated=True,
    )  # fmt: skip
    return person.posed(pose).moved(about_y(0.0), (-0.22, 0, 0.50))
