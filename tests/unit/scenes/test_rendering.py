"""What is drawn is where the geometry says."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.scenes.burning import Blaze, Burner
from detectors.scenes.camera import PoleCamera
from detectors.scenes.compose import Fire, Item, compose
from detectors.scenes.hangul import strokes, write
from detectors.scenes.light import Light
from detectors.scenes.people import clothed, walking
from detectors.scenes.stage import bake
from detectors.scenes.surfels import Surfels, box, painted
from detectors.scenes.things import BLACK_BAG, bag
from detectors.scenes.vehicle_shapes import PAINTS, SEDAN
from detectors.scenes.vehicles import car
from tests.unit.scenes.small_stage import CAMERA, small_stage, wall_across


def crate(x: float, y: float, size: float = 1.0) -> Surfels:
    where, normal, _ = box((size, size, size), 4000, np.random.default_rng(0))
    return painted(where, normal, (0.05, 0.4, 0.7), spacing=0.016).at(x, y)


@given(st.floats(2.5, 9), st.floats(10, 40), st.floats(-30, 30), st.floats(0.1, 0.9), st.floats(0.55, 1.0))
def test_a_pixel_on_the_ground_is_seen_where_it_came_from(
    height: float, tilt: float, pan: float, column: float, row: float
) -> None:
    camera = PoleCamera(height, tilt, 60.0, pan)
    x, y = camera.on_ground(column * camera.width, row * camera.rows)
    spot = camera.project(np.array([[x, y, 0.0]], np.float32))[0]
    assert spot[:2] == pytest.approx([column * camera.width, row * camera.rows], abs=0.5)


def test_a_pixel_above_the_horizon_is_no_place_on_the_ground() -> None:
    with pytest.raises(ValueError, match="horizon"):
        CAMERA.on_ground(160, -200)


def test_the_box_of_a_thing_holds_the_pixels_it_changes() -> None:
    backdrop = bake(small_stage())
    picture, seen = compose(backdrop, [Item("crate", crate(0.5, 9.0), "bag", shadow=0.0)])
    x1, y1, x2, _ = seen[0].box
    changed = np.abs(picture - backdrop.picture).max(axis=2) > 25
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert np.abs(np.array([columns[0], rows[0], columns[-1] + 1]) - [x1, y1, x2]).max() <= 2
    corners = CAMERA.project(np.array([[x, y, z] for x in (0, 1) for y in (8.5, 9.5) for z in (0, 1)], np.float32))
    expected = [*corners[:, :2].min(axis=0), *corners[:, :2].max(axis=0)]
    assert np.abs(np.array(expected) - seen[0].box).max() <= 2.5


def test_a_thing_behind_a_wall_is_not_seen() -> None:
    backdrop = bake(small_stage(wall_across(8.0, 4.0)))
    picture, seen = compose(backdrop, [Item("crate", crate(0.0, 12.0), "bag")])
    assert seen == []
    assert np.abs(picture - backdrop.picture)[:110].max() < 25


def test_of_a_thing_half_behind_another_half_is_visible() -> None:
    backdrop = bake(small_stage())
    _, seen = compose(backdrop, [Item("far", crate(0.0, 12.0), "bag"), Item("near", crate(0.5, 10.6), "bag")])
    visible = {thing.name: thing.visible for thing in seen}
    assert visible["near"] == 1.0 and 0.2 < visible["far"] < 0.85


def test_a_shadow_falls_away_from_the_sun() -> None:
    backdrop = bake(small_stage(light=Light(to_sun=(-1.0, 0.0, 1.0))))
    picture, seen = compose(backdrop, [Item("crate", crate(0.0, 9.0))])
    x1, _, x2, y2 = seen[0].box
    darker = backdrop.picture.mean(axis=2) - picture.mean(axis=2)
    right, left = darker[y2 - 8 : y2 - 2, x2 + 2 : x2 + 12], darker[y2 - 8 : y2 - 2, x1 - 12 : x1 - 2]
    assert right.mean() > 15 > left.mean() + 5


@pytest.mark.parametrize("kind", ["person", "car", "bag"])
def test_things_are_closed_and_as_large_as_they_say(kind: str) -> None:
    rng = np.random.default_rng(4)
    size: tuple[float | None, float | None, float]
    if kind == "person":
        surfels, size = clothed(rng, tall=1.70).posed(walking(0.3)), (None, None, 1.70)
    elif kind == "car":
        vehicle = car(SEDAN, PAINTS["red"], rng, density=1500)
        surfels, size = vehicle.posed(), vehicle.size
    else:
        surfels, size = bag(BLACK_BAG, 0.6, rng), (None, None, 0.6)
    extent = surfels.positions.max(axis=0) - surfels.positions.min(axis=0)
    for measured, said in zip(extent, size, strict=True):
        assert said is None or measured == pytest.approx(said, rel=0.2)  # with mirrors and stride
    assert np.abs(np.linalg.norm(surfels.normals, axis=1) - 1).max() < 1e-3
    assert surfels.positions[:, 2].min() > -0.05
    _, seen = compose(bake(small_stage()), [Item("it", surfels.at(0.0, 8.0, 0.7), "bag")])
    x1, y1, x2, y2 = seen[0].box
    assert seen[0].pixels > 0.25 * (x2 - x1) * (y2 - y1)


def test_a_fire_grows_lives_and_goes_out() -> None:
    burner = Burner(Blaze(), 3)
    shapes = []
    for step in range(60):
        burner.step(0.1, 1.0 if step < 40 else 0.0)
        shapes.append(burner.flame()[..., 3] > 0.35)
    areas = [int(shape.sum()) for shape in shapes]
    assert areas[35] > 60 and areas[-1] == 0
    overlap = [(a & b).sum() / (a | b).sum() for a, b in pairwise(shapes[20:41]) if (a | b).any()]
    assert 0.15 < float(np.mean(overlap)) < 0.9  # it flickers, and it stays one fire
    for _ in range(100):
        burner.step(0.1, 0.0)
    assert burner.quiet


def test_flames_are_hot_in_colour_and_smoke_is_grey() -> None:
    burner = Burner(Blaze(smoke=1.5), 5)
    for _ in range(40):
        burner.step(0.1, 1.0)
    flame, smoke = burner.flame(), burner.smoke()
    hot = flame[flame[..., 3] > 0.6][:, :3]
    blue, green, red = hot.mean(axis=0)
    assert red > 180 and red > green > blue
    dense = smoke[smoke[..., 3] > 0.3]
    tones = dense[:, :3] / dense[:, 3:]
    assert np.median(tones.max(axis=1) - tones.min(axis=1)) < 40


def test_the_same_fire_burns_the_same_again() -> None:
    first, second = Burner(Blaze(), 9), Burner(Blaze(), 9)
    for burner in (first, second):
        for _ in range(12):
            burner.step(0.1, 1.0)
    assert np.array_equal(first.flame(), second.flame())


def test_the_box_of_a_fire_is_where_it_glows() -> None:
    burner = Burner(Blaze(width=1.0, smoke=0.0), 3)
    for _ in range(30):
        burner.step(0.1, 1.0)
    backdrop = bake(small_stage())
    picture, seen = compose(backdrop, [], [Fire("drum", burner, 0.0, 9.0)])
    flames = next(thing for thing in seen if thing.label == "fire")
    x1, y1, x2, y2 = flames.box
    ground = CAMERA.project(np.array([[0.0, 9.0, 0.0]], np.float32))[0]
    assert x1 - 6 < ground[0] < x2 + 6 and abs(y2 - ground[1]) < 8
    assert picture[y1:y2, x1:x2, 2].max() > 240


@pytest.mark.parametrize("syllable", list("수원역어린이보호구역무단투기금지과태료행복세탁쓰레기투기금지약국편의점"))
def test_every_syllable_of_the_signs_has_strokes_within_its_square(syllable: str) -> None:
    points = np.concatenate([np.array(stroke) for stroke in strokes(syllable)])
    assert points.min() >= -0.05 and points.max() <= 1.05 and len(points) >= 4


def test_different_syllables_look_different() -> None:
    def drawn(text: str) -> np.ndarray:
        picture = np.zeros((48, 48, 3), np.uint8)
        write(picture, text, (4, 4), 40, (255, 255, 255))
        return picture

    assert not np.array_equal(drawn("가"), drawn("나")) and not np.array_equal(drawn("가"), drawn("각"))


def test_what_is_not_korean_has_no_strokes() -> None:
    with pytest.raises(ValueError, match="Korean"):
        strokes("A")
