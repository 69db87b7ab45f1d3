"""Made-up places for training: random grounds, walls, clutter and light, none of them the demo's."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from detectors.scenes import textures, things
from detectors.scenes.camera import PoleCamera
from detectors.scenes.furniture import street_lamp
from detectors.scenes.light import Lamp, Light
from detectors.scenes.stage import Panel, Stage, floor, upright
from detectors.scenes.surfels import Surfels, box, painted, tube


def random_light(rng: np.random.Generator) -> Light:
    kind = rng.choice(["sun", "overcast", "dusk", "night"], p=[0.42, 0.25, 0.13, 0.20])
    turn = rng.uniform(0, 2 * math.pi)
    to_sun = (math.cos(turn), math.sin(turn), rng.uniform(0.5, 2.0))
    if kind == "sun":
        bright = rng.uniform(0.7, 1.1)
        return Light(to_sun, (0.86 * bright, 0.95 * bright, bright), exposure=float(rng.uniform(0.75, 1.15)))
    if kind == "overcast":
        return Light(
            to_sun, (0.1, 0.1, 0.1), (0.80, 0.78, 0.76), (0.22, 0.22, 0.22), exposure=float(rng.uniform(0.6, 1.1))
        )
    if kind == "dusk":
        return Light(
            to_sun, (0.10, 0.22, 0.35), (0.32, 0.26, 0.24), (0.08, 0.08, 0.09), exposure=float(rng.uniform(0.7, 1.2))
        )
    blue, green, red = [(5.0, 8.0, 10.0), (8.0, 9.0, 9.0), (3.0, 7.0, 12.0)][int(rng.integers(3))]
    power = float(rng.uniform(0.8, 2.2))
    lamps = tuple(
        Lamp(
            float(rng.uniform(-9, 9)),
            float(rng.uniform(6, 26)),
            float(rng.uniform(4, 7)),
            (power * blue, power * green, power * red),
        )
        for _ in range(int(rng.integers(1, 4)))
    )
    return Light(to_sun, (0, 0, 0), (0.035, 0.03, 0.027), (0.012, 0.012, 0.012), (0.02, 0.02, 0.02), lamps)


Painter = Callable[[tuple[int, int], float, np.random.Generator], textures.Texture]
GROUNDS: tuple[Painter, ...] = (
    textures.asphalt, textures.asphalt, textures.paving, textures.concrete, textures.grass, textures.soil,
)  # fmt: skip
WALLS: tuple[Painter, ...] = (textures.brick, textures.plaster, textures.concrete)


def _tinted(texture: textures.Texture, rng: np.random.Generator) -> textures.Texture:
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3)
    return np.clip(texture * gain, 0, 255).astype(np.uint8)


def random_stage(rng: np.random.Generator) -> Stage:
    """A made-up place: one or two grounds, some walls, posts and clutter."""
    camera = PoleCamera(
        float(rng.uniform(2.8, 7.5)), float(rng.uniform(12, 34)), float(rng.uniform(38, 78)), width=640, rows=360
    )
    ppm = 26.0
    panels: list[Panel] = []
    ground = GROUNDS[int(rng.integers(len(GROUNDS)))]
    panels.append(floor(_tinted(ground((int(40 * ppm), int(40 * ppm)), ppm, rng), rng), -20, 0.5, 40, 40))
    plain = cv2.resize(panels[0].texture, (500, 500), interpolation=cv2.INTER_AREA)
    panels.append(floor(np.asarray(plain, np.uint8), -150, -20, 300, 250, -0.03))
    for _ in range(int(rng.integers(0, 3))):
        strip = GROUNDS[int(rng.integers(len(GROUNDS)))]
        wide, far = (40.0, float(rng.uniform(1.5, 8))) if rng.random() < 0.5 else (float(rng.uniform(2, 7)), 38.0)
        texture = _tinted(strip((int(far * ppm), int(wide * ppm)), ppm, rng), rng)
        left = -20.0 if wide == 40 else float(rng.uniform(-14, 10))
        near = float(rng.uniform(2, 30)) if wide == 40 else 0.6
        panels.append(floor(texture, left, near, wide, far, 0.01))
        if rng.random() < 0.5:
            _line(panels, left, near, wide, far, rng)
    for _ in range(int(rng.integers(0, 4))):
        panels.append(_random_wall(rng))
    return Stage(
        camera, random_light(rng), tuple(panels), tuple(_random_furniture(rng)),
        haze=float(rng.choice([0.0, 0.15, 1.2], p=[0.6, 0.3, 0.1])),
    )  # fmt: skip


def _line(panels: list[Panel], left: float, near: float, wide: float, far: float, rng: np.random.Generator) -> None:
    colour = [(225, 225, 225), (60, 190, 235), (200, 200, 210)][int(rng.integers(3))]
    paint = np.full((16, 16, 3), colour, np.uint8)
    if wide == 40:
        panels.append(floor(paint, left, near + far - 0.3, wide, 0.15, 0.02))
    else:
        panels.append(floor(paint, left + wide - 0.3, near, 0.15, far, 0.02))


def _random_wall(rng: np.random.Generator) -> Panel:
    painter = WALLS[int(rng.integers(len(WALLS)))]
    long, tall = float(rng.uniform(4, 22)), float(rng.uniform(0.8, 7))
    texture = _tinted(painter((int(tall * 30), int(long * 30)), 30.0, rng), rng)
    for _ in range(int(rng.integers(0, 7))):
        across, down = int(rng.uniform(0, texture.shape[1])), int(rng.uniform(0, texture.shape[0]))
        w, h = int(rng.uniform(15, 90)), int(rng.uniform(15, 75))
        texture[down : down + h, across : across + w] = rng.integers(10, 240, 3)
    x, y = float(rng.uniform(-18, 8)), float(rng.uniform(9, 36))
    way = float(rng.choice([0.0, 0.0, 0.25, -0.25, 1.35, 1.75]))
    return upright(texture, (x, y), (x + long * math.cos(way), y + long * math.sin(way)), tall)


def _three(rng: np.random.Generator, low: float, high: float) -> tuple[float, float, float]:
    return float(rng.uniform(low, high)), float(rng.uniform(low, high)), float(rng.uniform(low, high))


def _random_furniture(rng: np.random.Generator) -> list[Surfels]:
    """Posts, cones, stones, bushes and bins: what must not be taken for a bag or a fire."""
    found = []
    for _ in range(int(rng.integers(0, 7))):
        kind = rng.choice(["post", "cone", "stone", "bush", "bin", "crate", "lamp"])
        if kind == "post":
            where, normal, _ = tube([0, 5], [(0.09, 0.09), (0.07, 0.07)], 1500, rng)
            one = painted(where, normal, (0.3, 0.3, 0.3))
        elif kind == "cone":
            where, normal, _ = tube(
                [0, 0.04, 0.05, 0.7], [(0.2, 0.2), (0.2, 0.2), (0.14, 0.14), (0.02, 0.02)], 6000, rng
            )
            one = painted(where, normal, (0.02, 0.16, 0.72))
            one.colours[(where[:, 2] > 0.3) & (where[:, 2] < 0.45)] = (0.7, 0.7, 0.7)
        elif kind == "stone":
            one = things.bag((0.25, 0.26, 0.27), float(rng.uniform(0.15, 0.4)), rng, fat=1.6, gloss=0.0)
            one.positions[:, 2] *= 0.6
        elif kind == "bush":
            spread = rng.normal(0, 0.35, (4000, 3)).astype(np.float32)
            spread[:, 2] = np.abs(spread[:, 2]) + 0.05
            way = spread + rng.normal(0, 0.3, spread.shape).astype(np.float32)
            way /= np.linalg.norm(way, axis=1, keepdims=True)
            tint = (0.03, 0.12, 0.06) if rng.random() < 0.7 else (0.02, 0.14, 0.30)
            one = painted(spread, way.astype(np.float32), tint, spacing=0.035)
        elif kind == "lamp":
            one = street_lamp(rng, float(rng.uniform(3, 6)), float(rng.uniform(0.4, 1.6)), lit=bool(rng.random() < 0.6))
        elif kind == "bin":
            one = things.bin_with_wheels(_three(rng, 0.02, 0.4), rng)
        else:
            where, normal, _ = box(_three(rng, 0.5, 1.6), 3000, rng)
            one = painted(where, normal, _three(rng, 0.05, 0.5))
        found.append(one.at(float(rng.uniform(-10, 10)), float(rng.uniform(6, 28)), float(rng.uniform(0, 6.28))))
    return found
