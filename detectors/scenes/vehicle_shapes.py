"""The lines of car bodies, in metres: x ahead of the middle, z above the road."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.scenes.surfels import Colour, Floats

Profile = Sequence[tuple[float, float]]  # (x, z), front to back

RUBBER: Colour = (0.018, 0.018, 0.018)
GLASS: Colour = (0.022, 0.020, 0.018)
TRIM: Colour = (0.025, 0.025, 0.026)
PLATE: Colour = (0.80, 0.82, 0.82)
LAMP: Colour = (0.82, 0.86, 0.86)
TAIL: Colour = (0.03, 0.02, 0.42)
CHROME: Colour = (0.45, 0.45, 0.45)

PAINTS: dict[str, Colour] = {
    "white": (0.80, 0.80, 0.79),
    "silver": (0.42, 0.41, 0.40),
    "grey": (0.13, 0.13, 0.13),
    "black": (0.018, 0.017, 0.017),
    "navy": (0.16, 0.06, 0.025),
    "red": (0.035, 0.03, 0.36),
    "blue": (0.40, 0.16, 0.04),
    "beige": (0.36, 0.46, 0.52),
    "green": (0.08, 0.16, 0.05),
    "yellow": (0.04, 0.48, 0.70),
    "orange": (0.02, 0.18, 0.65),
    "brown": (0.04, 0.07, 0.13),
    "teal": (0.32, 0.28, 0.06),
}


@dataclass(frozen=True, slots=True)
class BodyShape:
    """The lengthwise lines of a body. `top` is its silhouette, `belt` the lower edge of the windows."""

    length: float
    width: float
    top: Profile
    belt: Profile
    wheels: tuple[float, float]  # x of the axles
    wheel_radius: float = 0.32
    clearance: float = 0.20
    tumble: float = 0.36  # how far the sides lean in, per metre above the belt
    pillars: tuple[float, ...] = (0.0,)  # x of the posts between side windows
    glass_ends: tuple[float, float] = (1.0, -1.6)  # x between which side windows lie
    screen: tuple[float, float] = (1.15, 0.15)  # windscreen from cowl to roof
    rear_screen: tuple[float, float] = (-1.1, -1.9)
    window_top: float = 0.10  # from the roof down to the glass
    grille: tuple[float, float] = (0.46, 0.66)
    head_lamps: tuple[float, float] = (0.60, 0.76)
    tail_lamps: tuple[float, float] = (0.72, 0.92)


SEDAN = BodyShape(
    4.72,
    1.84,
    (
        (2.36, 0.58),
        (2.30, 0.72),
        (1.95, 0.83),
        (1.20, 0.97),
        (0.25, 1.38),
        (-0.15, 1.45),
        (-0.75, 1.44),
        (-1.20, 1.36),
        (-1.85, 1.10),
        (-2.22, 1.04),
        (-2.33, 0.92),
        (-2.36, 0.66),
    ),
    ((2.36, 0.55), (1.95, 0.78), (1.20, 0.92), (-1.80, 1.00), (-2.36, 0.64)),
    (1.42, -1.40),
    pillars=(-0.22, -1.12),
    glass_ends=(0.98, -1.62),
    screen=(1.18, 0.18),
    rear_screen=(-1.22, -1.84),
)
HATCHBACK = BodyShape(
    3.85, 1.66,
    ((1.92, 0.62), (1.86, 0.80), (1.60, 0.92), (1.18, 1.02), (0.40, 1.44), (0.0, 1.52), (-0.9, 1.51),
     (-1.45, 1.42), (-1.80, 1.05), (-1.90, 0.90), (-1.92, 0.62)),
    ((1.92, 0.58), (1.60, 0.86), (1.18, 0.95), (-1.75, 1.02), (-1.92, 0.60)),
    (1.22, -1.20), wheel_radius=0.29, pillars=(-0.18, -1.02), glass_ends=(0.95, -1.62), screen=(1.16, 0.34),
    rear_screen=(-1.46, -1.80), tail_lamps=(0.78, 1.05),
)  # fmt: skip
SUV = BodyShape(
    4.62, 1.88,
    ((2.31, 0.66), (2.26, 0.92), (2.00, 1.03), (1.20, 1.12), (0.42, 1.58), (0.05, 1.67), (-1.30, 1.66),
     (-1.85, 1.58), (-2.16, 1.18), (-2.28, 1.02), (-2.31, 0.70)),
    ((2.31, 0.62), (2.00, 0.96), (1.20, 1.05), (-2.10, 1.14), (-2.31, 0.68)),
    (1.38, -1.36), wheel_radius=0.36, clearance=0.24, tumble=0.30, pillars=(-0.18, -1.12),
    glass_ends=(1.0, -1.95), screen=(1.18, 0.36), rear_screen=(-1.86, -2.15), grille=(0.58, 0.82),
    head_lamps=(0.74, 0.92), tail_lamps=(0.86, 1.10),
)  # fmt: skip
VAN = BodyShape(
    5.10, 1.92,
    ((2.55, 0.66), (2.50, 0.96), (2.25, 1.12), (1.95, 1.22), (1.20, 1.80), (0.90, 1.92), (-2.20, 1.94),
     (-2.42, 1.84), (-2.52, 1.15), (-2.55, 0.70)),
    ((2.55, 0.62), (2.25, 1.00), (1.95, 1.10), (-2.50, 1.14), (-2.55, 0.68)),
    (1.72, -1.45), wheel_radius=0.34, tumble=0.18, pillars=(0.72, -0.55, -1.60), glass_ends=(1.75, -2.30),
    screen=(2.00, 1.10), rear_screen=(-2.30, -2.56), window_top=0.22, grille=(0.56, 0.76), head_lamps=(0.76, 0.96),
    tail_lamps=(0.85, 1.35),
)  # fmt: skip
BUS = BodyShape(
    9.20, 2.45,
    ((4.60, 0.70), (4.57, 1.30), (4.42, 2.40), (4.20, 2.92), (3.90, 3.05), (-4.30, 3.06), (-4.52, 2.90),
     (-4.58, 1.40), (-4.60, 0.70)),
    ((4.60, 0.66), (4.52, 1.30), (-4.55, 1.32), (-4.60, 0.68)),
    (2.90, -2.60), wheel_radius=0.46, clearance=0.30, tumble=0.05, pillars=(2.9, 1.6, 0.3, -1.0, -2.3, -3.5),
    glass_ends=(4.25, -4.35), screen=(4.56, 4.20), rear_screen=(-4.40, -4.58), window_top=0.42, grille=(0.5, 0.62),
    head_lamps=(0.66, 0.86), tail_lamps=(0.80, 1.20),
)  # fmt: skip
CAB = BodyShape(
    1.75, 1.74,
    ((0.875, 0.60), (0.86, 1.02), (0.72, 1.28), (0.30, 1.88), (0.10, 1.95), (-0.70, 1.95), (-0.84, 1.88),
     (-0.875, 0.62)),
    ((0.875, 0.58), (0.80, 1.04), (-0.85, 1.14), (-0.875, 0.60)),
    (0.25, -9.0), wheel_radius=0.33, clearance=0.34, tumble=0.14, pillars=(-9.0,), glass_ends=(0.62, -0.62),
    screen=(0.78, 0.22), rear_screen=(-0.845, -0.88), window_top=0.16, grille=(0.62, 0.74), head_lamps=(0.74, 0.92),
    tail_lamps=(0.2, 0.21),
)  # fmt: skip


def line(profile: Profile, xs: Floats) -> Floats:
    points = sorted(profile)
    known_x, known_z = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    fine = np.linspace(known_x[0], known_x[-1], 600)
    line = np.interp(fine, known_x, known_z)
    kernel = np.hanning(25)
    kernel /= kernel.sum()
    padded = np.pad(line, 12, mode="reflect", reflect_type="odd")
    return np.interp(xs, fine, np.convolve(padded, kernel, mode="valid")).astype(np.float32)


def stretched(shape: BodyShape, rng: np.random.Generator) -> BodyShape:
    """A body like `shape`, longer or shorter, higher or lower, as another maker would build it."""
    long, high, wide = rng.uniform(0.92, 1.08), rng.uniform(0.95, 1.06), rng.uniform(0.96, 1.04)

    def lines(profile: Profile) -> Profile:
        return [(x * long, z * (1 + (high - 1) * min(1.0, z))) for x, z in profile]

    return replace(
        shape,
        length=shape.length * long,
        width=shape.width * wide,
        top=lines(shape.top),
        belt=lines(shape.belt),
        wheels=(shape.wheels[0] * long, shape.wheels[1] * long),
        pillars=tuple(x * long for x in shape.pillars),
        glass_ends=(shape.glass_ends[0] * long, shape.glass_ends[1] * long),
        screen=(shape.screen[0] * long, shape.screen[1] * long),
        rear_screen=(shape.rear_screen[0] * long, shape.rear_screen[1] * long),
        wheel_radius=shape.wheel_radius * float(rng.uniform(0.95, 1.08)),
    )
