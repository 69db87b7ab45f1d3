"""A car park in the evening: rubbish in a drum catches fire, burns, and goes out; cars and a man in orange pass."""

from __future__ import annotations

import numpy as np

from detectors.scenes import walls
from detectors.scenes.burning import Blaze
from detectors.scenes.camera import PoleCamera
from detectors.scenes.film import Area, Film, Ignition
from detectors.scenes.furniture import crate_stack, hedge, planter, street_lamp, tree
from detectors.scenes.light import Lamp, Light
from detectors.scenes.people import Looks, person
from detectors.scenes.places.ground import WHITE, kerb, manhole, patch, skyline, stripe, surroundings
from detectors.scenes.script import Driver, Walker
from detectors.scenes.stage import Panel, Stage, upright
from detectors.scenes.surfels import Surfels, painted, tube
from detectors.scenes.things import bin_with_wheels, carton
from detectors.scenes.vehicle_shapes import HATCHBACK, PAINTS, SEDAN, SUV, VAN
from detectors.scenes.vehicles import Vehicle, car, truck
from detectors.scenes.weather import Weather

DRUM = (1.9, 17.2)
DRUM_TALL = 0.88


def stage(rng: np.random.Generator) -> Stage:
    panels: list[Panel] = [
        surroundings(rng, (104, 108, 110)),
        patch("asphalt", -14, 2, 28, 49, rng, ppm=30, colour=(100, 100, 99)),
        manhole(-1.2, 12.0),
    ]
    for y in np.arange(9.0, 33.0, 2.55):
        panels += [stripe(-10.6, y, 5.2, 0.11), stripe(5.6, y, 5.2, 0.11)]
    panels += [stripe(-10.6, 9.0, 0.11, 23.0), stripe(10.7, 9.0, 0.11, 23.0)]
    panels += [stripe(-1.6, 6.5 + k * 7.5, 0.18, 2.2, WHITE) for k in range(4)]
    panels += kerb(-2.4, 25.5, 6.2, 3.0, rng)
    panels += [patch("grass", -2.2, 25.7, 5.8, 2.6, rng, 0.14)]
    panels += _around(rng) + skyline(rng, 70.0)
    lamps = (Lamp(-3.4, 24.0, 6.6, (6.0, 9.0, 11.0)), Lamp(4.6, 10.0, 6.8, (4.5, 7.0, 8.6)))
    light = Light(
        to_sun=(-0.5, 0.4, 0.55), sun=(0.02, 0.05, 0.09), sky=(0.34, 0.26, 0.23), bounce=(0.07, 0.07, 0.075),
        horizon=(0.22, 0.18, 0.17), lamps=lamps, exposure=1.3,
    )  # fmt: skip
    camera = PoleCamera(6.0, 21.5, 62.0, pan_degrees=3.0)
    return Stage(camera, light, tuple(panels), tuple(_furniture(rng)), haze=0.3, sky_display=(150, 126, 118))


def _around(rng: np.random.Generator) -> list[Panel]:
    back = walls.garden_wall(32, 1.9, rng, colour=(118, 126, 138))
    flats = walls.house(30, 17, rng, wall="concrete", colour=(170, 172, 176), first_storey=0.8)
    left = walls.house(24, 12, rng, wall="brick", colour=(86, 98, 132))
    right = walls.house(26, 10, rng, wall="plaster", colour=(176, 182, 186))
    walls.shop(right, 2, 7, "공영주차장", rng, (120, 80, 20), (250, 250, 250))
    return [
        upright(back, (-17, 37.5), (-6.2, 37.5), 1.9),
        upright(back, (-0.8, 37.5), (19, 37.5), 1.9),
        upright(flats.texture, (-20, 52), (10, 52), 17, glow=flats.glow),
        upright(walls.house(22, 14, rng, wall="plaster", colour=(150, 160, 176)).texture, (11, 56), (33, 56), 14),
        upright(left.texture, (-13.4, 14), (-13.4, 38), 12, glow=left.glow),
        upright(right.texture, (13.6, 38), (13.6, 12), 10, glow=right.glow),
    ]


def drum(rng: np.random.Generator) -> Surfels:
    """A rusty oil drum with holes."""
    where, normal, _ = tube([0, 0.3, 0.31, 0.58, 0.59, DRUM_TALL], [(0.29, 0.29)] * 6, 12000, rng, closed=False)
    side = painted(where, normal, (0.05, 0.09, 0.19), 0.05, 0.009)
    rust = np.sin(where[:, 2] * 19 + 3 * where[:, 0]) * np.sin(where[:, 1] * 23 + where[:, 2] * 7)
    side.colours[rust > 0.2] = (0.03, 0.05, 0.09)
    rib = (np.abs(where[:, 2] - 0.3) < 0.02) | (np.abs(where[:, 2] - 0.58) < 0.02) | (where[:, 2] > DRUM_TALL - 0.03)
    side.colours[rib] = (0.10, 0.13, 0.2)
    return side.shuffled(rng)


def _bays(rng: np.random.Generator) -> list[tuple[Vehicle, float, float, float]]:
    ys = np.arange(9.0, 33.0, 2.55) + 1.27
    left = [
        (0, SEDAN, "silver"),
        (1, SUV, "white"),
        (3, HATCHBACK, "red"),
        (4, SEDAN, "black"),
        (6, VAN, "grey"),
        (7, SUV, "navy"),
    ]
    right = [(1, SEDAN, "grey"), (2, HATCHBACK, "white"), (5, SUV, "silver"), (6, SEDAN, "blue"), (8, VAN, "white")]
    found = []
    for side, bays in ((-1, left), (1, right)):
        for k, shape, paint in bays:
            heading = (np.pi if side < 0 else 0.0) + (np.pi if k % 3 == 0 else 0.0) + float(rng.normal(0, 0.02))
            found.append((car(shape, PAINTS[paint], rng, density=5200), side * 8.1, float(ys[k]), heading))
    found.append((truck(PAINTS["blue"], "flat", rng, density=4500), -8.0, float(ys[8]), np.pi))
    return found


def _furniture(rng: np.random.Generator) -> list[Surfels]:
    cars = [vehicle.posed().at(x, y, heading) for vehicle, x, y, heading in _bays(rng)]
    return [
        *cars,
        street_lamp(rng, 6.7, 1.0, lit=True).at(-4.4, 24.0),
        street_lamp(rng, 6.9, 1.0, lit=True).at(5.6, 10.0, np.pi),
        hedge(6, rng).at(-10.4, 36.6),
        hedge(13, rng).at(6.4, 36.6),
        drum(rng).at(*DRUM),
        bin_with_wheels((0.06, 0.22, 0.05), rng, density=9000).at(3.0, 18.1, -1.3),
        bin_with_wheels((0.35, 0.18, 0.04), rng, density=9000).at(3.7, 18.2, -1.6),
        crate_stack(rng).at(0.95, 18.3, 0.2),
        carton((0.55, 0.45, 0.35), rng).at(2.5, 18.9, 0.3),
        planter(rng).at(-5.0, 7.6, 1.57),
    ]


def film() -> Film:
    rng = np.random.default_rng(4303)
    trees = [tree(0.6, 27.0, rng, tall=6.0, crown=1.7, clumps=36), tree(2.8, 27.2, rng, tall=5.2, crown=1.4, clumps=30)]
    trees += [tree(-9.5, 39.5, rng, tall=8, crown=2.4, clumps=36), tree(8.5, 40.0, rng, tall=8, crown=2.4, clumps=36)]
    scene = Film(
        "carpark",
        stage(rng),
        96.0,
        areas=(Area("lot", ((-5.2, 8.0), (5.4, 8.0), (5.4, 24.5), (-5.2, 24.5))),),
        trees=trees,
        weather=Weather(wind=1.2, grain=0.8),
        ignitions=[
            Ignition(
                "drum",
                Blaze(0.62, 5.2, 1.0, 2.4, 0.35, 0.35, 4),
                5,
                *DRUM,
                start=12.0,
                out=29.0,
                grow=5.0,
                lift=DRUM_TALL - 0.12,
            )
        ],
        seed=43,
    )
    scene.burned(scene.ignitions[0], "lot")
    _cast(scene, rng)
    return scene


def _cast(scene: Film, rng: np.random.Generator) -> None:
    arsonist = person(Looks(tall=1.74, top=(0.03, 0.03, 0.03), bottom=(0.10, 0.07, 0.05), cap=(0.02, 0.02, 0.02)), rng)
    worker = person(Looks(tall=1.71, top=(0.02, 0.20, 0.75), bottom=(0.15, 0.10, 0.06)), rng)
    lady = person(Looks(tall=1.63, top=(0.22, 0.16, 0.45), bottom=(0.05, 0.05, 0.05), long_hair=True, coat=True), rng)
    first = Walker(arsonist, 2.0, (0.5, 1.5), "arsonist").walk((0.9, 10.0), (1.5, 16.3), speed=1.9)
    first.bend().stand(1.2, DRUM).walk((-0.8, 24.0), (-3.2, 31.0), (-3.4, 38.5), (-18.0, 43.0), speed=2.0)
    second = Walker(worker, 46.0, (-18.0, 43.0), "worker").walk(
        (-3.4, 38.5), (-3.2, 24.0), (0.4, 12.0), (1.2, 1.5), speed=1.9
    )
    third = Walker(lady, 68.0, (2.6, 1.5), "lady").walk((3.4, 9.0), (4.6, 13.2), (5.6, 13.4), speed=1.5)
    third.stand(1.5).walk((4.6, 13.2), (3.0, 9.0), (1.5, 1.5), speed=1.6)
    scene.walkers += [first, second, third]
    back = [(-3.4, 36), (-3.4, 41), (-6, 44), (-24, 44)]
    leaving = [*back[::-1], (-3.2, 26), (-1.9, 18), (-1.6, 8), (-1.8, -8)]
    arriving = [(0.4, -8), (0.2, 8), (-1.4, 18), (-3.2, 26), *back]
    scene.drivers += [
        Driver("leaving", car(SUV, PAINTS["beige"], rng, density=6500), 62.0, leaving, 4.5, lit=True),
        Driver("arriving", car(SEDAN, PAINTS["navy"], rng, density=6500), 80.0, arriving, 5.0, lit=True),
    ]
