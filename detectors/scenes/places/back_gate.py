"""A lane behind flats on a dull day: a truck stops, its driver leaves a sack at the wall, and both go their way.

Two events in two zones: the truck stands too long, and the sack stays after it until a cleaner takes it.
"""

from __future__ import annotations

import numpy as np

from detectors.scenes import things, walls
from detectors.scenes.camera import PoleCamera
from detectors.scenes.film import Area, Film
from detectors.scenes.furniture import cable, hedge, street_lamp, tree, utility_pole
from detectors.scenes.light import Light
from detectors.scenes.people import Looks, person
from detectors.scenes.places.ground import YELLOW, crossing, kerb, manhole, patch, skyline, stripe, surroundings
from detectors.scenes.script import Driver, Halt, Hold, Thing, Walker
from detectors.scenes.stage import Panel, Stage, upright
from detectors.scenes.surfels import Surfels
from detectors.scenes.vehicle_shapes import PAINTS, SEDAN
from detectors.scenes.vehicles import car, truck
from detectors.scenes.weather import Weather

WALL_Y = 19.6


def stage(rng: np.random.Generator) -> Stage:
    panels: list[Panel] = [
        surroundings(rng),
        patch("asphalt", -40, 5.4, 80, 10.0, rng, ppm=28, colour=(92, 92, 91)),
        patch("paving", -40, 15.4, 80, 4.3, rng, 0.005, ppm=34, colour=(138, 140, 140), tile=(0.4, 0.2)),
        patch("paving", -40, 1.0, 80, 4.4, rng, 0.005, ppm=34, colour=(132, 138, 144)),
        *[stripe(-40, 14.6 + k * 0.2, 80, 0.1, YELLOW, wear=4) for k in (0, 1)],
        *[stripe(x, 10.1, 2.4, 0.12) for x in np.arange(-38, 38, 5.5)],
        *crossing(10.6, 5.8, 3.6, 9.2, across=True),
        manhole(-3.5, 8.4), manhole(5.8, 12.2),
    ]  # fmt: skip
    panels += kerb(-40, 15.3, 50.4, 0.18, rng) + kerb(14.4, 15.3, 25, 0.18, rng) + kerb(-40, 5.2, 80, 0.18, rng)
    wall = walls.garden_wall(26, 2.2, rng, colour=(150, 160, 168))
    panels += [
        upright(wall, (-26, WALL_Y), (0, WALL_Y), 2.2),
        upright(walls.garden_wall(22, 2.2, rng, colour=(150, 160, 168)), (3.4, WALL_Y), (25.4, WALL_Y), 2.2),
        upright(walls.railing(3.4, 2.0, (80, 70, 60), 0.15), (0, WALL_Y + 0.1), (3.4, WALL_Y + 0.1), 2.0, solid=False),
        upright(
            walls.sign("쓰레기 투기금지", (230, 234, 236), (40, 40, 190), 0.2, "CCTV 촬영중"),
            (5.4, WALL_Y - 0.03),
            (7.6, WALL_Y - 0.03),
            0.75,
            1.1,
            solid=False,
        ),
        upright(
            walls.house(30, 20, rng, wall="plaster", colour=(196, 204, 206), first_storey=0.8).texture,
            (-29, 30),
            (1, 30),
            20,
        ),
        upright(
            walls.house(28, 20, rng, wall="plaster", colour=(180, 196, 206), first_storey=0.8).texture,
            (5, 33),
            (33, 33),
            20,
        ),
    ]
    panels += skyline(rng, 48.0)
    light = Light((0.2, -0.3, 1.0), (0.12, 0.13, 0.13), (0.82, 0.79, 0.77), (0.2, 0.2, 0.2), exposure=1.12)
    camera = PoleCamera(5.4, 20.5, 62.0, pan_degrees=-3.0)
    return Stage(camera, light, tuple(panels), tuple(_furniture(rng)), haze=0.5, sky_display=(214, 212, 210))


def _furniture(rng: np.random.Generator) -> list[Surfels]:
    return [
        utility_pole(rng).at(-7.0, 16.2), utility_pole(rng).at(15.6, 16.2),
        cable((-7, 16.2, 8.3), (15.6, 16.2, 8.3), 0.6, rng),
        street_lamp(rng, 6.5, 1.5).at(7.6, 16.2, -1.57),
        hedge(20, rng, tall=1.1).at(-12, WALL_Y + 2.0), hedge(16, rng, tall=1.1).at(14, WALL_Y + 2.0),
    ]  # fmt: skip


def film() -> Film:
    rng = np.random.default_rng(4808)
    trees = [tree(x, WALL_Y + 3.2, rng, tall=7.4, crown=2.2, clumps=36) for x in (-15.0, -6.0, 8.5, 17.0)]
    scene = Film(
        "back_gate",
        stage(rng),
        60.0,
        areas=(
            Area("wall-side", ((3.4, 15.7), (9.2, 15.7), (9.2, 19.4), (3.4, 19.4))),
            Area("lane", ((-8.5, 10.4), (8.5, 10.4), (8.5, 15.2), (-8.5, 15.2))),
        ),
        trees=trees,
        weather=Weather(wind=1.4),
        seed=48,
    )
    _cast(scene, rng)
    return scene


def _cast(scene: Film, rng: np.random.Generator) -> None:
    van = truck(PAINTS["blue"], "flat", rng, density=8000)
    offender = Driver(
        "truck",
        van,
        1.0,
        [(26, 12.2), (12, 12.4), (6, 13.6), (2.0, 14.0), (-3, 13.6), (-10, 12.2), (-30, 12.2)],
        6.0,
        (Halt(26.4, 17.5),),
    )
    start, end = offender.stops[0]
    man = person(Looks(tall=1.74, top=(0.16, 0.22, 0.18), bottom=(0.10, 0.10, 0.12), cap=(0.10, 0.08, 0.05)), rng)
    driver = (
        Walker(man, start + 1.2, (2.2, 15.4), "driver")
        .carrying("right")
        .walk((5.4, 16.6), (6.3, 18.0), speed=1.3)
        .bend()
    )
    put, spot = driver.lowest, driver.reach(0.5)
    driver.carrying("").stand(0.5).walk((2.4, 16.4), (-3.2, 15.6), speed=1.6)
    cleaner = person(
        Looks(
            tall=1.68, top=(0.10, 0.45, 0.65), bottom=(0.14, 0.10, 0.06), vest=(0.05, 0.70, 0.70), cap=(0.05, 0.6, 0.6)
        ),
        rng,
    )
    sweeper = (
        Walker(cleaner, 33.0, (17.0, 17.4), "cleaner")
        .walk((8.6, 17.4), (spot[0] + 0.5, spot[1] - 0.3), speed=1.7)
        .bend()
    )
    taken = sweeper.lowest
    sweeper.carrying("right").walk((9.0, 16.8), (18.0, 16.8), speed=1.8)
    lady = person(Looks(tall=1.61, top=(0.45, 0.25, 0.55), bottom=(0.06, 0.05, 0.05), long_hair=True, skirt=True), rng)
    passer = Walker(lady, 22.0, (16.0, 17.4), "passer").walk((1.0, 17.0), (-17.0, 16.8), speed=1.9)
    scene.walkers += [driver, sweeper, passer]
    load = things.sack(0.74, rng, density=16000)
    sack = Thing(
        "sack",
        load,
        0.72,
        (
            Hold(driver.start, driver, "right"),
            Hold(put, spot=(*spot, 0.8)),
            Hold(taken, sweeper, "right"),
            Hold(sweeper.end),
        ),
    )
    scene.things.append(sack)
    scene.drivers += [
        offender,
        Driver("sedan", car(SEDAN, PAINTS["silver"], rng, density=6500), 14.0, [(-26, 8.0), (26, 8.0)], 9.0),
        Driver("black", car(SEDAN, PAINTS["black"], rng, density=6500), 50.0, [(26, 12.2), (-28, 12.2)], 9.5),
    ]
    _ = end
    scene.parked(offender, "lane", 10.0)
    scene.dumped(sack, driver, "wall-side")
