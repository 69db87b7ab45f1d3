"""People: limbs on a skeleton, posed each frame. In their own axes: x ahead, y to the left, z up, feet at 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from detectors.scenes.surfels import (
    Colour,
    Floats,
    Surfels,
    about_x,
    about_y,
    about_z,
    ellipsoid,
    joined,
    painted,
    tube,
)

SKIN: tuple[Colour, ...] = ((0.28, 0.38, 0.60), (0.22, 0.31, 0.52), (0.33, 0.43, 0.66), (0.16, 0.22, 0.38))
HAIR: tuple[Colour, ...] = ((0.012, 0.012, 0.014), (0.02, 0.025, 0.035), (0.03, 0.05, 0.09), (0.35, 0.36, 0.37))


@dataclass(frozen=True, slots=True)
class Looks:
    """What a person wears. `long_sleeves`, `skirt`, `coat`, `cap`, `pack` change shapes, the rest colours."""

    tall: float = 1.70
    broad: float = 1.0
    skin: Colour = SKIN[0]
    hair: Colour = HAIR[0]
    top: Colour = (0.25, 0.10, 0.05)
    bottom: Colour = (0.06, 0.04, 0.035)
    shoes: Colour = (0.05, 0.05, 0.05)
    stripe: Colour | None = None
    long_hair: bool = False
    long_sleeves: bool = True
    shorts: bool = False
    skirt: bool = False
    coat: bool = False
    cap: Colour | None = None
    pack: Colour | None = None
    vest: Colour | None = None


@dataclass(frozen=True, slots=True)
class Pose:
    """Joint angles in radians; positive hips and shoulders swing ahead, positive knees and elbows bend."""

    hip: tuple[float, float] = (0.0, 0.0)  # left, right
    knee: tuple[float, float] = (0.04, 0.04)
    shoulder: tuple[float, float] = (0.0, 0.0)
    elbow: tuple[float, float] = (0.2, 0.2)
    spread: tuple[float, float] = (0.10, 0.10)  # arms away from the body
    lean: float = 0.03  # of the trunk, ahead
    nod: float = 0.0
    turn: float = 0.0  # of the head, to the left
    seated: bool = False

    def mixed(self, other: Pose, share: float) -> Pose:
        """Between this pose (0) and the other (1), eased."""
        s = share * share * (3 - 2 * share)

        def two(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
            return a[0] * (1 - s) + b[0] * s, a[1] * (1 - s) + b[1] * s

        return Pose(
            two(self.hip, other.hip),
            two(self.knee, other.knee),
            two(self.shoulder, other.shoulder),
            two(self.elbow, other.elbow),
            two(self.spread, other.spread),
            self.lean * (1 - s) + other.lean * s,
            self.nod * (1 - s) + other.nod * s,
            self.turn * (1 - s) + other.turn * s,
            self.seated,
        )


STRIDE_METRES = 1.35  # two steps, for a person of 1.70 m
BENT = Pose(hip=(0.55, 0.35), knee=(1.0, 0.85), shoulder=(0.5, 0.5), elbow=(0.15, 0.15), lean=1.05, nod=-0.3)
SQUAT = Pose(hip=(1.75, 1.6), knee=(2.2, 2.1), shoulder=(0.9, 0.9), elbow=(0.5, 0.5), lean=0.45, nod=-0.1)
PHONE = Pose(shoulder=(0.55, 0.0), elbow=(1.75, 0.2), nod=0.45, lean=0.06)
SEATED = Pose(hip=(1.35, 1.35), knee=(1.35, 1.35), shoulder=(0.75, 0.75), elbow=(0.45, 0.45), lean=0.15, seated=True)


def walking(metres: float, pace: float = 1.0, carry: str = "") -> Pose:
    """The gait after so many metres. `carry`: "" / "left" / "right" (a bag hangs there) / "both" (held in front)."""
    phase = 2 * math.pi * metres / STRIDE_METRES
    swing = 0.42 * pace
    left, right = math.sin(phase), math.sin(phase + math.pi)

    def knee(at: float) -> float:
        return 0.10 + 0.75 * pace * max(0.0, math.sin(at + 1.15)) ** 2 * (1.0 if math.cos(at) > -0.4 else 0.55)

    arms = [0.38 * pace * right, 0.38 * pace * left]
    elbows = [0.25 + 0.2 * max(0.0, right), 0.25 + 0.2 * max(0.0, left)]
    spread = [0.10, 0.10]
    if carry in ("left", "right"):
        side = 0 if carry == "left" else 1
        arms[side] *= 0.2
        elbows[side], spread[side] = 0.06, 0.16
    elif carry == "both":
        arms, elbows, spread = [0.55, 0.55], [1.05, 1.05], [0.05, 0.05]
    return Pose(
        hip=(swing * left, swing * right),
        knee=(knee(phase), knee(phase + math.pi)),
        shoulder=(arms[0], arms[1]),
        elbow=(elbows[0], elbows[1]),
        spread=(spread[0], spread[1]),
        lean=0.05 * pace + (-0.08 if carry == "both" else 0.0),
    )


def standing(seconds: float, restless: float = 1.0) -> Pose:
    """Weight shifting and looking round; periodic in no special time, so loops fade it."""
    sway = math.sin(seconds * 0.9)
    return Pose(
        hip=(0.03 + 0.02 * sway, -0.03),
        knee=(0.08 + 0.05 * restless * max(0.0, sway), 0.05),
        shoulder=(0.06 + 0.05 * restless * math.sin(seconds * 0.7), 0.03 * math.sin(seconds * 1.1)),
        elbow=(0.28, 0.22 + 0.1 * restless * math.sin(seconds * 0.5)),
        turn=0.7 * restless * math.sin(seconds * 0.63),
        lean=0.02,
    )


@dataclass(frozen=True, slots=True)
class Person:
    """Limbs in their own axes, hanging down from the joint at the origin."""

    looks: Looks
    parts: dict[str, Surfels] = field(repr=False)

    def posed(self, pose: Pose) -> Surfels:
        return joined([surfels for _, surfels in self._placed(pose)])

    def hand(self, pose: Pose, side: int) -> Floats:
        """Where the hand (0 left, 1 right) is, in the person's axes."""
        _, shoulders, _, _ = self._frame(pose)
        rotation, offset = shoulders[side]
        upper = rotation @ _arm_turn(pose, side)
        elbow = offset + upper @ np.array([0, 0, -0.175 * self.looks.tall], np.float32)
        fore = upper @ about_y(-pose.elbow[side])
        return np.asarray(elbow + fore @ np.array([0, 0, -0.185 * self.looks.tall], np.float32), np.float32)

    def _frame(
        self, pose: Pose
    ) -> tuple[float, list[tuple[Floats, Floats]], tuple[Floats, Floats], tuple[Floats, Floats]]:
        tall = self.looks.tall
        thigh, shin = 0.245 * tall, 0.225 * tall
        drops = [
            thigh * math.cos(pose.hip[k]) + (shin + 0.04 * tall) * math.cos(pose.hip[k] - pose.knee[k]) for k in (0, 1)
        ]
        pelvis = 0.46 if pose.seated else max(drops)
        back = 0.10 * tall * math.sin(max(pose.lean - 0.2, 0.0))
        trunk = about_y(pose.lean)
        root = np.array([-back, 0, pelvis], np.float32)
        shoulder_up = np.array([0, 0, 0.288 * tall], np.float32)
        wide = 0.108 * tall * self.looks.broad
        shoulders = [
            (trunk, root + trunk @ (shoulder_up + np.array([0, side * wide, 0], np.float32))) for side in (1, -1)
        ]
        neck = root + trunk @ np.array([0, 0, 0.325 * tall], np.float32)
        return (
            pelvis,
            shoulders,
            (trunk, root),
            (trunk @ about_y(pose.nod - 0.6 * pose.lean) @ about_z(pose.turn), neck),
        )

    def _placed(self, pose: Pose) -> list[tuple[str, Surfels]]:
        tall, parts = self.looks.tall, self.parts
        _, shoulders, (trunk, root), (head_turn, neck) = self._frame(pose)
        placed = [("trunk", parts["trunk"].moved(trunk, root)), ("head", parts["head"].moved(head_turn, neck))]
        for name in ("pack", "coat", "skirt"):
            if name in parts:
                turn = trunk if name == "pack" else about_y(pose.lean * 0.5)
                placed.append((name, parts[name].moved(turn, root)))
        for side, sign in ((0, 1), (1, -1)):
            hip = root + np.array([0, sign * 0.052 * tall, 0.0], np.float32)
            upper = about_y(-pose.hip[side])
            placed.append(("thigh", parts["thigh"].moved(upper, hip)))
            knee = hip + upper @ np.array([0, 0, -0.245 * tall], np.float32)
            lower = about_y(pose.knee[side] - pose.hip[side])
            placed.append(("shin", parts["shin"].moved(lower, knee)))
            ankle = knee + lower @ np.array([0, 0, -0.225 * tall], np.float32)
            placed.append(("foot", parts["foot"].moved(about_y(0.6 * (pose.knee[side] - pose.hip[side])), ankle)))
            rotation, offset = shoulders[side]
            arm = rotation @ _arm_turn(pose, side)
            placed.append(("arm", parts["arm"].moved(arm, offset)))
            elbow = offset + arm @ np.array([0, 0, -0.175 * tall], np.float32)
            placed.append(("forearm", parts["forearm"].moved(arm @ about_y(-pose.elbow[side]), elbow)))
        return placed


def _arm_turn(pose: Pose, side: int) -> Floats:
    sign = 1 if side == 0 else -1
    return np.asarray(about_x(sign * pose.spread[side]) @ about_y(-pose.shoulder[side] - 0.0), np.float32)


def person(looks: Looks, rng: np.random.Generator, *, density: float = 16_000.0) -> Person:
    """Build the limbs once; `Person.posed` puts them together for a frame."""
    spacing = 1 / math.sqrt(density)
    tall, broad = looks.tall, looks.broad

    def limb(length: float, radii: list[float], colour: Colour, flat: float = 1.0) -> Surfels:
        heights = list(np.linspace(-length, 0, len(radii)))
        positions, normals, _ = tube(heights, [(r * tall * flat, r * tall) for r in radii[::-1]], density, rng)
        return _creased(painted(positions, normals, colour, spacing=spacing), rng)

    leg_skin = looks.shorts or looks.skirt
    parts = {
        "thigh": limb(0.255 * tall, [0.050 * broad, 0.050 * broad, 0.043, 0.036], looks.bottom),
        "shin": limb(0.235 * tall, [0.036, 0.037, 0.030, 0.026], looks.skin if leg_skin else looks.bottom),
        "arm": limb(0.180 * tall, [0.036 * broad, 0.034 * broad, 0.028], looks.top),
        "forearm": _forearm(looks, limb),
        "foot": _foot(looks, density, rng),
        "trunk": _trunk(looks, density, rng),
        "head": _head(looks, density, rng),
    }
    parts.update(_extras(looks, density, rng))
    return Person(looks, parts)


def clothed(rng: np.random.Generator, **looks: Any) -> Person:
    """A person in the given `Looks`."""
    return person(Looks(**looks), rng)


def _creased(surfels: Surfels, rng: np.random.Generator) -> Surfels:
    """Folds of cloth: soft light and dark bands."""
    z, y = surfels.positions[:, 2], surfels.positions[:, 1]
    a, b = rng.uniform(30, 60), rng.uniform(0, 6)
    band = 1 + 0.10 * np.sin(a * z + 14 * y + b) * np.sin(23 * z - 31 * y + b)
    surfels.colours[:] = surfels.colours * band[:, None].astype(np.float32)
    return surfels


def _forearm(looks: Looks, limb: Callable[..., Surfels]) -> Surfels:
    tall = looks.tall
    sleeve = limb(0.175 * tall, [0.028, 0.026, 0.021], looks.top if looks.long_sleeves else looks.skin)
    hand = limb(0.075 * tall, [0.018, 0.022, 0.016], looks.skin, 0.7)
    return joined([sleeve, hand.moved(np.eye(3, dtype=np.float32), (0, 0, -0.155 * tall))])


def _foot(looks: Looks, density: float, rng: np.random.Generator) -> Surfels:
    tall = looks.tall
    positions, normals, _ = ellipsoid((0.078 * tall, 0.028 * tall, 0.026 * tall), density, rng)
    positions[:, 2] = np.maximum(positions[:, 2], -0.018 * tall)
    surfels = painted(positions, normals, looks.shoes, 0.15, 1 / math.sqrt(density))
    sole = positions[:, 2] < -0.012 * tall
    surfels.colours[sole] = (0.45, 0.45, 0.45)
    return surfels.moved(np.eye(3, dtype=np.float32), (0.034 * tall, 0, -0.020 * tall))


def _trunk(looks: Looks, density: float, rng: np.random.Generator) -> Surfels:
    tall, broad = looks.tall, looks.broad
    heights = [h * tall for h in (-0.045, 0.0, 0.06, 0.13, 0.20, 0.26, 0.295, 0.322, 0.335)]
    across = [0.085, 0.098, 0.092, 0.090, 0.103, 0.112, 0.108, 0.062, 0.034]
    deep = [0.060, 0.068, 0.064, 0.064, 0.068, 0.068, 0.058, 0.040, 0.030]
    radii = [(d * tall * broad, a * tall * broad) for d, a in zip(deep, across, strict=True)]
    positions, normals, _ = tube(heights, radii, density, rng)
    surfels = _creased(painted(positions, normals, looks.top, spacing=1 / math.sqrt(density)), rng)
    z = positions[:, 2] / tall
    surfels.colours[z < 0.012] = looks.bottom
    if looks.stripe is not None:
        surfels.colours[(np.mod(z * 22, 1.0) < 0.4) & (z > 0.03)] = looks.stripe
    if looks.vest is not None:
        vest = (z > 0.05) & (z < 0.30)
        surfels.colours[vest] = looks.vest
        surfels.colours[vest & (np.abs(z - 0.13) < 0.012)] = (0.75, 0.75, 0.75)
    if looks.coat or looks.vest is None:
        front = (positions[:, 0] > 0.02 * tall) & (np.abs(positions[:, 1]) < 0.006 * tall) & (z > 0.01)
        surfels.colours[front] *= 0.45
    collar = z > 0.327
    surfels.colours[collar] = looks.skin
    return surfels


def _head(looks: Looks, density: float, rng: np.random.Generator) -> Surfels:
    tall = looks.tall
    where, normal, _ = tube([-0.03 * tall, 0.04 * tall], [(0.030 * tall, 0.030 * tall)] * 2, density, rng)
    neck = painted(where, normal, looks.skin, spacing=1 / math.sqrt(density))
    positions, normals, _ = ellipsoid((0.056 * tall, 0.046 * tall, 0.067 * tall), density * 1.5, rng)
    jaw = np.clip(-positions[:, 2] / (0.067 * tall), 0, 1)
    positions[:, 1] *= 1 - 0.25 * jaw
    head = painted(positions, normals, looks.skin, spacing=1 / math.sqrt(density))
    x, y, z = (positions[:, k] / (0.06 * tall) for k in range(3))
    hair = (z > 0.42) | (x < -0.12) | ((x < 0.30) & (z > 0.0) & (np.abs(y) > 0.55))
    if not looks.long_hair:
        hair &= z > -0.55
    head.colours[hair] = looks.hair
    head.positions[hair] *= 1.07
    eyes = (x > 0.6) & (np.abs(z - 0.12) < 0.09) & (np.abs(np.abs(y) - 0.32) < 0.15)
    head.colours[eyes] = (0.03, 0.03, 0.04)
    mouth = (x > 0.6) & (np.abs(z + 0.48) < 0.06) & (np.abs(y) < 0.22)
    head.colours[mouth] = tuple(0.6 * c for c in looks.skin)
    parts = [neck, head.moved(np.eye(3, dtype=np.float32), (0.008 * tall, 0, 0.092 * tall))]
    if looks.long_hair:
        where, normal, _ = ellipsoid((0.042 * tall, 0.052 * tall, 0.085 * tall), density, rng)
        back = painted(where, normal, looks.hair, 0.1, 1 / math.sqrt(density))
        parts.append(back.moved(np.eye(3, dtype=np.float32), (-0.026 * tall, 0, 0.055 * tall)))
    if looks.cap is not None:
        where, normal, _ = ellipsoid((0.060 * tall, 0.051 * tall, 0.036 * tall), density, rng)
        keep = where[:, 2] > -0.004
        cap = painted(where[keep], normal[keep], looks.cap, spacing=1 / math.sqrt(density))
        parts.append(cap.moved(np.eye(3, dtype=np.float32), (0.008 * tall, 0, 0.122 * tall)))
        where, normal, _ = ellipsoid((0.045 * tall, 0.040 * tall, 0.006 * tall), density, rng)
        brim = painted(where, normal, looks.cap, spacing=1 / math.sqrt(density))
        parts.append(brim.moved(np.eye(3, dtype=np.float32), (0.062 * tall, 0, 0.122 * tall)))
    return joined(parts)


def _extras(looks: Looks, density: float, rng: np.random.Generator) -> dict[str, Surfels]:
    tall, broad = looks.tall, looks.broad
    spacing = 1 / math.sqrt(density)
    extras: dict[str, Surfels] = {}
    if looks.skirt or looks.coat:
        low = -0.20 if looks.skirt else -0.16
        radii = [
            (0.105 * tall, 0.118 * tall),
            (0.090 * tall, 0.108 * tall),
            (0.068 * tall * broad, 0.096 * tall * broad),
        ]
        where, normal, _ = tube([low * tall, low * tall / 2, 0.03 * tall], radii, density, rng)
        name = "skirt" if looks.skirt else "coat"
        extras[name] = _creased(
            painted(where, normal, looks.bottom if looks.skirt else looks.top, spacing=spacing), rng
        )
    if looks.pack is not None:
        where, normal, _ = ellipsoid((0.075 * tall, 0.085 * tall, 0.135 * tall), density, rng)
        pack = painted(where, normal, looks.pack, spacing=spacing)
        extras["pack"] = pack.moved(np.eye(3, dtype=np.float32), (-0.105 * tall, 0, 0.185 * tall))
    return extras


def random_looks(rng: np.random.Generator) -> Looks:
    """Plausible everyday clothes; colours from their own generator, so that no list is shared with the demo."""

    def cloth() -> Colour:
        hue = rng.random(3) ** 1.6
        value = rng.choice([0.02, 0.06, 0.15, 0.35, 0.65], p=[0.25, 0.2, 0.2, 0.2, 0.15])
        grey = rng.random() < 0.5
        colour = value * (np.ones(3) + rng.normal(0, 0.05, 3)) if grey else value * (0.3 + 1.4 * hue)
        b, g, r = np.clip(colour, 0.01, 0.85)
        return float(b), float(g), float(r)

    chance = rng.random(8)
    return Looks(
        tall=float(rng.uniform(1.5, 1.86)),
        broad=float(rng.uniform(0.88, 1.2)),
        skin=SKIN[int(rng.integers(len(SKIN)))],
        hair=HAIR[int(rng.choice(len(HAIR), p=[0.5, 0.2, 0.15, 0.15]))],
        top=cloth(),
        bottom=cloth(),
        shoes=cloth(),
        stripe=cloth() if chance[0] < 0.12 else None,
        long_hair=bool(chance[1] < 0.4),
        long_sleeves=bool(chance[2] < 0.6),
        shorts=bool(chance[3] < 0.15),
        skirt=bool(0.15 < chance[3] < 0.27),
        coat=bool(chance[4] < 0.2),
        cap=cloth() if chance[5] < 0.2 else None,
        pack=cloth() if chance[6] < 0.2 else None,
        vest=(0.05, 0.75, 0.75) if chance[7] < 0.04 else None,
    )
