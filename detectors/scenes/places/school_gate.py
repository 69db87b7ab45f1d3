"""A school gate by day: a man hangs about at the gate; pupils and parents pass, a scooter drives by."""

from __future__ import annotations

from functools import partial

import numpy as np

from detectors.scenes import textures, walls
from detectors.scenes.camera import PoleCamera
from detectors.scenes.film import Area, Film
from detectors.scenes.furniture import bollard, cable, hedge, street_lamp, tree, utility_pole
from detectors.scenes.light import Light
from detectors.scenes.people import clothed
from detectors.scenes.places.ground import YELLOW, crossing, kerb, painted_text, patch, skyline, stripe, surroundings
from detectors.scenes.script import Driver, Walker
from detectors.scenes.stage import Panel, Stage, block, floor, upright
from detectors.scenes.surfels import Surfels
from detectors.scenes.two_wheelers import scooter
from detectors.scenes.vehicle_shapes import HATCHBACK, PAINTS, VAN
from detectors.scenes.vehicles import car
from detectors.scenes.weather import Weather

GATE_Y = 21.0


def stage(rng: np.random.Generator) -> Stage:
    panels: list[Panel] = [
        surroundings(rng),
        patch("asphalt", -40, 3.0, 80, 8.4, rng, ppm=26, colour=(74, 84, 140)),
        patch("paving", -40, 11.4, 80, 9.8, rng, 0.005, ppm=30, colour=(146, 152, 156), second=(120, 138, 160)),
        patch("asphalt", -3.2, 11.3, 6.4, 10.0, rng, 0.01, colour=(106, 106, 105)),
        floor(textures.soil((600, 1400), 20, rng, (120, 146, 164)), -35, GATE_Y, 70, 30),
        patch("asphalt", -3.4, GATE_Y, 6.8, 22, rng, 0.01, colour=(112, 112, 111)),
        *[stripe(-40, 7.05 + k * 0.26, 80, 0.12, YELLOW) for k in (0, 1)],
        *[stripe(-40, 10.8 + k * 0.2, 36.5, 0.1, YELLOW, wear=3) for k in (0, 1)],
        *[stripe(3.6, 10.8 + k * 0.2, 36.5, 0.1, YELLOW, wear=3) for k in (0, 1)],
        *crossing(-9.6, 3.6, 4.4, 7.0, across=True),
        painted_text("어린이 보호구역", -3.4, 8.3, 0.82),
        floor(np.full((8, 8, 3), (60, 190, 225), np.uint8), -40, 12.0, 36.4, 0.3, 0.012),
        floor(np.full((8, 8, 3), (60, 190, 225), np.uint8), 3.6, 12.0, 36, 0.3, 0.012),
    ]
    panels += kerb(-40, 11.3, 36.6, 0.18, rng) + kerb(3.4, 11.3, 36.6, 0.18, rng)
    panels += _school(rng) + skyline(rng)
    camera = PoleCamera(5.8, 20.0, 60.0)
    light = Light(to_sun=(-0.55, -0.55, 0.9), exposure=0.96)
    return Stage(camera, light, tuple(panels), tuple(_furniture(rng)), haze=0.2)


def _school(rng: np.random.Generator) -> list[Panel]:
    wall = walls.garden_wall(30, 1.25, rng, colour=(108, 124, 160))
    rail = walls.railing(30, 0.8, (120, 130, 120))
    leaf = walls.railing(2.9, 1.8, (70, 60, 50), 0.16)
    stone = [textures.concrete((90, 40), 45, rng, (150, 158, 164)) for _ in range(3)]
    board = walls.sign("영통초등학교", (62, 60, 58), (190, 215, 225), 0.20)
    building = walls.house(44, 13.5, rng, wall="plaster", colour=(168, 196, 214), first_storey=0.9)
    walls.door(building, 22.0, rng, (96, 88, 80))
    walls.door(building, 23.2, rng, (96, 88, 80))
    panels = [
        upright(wall, (-34, GATE_Y), (-4, GATE_Y), 1.25),
        upright(wall, (4, GATE_Y), (34, GATE_Y), 1.25),
        upright(rail, (-34, GATE_Y + 0.05), (-4, GATE_Y + 0.05), 0.8, 1.25, solid=False),
        upright(rail, (4, GATE_Y + 0.05), (34, GATE_Y + 0.05), 0.8, 1.25, solid=False),
        upright(leaf, (-3.4, GATE_Y + 0.2), (-3.7, GATE_Y + 3.1), 1.8, solid=False),
        upright(leaf, (3.4, GATE_Y + 0.2), (3.7, GATE_Y + 3.1), 1.8, solid=False),
        upright(building.texture, (-22, 47), (22, 47), 13.5),
        upright(board, (3.0, GATE_Y - 0.4), (4.75, GATE_Y - 0.4), 0.5, 1.5, solid=False),
    ]
    for x in (-4.1, 3.4):
        panels += block(stone, x, GATE_Y - 0.35, 0.75, 0.75, 2.3)
    return panels


def _furniture(rng: np.random.Generator) -> list[Surfels]:
    found = [
        utility_pole(rng).at(-13.0, 12.6),
        utility_pole(rng).at(13.5, 12.6),
        cable((-13, 12.6, 8.3), (13.5, 12.6, 8.3), 0.6, rng),
        street_lamp(rng, 6.5, 1.6).at(8.6, 12.4, -1.57),
        hedge(14, rng).at(-12, GATE_Y + 1.2),
        hedge(14, rng).at(12, GATE_Y + 1.2),
        car(VAN, PAINTS["yellow"], rng, density=3600).posed().at(-12.0, 33.0, 0.5),
        car(HATCHBACK, PAINTS["white"], rng, density=3600).posed().at(11.5, 34.0, 2.6),
    ]
    found += [bollard(rng).at(x, 12.7) for x in (-3.5, -1.75, 0.0, 1.75, 3.5)]
    return found


def film() -> Film:
    rng = np.random.default_rng(4404)
    trees = [tree(x, 23.8, rng, tall=6.4, crown=1.9, clumps=36) for x in (-9.0, 9.5)]
    trees += [tree(x, 13.6, rng, tall=5.4, crown=1.3, leaf=(0.03, 0.17, 0.09), clumps=30) for x in (-8.2, 11.2)]
    scene = Film(
        "school_gate",
        stage(rng),
        48.0,
        areas=(Area("gate", ((-4.9, 13.4), (4.9, 13.4), (4.9, 20.5), (-4.9, 20.5))),),
        trees=trees,
        weather=Weather(clouds=0.2),
        seed=44,
    )
    _cast(scene, rng)
    return scene


def _cast(scene: Film, rng: np.random.Generator) -> None:
    one = partial(clothed, rng)

    idler = Walker(
        one(tall=1.76, top=(0.10, 0.12, 0.10), bottom=(0.09, 0.09, 0.10), cap=(0.03, 0.03, 0.03)),
        6.0,
        (-13.0, 16.6),
        "idler",
    )
    idler.walk((-3.6, 16.2), speed=1.5).stand(5.0, (-2.0, 22.0)).walk((-0.8, 17.4), speed=0.9).stand(
        4.5, (0, 30), "phone"
    )
    idler.walk((1.8, 16.0), speed=0.9).stand(4.0, (0.0, 22.0)).walk((5.4, 15.4), (16.0, 15.0), speed=1.7)
    scene.loitered(idler, "gate", 10.0)
    white, grey = (0.60, 0.60, 0.60), (0.55, 0.55, 0.56)
    first = one(tall=1.36, top=white, bottom=(0.25, 0.12, 0.05), pack=(0.05, 0.05, 0.65))
    second = one(tall=1.31, top=(0.10, 0.55, 0.75), bottom=(0.06, 0.05, 0.05), pack=(0.50, 0.15, 0.05), shorts=True)
    mother = one(tall=1.66, top=(0.40, 0.30, 0.60), bottom=grey, long_hair=True, skirt=True)
    child = one(tall=1.28, top=(0.15, 0.70, 0.80), bottom=(0.30, 0.20, 0.10), pack=(0.30, 0.05, 0.55))
    teacher = one(tall=1.72, top=(0.32, 0.32, 0.33), bottom=(0.10, 0.06, 0.04), coat=True)
    pupils = [
        (first, 1.0, [(0.6, 47.6), (0.5, 22.0), (-1.6, 12.2), (-7.2, 11.2), (-7.2, 1.0)], 2.3),
        (second, 1.4, [(1.2, 47.6), (1.3, 22.0), (-0.9, 12.2), (-6.6, 11.2), (-6.6, 1.0)], 2.3),
        (mother, 20.0, [(18.0, 14.2), (2.4, 14.6), (-18.0, 14.4)], 1.9),
        (child, 20.2, [(18.0, 15.0), (2.4, 15.4), (-18.0, 15.2)], 1.9),
        (teacher, 38.5, [(-17.0, 14.6), (0.0, 14.2), (17.0, 14.4)], 2.4),
    ]
    for number, (who, start, way, speed) in enumerate(pupils):
        scene.walkers.append(Walker(who, start, way[0], f"pupil-{number}").walk(*way[1:], speed=speed))
    scene.walkers.append(idler)
    courier = one(tall=1.73, top=(0.05, 0.35, 0.70), bottom=(0.05, 0.05, 0.05), cap=(0.6, 0.6, 0.6))
    scene.drivers += [
        Driver(
            "scooter",
            scooter(PAINTS["teal"], rng, case=(0.10, 0.35, 0.75)),
            14.0,
            [(-24, 5.4), (24, 5.4)],
            7.5,
            rider=courier,
        ),
        Driver("car", car(HATCHBACK, PAINTS["blue"], rng, density=7000), 30.0, [(26, 9.0), (-26, 9.0)], 7.0),
    ]
