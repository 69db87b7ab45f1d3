"""An underpass in the rain, at dusk: traffic with headlights, a scooter, somebody on foot. No alarm is due."""

from __future__ import annotations

import cv2
import numpy as np

from detectors.scenes import textures, walls
from detectors.scenes.camera import PoleCamera
from detectors.scenes.film import Area, Film
from detectors.scenes.furniture import street_lamp, tree
from detectors.scenes.light import Lamp, Light
from detectors.scenes.people import Looks, person
from detectors.scenes.places.ground import WHITE, YELLOW, kerb, patch, stripe, surroundings
from detectors.scenes.script import Driver, Walker
from detectors.scenes.stage import Panel, Stage, floor, upright
from detectors.scenes.surfels import Surfels
from detectors.scenes.two_wheelers import scooter
from detectors.scenes.vehicle_shapes import BUS, HATCHBACK, PAINTS, SEDAN, SUV, VAN
from detectors.scenes.vehicles import car, truck
from detectors.scenes.weather import Weather

PORTAL = 30.0


def stage(rng: np.random.Generator) -> Stage:
    panels: list[Panel] = [
        surroundings(rng, (66, 78, 76)),
        patch("asphalt", -7.4, 1, 14.8, 31, rng, ppm=32, colour=(76, 76, 76)),
        patch("asphalt", -7.4, 32, 14.8, 30, rng, ppm=20, colour=(58, 60, 62)),
        patch("paving", 7.4, 1, 3.2, 30, rng, 0.005, ppm=32, colour=(112, 118, 122)),
        *[stripe(-0.24 + k * 0.3, 1, 0.13, 58, YELLOW) for k in (0, 1)],
        *[stripe(x, 2 + k * 6.0, 0.13, 3.0, WHITE) for x in (-3.6, 3.5) for k in range(9)],
        stripe(-7.0, 1, 0.13, 58), stripe(6.9, 1, 0.13, 58),
    ]  # fmt: skip
    panels += kerb(7.3, 1, 0.2, 29, rng) + kerb(-7.6, 1, 0.2, 29, rng)
    panels += _walls(rng)
    lamps = (
        *(Lamp(0.0, y, 4.6, (6.0, 13.0, 16.0)) for y in (34.0, 42.0, 50.0)),
        Lamp(7.0, 14.0, 7.2, (8.0, 10.0, 10.5)), Lamp(-7.0, 22.0, 7.2, (8.0, 10.0, 10.5)),
    )  # fmt: skip
    light = Light((0.2, 0.2, 1.0), (0, 0, 0), (0.25, 0.21, 0.19), (0.06, 0.06, 0.06), (0.16, 0.15, 0.14), lamps, 1.05)
    camera = PoleCamera(7.0, 19.0, 58.0)
    return Stage(camera, light, tuple(panels), tuple(_furniture(rng)), haze=0.8, sky_display=(124, 114, 108))


def _walls(rng: np.random.Generator) -> list[Panel]:
    side = textures.weathered(textures.concrete((round(5.2 * 40), 30 * 40), 40, rng, (140, 144, 146)), 40, rng, 2.0)
    tall = textures.weathered(textures.concrete((round(2.6 * 40), 26 * 40), 40, rng, (150, 152, 154)), 40, rng, 2.0)
    stripes = np.full((40, 1040, 3), (30, 30, 30), np.uint8)
    for k in range(0, 1080, 40):
        points = np.array([[k, 0], [k + 20, 0], [k, 40], [k - 20, 40]], np.int32)
        cv2.fillConvexPoly(stripes, points, (40, 190, 230), cv2.LINE_AA)
    name = walls.sign("화서지하차도", (120, 80, 30), (245, 245, 245), 0.55)
    limit = walls.sign("높이제한 4.5m", (235, 235, 235), (30, 30, 200), 0.40)
    dark = textures.concrete((200, 1200), 30, rng, (96, 100, 104))
    return [
        upright(dark, (-7.6, PORTAL), (-7.6, 62), 5.0), upright(dark, (7.6, 62), (7.6, PORTAL), 5.0),
        upright(dark, (-7.6, 62), (7.6, 62), 5.0),
        Panel(dark, (-7.6, PORTAL, 5.0), (15.2, 0, 0), (0, 32, 0)),
        upright(tall, (-13, PORTAL), (13, PORTAL), 2.6, 5.0),
        upright(stripes, (-13, PORTAL - 0.03), (13, PORTAL - 0.03), 0.45, 5.0, solid=False),
        upright(name, (-3.6, PORTAL - 0.06), (1.2, PORTAL - 0.06), 1.0, 5.9, solid=False),
        upright(limit, (2.2, PORTAL - 0.06), (6.0, PORTAL - 0.06), 0.8, 6.0, solid=False),
        upright(side, (-7.7, 1), (-7.7, PORTAL), 4.2),
        upright(side, (10.6, PORTAL), (10.6, 1), 4.2),
        upright(_stairway(side), (7.6, PORTAL), (10.6, PORTAL), 5.2),
        floor(textures.grass((200, 600), 12, rng, (44, 80, 66)), -40, 1, 32.3, 60, 4.2),
        floor(textures.grass((200, 600), 12, rng, (44, 80, 66)), 10.6, 1, 32.3, 60, 4.2),
    ]  # fmt: skip


def _stairway(side: textures.Texture) -> textures.Texture:
    """The end of the pavement: a wall with the dark mouth of a stair."""
    wall = side[:, :120].copy()
    cv2.rectangle(wall, (24, 114), (98, wall.shape[0]), (150, 152, 154), -1)
    cv2.rectangle(wall, (30, 120), (92, wall.shape[0]), (16, 16, 17), -1)
    return wall


def _furniture(rng: np.random.Generator) -> list[Surfels]:
    return [
        street_lamp(rng, 7.3, 1.4, lit=True).at(8.4, 14.0, np.pi),
        street_lamp(rng, 7.3, 1.2, lit=True).at(-8.2, 22.0),
    ]


def film() -> Film:
    rng = np.random.default_rng(4606)
    trees = [
        tree(-12.0, 20.0, rng, tall=9.0, crown=2.6, clumps=36),
        tree(14.0, 24.0, rng, tall=9.0, crown=2.4, clumps=36),
    ]
    scene = Film(
        "underpass",
        stage(rng),
        40.0,
        areas=(
            Area("lay-by", ((3.7, 10.0), (7.2, 10.0), (7.2, 25.0), (3.7, 25.0))),
            Area("portal", ((-7.0, 14.0), (7.0, 14.0), (7.0, 34.0), (-7.0, 34.0))),
        ),
        trees=trees,
        weather=Weather(wind=1.8, rain=0.8, grain=0.9, night=True),
        seed=46,
    )
    courier = person(Looks(tall=1.72, top=(0.50, 0.32, 0.04), bottom=(0.04, 0.04, 0.04), cap=(0.6, 0.6, 0.6)), rng)
    walker = person(Looks(tall=1.70, top=(0.10, 0.10, 0.40), bottom=(0.06, 0.05, 0.05), coat=True), rng)
    plan = [
        ("suv", car(SUV, PAINTS["white"], rng, density=6500), 1.0, [(5.2, -9), (5.2, 61)], 10.5),
        ("sedan", car(SEDAN, PAINTS["silver"], rng, density=6500), 4.0, [(-1.9, 61), (-1.9, -9)], 11.0),
        ("bus", car(BUS, PAINTS["blue"], rng, density=4200, label="bus"), 8.5, [(-5.2, 61), (-5.2, -13)], 9.0),
        ("hatch", car(HATCHBACK, PAINTS["red"], rng, density=6500), 12.5, [(1.8, -9), (1.8, 61)], 11.0),
        ("van", car(VAN, PAINTS["grey"], rng, density=6500, blind=True), 19.0, [(5.2, -9), (5.2, 61)], 9.5),
        ("truck", truck(PAINTS["green"], "box", rng, density=4500), 22.5, [(-1.9, 61), (-1.9, -9)], 10.0),
        ("black", car(SEDAN, PAINTS["black"], rng, density=6500), 27.5, [(1.8, -9), (1.8, 61)], 11.5),
        ("taxi", car(SEDAN, PAINTS["orange"], rng, density=6500), 31.0, [(-5.2, 61), (-5.2, -9)], 10.0),
    ]  # fmt: skip
    scene.drivers += [Driver(name, vehicle, start, way, speed, lit=True) for name, vehicle, start, way, speed in plan]
    scene.drivers.append(
        Driver(
            "scooter",
            scooter(PAINTS["white"], rng, case=(0.5, 0.3, 0.05)),
            14.5,
            [(5.6, -8), (5.6, 60)],
            8.5,
            lit=True,
            rider=courier,
        )
    )
    scene.walkers.append(
        Walker(walker, 4.0, (9.0, 2.0), "walker").walk((9.2, 14.0), (9.0, 28.5), (9.0, 31.6), speed=1.5)
    )
    return scene
