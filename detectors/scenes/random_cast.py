"""Who and what stands in a made-up place: people, vehicles, bags and fires, all from the generator's seed."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np

from detectors.scenes import people, things, vehicles
from detectors.scenes.burning import Blaze, Burner
from detectors.scenes.camera import PoleCamera
from detectors.scenes.compose import Fire, Item
from detectors.scenes.surfels import Colour, Surfels
from detectors.scenes.two_wheelers import bicycle, rider, scooter
from detectors.scenes.vehicle_shapes import BUS, HATCHBACK, PAINTS, SEDAN, SUV, VAN, stretched


def random_vehicle(rng: np.random.Generator, density: float = 3200.0) -> vehicles.Vehicle:
    paints = list(PAINTS.values())
    b, g, r = np.clip(np.asarray(paints[int(rng.integers(len(paints)))]) * rng.uniform(0.6, 1.3), 0.01, 0.85)
    paint: Colour = (float(b), float(g), float(r))
    kinds = ["sedan", "hatch", "suv", "van", "bus", "flat", "box", "scooter", "bicycle"]
    kind = str(rng.choice(kinds, p=[0.18, 0.10, 0.15, 0.09, 0.09, 0.08, 0.09, 0.12, 0.10]))
    shapes = {"sedan": SEDAN, "hatch": HATCHBACK, "suv": SUV, "van": VAN}
    if kind in shapes:
        shape = stretched(shapes[kind], rng)
        return vehicles.car(shape, paint, rng, density=density, blind=bool(kind == "van" and rng.random() < 0.4))
    if kind == "bus":
        return vehicles.car(BUS, paint, rng, density=density * 0.6, label="bus")
    if kind == "scooter":
        return scooter(paint, rng, case=(b * 0.5 + 0.2, g * 0.5 + 0.2, r * 0.5 + 0.2) if rng.random() < 0.5 else None)
    if kind == "bicycle":
        return bicycle(paint, rng)
    return vehicles.truck(paint, kind, rng, density=density, bed_length=float(rng.uniform(2.5, 3.6)))


T = TypeVar("T")


class Pool:
    """Things built once and used in many pictures. It starts small, and each stage adds or replaces a few."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.people: list[people.Person] = []
        self.vehicles: list[vehicles.Vehicle] = []
        self.bags: list[Surfels] = []
        self.burners: list[Burner] = []

    def refresh(self) -> None:
        """Once before each stage."""
        rng = self._rng
        for _ in range(3):
            _put(self.people, self._person(), 12, rng)
            _put(self.bags, things.random_bag(rng), 12, rng)
        for _ in range(2):
            _put(self.vehicles, random_vehicle(rng), 8, rng)
        _put(self.burners, self._burner(), 4, rng)

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
        for _ in range(int(rng.integers(12, 45))):
            burner.step(0.1, float(rng.uniform(0.5, 1)))
        return burner


def _put(pool: list[T], one: T, most: int, rng: np.random.Generator) -> None:
    """Add, or replace any once there are `most`."""
    if len(pool) < most:
        pool.append(one)
    else:
        pool[int(rng.integers(most))] = one


def _somewhere(camera: PoleCamera, rng: np.random.Generator) -> tuple[float, float]:
    """A place on the ground within the picture, not too far away."""
    row = rng.uniform(0.22, 1.02) * camera.rows
    horizon = camera.rows / 2 - camera.focal * math.tan(math.radians(camera.tilt_degrees))
    row = max(row, horizon + 0.06 * camera.rows)
    x, y = camera.on_ground(float(rng.uniform(0.02, 0.98) * camera.width), float(row))
    return (x, y) if math.hypot(x, y) < 45 else _somewhere(camera, rng)


def random_items(pool: Pool, camera: PoleCamera, rng: np.random.Generator) -> tuple[list[Item], list[Fire]]:
    """One picture's worth of things at random places."""
    items: list[Item] = []
    for k in range(int(rng.choice(4, p=[0.25, 0.35, 0.25, 0.15]))):
        items += _person(f"person-{k}", pool, camera, rng)
    for k in range(int(rng.choice(4, p=[0.3, 0.4, 0.2, 0.1]))):
        bag = pool.bags[int(rng.integers(len(pool.bags)))]
        items.append(Item(f"bag-{k}", bag.at(*_somewhere(camera, rng), float(rng.uniform(0, 6.28))), "bag"))
    for k in range(int(rng.choice(3, p=[0.55, 0.30, 0.15]))):
        items += _vehicle(f"vehicle-{k}", pool, camera, rng)
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


def _person(name: str, pool: Pool, camera: PoleCamera, rng: np.random.Generator) -> list[Item]:
    """A person in some pose, now and then with a bag in hand or by the feet."""
    one = pool.people[int(rng.integers(len(pool.people)))]
    poses = [
        people.walking(float(rng.uniform(0, 3))),
        people.standing(float(rng.uniform(0, 30))),
        people.BENT,
        people.SQUAT,
        people.PHONE,
        people.walking(float(rng.uniform(0, 3)), 1, "right"),
    ]
    pick = int(rng.choice(6, p=[0.4, 0.15, 0.12, 0.08, 0.1, 0.15]))
    x, y = _somewhere(camera, rng)
    turn = float(rng.uniform(0, 2 * math.pi))
    items = [Item(name, one.posed(poses[pick]).at(x, y, turn), "person")]
    bag = pool.bags[int(rng.integers(len(pool.bags)))]
    if pick == 5:
        hand = one.hand(poses[pick], 1)
        high = float(bag.positions[:, 2].max())
        spot = (float(hand[0]), float(hand[1]), max(0.0, float(hand[2]) - high))
        items.append(Item(f"{name}-carries", bag.moved(np.eye(3, dtype=np.float32), spot).at(x, y, turn), "bag"))
    elif rng.random() < 0.3:
        beside = (x + float(rng.uniform(-1, 1)), y + float(rng.uniform(-0.7, 0.7)))
        items.append(Item(f"{name}-by", bag.at(*beside, turn), "bag"))
    return items


def _vehicle(name: str, pool: Pool, camera: PoleCamera, rng: np.random.Generator) -> list[Item]:
    vehicle = pool.vehicles[int(rng.integers(len(pool.vehicles)))]
    posed = vehicle.posed(float(rng.uniform(0, 2)), braking=bool(rng.random() < 0.2), lit=bool(rng.random() < 0.3))
    spot = (*_somewhere(camera, rng), float(rng.uniform(0, 6.28)))
    items = [Item(name, posed.at(*spot), vehicle.label)]
    if vehicle.label in ("motorcycle", "bicycle") and rng.random() < 0.75:
        one = pool.people[int(rng.integers(len(pool.people)))]
        items.append(Item(f"{name}-rider", rider(one, vehicle, float(rng.uniform(0, 6.28))).at(*spot), "person"))
    return items
