from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Zone
from detectors.boxes import covered, gap, iou
from detectors.zones import ZoneArea

TRIANGLE = ZoneArea(Zone(name="t", polygon=((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), rules=()), 640, 360)


def box(*sides: float) -> np.ndarray:
    return np.array(sides, np.float32)


def test_a_point_is_inside_or_outside() -> None:
    assert TRIANGLE.contains(10, 10)
    assert not TRIANGLE.contains(630, 350)
    assert TRIANGLE.contains(325, 180, tolerance=5)


def test_the_share_of_a_box_is_exact_to_the_small_mask() -> None:
    assert TRIANGLE.share_of(box(0, 0, 100, 100)) == 1.0
    assert TRIANGLE.share_of(box(500, 300, 640, 360)) == 0.0
    assert TRIANGLE.share_of(box(0, 0, 640, 360)) == pytest.approx(0.5, abs=0.02)


def test_a_zone_without_polygon_is_the_whole_picture() -> None:
    area = ZoneArea(Zone(name="all", rules=()), 640, 360)
    assert area.share_of(box(-50, -50, 900, 900)) == 1.0
    assert area.contains(0, 0) and area.contains(640, 360)


def test_touching_counts_a_margin() -> None:
    assert not TRIANGLE.touches(box(600, 300, 640, 360))
    assert TRIANGLE.touches(box(600, 300, 640, 360), margin=300)


boxes = st.tuples(*[st.floats(0, 500)] * 4).map(
    lambda s: box(min(s[0], s[2]), min(s[1], s[3]), max(s[0], s[2]) + 1, max(s[1], s[3]) + 1)
)


@given(boxes, boxes)
def test_overlap_and_gap_agree(first: np.ndarray, second: np.ndarray) -> None:
    assert iou(first, second) == pytest.approx(iou(second, first))
    assert iou(first, first) == pytest.approx(1.0)
    assert 0 <= covered(first, second) <= 1 + 1e-5
    if gap(first, second) > 0:
        assert iou(first, second) == 0
