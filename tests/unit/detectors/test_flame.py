from __future__ import annotations

import cv2
import numpy as np

from detectors.flame import Flame, FlameField
from detectors.frame import Image
from detectors.motion import MotionField
from detectors.rules.fire import ALONE_AREA, ALONE_CONTRAST, ALONE_DARK, ALONE_FLICKER
from tests.drawn_scene import HEIGHT, WIDTH, Street


def draw_flame(image: Image, chance: np.random.Generator, x: int = 300, y: int = 280) -> None:
    """Tongues that change from picture to picture over a steady core."""
    points = [(x - 20, y)]
    for step in range(7):
        points.append((x - 20 + step * 7, y - int(chance.uniform(8, 55))))
    points.append((x + 24, y))
    cv2.fillPoly(image, [np.array(points)], (30, 120, 250))
    core = [(px, y - (y - py) // 2) for px, py in points]
    cv2.fillPoly(image, [np.array(core)], (90, 215, 255))


def is_plain_flame(flame: Flame) -> bool:
    lively = flame.flicker >= ALONE_FLICKER and flame.steady > 0.8 and flame.area >= ALONE_AREA
    return lively and flame.dark <= ALONE_DARK and flame.contrast >= ALONE_CONTRAST


def watch(pictures: list[Image]) -> list[Flame]:
    motion_field = MotionField(WIDTH, HEIGHT)
    field = FlameField(motion_field.size)
    flames: list[Flame] = []
    for index, picture in enumerate(pictures):
        flames = field.update(motion_field.update(picture, index / 5))
    return flames


def test_a_drawn_flame_flickers_on_the_spot() -> None:
    street, chance = Street(), np.random.default_rng(5)
    pictures = [street.picture() for _ in range(35)]
    for picture in pictures[10:]:
        draw_flame(picture, chance)
    flames = [flame for flame in watch(pictures) if is_plain_flame(flame)]
    assert len(flames) == 1
    assert flames[0].since <= 3.2
    assert 260 < flames[0].box[0] < 300 < flames[0].box[2] < 350


def test_a_steady_lamp_is_no_flame() -> None:
    street = Street(things=[((300, 100, 330, 130), (80, 180, 250))])
    assert watch([street.picture() for _ in range(30)]) == []


def test_a_blinking_lamp_is_no_flame() -> None:
    dark, lit = Street(), Street(things=[((300, 100, 330, 130), (60, 160, 250))])
    pictures = [(lit if index % 3 else dark).picture() for index in range(40)]
    assert not any(is_plain_flame(flame) for flame in watch(pictures))


def test_an_orange_vest_that_walks_by_is_no_flame() -> None:
    pictures = []
    for index in range(40):
        x = 100 + 10 * index
        street = Street(things=[((x, 200, x + 24, 235), (30, 120, 245))])
        pictures.append(street.picture())
    assert not any(is_plain_flame(flame) for flame in watch(pictures))


def test_an_orange_wall_under_a_swaying_camera_is_no_flame() -> None:
    street = Street(things=[((300, 100, 380, 180), (40, 120, 230))])
    pictures = [street.picture(shift=(3 * np.sin(index), 2 * np.cos(index * 1.3))) for index in range(40)]
    assert not any(is_plain_flame(flame) for flame in watch(pictures))
