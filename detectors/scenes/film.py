"""A clip: a stage, a cast, weather, and the loop that draws it picture by picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.event import EventKind
from detectors.scenes.burning import Blaze, Burner
from detectors.scenes.compose import Fire, Item, Seen, compose
from detectors.scenes.furniture import Tree
from detectors.scenes.script import Driver, Spot, Thing, Walker
from detectors.scenes.stage import Backdrop, Stage, bake
from detectors.scenes.surfels import Surfels
from detectors.scenes.truth import FIRE_SEEN_SECONDS, LEFT_SECONDS, ClipTruth, TruthEvent
from detectors.scenes.weather import Weather, headlight_pools, weathered

Picture = NDArray[np.uint8]
BODY_RADIUS = 0.30  # metres round a person's feet that must be inside a zone for "whole body inside"
AWAY_METRES = 2.0  # an owner further off than this has left


@dataclass(frozen=True, slots=True)
class Area:
    """A zone on the ground, world metres."""

    name: str
    corners: tuple[Spot, ...]

    def holds(self, x: float, y: float, inside_by: float = 0.0) -> bool:
        polygon = np.asarray(self.corners, np.float32).reshape(-1, 1, 2)
        return float(cv2.pointPolygonTest(polygon, (x, y), True)) >= inside_by


@dataclass(frozen=True, slots=True)
class Ignition:
    """A fire at (x, y): it grows from `start` for `grow` seconds, and its fuel is gone at `out`."""

    name: str
    blaze: Blaze
    seed: int
    x: float
    y: float
    start: float
    out: float
    grow: float = 5.0
    lift: float = 0.0

    def strength(self, seconds: float) -> float:
        if not self.start <= seconds < self.out:
            return 0.0
        ease = min(1.0, (seconds - self.start) / self.grow)
        return (0.15 + 0.85 * ease) * min(1.0, (self.out - seconds) / 4.0)


@dataclass(slots=True)
class Film:
    """`seconds` must hold a whole number of pictures at `fps`. The cast may reach over the seam: time is a ring."""

    name: str
    stage: Stage
    seconds: float
    fps: int = 10
    areas: tuple[Area, ...] = ()
    walkers: list[Walker] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    drivers: list[Driver] = field(default_factory=list)
    ignitions: list[Ignition] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    weather: Weather = field(default_factory=lambda: Weather())
    events: list[tuple[EventKind, str, float, float, float, str]] = field(default_factory=list)
    seed: int = 1

    @property
    def pictures(self) -> int:
        return round(self.seconds * self.fps)

    # Truth is read off the script -------------------------------------------------------------------------------
    def area(self, name: str) -> Area:
        return next(area for area in self.areas if area.name == name)

    def _first_inside(self, walker: Walker, area: Area) -> tuple[float, float]:
        inside = [
            t
            for t in np.arange(walker.start, walker.end, 0.02)
            if (stance := walker.stance(float(t))) and area.holds(stance.x, stance.y, BODY_RADIUS)
        ]
        if not inside:
            raise ValueError(f"{self.name}: {walker.name} never is inside {area.name}")
        return float(inside[0]), float(inside[-1])

    def intruded(self, walker: Walker, area: str) -> None:
        first, last = self._first_inside(walker, self.area(area))
        self.events.append(("intrusion", area, first, last, first, walker.name))

    def loitered(self, walker: Walker, area: str, dwell_seconds: float) -> None:
        first, last = self._first_inside(walker, self.area(area))
        self.events.append(("loitering", area, first + dwell_seconds, last, first, walker.name))

    def dumped(self, thing: Thing, owner: Walker, area: str) -> None:
        """Left when the owner is AWAY_METRES off."""
        down = next(hold for hold in thing.holds if hold.spot is not None)
        taken = next((hold.start for hold in thing.holds if hold.start > down.start), self.seconds)
        assert down.spot is not None
        away = down.start
        for t in np.arange(down.start, owner.end, 0.02):
            stance = owner.stance(float(t))
            if stance and math.dist((stance.x, stance.y), down.spot[:2]) <= AWAY_METRES:
                away = float(t)
        self.events.append(("dumping", area, away + LEFT_SECONDS, taken, down.start, thing.name))

    def parked(self, driver: Driver, area: str, dwell_seconds: float, stop: int = 0) -> None:
        start, end = driver.stops[stop]
        self.events.append(("parking", area, start + dwell_seconds, end, start, driver.name))

    def burned(self, ignition: Ignition, area: str) -> None:
        self.events.append(
            ("fire", area, ignition.start + FIRE_SEEN_SECONDS, ignition.out + 2.0, ignition.start, ignition.name)
        )

    # Drawing ----------------------------------------------------------------------------------------------------
    def _cast(self, seconds: float) -> list[Item]:
        found: list[Item] = []
        for at in (seconds, seconds + self.seconds, seconds - self.seconds):
            members: list[tuple[str, str, Surfels | None]] = []
            members += [(w.name, "person", w.surfels(at)) for w in self.walkers]
            members += [(d.name, d.vehicle.label, d.surfels(at)) for d in self.drivers]
            members += [(f"{d.name}-rider", "person", d.rider_surfels(at)) for d in self.drivers if d.rider]
            members += [(t.name, t.label, t.surfels(at)) for t in self.things]
            found += [Item(name, surfels, label) for name, label, surfels in members if surfels is not None]
        turn = 2 * math.pi * seconds / self.seconds
        found += [Item("tree", tree.swayed(turn, self.weather.wind), "") for tree in self.trees]
        return found

    def baked(self) -> Backdrop:
        """The stage with the trunks of its trees."""
        trunks = tuple(tree.trunk for tree in self.trees)
        return bake(replace(self.stage, furniture=(*self.stage.furniture, *trunks)))

    def frames(self) -> Iterator[tuple[float, Picture, list[Seen]]]:
        """Seconds, BGR picture and what is visible in it, in order. Fires burn on from picture to picture."""
        backdrop = self.baked()
        burners = {ignition.name: Burner(ignition.blaze, ignition.seed) for ignition in self.ignitions}
        for number in range(self.pictures):
            seconds = number / self.fps
            yield seconds, *self._frame(seconds, number, backdrop, burners)

    def _frame(
        self, seconds: float, number: int, backdrop: Backdrop, burners: dict[str, Burner]
    ) -> tuple[Picture, list[Seen]]:
        fires = []
        for ignition in self.ignitions:
            burner = burners[ignition.name]
            strength = ignition.strength(seconds)
            if strength > 0 or not burner.quiet:
                burner.step(1 / self.fps, strength)
                fires.append(Fire(ignition.name, burner, ignition.x, ignition.y, ignition.lift))
        share = seconds / self.seconds
        lamps = self._lamps(seconds)
        pools = headlight_pools(self.stage.camera, lamps, self.weather)
        picture, seen = compose(backdrop, self._cast(seconds), fires, self.weather.sun(share), pools)
        return weathered(picture, backdrop, self.weather, share, number, self.seed, lamps), seen

    def _lamps(self, seconds: float) -> list[tuple[float, float, float, float, float]]:
        """x, y, z, heading and kind (1 head, 0 tail) of lit vehicle lamps."""
        found = []
        for driver in self.drivers:
            if not driver.lit:
                continue
            for at in (seconds, seconds + self.seconds, seconds - self.seconds):
                spot = driver.place(at)
                if spot is None:
                    continue
                c, s = math.cos(spot[2]), math.sin(spot[2])
                for kind, lamps in ((1.0, driver.vehicle.head_lamps), (0.0, driver.vehicle.tail_lamps)):
                    for x, y, z in lamps:
                        found.append((spot[0] + c * x - s * y, spot[1] + s * x + c * y, z, spot[2], kind))
        return found

    def still(self, seconds: float) -> Picture:
        """One picture by itself, without fires; for looking at."""
        backdrop = self.baked()
        picture, _ = self._frame(
            seconds, round(seconds * self.fps), backdrop, {i.name: Burner(i.blaze, i.seed) for i in self.ignitions}
        )
        return picture

    def polygons(self) -> dict[str, tuple[tuple[float, float], ...]]:
        """The zones in fractions of the picture, kept inside it."""
        camera = self.stage.camera
        found = {}
        for area in self.areas:
            spots = camera.project(np.array([(x, y, 0.0) for x, y in area.corners], np.float32))
            if (spots[:, 2] < 0.3).any():
                raise ValueError(f"{self.name}: zone {area.name} reaches behind the camera")
            found[area.name] = tuple(
                (round(float(np.clip(u / camera.width, 0, 1)), 4), round(float(np.clip(v / camera.rows, 0, 1)), 4))
                for u, v, _ in spots
            )
        return found

    def truth(self, boxes: dict[tuple[str, int], tuple[int, int, int, int]]) -> ClipTruth:
        """`boxes`: what was seen, by name and picture number."""
        camera = self.stage.camera
        events = []
        for kind, zone, start, end, cause, name in sorted(self.events, key=lambda e: e[2]):
            near = min(
                (number for seen_name, number in boxes if seen_name == name), key=lambda n: abs(n - start * self.fps)
            )
            x1, y1, x2, y2 = boxes[name, near]
            box = (x1 / camera.width, y1 / camera.rows, x2 / camera.width, y2 / camera.rows)
            rounded = (round(box[0], 4), round(box[1], 4), round(box[2], 4), round(box[3], 4))
            events.append(TruthEvent(kind, zone, round(start, 2), round(end, 2), rounded, round(cause, 2)))
        size = (camera.width, camera.rows)
        return ClipTruth(f"{self.name}.mp4", self.seconds, self.fps, size, self.polygons(), tuple(events))
