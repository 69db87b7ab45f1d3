"""Rendered training pictures and their labels."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.detections import ObjectClass
from detectors.scenes.training import SIZE, Renderer, Sample, write

pytestmark = pytest.mark.timeout(400)  # a few seconds of one free core, much longer beside other work


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    renderer = Renderer(21)
    return [renderer.next() for _ in range(13)]


def test_labels_are_yolo_rows_in_the_order_of_object_class(samples: list[Sample]) -> None:
    rows = [row for sample in samples for row in sample.rows]
    assert {row[0] for row in rows} <= {int(one) for one in ObjectClass} and len({row[0] for row in rows}) >= 2
    for _, x, y, width, height in rows:
        assert 0 < width <= 1 and 0 < height <= 1
        assert x - width / 2 >= -1e-6 and x + width / 2 <= 1 + 1e-6
        assert y - height / 2 >= -1e-6 and y + height / 2 <= 1 + 1e-6


def test_pictures_are_square_and_not_empty(samples: list[Sample]) -> None:
    for sample in samples:
        assert sample.image.shape == (SIZE, SIZE, 3) and sample.image.dtype == np.uint8
        assert sample.image.std() > 2


def test_a_seed_gives_the_same_pictures_and_another_gives_others(samples: list[Sample]) -> None:
    again, other = Renderer(21).next(), Renderer(22).next()
    assert np.array_equal(samples[0].image, again.image) and samples[0].rows == again.rows
    assert not np.array_equal(samples[0].image, other.image)


def test_files_lie_as_yolo_wants_them(tmp_path: Path) -> None:
    write(tmp_path, 2, 5)
    images = sorted((tmp_path / "images").iterdir())
    assert len(images) == 2
    for image in images:
        picture = cv2.imread(str(image))
        assert picture is not None and picture.shape == (SIZE, SIZE, 3)
        for line in (tmp_path / "labels" / f"{image.stem}.txt").read_text().splitlines():
            number, *fractions = line.split()
            assert 0 <= int(number) <= 8 and len(fractions) == 4
            assert all(0 <= float(fraction) <= 1 for fraction in fractions)


def test_nothing_that_runs_a_camera_imports_the_scenes() -> None:
    """The worker must not be able to look at the truth it is scored against."""
    check = (
        "import sys, detectors.analyzer, detectors.yolox, streams.worker, streams.pictures\n"
        "found = [name for name in sys.modules if name.startswith('detectors.scenes')]\n"
        "assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
