"""Preparing training pictures. Needs neither PyTorch nor the development data."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.detections import Detections, ObjectClass
from detectors.training.__main__ import HELD_OUT, main
from detectors.training.augment import SIDE, Composer, clipped, fill_pools
from detectors.training.augment import Scene as TrainingScene
from detectors.training.data import DataError, Picture, Source, held_out_names, read_labels, read_source
from detectors.training.evaluate import Seen, average_precision, matches
from detectors.training.splits import choose_held_out, difference_hash, distances, scenes

FIRE_AND_BAG = Source("made", "CC0", {0: ObjectClass.FIRE, 2: ObjectClass.BAG, 3: None}, frozenset(ObjectClass))


def _folder(root: Path, texts: dict[str, str]) -> Path:
    """A source folder `made` with one textured picture a label text."""
    images, labels = root / "made" / "images", root / "made" / "labels"
    images.mkdir(parents=True)
    labels.mkdir()
    for number, (name, text) in enumerate(texts.items()):
        coarse = np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(images / f"{name}.jpg"), cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC))
        (labels / f"{name}.txt").write_text(text)
    return root


def _octagon(cx: float, cy: float, radius: float) -> str:
    turns = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    return " ".join(f"{cx + radius * np.cos(t):.4f} {cy + radius * np.sin(t):.4f}" for t in turns)


def test_boxes_and_polygons_are_read_and_unknown_classes_dropped(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text(f"0 0.5 0.5 0.2 0.4\n1 0.5 0.5 1 1\n2 {_octagon(0.3, 0.6, 0.1)}\n")
    fire, bag = read_labels(path, FIRE_AND_BAG.classes)
    assert fire.object_class is ObjectClass.FIRE
    assert fire.box == pytest.approx((0.4, 0.3, 0.6, 0.7))
    assert not fire.outlined
    assert bag.outlined
    assert bag.box == pytest.approx((0.2, 0.5, 0.4, 0.7), abs=1e-3)


def test_a_bad_label_line_is_named_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("0 0.5 0.5 0.2 0.4\n0 0.5 0.5 0.2\n")
    with pytest.raises(DataError, match=r"one\.txt:2: 3 numbers"):
        read_labels(path, FIRE_AND_BAG.classes)
    path.write_text("fire 0.5 0.5 0.2 0.4\n")
    with pytest.raises(DataError, match=r"one\.txt:1: not YOLO text"):
        read_labels(path, FIRE_AND_BAG.classes)


def test_a_mirrored_or_recompressed_picture_is_of_the_same_scene(tmp_path: Path) -> None:
    boxes = _folder(tmp_path, {"a": "", "b": "", "c": ""})
    images = boxes / "made" / "images"
    first = cv2.imread(str(images / "a.jpg"))
    cv2.imwrite(str(images / "b.jpg"), first[:, ::-1])
    cv2.imwrite(str(images / "d.jpg"), first, [cv2.IMWRITE_JPEG_QUALITY, 30])
    pictures = read_source(boxes, FIRE_AND_BAG)
    a, b, c, d = scenes(pictures)
    assert a == b == d
    assert c != a
    straight = difference_hash(first)
    assert distances(np.stack([straight, ~straight]), straight).tolist() == [0, 256]


def test_a_scene_is_held_out_whole_or_not_at_all() -> None:
    names = [f"p{number:02}" for number in range(60)]
    pictures = [Picture("fire_8", Path(f"{name}.jpg"), ()) for name in names]
    scene_of = [number // 3 for number in range(60)]
    chosen = set(choose_held_out(pictures, scene_of))
    assert 0 < len(chosen) <= 0.22 * 60
    for scene in range(20):
        assert len({p.name in chosen for p, s in zip(pictures, scene_of, strict=True) if s == scene}) == 1


def test_composed_pictures_have_boxes_of_the_new_classes_inside_the_picture(tmp_path: Path) -> None:
    texts = {f"fire{n}": "0 0.5 0.5 0.3 0.5\n" for n in range(3)}
    texts |= {f"bag{n}": f"2 {_octagon(0.5, 0.5, 0.2)}\n" for n in range(3)}
    texts |= {f"street{n}": "" for n in range(3)}
    pools = fill_pools(read_source(_folder(tmp_path, texts), FIRE_AND_BAG))
    assert (len(pools.burning), len(pools.bags), len(pools.streets), len(pools.bag_sprites)) == (3, 3, 3, 3)
    composer = Composer(pools, seed=5)
    made = [composer.picture() for _ in range(60)]
    for scene in made:
        assert scene.image.shape == (SIDE, SIDE, 3)
        assert scene.image.dtype == np.uint8
        assert len(scene.boxes) == len(scene.classes)
        assert (scene.boxes >= 0).all() and (scene.boxes <= SIDE).all()
        assert ((scene.boxes[:, 2:] - scene.boxes[:, :2]) >= 6).all()
    seen = {int(number) for scene in made for number in scene.classes}
    assert seen == {int(ObjectClass.BAG), int(ObjectClass.FIRE), int(ObjectClass.SMOKE)}
    assert any(not len(scene.classes) for scene in made), "some pictures must show nothing"
    again = Composer(pools, seed=5).picture()
    assert np.array_equal(again.image, made[0].image), "a seed gives the same pictures again"


def test_a_box_that_is_cut_off_is_dropped() -> None:
    scene = TrainingScene(
        np.zeros((SIDE, SIDE, 3), np.uint8),
        np.array([[-90, 0, 10, 50], [10, 10, 60, 60]], np.float32),
        np.array([6, 7]),
    )
    kept = clipped(scene, (0, 0, SIDE, SIDE))
    assert kept.classes.tolist() == [7]


def test_average_precision_of_a_known_ranking() -> None:
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert average_precision(scores, np.array([True, False, True]), 2) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision(scores, np.array([True, True, True]), 4) == pytest.approx(0.75)


def test_a_thing_found_twice_counts_once_and_ignored_regions_count_neither_way() -> None:
    truth = np.array([[0, 0, 10, 10], [100, 100, 200, 200]], np.float32)
    found = Detections(
        np.array([[0, 0, 10, 10], [1, 0, 10, 10], [120, 120, 140, 140]], np.float32),
        np.array([0.9, 0.8, 0.7], np.float32),
        np.full(3, int(ObjectClass.BAG), np.int32),
    )
    seen = Seen("made", truth, np.array([int(ObjectClass.BAG), -1], np.int32), frozenset(ObjectClass), found)
    scores, hits, wanted = matches(seen, frozenset({ObjectClass.BAG}))
    assert wanted == 1
    assert hits.tolist() == [True, False]
    assert scores.tolist() == pytest.approx([0.9, 0.8])


def test_the_held_out_list_names_pictures_of_every_source() -> None:
    names = held_out_names(HELD_OUT)
    assert {name.split("/")[0] for name in names} == {
        "coco128", "crossing_traffic", "fire_8", "fire_sathur", "garbage_piles", "trash_bags_kr", "ward_falls",
    }  # fmt: skip


def test_the_command_names_its_commands_and_says_which_folder_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("split", "preview", "train", "export", "evaluate"))
    assert main(["--data", str(tmp_path), "split", "--out", str(tmp_path / "list.txt")]) == 2
    assert "no images/*.jpg" in capsys.readouterr().err
