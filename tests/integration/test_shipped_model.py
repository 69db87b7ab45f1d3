"""The detector file that ships."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime

from detectors.boxes import iou_matrix
from detectors.detections import ObjectClass
from detectors.training.__main__ import HELD_OUT, SHIPPED
from detectors.training.data import SOURCES, held_out_names, read_source
from detectors.training.evaluate import look_at_pictures, quality
from detectors.yolox import YoloxDetector
from tests.requirements import need_data

KEPT = tuple(c for c in ObjectClass if c < ObjectClass.BAG)


def _session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(SHIPPED), providers=["CPUExecutionProvider"])


def test_it_is_small_and_says_what_it_is() -> None:
    assert SHIPPED.stat().st_size < 6_000_000
    said = _session().get_modelmeta().custom_metadata_map
    assert json.loads(said["names"]) == [item.name.lower() for item in ObjectClass]
    assert said["input_size"] == "416"
    assert said["decoded"] == "1"
    assert "YOLOX" in said["source"]
    assert "Apache-2.0" in said["licence"]


def test_its_notice_and_card_lie_beside_it() -> None:
    assert "Megvii" in (SHIPPED.parent / "NOTICE").read_text()
    assert SHIPPED.name in (SHIPPED.parent / "README.md").read_text()


def test_it_takes_batches_of_any_size() -> None:
    session = _session()
    images = np.random.default_rng(1).uniform(0, 255, (3, 3, 416, 416)).astype(np.float32)
    (together,) = session.run(None, {"images": images})
    assert together.shape == (3, 7098, 14)
    (alone,) = session.run(None, {"images": images[1:2]})
    assert np.abs(together[1, :, 4:] - alone[0, :, 4:]).max() < 1e-4


def test_people_and_vehicles_are_those_of_the_published_network() -> None:
    original = YoloxDetector(need_data("weights/yolox_nano_coco.onnx"), score_threshold=0.2)
    ours = YoloxDetector(SHIPPED, score_threshold=0.2)
    coco = next(source for source in SOURCES if source.name == "coco128")
    held_out = held_out_names(HELD_OUT)
    pictures = [p for p in read_source(need_data("boxes"), coco) if p.name in held_out][:24]
    compared = 0
    for picture in pictures:
        image = picture.read()
        mine, theirs = ours.detect([image])[0], original.detect([image])[0]
        for kept in KEPT:
            left, right = mine.only(mine.class_ids == int(kept)), theirs.only(theirs.class_ids == int(kept))
            assert len(left) == len(right), f"{picture.name}: {kept.name}"
            assert np.abs(left.scores - right.scores).max(initial=0) < 1e-3
            assert (iou_matrix(left.boxes, right.boxes).diagonal() > 0.999).all()
            compared += len(left)
    assert compared > 30


def test_it_sees_bags_fire_and_smoke_in_pictures_it_was_not_trained_on() -> None:
    detector = YoloxDetector(SHIPPED, score_threshold=0.05)
    held_out = held_out_names(HELD_OUT)
    boxes = need_data("boxes")
    asked = (
        ("trash_bags_kr", ObjectClass.BAG, 0.6),
        ("fire_sathur", ObjectClass.FIRE, 0.4),
        ("fire_8", ObjectClass.SMOKE, 0.3),
    )
    for name, object_class, least in asked:
        source = next(source for source in SOURCES if source.name == name)
        pictures = [p for p in read_source(boxes, source) if p.name in held_out][::4]
        figures = quality(look_at_pictures(detector, pictures), frozenset({object_class}))
        assert figures["ap50"] > least, f"{object_class.name} in {name}: {figures}"
