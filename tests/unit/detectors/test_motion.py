from __future__ import annotations

import cv2
import numpy as np

from detectors.motion import MotionField, working_size
from tests.drawn_scene import HEIGHT, WIDTH, Street


def test_a_still_picture_does_not_move_in_spite_of_grain() -> None:
    street, field = Street(), MotionField(WIDTH, HEIGHT)
    shares = [field.update(street.picture(), index / 5).share for index in range(20)]
    assert max(shares) < 0.001


def test_a_walker_moves_where_he_is() -> None:
    street, field = Street(), MotionField(WIDTH, HEIGHT)
    for index in range(10):
        x = 100 + 12 * index
        motion = field.update(street.picture(((x, 200, x + 30, 290),)), index / 5)
    assert len(motion.regions) >= 1
    x1, y1, x2, y2 = motion.regions[0]
    assert x1 < x + 15 < x2 and y1 < 245 < y2
    assert motion.share_in(np.array([x, 200, x + 30, 290], np.float32)) > 0.2
    assert motion.share_in(np.array([400, 200, 430, 290], np.float32)) < 0.01


def test_a_cut_is_told_from_movement() -> None:
    street, field = Street(), MotionField(WIDTH, HEIGHT)
    for index in range(5):
        assert not field.update(street.picture(), index / 5).scene_changed
    other = Street(background=255 - street.background)
    assert field.update(other.picture(), 1.0).scene_changed
    assert not field.update(other.picture(), 1.2).scene_changed


def test_leaves_that_never_rest_stop_counting_as_movement() -> None:
    street, field = Street(), MotionField(WIDTH, HEIGHT)
    chance = np.random.default_rng(3)
    shares = []
    still = street.picture()
    for index in range(200):
        picture = still.copy()
        clumps = cv2.resize(chance.uniform(-40, 40, (6, 10)), (100, 60), interpolation=cv2.INTER_NEAREST)
        picture[20:80, 400:500] = (picture[20:80, 400:500] + clumps[:, :, None]).clip(0, 255).astype(np.uint8)
        shares.append(field.update(picture, index / 5).share)
    assert np.mean(shares[5:15]) > 4 * np.mean(shares[-20:])


def test_a_swaying_camera_is_held_still() -> None:
    street, field = Street(), MotionField(WIDTH, HEIGHT)
    shares, shifts = [], []
    for index in range(30):
        sway = (4 * np.sin(index * 0.9), 2 * np.sin(index * 0.6))
        motion = field.update(street.picture(shift=sway), index / 5)
        shares.append(motion.share)
        shifts.append(motion.grid.shift)
    assert max(abs(x) for x, _ in shifts) > 1.5
    assert np.mean(shares[3:]) < 0.01


def test_a_turned_camera_loses_its_background_and_takes_a_new_one() -> None:
    street, field = Street(), MotionField(WIDTH, HEIGHT)
    for index in range(5):
        field.update(street.picture(), index / 5)
    turned = [field.update(street.picture(shift=(110, 0)), 1.0 + index / 5) for index in range(8)]
    assert any(motion.background_lost for motion in turned)
    assert not turned[-1].background_lost


def test_boxes_map_to_the_working_picture_and_back() -> None:
    grid = MotionField(1280, 720).update(np.zeros((720, 1280, 3), np.uint8), 0.0).grid
    assert working_size(1280, 720) == (480, 270)
    assert grid.window(np.array([0, 0, 1280, 720], np.float32)) == (0, 0, 480, 270)
    assert grid.window(np.array([2000, 2000, 2001, 2001], np.float32)) == (479, 269, 480, 270)
    assert grid.frame_boxes(np.array([48, 27, 96, 54], np.float32)).tolist() == [128, 72, 256, 144]
