"""A bus stop by day: people wait, one puts a bag down and takes it along, the bus stops and goes on. No alarm due."""

from __future__ import annotations

from functools import partial

import numpy as np

from detectors.scenes import walls
from detectors.scenes.camera import PoleCamera
from detectors.scenes.film import Area, Film
from detectors.scenes.furniture import bench, bollard, planter, street_lamp, tree
from detectors.scenes.light import Light
from detectors.scenes.people import clothed
from detectors.scenes.places.ground import WHITE, YELLOW, kerb, patch, stripe, surroundings
from detectors.scenes.script import Driver, Halt, Hold, Thing, Walker
from detectors.scenes.stage import Panel, Stage, floor, upright
from detectors.scenes.surfels import Surfels, box, joined, painted, tube
from detectors.scenes.things import bag
from detectors.scenes.two_wheelers import bicycle
from detectors.scenes.vehicle_shapes import BUS, PAINTS, SEDAN, SUV
from detectors.scenes.vehicles import car
from detectors.scenes.weather import Weather

EYE = np.eye(3, dtype=np.float32)


def stage(rng: np.random.Generator) -> Stage:
    panels: list[Panel] = [
        surroundings(rng),
        patch("asphalt", -45, 13.0, 90, 13.2, rng, ppm=24, colour=(96, 96, 95)),
        patch("paving", -45, 1, 90, 12.0, rng, 0.005, ppm=30, colour=(150, 154, 156), second=(134, 140, 148)),
        patch("paving", -45, 26.2, 90, 5, rng, 0.005, ppm=24, colour=(142, 146, 150)),
        patch("grass", -45, 2.2, 38, 3.6, rng, 0.02, ppm=26),
        floor(np.full((8, 8, 3), (70, 185, 220), np.uint8), -45, 11.9, 90, 0.32, 0.012),
        *[stripe(-45, 19.4 + k * 0.26, 90, 0.12, YELLOW) for k in (0, 1)],
        *[stripe(x, 16.3, 3.0, 0.13) for x in np.arange(-44, 44, 7.0)],
        *[stripe(x, 22.9, 3.0, 0.13) for x in np.arange(-42, 44, 7.0)],
        stripe(-7.0, 13.5, 15.5, 0.12, WHITE), stripe(-7.0, 15.9, 15.5, 0.12, (180, 120, 60)),
    ]  # fmt: skip
    panels += kerb(-45, 12.85, 90, 0.2, rng) + kerb(-45, 26.1, 90, 0.2, rng)
    panels += _fronts(rng)
    camera = PoleCamera(5.6, 19.5, 62.0, pan_degrees=4.0)
    light = Light(to_sun=(0.55, -0.5, 0.8), exposure=0.98)
    return Stage(camera, light, tuple(panels), tuple(_furniture(rng)), haze=0.22)


def _fronts(rng: np.random.Generator) -> list[Panel]:
    names = [
        ("수원떡집", (60, 70, 60), (240, 240, 240)), ("대성약국", (60, 150, 40), (250, 250, 250)),
        ("새마을금고", (150, 90, 20), (250, 250, 250)), ("커피나무", (40, 50, 70), (220, 240, 250)),
        ("화성서점", (40, 90, 200), (250, 250, 250)), ("복권", (40, 200, 240), (30, 30, 200)),
    ]  # fmt: skip
    colours = [(176, 190, 202), (96, 110, 150), (190, 192, 190), (112, 130, 156), (168, 186, 200), (130, 140, 150)]
    panels: list[Panel] = []
    left = -34.0
    for k, (name, sign, ink) in enumerate(names):
        wide = [11.0, 10.0, 13.0, 11.0, 12.0, 12.0][k]
        front = walls.house(
            wide, 12.0 + 1.5 * (k % 3), rng, wall=["plaster", "brick"][k % 2], colour=colours[k], first_storey=4.0
        )
        walls.shop(front, 0.8, wide - 1.6, name, rng, sign, ink)
        panels.append(upright(front.texture, (left, 31.2), (left + wide, 31.2), front.texture.shape[0] / walls.PPM))
        left += wide
    roof = np.full((40, 200, 3), (150, 130, 90), np.uint8)
    glass = np.zeros((80, 160, 4), np.uint8)
    glass[:] = (150, 140, 120, 70)
    board = walls.sign("수원역", (130, 70, 20), (250, 250, 250), 0.22, "3 11 301 900")
    panels += [
        upright(glass, (-8.2, 9.2), (-3.8, 9.2), 1.9, 0.35, solid=False),
        Panel(roof, (-8.5, 8.9, 2.45), (5.0, 0, 0), (0, 2.0, 0.1)),
        upright(np.full((8, 60, 3), (90, 70, 50), np.uint8), (-8.5, 8.9), (-3.5, 8.9), 0.16, 2.36, solid=False),
        upright(board, (4.5, 11.0), (5.9, 11.0), 0.9, 1.7, solid=False),
    ]
    return panels


def _furniture(rng: np.random.Generator) -> list[Surfels]:
    posts = []
    for x, y in ((-8.2, 9.1), (-3.8, 9.1), (-8.2, 10.7), (-3.8, 10.7)):
        where, normal, _ = tube([0, 2.4], [(0.05, 0.05), (0.05, 0.05)], 9000, rng)
        posts.append(painted(where, normal, (0.10, 0.08, 0.06), 0.2, 0.011).moved(EYE, (x, y, 0)))
    for size, spot in (((0.07, 0.07, 1.75), (5.2, 11.0, 0)),):
        where, normal, _ = box(size, 9000, rng)
        posts.append(painted(where, normal, (0.3, 0.3, 0.3), 0.2, 0.011).moved(EYE, spot))
    return [
        joined(posts).shuffled(rng),
        bench(rng).at(-6.9, 9.7, np.pi), bench(rng).at(-4.9, 9.7, np.pi),
        planter(rng).at(8.0, 11.2), planter(rng, (0.1, 0.3, 0.8)).at(-10.6, 11.2),
        street_lamp(rng, 7.5, 1.6).at(10.2, 12.2, 1.57),
        car(SUV, PAINTS["navy"], rng, density=3400).posed().at(-12.5, 25.0, 0.0),
        *[bollard(rng).at(x, 12.4) for x in (-10.5, -9.0, 9.4, 11.4)],
    ]  # fmt: skip


def film() -> Film:
    rng = np.random.default_rng(4707)
    trees = [tree(x, 27.6, rng, tall=5.8, crown=1.5, clumps=30) for x in (-19.0, -8.0, 3.0, 14.0)]
    trees += [
        tree(-11.8, 8.2, rng, tall=6.2, crown=1.7, clumps=40),
        tree(8.4, 7.4, rng, tall=5.6, crown=1.5, leaf=(0.03, 0.17, 0.10), clumps=36),
    ]
    scene = Film(
        "bus_stop",
        stage(rng),
        44.0,
        areas=(
            Area("stop", ((-7.5, 13.3), (8.5, 13.3), (8.5, 16.2), (-7.5, 16.2))),
            Area("shelter", ((-3.2, 8.6), (6.5, 8.6), (6.5, 12.6), (-3.2, 12.6))),
        ),
        trees=trees,
        weather=Weather(wind=1.5, clouds=0.5),
        seed=47,
    )
    _cast(scene, rng)
    return scene


def _cast(scene: Film, rng: np.random.Generator) -> None:
    one = partial(clothed, rng)

    bus = Driver(
        "bus",
        car(BUS, PAINTS["blue"], rng, density=5200, label="bus"),
        12.0,
        [(-34, 17.6), (-14, 17.4), (-6, 14.9), (0.5, 14.7), (8, 14.9), (16, 17.4), (40, 17.8)],
        8.0,
        (Halt(35.0, 8.5),),
    )
    stop = bus.stops[0]
    first = Walker(
        one(tall=1.64, top=(0.40, 0.36, 0.62), bottom=(0.10, 0.07, 0.05), long_hair=True, coat=True),
        0.8,
        (16.0, 11.2),
        "waiting-1",
    ).carrying("right")
    first.walk((2.6, 11.2), speed=1.9).stand(0.4, (1.6, 11.6)).bend()
    put, spot = first.lowest, first.reach(0.45)
    first.carrying("").stand(max(0.5, stop[0] + 0.6 - first.end - 1.8), (0, 20)).bend()
    taken = first.lowest
    first.carrying("right").walk((1.6, 13.15), speed=1.2)
    second = Walker(
        one(tall=1.77, top=(0.08, 0.08, 0.08), bottom=(0.34, 0.24, 0.14), pack=(0.06, 0.06, 0.06)),
        3.0,
        (-17.0, 10.6),
        "waiting-2",
    )
    second.walk((-0.6, 11.6), speed=2.0).stand(max(1.0, stop[0] + 1.8 - second.end), (0, 25), "phone").walk(
        (1.0, 13.15), speed=1.2
    )
    third = Walker(
        one(tall=1.60, top=(0.25, 0.45, 0.30), bottom=(0.12, 0.10, 0.10), hair=(0.36, 0.36, 0.37)),
        stop[0] + 2.6,
        (-2.4, 13.15),
        "alighting",
    ).carrying("left")
    third.walk((-3.6, 11.5), (-18.0, 10.4), speed=1.6)
    passer = Walker(
        one(tall=1.73, top=(0.65, 0.65, 0.66), bottom=(0.20, 0.10, 0.05)), 31.5, (-16.0, 7.6), "passer"
    ).walk((0.0, 7.4), (16.0, 8.0), speed=2.2)
    far = Walker(one(tall=1.68, top=(0.10, 0.16, 0.55), bottom=(0.07, 0.06, 0.06)), 6.0, (20.0, 28.4), "far").walk(
        (-22.0, 28.6), speed=1.6
    )
    scene.walkers += [first, second, third, passer, far]
    luggage = bag((0.04, 0.05, 0.05), 0.42, rng, fat=0.8, gloss=0.3, density=16000)
    paper = bag((0.35, 0.45, 0.55), 0.36, rng, fat=0.7, gloss=0.1, density=16000)
    scene.things += [
        Thing(
            "luggage",
            luggage,
            0.41,
            (
                Hold(first.start, first, "right"),
                Hold(put, spot=(*spot, 0.5)),
                Hold(taken, first, "right"),
                Hold(first.end),
            ),
        ),
        Thing("paper", paper, 0.35, (Hold(third.start, third, "left"), Hold(third.end))),
    ]
    rider = one(tall=1.67, top=(0.15, 0.50, 0.25), bottom=(0.06, 0.06, 0.07), cap=(0.6, 0.6, 0.6))
    scene.drivers += [
        bus,
        Driver("white", car(SEDAN, PAINTS["white"], rng, density=6000), 3.0, [(36, 24.3), (-36, 24.3)], 10.0),
        Driver("red", car(SUV, PAINTS["red"], rng, density=6000), 8.0, [(-36, 17.9), (36, 17.9)], 11.0),
        Driver("silver", car(SEDAN, PAINTS["silver"], rng, density=6000), 33.5, [(36, 21.4), (-36, 21.4)], 10.5),
        Driver("bicycle", bicycle(PAINTS["teal"], rng), 36.5, [(18, 10.6), (-18, 10.8)], 5.0, rider=rider),
    ]
