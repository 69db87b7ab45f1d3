"""Plays a drawn world to a CameraAnalyzer, with an eye that sees what is drawn, less well than wished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from config.settings import Camera, Rule, Zone
from detectors.analyzer import CameraAnalyzer
from detectors.boxes import covered
from detectors.crops import gather
from detectors.detections import Detections, ObjectClass
from detectors.event import Event
from detectors.frame import Frame
from detectors.look import Crop
from tests.drawn_scene import HEIGHT, WIDTH, Box, Street, draw_person, draw_thing, draw_vehicle

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
START = 1000.0  # media time means nothing by itself
MIDDLE = ((0.25, 0.3), (0.75, 0.3), (0.75, 0.95), (0.25, 0.95))


@dataclass(frozen=True)
class Thing:
    """Something drawn; `seen_as` None is invisible to the detector."""

    box: Box
    seen_as: ObjectClass | None
    colour: tuple[int, int, int] = (40, 40, 40)


World = Callable[[float], Sequence[Thing]]


@dataclass
class Watch:
    """`fps`, `miss` (share of objects not detected), `gaps` (share of frames lost), `late` (concluded so many looks
    later), all with one seed.
    """

    rules: tuple[Rule, ...]
    polygon: tuple[tuple[float, float], ...] = MIDDLE
    fps: float = 5.0
    miss: float = 0.0
    gaps: float = 0.0
    offset: float = 0.0
    street: Street = field(default_factory=Street)
    crops: int = 0

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(11)
        self.analyzer = self.new_analyzer()

    def new_analyzer(self) -> CameraAnalyzer:
        zone = Zone(name="zone", polygon=self.polygon, rules=self.rules)
        camera = Camera(id="cam", name="cam", purpose="test", main="rtsp://host/cam", zones=(zone,))
        return CameraAnalyzer(camera, WIDTH, HEIGHT)

    def play(self, world: World, seconds: float, begin: float = 0.0) -> list[tuple[float, Event]]:
        """Events with their start in seconds of the world's time."""
        found = []
        for index in range(int(seconds * self.fps)):
            now = begin + self.offset + index / self.fps
            if self.chance.random() >= self.gaps:
                for event in self.step(world(now), now):
                    found.append(((event.started_at - EPOCH).total_seconds() - START, event))
        return found

    def step(self, things: Sequence[Thing], now: float) -> list[Event]:
        picture = self._draw(things)
        seconds = START + now
        frame = Frame("cam", picture, round(seconds * 90_000), EPOCH + timedelta(seconds=seconds))
        look = self.analyzer.look(frame)
        self.crops += len(look.crops)
        return self.analyzer.conclude(look, gather(look, [self._see(things, crop) for crop in look.crops]))

    def _draw(self, things: Sequence[Thing]) -> np.ndarray:
        base = self.street.background.astype(np.float32)
        for thing in things:
            if thing.seen_as is ObjectClass.PERSON:
                draw_person(base, thing.box)
            elif thing.seen_as in (ObjectClass.CAR, ObjectClass.TRUCK):
                draw_vehicle(base, thing.box, thing.colour)
            else:
                draw_thing(base, thing.box, thing.colour)
        return self.street.with_grain(base)

    def _see(self, things: Sequence[Thing], crop: Crop) -> Detections:
        boxes, classes = [], []
        x1, y1, x2, y2 = crop.box
        for thing in things:
            box = np.array(thing.box, np.float32)
            whole = np.array(crop.box, np.float32)
            if thing.seen_as is not None and covered(box, whole) > 0.5 and self.chance.random() >= self.miss:
                jitter = self.chance.normal(0, 0.012 * (box[3] - box[1]), 4)
                inside = np.clip(box + jitter, [x1, y1, x1, y1], [x2, y2, x2, y2]) - [x1, y1, x1, y1]
                boxes.append(inside)
                classes.append(int(thing.seen_as))
        scores = self.chance.uniform(0.45, 0.9, len(boxes)).astype(np.float32)
        return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, np.array(classes, np.int32))


def person(x: float, foot: float, height: float = 100) -> Thing:
    """A figure whose feet are at (x, foot)."""
    width = 0.36 * height
    return Thing((int(x - width / 2), int(foot - height), int(x + width / 2), int(foot)), ObjectClass.PERSON)


def car(x: float, foot: float, width: float = 130, colour: tuple[int, int, int] = (150, 60, 50)) -> Thing:
    """A car seen from the side, wheels at (x, foot)."""
    return Thing((int(x - width / 2), int(foot - 0.45 * width), int(x + width / 2), int(foot)), ObjectClass.CAR, colour)


def sack(x: float, foot: float, size: float = 24) -> Thing:
    """A sack that no detector knows."""
    return Thing((int(x - size / 2), int(foot - size), int(x + size / 2), int(foot)), None, (35, 30, 30))
