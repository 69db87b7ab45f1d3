"""Training pictures: random stages, things and weather, cut like the crops round motion, with YOLO labels.

Stages, clothes, paints and fires are all drawn from the seed; the demo's are fixed lists of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detections import ObjectClass
from detectors.scenes import people, textures, things, vehicles
from detectors.scenes.burning import Blaze, Burner
from detectors.scenes.camera import PoleCamera
from detectors.scenes.compose import Fire, Item, Seen, compose
from detectors.scenes.light import Lamp, Light
from detectors.scenes.stage import Backdrop, Panel, Stage, bake, floor, upright
from detectors.scenes.surfels import Colour, Surfels, box, painted, tube

Picture = NDArray[np.uint8]
PICTURES_PER_STAGE = 12
SIZE = 416
LEAST_PIXELS = 7
LEAST_VISIBLE = 0.25


@dataclass(frozen=True, slots=True)
class Sample:
    """`image` (416, 416, 3) BGR and YOLO rows: class, centre x, centre y, width, height as fractions."""

    image: Picture
    rows: tuple[tuple[int, float, float, float, float], ...]

    def text(self) -> str:
        return "".join(f"{c} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for c, x, y, w, h in self.rows)


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
    tint = [(5.0, 8.0, 10.0), (8.0, 9.0, 9.0), (3.0, 7.0, 12.0)][int(rng.integers(3))]
    power = rng.uniform(0.8, 2.2)
    lamps = tuple(
        Lamp(
            float(rng.uniform(-9, 9)),
            float(rng.uniform(6, 26)),
            float(rng.uniform(4, 7)),
            tuple(power * c for c in tint),
        )  # type: ignore[arg-type]
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
    panels.append(floor(cv2.resize(panels[0].texture, (256, 256)), -120, 40.5, 240, 120))
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
        x, y = int(rng.uniform(0, texture.shape[1])), int(rng.uniform(0, texture.shape[0]))
        w, h = int(rng.uniform(15, 90)), int(rng.uniform(15, 75))
        texture[y : y + h, x : x + w] = rng.integers(10, 240, 3)
    x, y = float(rng.uniform(-18, 8)), float(rng.uniform(9, 36))
    way = float(rng.choice([0.0, 0.0, 0.25, -0.25, 1.35, 1.75]))
    return upright(texture, (x, y), (x + long * math.cos(way), y + long * math.sin(way)), tall)


def _random_furniture(rng: np.random.Generator) -> list[Surfels]:
    """Posts, cones, stones, bushes and bins: what must not be taken for a bag or a fire."""
    found = []
    for _ in range(int(rng.integers(0, 7))):
        kind = rng.choice(["post", "cone", "stone", "bush", "bin", "crate"])
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
        elif kind == "bin":
            one = things.bin_with_wheels(tuple(rng.uniform(0.02, 0.4, 3)), rng)  # type: ignore[arg-type]
        else:
            where, normal, _ = box(tuple(rng.uniform(0.5, 1.6, 3)), 3000, rng)  # type: ignore[arg-type]
            one = painted(where, normal, tuple(rng.uniform(0.05, 0.5, 3)))  # type: ignore[arg-type]
        found.append(one.at(float(rng.uniform(-10, 10)), float(rng.uniform(6, 28)), float(rng.uniform(0, 6.28))))
    return found


def random_vehicle(rng: np.random.Generator, density: float = 1600.0) -> vehicles.Vehicle:
    paints = list(vehicles.PAINTS.values())
    paint: Colour = tuple(
        np.clip(np.asarray(paints[int(rng.integers(len(paints)))]) * rng.uniform(0.6, 1.3), 0.01, 0.85)
    )  # type: ignore[assignment]
    kind = rng.choice(["sedan", "hatch", "suv", "van", "bus", "flat", "box"], p=[0.24, 0.14, 0.2, 0.12, 0.1, 0.1, 0.1])
    shapes = {"sedan": vehicles.SEDAN, "hatch": vehicles.HATCHBACK, "suv": vehicles.SUV, "van": vehicles.VAN}
    if kind in shapes:
        shape = vehicles.stretched(shapes[kind], rng)
        return vehicles.car(shape, paint, rng, density=density, blind=bool(kind == "van" and rng.random() < 0.4))
    if kind == "bus":
        return vehicles.car(vehicles.BUS, paint, rng, density=density * 0.6, label="bus")
    return vehicles.truck(paint, str(kind), rng, density=density, bed_length=float(rng.uniform(2.5, 3.6)))


class Pool:
    """Things built once and used in many pictures; a few are replaced for each stage."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.people = [self._person() for _ in range(12)]
        self.vehicles = [random_vehicle(rng) for _ in range(6)]
        self.bags = [things.random_bag(rng) for _ in range(12)]
        self.burners = [self._burner() for _ in range(4)]

    def refresh(self) -> None:
        rng = self._rng
        for _ in range(4):
            self.people[int(rng.integers(len(self.people)))] = self._person()
            self.bags[int(rng.integers(len(self.bags)))] = things.random_bag(rng)
        self.vehicles[int(rng.integers(len(self.vehicles)))] = random_vehicle(rng)
        self.burners[int(rng.integers(len(self.burners)))] = self._burner()

    def _person(self) -> people.Person:
        return people.person(people.random_looks(self._rng), self._rng, density=9000)

    def _burner(self) -> Burner:
        rng = self._rng
        smouldering = rng.random() < 0.3
        blaze = Blaze(
            width=float(rng.uniform(0.3, 2.2)),
            tall=float(rng.uniform(2.5, 8)),
            heat=float(rng.uniform(0.05, 0.2) if smouldering else rng.uniform(0.7, 1.3)),
            smoke=float(rng.uniform(0.8, 1.8) if smouldering else rng.choice([0.1, 0.6, 1.4])),
            soot=float(rng.uniform(0.05, 0.95)),
            wind=float(rng.uniform(-0.9, 0.9)),
            seats=int(rng.integers(2, 7)),
        )
        burner = Burner(blaze, int(rng.integers(1 << 31)))
        for _ in range(int(rng.integers(15, 60))):
            burner.step(0.1, float(rng.uniform(0.5, 1)))
        return burner


def _somewhere(camera: PoleCamera, rng: np.random.Generator) -> tuple[float, float]:
    """A place on the ground within the picture, not too far away."""
    row = rng.uniform(0.22, 1.02) * camera.rows
    horizon = camera.rows / 2 - camera.focal * math.tan(math.radians(camera.tilt_degrees))
    row = max(row, horizon + 0.06 * camera.rows)
    x, y = camera.on_ground(float(rng.uniform(0.02, 0.98) * camera.width), float(row))
    return (x, y) if math.hypot(x, y) < 45 else _somewhere(camera, rng)


def random_items(pool: Pool, camera: PoleCamera, rng: np.random.Generator) -> tuple[list[Item], list[Fire]]:
    items: list[Item] = []
    for k in range(int(rng.choice(4, p=[0.25, 0.35, 0.25, 0.15]))):
        one = pool.people[int(rng.integers(len(pool.people)))]
        poses = [
            people.walking(float(rng.uniform(0, 3))), people.standing(float(rng.uniform(0, 30))), people.BENT,
            people.SQUAT, people.PHONE, people.walking(float(rng.uniform(0, 3)), 1, "right"),
        ]  # fmt: skip
        pose = poses[int(rng.choice(6, p=[0.4, 0.15, 0.12, 0.08, 0.1, 0.15]))]
        x, y = _somewhere(camera, rng)
        turn = float(rng.uniform(0, 2 * math.pi))
        items.append(Item(f"person-{k}", one.posed(pose).at(x, y, turn), "person"))
        if rng.random() < 0.3:
            bag = pool.bags[int(rng.integers(len(pool.bags)))]
            items.append(
                Item(
                    f"bag-by-{k}", bag.at(x + float(rng.uniform(-1, 1)), y + float(rng.uniform(-0.7, 0.7)), turn), "bag"
                )
            )
    for k in range(int(rng.choice(4, p=[0.3, 0.4, 0.2, 0.1]))):
        bag = pool.bags[int(rng.integers(len(pool.bags)))]
        items.append(Item(f"bag-{k}", bag.at(*_somewhere(camera, rng), float(rng.uniform(0, 6.28))), "bag"))
    for k in range(int(rng.choice(3, p=[0.6, 0.28, 0.12]))):
        vehicle = pool.vehicles[int(rng.integers(len(pool.vehicles)))]
        lit = bool(rng.random() < 0.3)
        posed = vehicle.posed(float(rng.uniform(0, 2)), braking=bool(rng.random() < 0.2), lit=lit)
        items.append(
            Item(f"vehicle-{k}", posed.at(*_somewhere(camera, rng), float(rng.uniform(0, 6.28))), vehicle.label)
        )
    fires = []
    if rng.random() < 0.42:
        burner = pool.burners[int(rng.integers(len(pool.burners)))]
        for _ in range(int(rng.integers(1, 6))):
            burner.step(0.1, float(rng.uniform(0.4, 1)))
        x, y = _somewhere(camera, rng)
        fires.append(Fire("fire-0", burner, x, y))
        if rng.random() < 0.5:
            bag = pool.bags[int(rng.integers(len(pool.bags)))]
            items.append(Item("fuel", bag.at(x, y + 0.15, 0.0), "bag"))
    return items, fires


def _degraded(image: NDArray[np.float32], rng: np.random.Generator) -> Picture:
    """What a camera and its encoder add."""
    image = image * rng.uniform(0.85, 1.12) + rng.uniform(-10, 10)
    image = image * rng.uniform(0.95, 1.05, 3)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.1)))
    image = image + rng.normal(0, rng.uniform(0.5, 7), image.shape)
    out = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.08:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    _, packed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(28, 88))])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _cut(picture: NDArray[np.float32], seen: list[Seen], rng: np.random.Generator) -> Sample:
    """A square crop round one of the things (or anywhere), brought to the detector's size."""
    rows, width = picture.shape[:2]
    side = int(rng.uniform(110, rows))
    labelled = [thing for thing in seen if thing.label]
    if labelled and rng.random() < 0.9:
        x1, y1, x2, y2 = labelled[int(rng.integers(len(labelled)))].box
        side = min(rows, max(side, int(1.15 * max(x2 - x1, y2 - y1))))
        middle = (x1 + x2) / 2 + rng.uniform(-0.25, 0.25) * side, (y1 + y2) / 2 + rng.uniform(-0.25, 0.25) * side
    else:
        middle = rng.uniform(0, width), rng.uniform(0, rows)
    left = int(np.clip(middle[0] - side / 2, 0, width - side))
    top = int(np.clip(middle[1] - side / 2, 0, rows - side))
    crop = _degraded(picture[top : top + side, left : left + side], rng)
    labels = []
    for thing in labelled:
        row = _label(thing, left, top, side)
        if row is not None:
            labels.append(row)
    return Sample(cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR), tuple(labels))


def _label(thing: Seen, left: int, top: int, side: int) -> tuple[int, float, float, float, float] | None:
    x1, y1, x2, y2 = thing.box
    cx1, cy1, cx2, cy2 = max(x1, left), max(y1, top), min(x2, left + side), min(y2, top + side)
    if cx2 - cx1 < LEAST_PIXELS * 0.6 or cy2 - cy1 < LEAST_PIXELS * 0.6:
        return None
    kept = (cx2 - cx1) * (cy2 - cy1) / ((x2 - x1) * (y2 - y1))
    if thing.visible * kept < LEAST_VISIBLE and thing.label != "smoke":
        return None
    number = int(ObjectClass[thing.label.upper()])
    return (
        number,
        ((cx1 + cx2) / 2 - left) / side,
        ((cy1 + cy2) / 2 - top) / side,
        (cx2 - cx1) / side,
        (cy2 - cy1) / side,
    )


class Renderer:
    """An endless supply of samples; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng((seed, 0x7EA1))
        self._pool = Pool(self._rng)
        self._backdrop: Backdrop | None = None
        self._left = 0

    def next(self) -> Sample:
        if self._left == 0 or self._backdrop is None:
            self._pool.refresh()
            self._backdrop = bake(random_stage(self._rng))
            self._left = PICTURES_PER_STAGE
        self._left -= 1
        items, fires = random_items(self._pool, self._backdrop.stage.camera, self._rng)
        picture, seen = compose(self._backdrop, items, fires)
        return _cut(picture, seen, self._rng)


def write(folder: Path, count: int, seed: int) -> None:
    """`count` pictures into `folder`/images/*.jpg with labels in `folder`/labels/*.txt."""
    images, labels = folder / "images", folder / "labels"
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    renderer = Renderer(seed)
    for number in range(count):
        sample = renderer.next()
        name = f"rendered_{seed:04d}_{number:06d}"
        cv2.imwrite(str(images / f"{name}.jpg"), sample.image, [cv2.IMWRITE_JPEG_QUALITY, 92])
        (labels / f"{name}.txt").write_text(sample.text())
