"""A shopping street by day: a car stops at the hydrant while its driver is in the shop; traffic and people pass."""

from __future__ import annotations

from functools import partial

import numpy as np

from detectors.scenes import walls
from detectors.scenes.camera import PoleCamera
from detectors.scenes.film import Area, Film
from detectors.scenes.furniture import bollard, cable, hydrant, planter, street_lamp, tree, utility_pole
from detectors.scenes.light import Light
from detectors.scenes.people import clothed
from detectors.scenes.places.ground import YELLOW, crossing, kerb, manhole, patch, stripe, surroundings
from detectors.scenes.script import Driver, Halt, Walker
from detectors.scenes.stage import Panel, Stage, upright
from detectors.scenes.surfels import Surfels
from detectors.scenes.vehicle_shapes import BUS, HATCHBACK, PAINTS, SEDAN, SUV
from detectors.scenes.vehicles import car, truck
from detectors.scenes.weather import Weather

ROAD_LEFT, ROAD_RIGHT, SHOPS = 1.4, 8.6, 12.2


def stage(rng: np.random.Generator) -> Stage:
    middle = (ROAD_LEFT + ROAD_RIGHT) / 2
    panels: list[Panel] = [
        surroundings(rng),
        patch("asphalt", ROAD_LEFT, 1, ROAD_RIGHT - ROAD_LEFT, 70, rng, ppm=32, colour=(104, 104, 103)),
        patch("paving", -7, 1, 7 + ROAD_LEFT, 70, rng, 0.005, ppm=32, colour=(140, 148, 158), second=(118, 126, 150)),
        patch("paving", ROAD_RIGHT, 1, 5, 70, rng, 0.005, ppm=32, colour=(146, 150, 152), second=(128, 134, 142)),
        *[stripe(middle - 0.18 + k * 0.26, 1, 0.12, 26, YELLOW) for k in (0, 1)],
        *[stripe(middle - 0.18 + k * 0.26, 32, 0.12, 39, YELLOW) for k in (0, 1)],
        stripe(ROAD_LEFT + 0.35, 1, 0.12, 26),
        *[stripe(ROAD_RIGHT - 0.42 + k * 0.2, 5, 0.11, 19, YELLOW, wear=9) for k in (0, 1)],
        stripe(ROAD_RIGHT - 0.35, 33, 0.12, 38),
        *crossing(ROAD_LEFT + 0.3, 27.2, 6.6, 4.0, across=False),
        stripe(middle + 0.2, 25.6, 3.2, 0.4),
        manhole(4.0, 12.5), manhole(6.6, 21.0),
    ]  # fmt: skip
    panels += kerb(ROAD_LEFT - 0.18, 1, 0.18, 26, rng) + kerb(ROAD_LEFT - 0.18, 32, 0.18, 39, rng)
    panels += kerb(ROAD_RIGHT, 1, 0.18, 26, rng) + kerb(ROAD_RIGHT, 32, 0.18, 39, rng)
    panels += _shops(rng)
    camera = PoleCamera(6.6, 19.0, 62.0, pan_degrees=17.0)
    light = Light(to_sun=(-0.62, -0.30, 0.85), exposure=0.98)
    return Stage(camera, light, tuple(panels), tuple(_furniture(rng)), haze=0.28)


def _shops(rng: np.random.Generator) -> list[Panel]:
    rows: list[Panel] = []
    names = [
        ("맛나김밥", (40, 110, 220), (250, 250, 250)), ("하늘안경", (150, 80, 20), (250, 250, 250)),
        ("24시 편의점", (90, 140, 20), (250, 250, 250)), ("통닭", (30, 40, 190), (80, 220, 250)),
        ("화성부동산", (60, 60, 60), (120, 220, 250)), ("미소치과", (170, 150, 40), (250, 250, 250)),
    ]  # fmt: skip
    colours = [(160, 178, 196), (84, 100, 146), (190, 194, 192), (120, 140, 168), (176, 190, 204), (92, 96, 120)]
    near = 2.0
    for k, (name, sign, ink) in enumerate(names):
        wide = [9.0, 8.0, 10.0, 8.5, 10.0, 12.0][k]
        front = walls.house(
            wide, 11.5 + k % 3, rng, wall=["plaster", "brick"][k % 2], colour=colours[k], first_storey=4.0
        )
        walls.shop(front, 0.6, wide - 1.2, name, rng, sign, ink)
        tall = front.texture.shape[0] / walls.PPM
        rows.append(upright(front.texture, (SHOPS, near + wide), (SHOPS, near), tall, glow=None))
        near += wide
    end = walls.house(60, 18, rng, wall="concrete", colour=(182, 186, 190), first_storey=1.0)
    rows.append(upright(end.texture, (-25, 72), (35, 72), 18))
    school = walls.garden_wall(40, 1.5, rng, colour=(122, 140, 160))
    rows.append(upright(school, (-5.5, 12), (-5.5, 52), 1.5))
    rows.append(
        upright(walls.house(40, 13, rng, wall="plaster", colour=(190, 204, 214)).texture, (-12, 20), (-12, 60), 13)
    )
    board = walls.sign("주정차금지", (60, 50, 190), (245, 245, 245), 0.16, "소화전 5m 이내")
    rows.append(upright(board, (8.95, 15.2), (9.95, 15.2), 0.5, 2.0, solid=False))
    return rows


def _furniture(rng: np.random.Generator) -> list[Surfels]:
    found = [
        utility_pole(rng).at(9.2, 33.5),
        utility_pole(rng).at(9.3, 56.0),
        street_lamp(rng, 7.5, 1.8).at(0.7, 24.0),
        street_lamp(rng, 7.5, 1.8).at(0.7, 48.0),
        hydrant(rng).at(9.15, 13.4),
        planter(rng).at(11.4, 10.4, 1.57),
        planter(rng, (0.1, 0.3, 0.8)).at(11.4, 22.5, 1.57),
        cable((9.2, 2, 8.1), (9.2, 33.5, 8.3), 0.7, rng),
        cable((9.2, 33.5, 8.3), (9.3, 56, 8.3), 0.5, rng),
        cable((9.2, 33.5, 8.3), (11.9, 26, 7.0), 0.2, rng),
        car(SUV, PAINTS["grey"], rng, density=3600).posed().at(7.6, 41.5, 1.57),
        car(HATCHBACK, PAINTS["beige"], rng, density=3600).posed().at(7.6, 47.5, 1.57),
    ]
    found += [bollard(rng).at(ROAD_RIGHT + 0.45, y) for y in (26.4, 32.6)]
    found += [bollard(rng).at(ROAD_LEFT - 0.5, y) for y in (26.4, 32.6)]
    return found


def film() -> Film:
    rng = np.random.default_rng(4202)
    trees = [tree(0.3, y, rng, tall=6.2, crown=1.5, clumps=34) for y in (19.5, 33.8, 43.0)]
    trees += [tree(9.6, y, rng, tall=5.8, crown=1.35, leaf=(0.03, 0.16, 0.09), clumps=34) for y in (19.0, 38.0)]
    scene = Film(
        "street",
        stage(rng),
        48.0,
        areas=(Area("hydrant", ((6.35, 9.2), (8.62, 9.2), (8.62, 18.6), (6.35, 18.6))),),
        trees=trees,
        weather=Weather(clouds=0.25),
        seed=42,
    )
    _traffic(scene, rng)
    _people(scene, rng)
    return scene


def _traffic(scene: Film, rng: np.random.Generator) -> None:
    offender = car(SEDAN, PAINTS["white"], rng, density=7000)
    way = [(6.6, -9.0), (6.6, 4.0), (7.5, 9.0), (7.62, 13.5), (7.62, 15.0), (7.4, 19.0), (6.7, 26.0), (6.6, 75.0)]
    parked = Driver("offender", offender, 3.0, way, 6.5, (Halt(22.6, 24.5),))
    scene.drivers += [
        parked,
        Driver("silver", car(SUV, PAINTS["silver"], rng, density=6000), 13.0, [(3.2, 76), (3.2, -9)], 9.0),
        Driver("bus", car(BUS, PAINTS["green"], rng, density=4200, label="bus"), 20.0, [(3.3, 80), (3.3, -14)], 9.5),
        Driver(
            "red", car(HATCHBACK, PAINTS["red"], rng, density=6000), 26.0,
            [(6.6, -9), (6.4, 2), (5.1, 8), (5.0, 19), (6.5, 27), (6.6, 76)], 8.0,
        ),
        Driver("truck", truck(PAINTS["blue"], "flat", rng, density=5000), 39.5, [(3.2, 76), (3.2, -9)], 10.0),
        Driver("black", car(SEDAN, PAINTS["black"], rng, density=6000), 41.5, [(6.6, -9), (6.6, 76)], 10.5),
    ]  # fmt: skip
    scene.parked(parked, "hydrant", 10.0)


def _people(scene: Film, rng: np.random.Generator) -> None:
    one = partial(clothed, rng)

    driver = Walker(one(tall=1.75, top=(0.45, 0.46, 0.48), bottom=(0.06, 0.05, 0.05)), 12.3, (6.35, 14.6), "driver")
    driver.walk((6.2, 16.4), (7.2, 18.0), (9.4, 18.6), (12.8, 20.4), speed=1.45)
    back = Walker(driver.person, 25.0, (12.8, 20.4), "driver").walk(
        (9.4, 18.6), (7.2, 18.0), (6.2, 16.4), (6.35, 14.6), speed=1.6
    )
    pair = Walker(
        one(tall=1.66, top=(0.30, 0.20, 0.60), bottom=(0.5, 0.5, 0.5), long_hair=True), 5.0, (10.6, 1.5), "pair-1"
    )
    pair.walk((10.4, 20.0), (10.6, 44.5), (13.2, 46.0), speed=1.85)
    mate = Walker(one(tall=1.78, top=(0.05, 0.05, 0.05), bottom=(0.25, 0.14, 0.07)), 5.1, (11.2, 1.5), "pair-2")
    mate.walk((11.1, 20.0), (11.3, 43.5), (13.2, 45.0), speed=1.85)
    student = Walker(
        one(tall=1.63, top=(0.55, 0.55, 0.55), bottom=(0.20, 0.10, 0.04), pack=(0.05, 0.10, 0.5)),
        16.0,
        (-14.5, 62.5),
        "student",
    ).walk((-4.0, 55.5), (-2.2, 40.0), (-1.2, 24.0), (-0.8, 1.0), speed=2.2)
    elder = Walker(
        one(tall=1.58, top=(0.20, 0.34, 0.42), bottom=(0.12, 0.12, 0.14), coat=True, hair=(0.35, 0.36, 0.37)),
        15.0,
        (13.2, 54.0),
        "elder",
    )
    elder.walk((10.6, 52.0), (10.5, 30.0), (10.9, 24.0), speed=1.8).stand(4.0, (12.0, 24.0)).walk(
        (12.9, 24.0), speed=1.2
    )
    scene.walkers += [driver, back, pair, mate, student, elder]
