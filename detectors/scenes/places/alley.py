"""A back alley by day: somebody leaves a bag at the wall and a cleaner takes it away; another passes with hers."""

from __future__ import annotations

import numpy as np

from detectors.scenes import things, walls
from detectors.scenes.camera import PoleCamera
from detectors.scenes.film import Area, Film
from detectors.scenes.furniture import cable, crate_stack, planter, tree, utility_pole
from detectors.scenes.light import Light
from detectors.scenes.people import Looks, person
from detectors.scenes.places.ground import manhole, patch, stripe, surroundings
from detectors.scenes.script import Hold, Thing, Walker
from detectors.scenes.stage import Panel, Stage, upright
from detectors.scenes.surfels import Surfels
from detectors.scenes.vehicle_shapes import HATCHBACK
from detectors.scenes.vehicles import car
from detectors.scenes.weather import Weather

LEFT, RIGHT = -3.4, 3.6


def stage(rng: np.random.Generator) -> Stage:
    panels: list[Panel] = [
        surroundings(rng),
        patch("asphalt", LEFT - 3, 2.5, RIGHT - LEFT + 9, 40, rng, ppm=34, colour=(108, 108, 107)),
        patch("paving", LEFT, 2.5, 1.1, 40, rng, 0.01, colour=(132, 138, 146)),
        stripe(RIGHT - 0.55, 3, 0.12, 38, (205, 208, 210)),
        stripe(RIGHT - 0.85, 3, 0.05, 38, (205, 208, 210)),
        manhole(0.5, 9.5), manhole(-0.6, 17.5, 0.3),
    ]  # fmt: skip
    panels += _left_row(rng)
    panels += _right_row(rng)
    end = walls.house(16, 9.5, rng, wall="plaster", colour=(196, 205, 210))
    walls.shop(end, 1.0, 5.0, "행복세탁", rng, (150, 90, 30), (240, 240, 240))
    walls.shop(end, 7.2, 4.4, "은하미용실", rng, (110, 60, 150), (245, 245, 245))
    panels.append(upright(end.texture, (-8, 41), (8, 41), 9.5, glow=None))
    camera = PoleCamera(5.2, 21.0, 60.0, pan_degrees=-4.0)
    light = Light(to_sun=(0.30, -0.62, 1.0), exposure=1.2)
    return Stage(camera, light, tuple(panels), tuple(_furniture(rng)), haze=0.22)


def _left_row(rng: np.random.Generator) -> list[Panel]:
    first = walls.house(9.0, 8.6, rng, wall="brick", colour=(78, 96, 150))
    walls.door(first, 6.2, rng)
    wall = walls.garden_wall(9.0, 2.1, rng, colour=(112, 128, 150))
    third = walls.house(11.0, 9.4, rng, wall="plaster", colour=(178, 196, 206))
    walls.shop(third, 0.8, 4.2, "골목식당", rng, (40, 60, 180), (240, 245, 245))
    back = walls.house(9.0, 8.2, rng, wall="plaster", colour=(186, 190, 186))
    notice = walls.sign("무단투기 금지", (235, 238, 240), (30, 30, 190), 0.22, "과태료 100만원")
    return [
        upright(first.texture, (LEFT, 3.0), (LEFT, 12.0), 8.6),
        upright(wall, (LEFT, 12.0), (LEFT, 21.0), 2.1),
        upright(back.texture, (LEFT - 4.5, 11.0), (LEFT - 4.5, 21.0), 8.2),
        upright(third.texture, (LEFT, 21.0), (LEFT, 32.0), 9.4),
        upright(walls.house(9, 8.0, rng, wall="brick").texture, (LEFT, 32), (LEFT, 41), 8.0),
        upright(third.texture, (LEFT, 21.0), (LEFT - 4.5, 21.0), 9.4),
        upright(notice, (LEFT + 0.03, 14.9), (LEFT + 0.03, 16.9), 0.75, 1.15, solid=False),
    ]


def _right_row(rng: np.random.Generator) -> list[Panel]:
    first = walls.house(10.0, 9.2, rng, wall="plaster", colour=(170, 184, 196))
    walls.shutter(first, 4.0, 3.2)
    second = walls.house(10.0, 8.4, rng, wall="brick", colour=(70, 84, 128))
    walls.shop(second, 1.0, 4.4, "별빛문구", rng, (60, 130, 40), (245, 245, 245))
    walls.door(second, 7.6, rng)
    third = walls.house(18.0, 9.6, rng, wall="brick", colour=(96, 112, 140))
    walls.shop(third, 2.0, 4.6, "우리약국", rng, (60, 140, 30), (250, 250, 250))
    return [
        upright(first.texture, (RIGHT, 13.0), (RIGHT, 3.0), 9.2),
        upright(second.texture, (RIGHT, 23.0), (RIGHT, 13.0), 8.4),
        upright(third.texture, (RIGHT, 41.0), (RIGHT, 23.0), 9.6),
    ]


def _furniture(rng: np.random.Generator) -> list[Surfels]:
    parked = car(HATCHBACK, (0.62, 0.60, 0.56), rng, density=5200).posed()
    wires = [cable((2.9, 2, 7.6), (2.9, 23, 8.3), 0.5, rng), cable((2.5, 2, 7.2), (-2.9, 27, 7.9), 0.6, rng)]
    wires += [cable((3.2, 23, 8.3), (2.9, 40, 8.3), 0.4, rng), cable((-2.9, 27, 8.3), (3.2, 23, 8.3), 0.2, rng)]
    return [
        utility_pole(rng).at(3.05, 23.0),
        utility_pole(rng).at(-2.95, 27.0),
        parked.at(2.35, 28.5, -1.57),
        crate_stack(rng).at(3.15, 16.2, 0.1),
        planter(rng).at(-2.95, 23.2, 1.57),
        planter(rng, (0.1, 0.3, 0.8)).at(-2.95, 25.0, 1.57),
        *wires,
    ]


def film() -> Film:
    rng = np.random.default_rng(4101)
    scene = Film(
        "alley",
        stage(rng),
        48.0,
        areas=(Area("waste-spot", ((-3.3, 12.0), (-0.7, 12.0), (-0.7, 18.6), (-3.3, 18.6))),),
        trees=[tree(LEFT - 2.3, 15.2, rng, tall=6.6, crown=2.0), tree(LEFT - 2.0, 19.0, rng, tall=5.6, crown=1.6)],
        weather=Weather(),
        seed=41,
    )
    owner = person(Looks(tall=1.72, top=(0.30, 0.13, 0.06), bottom=(0.05, 0.05, 0.05), long_sleeves=True), rng)
    cleaner = person(
        Looks(
            tall=1.69, top=(0.35, 0.28, 0.10), bottom=(0.12, 0.08, 0.05), vest=(0.05, 0.75, 0.70), cap=(0.05, 0.7, 0.6)
        ),
        rng,
    )
    passer = person(
        Looks(tall=1.62, top=(0.50, 0.52, 0.55), bottom=(0.30, 0.16, 0.08), long_hair=True, skirt=False), rng
    )
    leaver = Walker(owner, 0.5, (2.4, 42.5), "owner").carrying("right")
    leaver.walk((1.0, 24.0), (-1.2, 16.6), (-1.9, 15.4), speed=2.1).bend()
    put = leaver.lowest
    spot = leaver.reach(0.5)
    leaver.carrying("").stand(0.6).walk((0.2, 18.5), (1.4, 26.0), (2.2, 42.0), speed=1.75)
    sweeper = (
        Walker(cleaner, 30.5, (1.6, 2.0), "cleaner").walk((0.6, 8.0), (spot[0] + 0.5, spot[1] - 0.35), speed=2.0).bend()
    )
    taken = sweeper.lowest
    sweeper.carrying("right").walk((0.9, 9.0), (1.8, 1.5), speed=1.8)
    shopper = (
        Walker(passer, 13.5, (-0.8, 1.0), "passer")
        .carrying("left")
        .walk((0.6, 10.0), (0.8, 22.0), (-1.0, 43.0), speed=1.9)
    )
    refuse = things.bag(
        (0.62, 0.64, 0.66), 0.62, rng, fat=0.8, gloss=0.5, print_colour=(0.30, 0.12, 0.05), density=16000
    )
    shopping = things.bag((0.10, 0.22, 0.55), 0.34, rng, fat=0.7, density=16000)
    scene.walkers += [leaver, sweeper, shopper]
    bag = Thing(
        "bag", refuse, 0.60,
        (
            Hold(leaver.start, leaver, "right"),
            Hold(put, spot=(*spot, 0.4)),
            Hold(taken, sweeper, "right"),
            Hold(sweeper.end),
        ),
    )  # fmt: skip
    scene.things += [bag, Thing("shopping", shopping, 0.33, (Hold(shopper.start, shopper, "left"), Hold(shopper.end)))]
    scene.dumped(bag, leaver, "waste-spot")
    return scene
