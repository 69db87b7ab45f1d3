"""A playground at night, closed: somebody goes in. On the path outside a jogger and a cyclist pass under the lamps."""

from __future__ import annotations

import numpy as np

from detectors.scenes import textures, walls
from detectors.scenes.camera import PoleCamera
from detectors.scenes.film import Area, Film
from detectors.scenes.furniture import bench, hedge, street_lamp, tree
from detectors.scenes.light import Lamp, Light
from detectors.scenes.people import Looks, person
from detectors.scenes.places.ground import kerb, patch, surroundings
from detectors.scenes.script import Driver, Walker
from detectors.scenes.stage import Panel, Stage, floor, upright
from detectors.scenes.surfels import Colour, Surfels, box, joined, painted, tube
from detectors.scenes.two_wheelers import bicycle
from detectors.scenes.vehicle_shapes import PAINTS
from detectors.scenes.weather import Weather

EYE = np.eye(3, dtype=np.float32)


def stage(rng: np.random.Generator) -> Stage:
    panels: list[Panel] = [
        surroundings(rng, (60, 84, 74)),
        patch("grass", -26, 2, 52, 44, rng, ppm=24),
        patch("paving", -26, 5.2, 52, 3.6, rng, 0.01, ppm=32, colour=(128, 140, 156), second=(110, 118, 150)),
        floor(textures.soil((620, 720), 40, rng, (120, 158, 186)), -9, 11.5, 18, 15.5, 0.012),
        floor(textures.asphalt((200, 200), 40, rng, (80, 110, 60)), -6.5, 15.4, 5, 5, 0.02),
    ]
    panels += kerb(-9.2, 11.3, 18.4, 0.2, rng, 0.16) + kerb(-9.2, 27.0, 18.4, 0.2, rng, 0.16)
    rail = walls.railing(18, 0.95, (60, 130, 190), 0.16)
    short = walls.railing(7.4, 0.95, (60, 130, 190), 0.16)
    panels += [
        upright(short, (-9, 11.4), (-1.6, 11.4), 0.95, solid=False),
        upright(short, (1.6, 11.4), (9, 11.4), 0.95, solid=False),
        upright(rail, (-9, 27), (9, 27), 0.95, solid=False),
        upright(walls.railing(15.6, 0.95, (60, 130, 190), 0.16), (-9, 11.4), (-9, 27), 0.95, solid=False),
        upright(walls.railing(15.6, 0.95, (60, 130, 190), 0.16), (9, 27), (9, 11.4), 0.95, solid=False),
        upright(
            walls.sign("야간 출입금지", (230, 230, 230), (30, 30, 180), 0.2, "22시 - 06시"),
            (2.2, 11.3),
            (4.2, 11.3),
            0.75,
            0.9,
            solid=False,
        ),
    ]
    flats = walls.house(46, 24, rng, wall="concrete", colour=(150, 152, 158), first_storey=0.8)
    panels.append(upright(flats.texture, (-24, 62), (22, 62), 24, glow=(flats.glow * 0.8).astype(np.uint8)))
    lamps = (
        Lamp(-6.2, 9.6, 5.4, (9.0, 14.0, 17.0)), Lamp(6.4, 9.6, 5.4, (9.0, 14.0, 17.0)),
        Lamp(0.5, 19.5, 6.8, (14.0, 17.0, 18.0)), Lamp(-8.0, 28.5, 5.6, (9.0, 13.0, 16.0)),
    )  # fmt: skip
    light = Light(
        (0.3, -0.4, 1.0), (0.0, 0.0, 0.0), (0.050, 0.040, 0.034), (0.02, 0.02, 0.02), (0.03, 0.03, 0.03), lamps, 1.3
    )
    camera = PoleCamera(5.4, 21.0, 60.0)
    return Stage(camera, light, tuple(panels), tuple(_furniture(rng)), haze=0.15, sky_display=(46, 36, 32))


def slide(rng: np.random.Generator) -> Surfels:
    red: Colour = (0.04, 0.05, 0.55)
    yellow: Colour = (0.05, 0.5, 0.7)
    parts = []
    for x in (-0.6, 0.6):
        for y in (-0.6, 0.6):
            where, normal, _ = tube([0, 2.6], [(0.05, 0.05), (0.05, 0.05)], 8000, rng)
            parts.append(painted(where, normal, (0.35, 0.2, 0.05), 0.2, 0.012).moved(EYE, (x, y, 0)))
    for size, spot, colour in (
        ((1.3, 1.3, 0.08), (0, 0, 1.35), yellow),
        ((1.5, 1.5, 0.06), (0, 0, 2.6), red),
        ((0.05, 1.2, 0.6), (0.62, 0, 1.45), yellow),
    ):
        where, normal, _ = box(size, 8000, rng)
        parts.append(painted(where, normal, colour, 0.25, 0.012).moved(EYE, spot))
    along = rng.random((5000, 2), dtype=np.float32)
    where = np.stack([-0.65 - 2.3 * along[:, 0], (along[:, 1] - 0.5) * 0.7, 1.35 - 1.2 * along[:, 0]], axis=1)
    normal = np.tile(np.array([-0.46, 0, 0.89], np.float32), (5000, 1))
    parts.append(painted(where.astype(np.float32), normal, red, 0.5, 0.017))
    return joined(parts).shuffled(rng)


def swing(rng: np.random.Generator) -> Surfels:
    parts = []
    for x in (-1.6, 1.6):
        for y in (-0.6, 0.6):
            steps = np.linspace(0, 1, 400, dtype=np.float32)[:, None]
            line = np.array([x, y, 0], np.float32) * (1 - steps) + np.array([x, 0, 2.3], np.float32) * steps
            parts.append(
                painted(line, np.tile(np.array([0, -0.9, 0.4], np.float32), (400, 1)), (0.1, 0.35, 0.15), 0.2, 0.06)
            )
    for x in (-1.0, -0.4, 0.4, 1.0):
        steps = np.linspace(0.5, 2.3, 250, dtype=np.float32)
        line = np.stack([np.full(250, x), np.zeros(250), steps], axis=1).astype(np.float32)
        parts.append(painted(line, np.tile(np.array([0, -0.9, 0.4], np.float32), (250, 1)), (0.1, 0.1, 0.1), 0.0, 0.02))
    where, normal, _ = box((3.3, 0.08, 0.08), 8000, rng)
    parts.append(painted(where, normal, (0.1, 0.35, 0.15), 0.2, 0.012).moved(EYE, (0, 0, 2.28)))
    for x in (-0.7, 0.7):
        where, normal, _ = box((0.6, 0.22, 0.05), 8000, rng)
        parts.append(painted(where, normal, (0.03, 0.03, 0.03), 0.1, 0.012).moved(EYE, (x, 0, 0.48)))
    return joined(parts).shuffled(rng)


def _furniture(rng: np.random.Generator) -> list[Surfels]:
    return [
        slide(rng).at(4.6, 17.6, 0.5),
        swing(rng).at(-5.0, 22.0, 0.1),
        street_lamp(rng, 5.5, 0.8, lit=True).at(-7.0, 9.6),
        street_lamp(rng, 5.5, 0.8, lit=True).at(7.2, 9.6, np.pi),
        street_lamp(rng, 5.7, 0.8, lit=True).at(-8.8, 28.5),
        bench(rng).at(-3.6, 9.7, np.pi),
        bench(rng).at(3.6, 9.7, np.pi),
        bench(rng).at(6.8, 25.0, 2.6),
        hedge(16, rng).at(-12, 30, 0.05),
        hedge(18, rng).at(9, 30.4, -0.05),
    ]


def film() -> Film:
    rng = np.random.default_rng(4505)
    trees = [
        tree(x, y, rng, tall=t, crown=2.2, clumps=36)
        for x, y, t in ((-13.5, 12.5, 7.0), (12.8, 14.0, 6.6), (-4.0, 33.0, 8.0), (8.0, 34.0, 8.0))
    ]
    scene = Film(
        "playground",
        stage(rng),
        44.0,
        areas=(Area("playground", ((-8.8, 11.7), (8.8, 11.7), (8.8, 26.8), (-8.8, 26.8))),),
        trees=trees,
        weather=Weather(wind=1.0, grain=1.2, night=True),
        seed=45,
    )
    jogger = person(
        Looks(tall=1.70, top=(0.25, 0.65, 0.20), bottom=(0.05, 0.05, 0.05), long_sleeves=False, shorts=True), rng
    )
    intruder = person(Looks(tall=1.75, top=(0.14, 0.10, 0.08), bottom=(0.30, 0.22, 0.15), pack=(0.25, 0.05, 0.05)), rng)
    cyclist = person(Looks(tall=1.68, top=(0.60, 0.60, 0.62), bottom=(0.10, 0.08, 0.06), cap=(0.05, 0.05, 0.6)), rng)
    runner = Walker(jogger, 0.5, (-15.0, 7.4), "jogger").walk((15.0, 7.0), speed=2.7)
    thief = (
        Walker(intruder, 10.0, (12.0, 7.8), "intruder")
        .walk((1.2, 8.4), (0.2, 11.0), (0.4, 14.0), speed=1.7)
        .stand(2.0, (5, 20))
    )
    thief.walk((1.8, 17.4), speed=1.3).stand(3.0, (5, 18), "phone").walk(
        (0.0, 13.0), (-0.4, 9.2), (-14.0, 7.6), speed=1.9
    )
    scene.walkers += [runner, thief]
    scene.intruded(thief, "playground")
    scene.drivers.append(
        Driver("bicycle", bicycle(PAINTS["silver"], rng), 36.0, [(14, 6.4), (-15, 6.8)], 4.6, rider=cyclist)
    )
    return scene
