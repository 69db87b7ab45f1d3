"""Figures on real pictures kept out of training, ours beside the published YOLOX-nano. Needs no PyTorch."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.boxes import iou_matrix
from detectors.detections import VEHICLES, Boxes, Detections, ObjectClass
from detectors.detector import Detector
from detectors.frame import Image
from detectors.training.clips import NEGATIVE_CLIPS, fight_clips, frames
from detectors.training.data import FIRE_SMOKE, Picture, read_all
from detectors.yolox import YoloxDetector

LEAST_SCORE = 0.01
OPERATING_SCORES = (0.3, 0.5)
MATCH_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture's truth (classes -1: ignored regions) and what a detector found in it."""

    source: str
    boxes: Boxes
    classes: NDArray[np.int32]
    complete: frozenset[ObjectClass]
    found: Detections


Members = frozenset[ObjectClass]


def matches(seen: Seen, members: Members) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """Scores (N,) and hits (N,) of the detections of `members` in one picture, and how many were to be found.

    Greedy, best score first, IoU ≥ 0.5; what lies mostly inside an ignored region counts neither way.
    """
    wanted = np.isin(seen.classes, [int(member) for member in members])
    truth, ignored = seen.boxes[wanted], seen.boxes[seen.classes < 0]
    found = seen.found.only(np.isin(seen.found.class_ids, [int(member) for member in members]))
    order = np.argsort(-found.scores, kind="stable")
    overlaps = iou_matrix(found.boxes, truth)
    free = np.ones(len(truth), bool)
    scores: list[float] = []
    hits: list[bool] = []
    for index in order:
        candidates = np.where(free, overlaps[index], 0.0) if len(truth) else np.zeros(0)
        hit = bool(len(candidates)) and candidates.max() >= MATCH_IOU
        if hit:
            free[int(candidates.argmax())] = False
        elif _share_inside(found.boxes[index], ignored) > 0.5:
            continue
        scores.append(float(found.scores[index]))
        hits.append(hit)
    return np.array(scores, np.float32), np.array(hits, np.bool_), len(truth)


def _share_inside(box: NDArray[np.float32], regions: Boxes) -> float:
    """The largest share of `box` that one of `regions` covers."""
    if not len(regions):
        return 0.0
    low, high = np.maximum(box[:2], regions[:, :2]), np.minimum(box[2:], regions[:, 2:])
    return float((np.clip(high - low, 0, None).prod(axis=1) / max(1e-6, float((box[2:] - box[:2]).prod()))).max())


def average_precision(scores: NDArray[np.float32], hits: NDArray[np.bool_], wanted: int) -> float:
    """Area under the precision envelope (all points, PASCAL VOC 2010)."""
    if not wanted or not len(scores):
        return 0.0
    ordered = hits[np.argsort(-scores, kind="stable")]
    found = np.cumsum(ordered)
    precision = found / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[ordered].sum() / wanted)


def quality(pictures: Sequence[Seen], members: Members) -> dict[str, float]:
    """AP50, and precision and recall at the operating scores."""
    parts = [matches(seen, members) for seen in pictures]
    scores = np.concatenate([part[0] for part in parts])
    hits = np.concatenate([part[1] for part in parts])
    wanted = sum(part[2] for part in parts)
    figures = {"instances": float(wanted), "ap50": average_precision(scores, hits, wanted)}
    for score in OPERATING_SCORES:
        over = scores >= score
        figures[f"precision@{score}"] = float(hits[over].mean()) if over.any() else 0.0
        figures[f"recall@{score}"] = float(hits[over].sum() / max(1, wanted))
    return {name: round(value, 4) for name, value in figures.items()}


QUESTIONS: tuple[tuple[str, Members, tuple[str, ...]], ...] = (
    *((f"{c.name.lower()} coco128", frozenset({c}), ("coco128",)) for c in ObjectClass if c < ObjectClass.FIRE),
    ("vehicle coco128", VEHICLES, ("coco128",)),
    ("person crossing_traffic", frozenset({ObjectClass.PERSON}), ("crossing_traffic",)),
    ("vehicle crossing_traffic", VEHICLES, ("crossing_traffic",)),
    ("person ward_falls", frozenset({ObjectClass.PERSON}), ("ward_falls",)),
    ("bag trash_bags_kr", frozenset({ObjectClass.BAG}), ("trash_bags_kr",)),
    ("fire fire_8", frozenset({ObjectClass.FIRE}), ("fire_8",)),
    ("fire fire_sathur", frozenset({ObjectClass.FIRE}), ("fire_sathur",)),
    ("fire furg_house6 (clip)", frozenset({ObjectClass.FIRE}), ("furg_house6",)),
    ("smoke fire_8", frozenset({ObjectClass.SMOKE}), ("fire_8",)),
    ("smoke fire_sathur", frozenset({ObjectClass.SMOKE}), ("fire_sathur",)),
)


def furg_truth(path: Path) -> dict[int, Boxes]:
    """Frame number → boxes xyxy, of the FURG fire data set's OpenCV storage (x, y, width, height)."""
    truth: dict[int, Boxes] = {}
    for number, rest in re.findall(
        r"<frameNumber>(\d+)</frameNumber>(.*?)(?=<frameNumber>|\Z)", path.read_text(), re.S
    ):
        rows = re.findall(r"<_>\s*(\d+) (\d+) (\d+) (\d+)</_>", rest)
        boxes = np.array(rows, np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        truth[int(number)] = boxes
    return truth


def _look(detector: Detector, source: str, image: Image, boxes: Boxes, classes: Any, complete: Members) -> Seen:
    return Seen(source, boxes, np.asarray(classes, np.int32), complete, detector.detect([image])[0])


def look_at_pictures(detector: Detector, pictures: Iterable[Picture]) -> list[Seen]:
    """Run `detector` over pictures with their truth."""
    seen = []
    for picture in pictures:
        image = picture.read()
        boxes, classes = picture.boxes(image.shape[1], image.shape[0])
        seen.append(_look(detector, picture.source, image, boxes, classes, picture.complete))
    return seen


def _look_at_house(detector: Detector, clips_dir: Path) -> list[Seen]:
    """60 frames of the FURG clip, never trained on."""
    truth = furg_truth(clips_dir / "furg_house6.xml")
    numbers = np.linspace(0, max(truth), min(60, max(truth) + 1)).astype(int)
    images = frames(clips_dir / "furg_house6.mp4", len(numbers), last=max(truth))
    empty = np.zeros((0, 4), np.float32)
    seen = []
    for number, image in zip(numbers, images, strict=False):
        boxes = truth.get(int(number), empty)
        fire = np.full(len(boxes), int(ObjectClass.FIRE))
        seen.append(_look(detector, "furg_house6", image, boxes, fire, FIRE_SMOKE))
    return seen


def _look_at_negatives(detector: Detector, data_dir: Path) -> list[Seen]:
    """Frames of clips never trained on in which nothing burns and nothing lies about."""
    paths = [(data_dir / "clips" / name, 30) for name in NEGATIVE_CLIPS]
    paths += [(path, 2) for path in fight_clips(data_dir / "fights", held_out=True)]
    empty = np.zeros((0, 4), np.float32)
    return [
        _look(detector, path.stem if most > 2 else "fights", image, empty, [], FIRE_SMOKE | {ObjectClass.BAG})
        for path, most in paths
        for image in frames(path, most)
    ]


def false_alarms(pictures: Sequence[Seen], object_class: ObjectClass) -> dict[str, float]:
    """Share of pictures without `object_class` in which it is seen all the same, at the operating scores."""
    clean = [
        seen
        for seen in pictures
        if object_class in seen.complete and object_class not in seen.classes and -1 not in seen.classes
    ]
    figures: dict[str, float] = {"pictures": float(len(clean))}
    for score in OPERATING_SCORES:
        wrong = [((s.found.class_ids == int(object_class)) & (s.found.scores >= score)).any() for s in clean]
        figures[f"share@{score}"] = round(float(np.mean(wrong)), 4) if wrong else 0.0
    return figures


def latency_ms(detector: Detector, repeats: int = 60) -> float:
    """Median processor time of one 640 by 360 picture, letterbox and suppression included, one thread.

    Processor time, not the clock's, so that a busy machine tells the same.
    """
    image = np.random.default_rng(1).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    times = []
    for _ in range(repeats):
        started = time.process_time()
        detector.detect([image])
        times.append(time.process_time() - started)
    return round(float(np.median(times)) * 1000, 2)


def evaluate(model: Path, data_dir: Path, held_out: frozenset[str]) -> dict[str, Any]:
    """All figures: {"ours": {...}, "original": {...}, "model": …, "pictures": …}."""
    pictures = [picture for picture in read_all(data_dir / "boxes") if picture.name in held_out]
    original = data_dir / "weights" / "yolox_nano_coco.onnx"
    figures: dict[str, Any] = {"model": model.name, "bytes": model.stat().st_size, "pictures": len(pictures)}
    for name, path in (("ours", model), ("original", original)):
        detector = YoloxDetector(path, threads=1, score_threshold=LEAST_SCORE)
        seen = look_at_pictures(detector, pictures) + _look_at_house(detector, data_dir / "clips")
        negatives = _look_at_negatives(detector, data_dir)
        figures[name] = {
            "quality": {
                question: quality([one for one in seen if one.source in sources], members)
                for question, members, sources in QUESTIONS
            },
            "false_alarms": {
                c.name.lower(): {
                    "pictures": false_alarms(seen, c),
                    "clips": false_alarms(negatives, c),
                }
                for c in (ObjectClass.BAG, ObjectClass.FIRE, ObjectClass.SMOKE)
            },
            "latency_ms": latency_ms(YoloxDetector(path, threads=1)),
        }
    return figures


def table(figures: dict[str, Any]) -> str:
    """The figures for reading."""
    ours, original = figures["ours"], figures["original"]
    show: Callable[[float], str] = "{:.3f}".format
    lines = [f"{figures['model']}, {figures['bytes']} bytes, {figures['pictures']} held-out pictures", ""]
    lines.append(f"{'AP50':28} {'n':>5} {'ours':>6} {'orig.':>6}   precision/recall at {OPERATING_SCORES} (ours)")
    for question, row in ours["quality"].items():
        points = "  ".join(f"{show(row[f'precision@{s}'])}/{show(row[f'recall@{s}'])}" for s in OPERATING_SCORES)
        theirs = show(original["quality"][question]["ap50"])
        lines.append(f"{question:28} {row['instances']:5.0f} {show(row['ap50']):>6} {theirs:>6}   {points}")
    lines += ["", f"share of clean pictures with a false one at {OPERATING_SCORES} (ours; original)"]
    for name, kinds in ours["false_alarms"].items():
        for kind, row in kinds.items():
            theirs = original["false_alarms"][name][kind]
            pair = "  ".join(f"{row[f'share@{s}']:.3f}; {theirs[f'share@{s}']:.3f}" for s in OPERATING_SCORES)
            lines.append(f"{name:6} {kind:9} {row['pictures']:5.0f}   {pair}")
    lines.append(f"processor time of a picture: {ours['latency_ms']} ms, original {original['latency_ms']} ms")
    return "\n".join(lines)
