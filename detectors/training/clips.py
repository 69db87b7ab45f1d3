"""Frames of clips in which nothing lies on the ground and nothing burns: streets for training, negatives for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from detectors.frame import Image
from detectors.training.data import DataError

TRAINING_CLIPS = ("intel_car-detection.mp4", "intel_one-by-one.mp4")  # CC BY 4.0
NEGATIVE_CLIPS = (
    "babul_vahicles3.mp4",
    "ufuk_carPark.mp4",
    "papagoose_fdd_1100f_15fps.mp4",
)  # licence unstated: tests only


def frames(path: Path, most: int, last: int | None = None) -> Iterator[Image]:
    """At most `most` frames, evenly spread over the clip or over its frames 0..`last`."""
    video = cv2.VideoCapture(str(path))
    try:
        count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        if not video.isOpened() or count <= 0:
            raise DataError(f"{path}: not a clip that can be read")
        count = count if last is None else min(count, last + 1)
        wanted = set(np.linspace(0, count - 1, min(most, count)).astype(int).tolist())
        for index in range(count):
            if not video.grab():
                return
            if index in wanted:
                done, image = video.retrieve()
                if done:
                    yield np.asarray(image, np.uint8)
    finally:
        video.release()


def fight_clips(fights_dir: Path, held_out: bool) -> list[Path]:
    """Street and shop clips (MIT repository): every second group of clips cut from one video is held out."""
    groups: list[list[str]] = json.loads((fights_dir / "groups.json").read_text())["groups"]
    group_of = {name: number for number, group in enumerate(groups) for name in group}
    paths = sorted(fights_dir.glob("*fight/*.mp4"))
    known = [path for path in paths if path.stem in group_of]
    return [path for path in known if (group_of[path.stem] % 2 == 1) == held_out]


def street_frames(data_dir: Path) -> Iterator[Image]:
    """Frames that may be trained on, all without bag on the ground, fire or smoke."""
    for name in TRAINING_CLIPS:
        yield from frames(data_dir / "clips" / name, 40)
    for path in fight_clips(data_dir / "fights", held_out=False):
        yield from frames(path, 2)
