from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from detectors.crops import BURST, CROPS_PER_SECOND, MIN_SIDE, CropPlanner, Request, cut, gather
from detectors.detections import Boxes, Detections, ObjectClass
from detectors.frame import Frame
from detectors.look import Crop, Look
from detectors.motion import MotionField

NONE: Boxes = np.zeros((0, 4), np.float32)


def box(*sides: float) -> np.ndarray:
    return np.array(sides, np.float32)


def warm_planner(interest: np.ndarray | None = None) -> CropPlanner:
    """One that has just looked at the whole picture and has its full budget."""
    planner = CropPlanner(640, 360, interest)
    assert [crop.box for crop in planner.plan([], NONE, 0.0, True)] == [(0, 0, 640, 360)]
    planner.plan([], NONE, 5.0, True)
    return planner


def look_of(*crops: Crop) -> Look:
    frame = Frame("cam", np.zeros((360, 640, 3), np.uint8), 0, datetime(2026, 1, 1, tzinfo=UTC))
    return Look(frame, crops, MotionField(640, 360).update(frame.image, 0.0), (), ())


def found(*items: tuple[tuple[float, float, float, float], float, ObjectClass]) -> Detections:
    return Detections(
        np.array([item[0] for item in items], np.float32).reshape(-1, 4),
        np.array([item[1] for item in items], np.float32),
        np.array([item[2] for item in items], np.int32),
    )


def test_a_small_region_gets_a_crop_of_least_size_inside_the_picture() -> None:
    (crop,) = warm_planner().plan([Request(box(630, 2, 638, 20), 2)], NONE, 5.2, True)
    x1, y1, x2, y2 = crop.box
    assert (x2 - x1, y2 - y1) == (MIN_SIDE, MIN_SIDE)
    assert x2 == 640 and y1 == 0


def test_near_regions_share_a_crop_and_far_ones_do_not() -> None:
    near = [Request(box(100, 100, 120, 140), 2), Request(box(150, 110, 170, 150), 2)]
    assert len(warm_planner().plan(near, NONE, 5.2, True)) == 1
    far = [Request(box(20, 20, 40, 60), 2), Request(box(600, 300, 620, 340), 2)]
    assert len(warm_planner().plan(far, NONE, 5.2, True)) == 2


def test_a_crop_does_not_cut_through_a_followed_object() -> None:
    followed = box(180, 40, 240, 240)[None]
    (crop,) = warm_planner().plan([Request(box(120, 60, 150, 100), 2)], followed, 5.2, True)
    assert crop.box[0] <= 180 and crop.box[1] <= 40 and crop.box[2] >= 240 and crop.box[3] >= 240


def test_the_budget_holds_under_constant_wishes() -> None:
    planner = CropPlanner(640, 360)
    wish = [Request(box(100, 100, 120, 140), 2)]
    crops = sum(len(planner.plan(wish, NONE, index / 5, True)) for index in range(600))
    assert crops <= BURST + 120 * CROPS_PER_SECOND + 1


def test_the_most_urgent_go_first() -> None:
    wishes = [Request(box(x, 100, x + 10, 140), 1) for x in (10, 300)] + [Request(box(600, 300, 620, 340), 3)]
    assert warm_planner().plan(wishes, NONE, 5.2, True)[0].priority == 3


def test_a_quiet_picture_is_looked_at_rarely_and_its_zones_from_near() -> None:
    planner = CropPlanner(640, 360, box(400, 100, 560, 260))
    crops = [crop for index in range(600) for crop in planner.plan([], NONE, index / 5, False)]
    assert 4 <= len(crops) <= 7
    near = [crop.box for crop in crops if crop.box != (0, 0, 640, 360)]
    assert near and all(x1 <= 400 and y1 <= 100 and x2 >= 560 and y2 >= 260 for x1, y1, x2, y2 in near)


def test_movement_in_which_nothing_is_found_grows_dull_until_something_is() -> None:
    planner, tree = CropPlanner(640, 360), box(100, 100, 140, 160)
    looked = box(50, 50, 250, 250)[None]
    for step in range(8):
        planner.learn([tree], NONE, looked, step * 10.0)
    assert planner.is_dull(tree, 75.0)
    assert not planner.is_dull(tree, 90.0)
    planner.learn([tree], tree[None], looked, 90.0)
    assert not planner.is_dull(tree, 90.1)


def test_detections_come_back_in_frame_pixels_once() -> None:
    crops = (Crop((0, 0, 300, 300), 2), Crop((200, 0, 500, 300), 2))
    first = found(((220, 100, 260, 200), 0.8, ObjectClass.PERSON))
    second = found(((21, 101, 61, 200), 0.7, ObjectClass.PERSON), ((150, 50, 200, 150), 0.6, ObjectClass.CAR))
    merged = gather(look_of(*crops), [first, second])
    assert len(merged) == 2
    assert merged.boxes[0].tolist() == [220, 100, 260, 200]
    assert merged.boxes[1].tolist() == [350, 50, 400, 150]


def test_a_box_cut_by_its_crop_gives_way_to_the_whole_one() -> None:
    crops = (Crop((0, 0, 300, 300), 2), Crop((200, 0, 500, 300), 2))
    half = found(((250, 100, 300, 200), 0.9, ObjectClass.PERSON))
    whole = found(((50, 100, 140, 200), 0.5, ObjectClass.PERSON))
    merged = gather(look_of(*crops), [half, whole])
    assert merged.boxes.tolist() == [[250, 100, 340, 200]]


def test_a_box_that_only_a_cut_crop_shows_counts_half() -> None:
    merged = gather(look_of(Crop((0, 0, 300, 300), 2)), [found(((250, 100, 300, 200), 0.9, ObjectClass.PERSON))])
    assert merged.scores.tolist() == pytest.approx([0.45])


def test_an_edge_of_the_frame_cuts_nothing() -> None:
    merged = gather(look_of(Crop((340, 0, 640, 300), 2)), [found(((250, 100, 300, 200), 0.9, ObjectClass.PERSON))])
    assert merged.scores.tolist() == pytest.approx([0.9])


def test_as_many_detections_as_crops_are_wanted() -> None:
    with pytest.raises(ValueError, match="argument"):
        gather(look_of(Crop((0, 0, 300, 300), 2)), [])


def test_a_crop_is_a_view_of_the_frame() -> None:
    frame = look_of().frame
    assert cut(frame, Crop((10, 20, 110, 80), 0)).shape == (60, 100, 3)
    assert np.shares_memory(cut(frame, Crop((10, 20, 110, 80), 0)), frame.image)
