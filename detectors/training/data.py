"""Labelled pictures for training and evaluation, read from the folders described in `shared/data/README.md`.

Labels are YOLO text: `class cx cy w h` or `class x1 y1 x2 y2 …` (a polygon), as fractions of the picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.detections import Boxes, ObjectClass
from detectors.frame import Image

# COCO's class numbers of what we look for; all three kinds of luggage are a bag here.
COCO_TO_OURS: dict[int, ObjectClass] = {
    0: ObjectClass.PERSON,
    1: ObjectClass.BICYCLE,
    2: ObjectClass.CAR,
    3: ObjectClass.MOTORCYCLE,
    5: ObjectClass.BUS,
    7: ObjectClass.TRUCK,
    24: ObjectClass.BAG,
    26: ObjectClass.BAG,
    28: ObjectClass.BAG,
}


class DataError(Exception):
    """A folder or file of the training data cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Label:
    """`object_class` None is an ignored region. `polygon` (N, 2) in fractions of the picture, two corners for a box."""

    object_class: ObjectClass | None
    polygon: NDArray[np.float32]
    outlined: bool = False

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2 as fractions."""
        (x1, y1), (x2, y2) = self.polygon.min(axis=0), self.polygon.max(axis=0)
        return float(x1), float(y1), float(x2), float(y2)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file with its labels. `name` is `source/filename`, `scene` groups pictures known to be of one video."""

    source: str
    path: Path
    labels: tuple[Label, ...]
    scene: str | None = None
    complete: frozenset[ObjectClass] = field(default_factory=lambda: frozenset(ObjectClass))

    @property
    def name(self) -> str:
        return f"{self.source}/{self.path.name}"

    def read(self) -> Image:
        """The image, BGR; raises DataError where it cannot be decoded."""
        image = cv2.imread(str(self.path))
        if image is None:
            raise DataError(f"{self.path}: not an image that can be decoded")
        return np.asarray(image, np.uint8)

    def boxes(self, width: int, height: int) -> tuple[Boxes, NDArray[np.int32]]:
        """Boxes (N, 4) in pixels of a picture of that size, and classes (N,); -1 is an ignored region."""
        rows = [label.box for label in self.labels]
        scale = np.array([width, height, width, height], np.float32)
        classes = [-1 if label.object_class is None else int(label.object_class) for label in self.labels]
        return np.array(rows, np.float32).reshape(-1, 4) * scale, np.array(classes, np.int32)


FIRE_SMOKE = frozenset({ObjectClass.FIRE, ObjectClass.SMOKE})
NEW_CLASSES = frozenset({ObjectClass.BAG, ObjectClass.FIRE, ObjectClass.SMOKE})


@dataclass(frozen=True, slots=True)
class Source:
    """One folder of boxes. `complete` are the classes whose every instance is labelled in it."""

    name: str
    licence: str
    classes: dict[int, ObjectClass | None]
    complete: frozenset[ObjectClass]
    scene_of: Callable[[str], str | None] = lambda name: None


def _video_of(name: str) -> str | None:
    """`fire2_mp4-12_jpg.rf.….jpg` was cut from fire2; single images have no video."""
    stem, found, _ = name.partition("_mp4")
    return stem if found else None


def _series_of(name: str) -> str | None:
    """`CarThree1234_png.rf.….jpg` is one of the frames called CarThree; plain words (`Fire12`) say nothing."""
    found = re.match(r"[A-Za-z]*[a-z][A-Z][A-Za-z-]+", name)
    return found.group() if found else None


SOURCES: tuple[Source, ...] = (
    # fire_8's class 1 (`default`) is a full-frame "nothing burns": dropped, the picture stays as a negative.
    Source("fire_8", "CC BY 4.0", {0: ObjectClass.FIRE, 2: ObjectClass.SMOKE}, FIRE_SMOKE, _video_of),
    Source("fire_sathur", "CC BY 4.0", {0: ObjectClass.FIRE, 1: ObjectClass.SMOKE}, FIRE_SMOKE, _series_of),
    Source("trash_bags_kr", "CC BY 4.0", {0: ObjectClass.BAG, 1: ObjectClass.BAG}, NEW_CLASSES),
    # Heaps may hold bags that nobody outlined: ignored. Bins (1) are negatives.
    Source("garbage_piles", "CC BY 4.0", {0: None, 2: None}, NEW_CLASSES),
    Source("ward_falls", "CC BY 4.0", dict.fromkeys((2, 3, 4, 5, 6, 7, 8), ObjectClass.PERSON), NEW_CLASSES),
    Source(
        "crossing_traffic",
        "CC BY 4.0",
        dict(enumerate(map(ObjectClass, (3, 2, 1, 0, 5)))),  # biker, car, cyclist, people, truck
        FIRE_SMOKE,
    ),
    Source("coco128", "COCO terms", dict(COCO_TO_OURS), frozenset(ObjectClass)),
)  # fmt: skip


def read_labels(path: Path, classes: dict[int, ObjectClass | None]) -> tuple[Label, ...]:
    """Labels of one text file; classes not in `classes` are dropped. A missing file means nothing is labelled."""
    labels: list[Label] = []
    if not path.exists():
        return ()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            kind, *values = (float(word) for word in line.split())
        except ValueError as error:
            raise DataError(f"{path}:{number}: not YOLO text: {line[:60]!r}") from error
        if int(kind) not in classes:
            continue
        if len(values) == 4:
            cx, cy, w, h = values
            points = [(cx - w / 2, cy - h / 2), (cx + w / 2, cy + h / 2)]
        elif len(values) >= 6 and len(values) % 2 == 0:
            points = list(zip(values[0::2], values[1::2], strict=True))
        else:
            raise DataError(f"{path}:{number}: {len(values)} numbers are neither a box nor a polygon")
        polygon = np.clip(np.array(points, np.float32), 0.0, 1.0)
        # Some exports write boxes as closed rectangles (five points); only real outlines can be cut out.
        labels.append(Label(classes[int(kind)], polygon, outlined=len(points) > 6))
    return tuple(labels)


def read_source(boxes_dir: Path, source: Source) -> list[Picture]:
    """Every picture of `source` under `boxes_dir`, sorted by name."""
    folder = boxes_dir / source.name
    paths = sorted(path for path in folder.rglob("images/*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not paths:
        raise DataError(f"{folder}: no images/*.jpg below it; is the data folder right?")
    return [
        Picture(
            source.name,
            path,
            read_labels(path.parent.parent / "labels" / f"{path.stem}.txt", source.classes),
            source.scene_of(path.name),
            source.complete,
        )
        for path in paths
    ]


def read_all(boxes_dir: Path) -> list[Picture]:
    """Every picture of every source."""
    return [picture for source in SOURCES for picture in read_source(boxes_dir, source)]


def read_rendered(folder: Path) -> list[Picture]:
    """Rendered pictures: `images/` and `labels/` with our own class numbers, everything labelled."""
    return read_source(
        folder.parent, Source(folder.name, "rendered", {int(c): c for c in ObjectClass}, frozenset(ObjectClass))
    )


def held_out_names(path: Path) -> frozenset[str]:
    """Names in the committed list; `#` starts a comment."""
    lines: Iterable[str] = path.read_text().splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))
