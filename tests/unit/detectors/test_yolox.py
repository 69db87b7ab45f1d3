from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.detections import Detections, ObjectClass
from detectors.yolox import SHIPPED_MODEL, ModelError, YoloxDetector, suppress
from tests.requirements import need_data, need_module


@pytest.fixture(scope="module", params=["shipped", "coco"])
def detector(request: pytest.FixtureRequest) -> YoloxDetector:
    """The shipped model (decoded, any batch) and the published one (raw grids, batch of one, 80 classes)."""
    if request.param == "coco":
        return YoloxDetector(need_data("weights/yolox_nano_coco.onnx"))
    return YoloxDetector()


def test_people_of_a_real_picture_are_found(detector: YoloxDetector) -> None:
    image = cv2.imread(str(need_data("boxes/coco128/images/000000000036.jpg")))
    (found,) = detector.detect([image])
    people = found.only((found.class_ids == ObjectClass.PERSON) & (found.scores > 0.5))
    assert len(people) == 1
    x1, y1, x2, y2 = people.boxes[0] / np.array([image.shape[1], image.shape[0]] * 2)
    assert abs((x1 + x2) / 2 - 0.67) < 0.1 and abs((y1 + y2) / 2 - 0.63) < 0.1  # its COCO label


def test_a_batch_of_odd_sizes_gives_what_each_gives_alone(detector: YoloxDetector) -> None:
    image = cv2.imread(str(need_data("boxes/coco128/images/000000000036.jpg")))
    images = [image, image[100:260, 50:210], np.zeros((20, 900, 3), np.uint8)]
    together = detector.detect(images)
    for one, alone in zip(together, (detector.detect([picture])[0] for picture in images), strict=True):
        assert np.allclose(one.boxes, alone.boxes, atol=0.5)
        assert np.allclose(one.scores, alone.scores, atol=1e-3)
        assert one.class_ids.tolist() == alone.class_ids.tolist()


def test_boxes_lie_in_the_picture_with_types_as_promised(detector: YoloxDetector) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (123, 457, 3)).astype(np.uint8)
    (found,) = detector.detect([picture])
    assert (found.boxes.dtype, found.scores.dtype, found.class_ids.dtype) == (np.float32, np.float32, np.int32)
    assert found.boxes.shape == (len(found), 4)
    assert (found.boxes >= 0).all() and (found.boxes <= [457, 123, 457, 123]).all()
    assert all(class_id in set(ObjectClass) for class_id in found.class_ids)


def test_nothing_to_look_at_is_nothing_found(detector: YoloxDetector) -> None:
    assert detector.detect([]) == []


def test_more_pictures_than_a_batch_holds_are_split(detector: YoloxDetector) -> None:
    assert len(detector.detect([np.zeros((60, 60, 3), np.uint8)] * 11)) == 11


def test_a_missing_or_broken_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model file"):
        YoloxDetector(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        YoloxDetector(broken)


def test_suppression_is_by_class_and_keeps_the_best() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [1, 1, 11, 11], [50, 50, 60, 60]], np.float32)
    scores = np.array([0.5, 0.9, 0.4, 0.3], np.float32)
    kept = suppress(Detections(boxes, scores, np.array([0, 0, 2, 0], np.int32)), 0.5)
    assert kept.scores.tolist() == pytest.approx([0.9, 0.4, 0.3])


def test_the_shipped_model_is_the_default() -> None:
    assert SHIPPED_MODEL.is_file()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_ultralytics_model_sees_through_the_same_interface(tmp_path: Path) -> None:
    need_module("ultralytics")
    from ultralytics import YOLO

    from detectors.ultralytics_backend import UltralyticsDetector

    model = tmp_path / "untrained.pt"
    YOLO("yolo11n.yaml").save(str(model))  # from its description: nothing is fetched
    found = UltralyticsDetector(model, image_size=160, score_threshold=0.0001).detect(
        [np.zeros((90, 160, 3), np.uint8), np.zeros((200, 100, 3), np.uint8)]
    )
    assert len(found) == 2
    assert all(class_id in set(ObjectClass) for one in found for class_id in one.class_ids)
