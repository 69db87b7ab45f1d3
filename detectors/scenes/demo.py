"""The demo's clips and their truth: which films there are, and drawing them to files."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from detectors.scenes.city import cameras, mounts
from detectors.scenes.encode import Encoder, Picture
from detectors.scenes.film import Film
from detectors.scenes.truth import load_truth

FILMS = ("alley", "street", "carpark", "school_gate", "playground", "underpass", "bus_stop", "back_gate")
MAIN_SIZE, SUB_SIZE = (1280, 720), (640, 360)
MAIN_CRF, SUB_CRF = 28.0, 27.0


def film(name: str) -> Film:
    """One of FILMS by name."""
    made: Film = importlib.import_module(f"detectors.scenes.places.{name}").film()
    return made


def shoot(name: str, folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Draw `name` to `folder`/clips/NAME.mp4 and NAME_sub.mp4, its truth to `folder`/truth/NAME.json."""
    clips, truths = folder / "clips", folder / "truth"
    clips.mkdir(parents=True, exist_ok=True)
    truths.mkdir(parents=True, exist_ok=True)
    made = film(name)
    boxes: dict[tuple[str, int], tuple[int, int, int, int]] = {}
    with (
        Encoder(clips / f"{name}.mp4", MAIN_SIZE, made.fps, crf=MAIN_CRF) as main,
        Encoder(clips / f"{name}_sub.mp4", SUB_SIZE, made.fps, crf=SUB_CRF) as sub,
    ):
        for number, (_, picture, seen) in enumerate(made.frames()):
            main.add(picture)
            sub.add(_reduced(picture))
            boxes.update({(thing.name, number): thing.box for thing in seen if thing.label != "smoke"})
            progress(number + 1, made.pictures)
    (truths / f"{name}.json").write_text(made.truth(boxes).to_json(), encoding="utf-8")


def _reduced(picture: Picture) -> Picture:
    """As a camera makes its sub stream: smaller, and sharpened for it."""
    small = cv2.resize(picture, SUB_SIZE, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.addWeighted(small, 1.5, cv2.GaussianBlur(small, (0, 0), 1.0), -0.5, 0), np.uint8)


def write_city(folder: Path) -> None:
    """`folder`/mounts.yaml and cameras.yaml for the films whose clips are there."""
    ready = [name for name in FILMS if (folder / "clips" / f"{name}.mp4").exists()]
    zones = {name: load_truth(folder / "truth" / f"{name}.json").zones for name in ready}
    head = "# Made by python -m detectors.scenes demo; change detectors/scenes/city.py instead.\n"
    for file, content in (("mounts.yaml", mounts(ready)), ("cameras.yaml", cameras(zones))):
        (folder / file).write_text(head + _yaml(content), encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    """Coordinates on one line, everything else in blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _sequence(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.SequenceNode:
    flat = all(isinstance(item, float) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat)


_Dumper.add_representer(list, _sequence)


def _yaml(content: dict[str, Any]) -> str:
    return str(yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120))
