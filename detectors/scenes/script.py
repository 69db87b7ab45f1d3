"""Who does what when: people, vehicles and things on a timeline of seconds, exact and repeatable.

Everything is a function of time, so truth is read off the same script that is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detectors.scenes.people import BENT, PHONE, Person, Pose, standing, walking
from detectors.scenes.surfels import Floats, Surfels, about_z
from detectors.scenes.two_wheelers import rider
from detectors.scenes.vehicles import Vehicle

Spot = tuple[float, float]
BLEND_SECONDS = 0.4
BEND_SECONDS = 0.9
STEP_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Stance:
    """Where a person is and how: `heading` in radians from +x."""

    x: float
    y: float
    heading: float
    pose: Pose


@dataclass(frozen=True, slots=True)
class _Leg:
    start: float
    end: float
    kind: str  # walk, stand, phone, bend, rise
    origin: Spot
    target: Spot
    heading: float
    metres: float  # walked before
    carry: str
    pace: float


class Walker:
    """A person and what they do, told leg after leg: `Walker(person, 3, (0, 9)).walk((4, 9)).stand(5)`."""

    def __init__(self, person: Person, start_seconds: float, at: Spot, name: str = "person") -> None:
        self.person = person
        self.name = name
        self.start = self.end = start_seconds
        self._at = at
        self._heading: float | None = None
        self._metres = 0.0
        self._carry = ""
        self._legs: list[_Leg] = []

    def _add(self, seconds: float, kind: str, target: Spot, heading: float, pace: float = 1.0) -> Walker:
        self._legs.append(
            _Leg(self.end, self.end + seconds, kind, self._at, target, heading, self._metres, self._carry, pace)
        )
        self._metres += math.dist(self._at, target)
        self._at, self._heading, self.end = target, heading, self.end + seconds
        return self

    def walk(self, *targets: Spot, speed: float = 1.3) -> Walker:
        for target in targets:
            way = math.atan2(target[1] - self._at[1], target[0] - self._at[0])
            pace = min(1.7, 0.75 + 0.25 * speed / 1.2) if speed > 1 else max(0.55, speed)
            self._add(math.dist(self._at, target) / speed, "walk", target, way, pace)
        return self

    def stand(self, seconds: float, towards: Spot | None = None, kind: str = "stand") -> Walker:
        """Stay; `kind` "phone" looks into one."""
        way = self._heading or 0.0
        if towards is not None:
            way = math.atan2(towards[1] - self._at[1], towards[0] - self._at[0])
        return self._add(seconds, kind, self._at, way)

    def carrying(self, how: str) -> Walker:
        """From now on: "left", "right", "both" or ""."""
        self._carry = how
        return self

    def bend(self) -> Walker:
        """Down to the ground and up again; `self.end` minus BEND_SECONDS is the lowest moment."""
        self._add(BEND_SECONDS, "bend", self._at, self._heading or 0.0)
        return self._add(BEND_SECONDS, "rise", self._at, self._heading or 0.0)

    @property
    def lowest(self) -> float:
        """When the hands of the last bend were at the ground."""
        return self.end - BEND_SECONDS

    @property
    def at(self) -> Spot:
        return self._at

    def reach(self, metres: float = 0.45) -> Spot:
        """The spot on the ground in front of where the person now stands."""
        way = self._heading or 0.0
        return self._at[0] + metres * math.cos(way), self._at[1] + metres * math.sin(way)

    def stance(self, seconds: float) -> Stance | None:
        """None outside the person's time."""
        if not self.start <= seconds < self.end:
            return None
        number = next(k for k, leg in enumerate(self._legs) if seconds < leg.end)
        leg = self._legs[number]
        before = self._legs[number - 1] if number else leg
        share = min(1.0, (seconds - leg.start) / BLEND_SECONDS) if number else 1.0
        turn = (leg.heading - before.heading + math.pi) % (2 * math.pi) - math.pi
        smooth = share * share * (3 - 2 * share)
        done = (seconds - leg.start) / max(leg.end - leg.start, 1e-6)
        x = leg.origin[0] + (leg.target[0] - leg.origin[0]) * done
        y = leg.origin[1] + (leg.target[1] - leg.origin[1]) * done
        pose = self._pose(leg, seconds)
        if share < 1.0:
            pose = self._pose(before, before.end - 1e-6).mixed(pose, share)
        return Stance(x, y, before.heading + turn * smooth, pose)

    def _pose(self, leg: _Leg, seconds: float) -> Pose:
        passed = seconds - leg.start
        share = passed / max(leg.end - leg.start, 1e-6)
        if leg.kind == "walk":
            return walking(leg.metres + share * math.dist(leg.origin, leg.target), leg.pace, leg.carry)
        rest = standing(seconds)
        if leg.carry == "both":
            rest = replace(rest, shoulder=(0.55, 0.55), elbow=(1.05, 1.05))
        if leg.kind == "phone":
            return replace(PHONE, turn=0.2 * math.sin(seconds))
        if leg.kind == "bend":
            return rest.mixed(BENT, min(1.0, share * 1.05))
        if leg.kind == "rise":
            return BENT.mixed(replace(rest), share)
        return rest

    def surfels(self, seconds: float) -> Surfels | None:
        stance = self.stance(seconds)
        if stance is None:
            return None
        return self.person.posed(stance.pose).at(stance.x, stance.y, stance.heading)

    def hand(self, seconds: float, how: str) -> tuple[Floats, float] | None:
        """World position of the carrying hand (or between both) and the heading."""
        stance = self.stance(seconds)
        if stance is None:
            return None
        sides = {"left": (0,), "right": (1,), "both": (0, 1)}[how]
        spot = np.mean([self.person.hand(stance.pose, side) for side in sides], axis=0)
        world = about_z(stance.heading) @ spot + np.array([stance.x, stance.y, 0], np.float32)
        return np.asarray(world, np.float32), stance.heading


@dataclass(frozen=True, slots=True)
class Hold:
    """From `start` on: carried by `walker` (`how`), on the ground at (x, y, heading), or gone (neither)."""

    start: float
    walker: Walker | None = None
    how: str = "right"
    spot: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """A bag or box with its story; `top` is where it is held, metres above its foot."""

    name: str
    model: Surfels
    top: float
    holds: tuple[Hold, ...]
    label: str = "bag"

    def hold(self, seconds: float) -> Hold | None:
        current = None
        for hold in self.holds:
            if hold.start <= seconds:
                current = hold
        return current

    def surfels(self, seconds: float) -> Surfels | None:
        hold = self.hold(seconds)
        if hold is None:
            return None
        if hold.walker is not None:
            held = hold.walker.hand(seconds, hold.how)
            if held is None:
                return None
            spot, heading = held
            ahead = 0.14 if hold.how == "both" else 0.0
            drop = self.top * (0.55 if hold.how == "both" else 1.0)
            x, y = float(spot[0]) + ahead * math.cos(heading), float(spot[1]) + ahead * math.sin(heading)
            return self.model.at(x, y, heading, max(0.0, float(spot[2]) - drop))
        if hold.spot is not None:
            return self.model.at(*hold.spot)
        return None


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop with the middle of the vehicle `metres` along the way, for `seconds`."""

    metres: float
    seconds: float


@dataclass(slots=True)
class Driver:
    """A vehicle on its way. `path` is a polyline, rounded; it drives at `speed` m/s and brakes for its halts."""

    name: str
    vehicle: Vehicle
    start: float
    path: Sequence[Spot]
    speed: float = 8.0
    halts: Sequence[Halt] = ()
    lit: bool = False
    braking: float = 2.2
    pull: float = 1.8
    rider: Person | None = None
    end: float = field(init=False, default=0.0)
    _metres: Floats = field(init=False, repr=False)
    _line: Floats = field(init=False, repr=False)
    _stops: list[tuple[float, float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._line = _rounded(self.path)
        total = float(np.linalg.norm(np.diff(self._line, axis=0), axis=1).sum())
        self._drive(total)
        self.end = self.start + STEP_SECONDS * (len(self._metres) - 1)

    def _drive(self, total: float) -> None:
        at, speed, metres, waiting = 0.0, self.speed, [0.0], 0.0
        ahead = list(self.halts)
        while at < total:
            if waiting > 0:
                waiting -= STEP_SECONDS
                metres.append(at)
                continue
            allowed = self.speed
            if ahead:
                room = max(ahead[0].metres - at, 0.0)
                allowed = min(allowed, math.sqrt(2 * self.braking * room))
            speed = min(speed + self.pull * STEP_SECONDS, allowed)
            if ahead and ahead[0].metres - at < 0.02:
                waiting, speed = ahead[0].seconds, 0.0
                stopped = self.start + STEP_SECONDS * len(metres)
                self._stops.append((stopped, stopped + ahead[0].seconds))
                ahead.pop(0)
            at += max(speed, 0.03) * STEP_SECONDS if waiting <= 0 else 0.0
            metres.append(at)
        self._metres = np.array(metres, np.float32)

    @property
    def stops(self) -> list[tuple[float, float]]:
        """When it stood: from, until."""
        return list(self._stops)

    def along(self, seconds: float) -> float:
        step = (seconds - self.start) / STEP_SECONDS
        return float(np.interp(step, np.arange(len(self._metres)), self._metres))

    def place(self, seconds: float) -> tuple[float, float, float] | None:
        """x, y and heading; None outside its time."""
        if not self.start <= seconds < self.end:
            return None
        along = self.along(seconds)
        half = 0.35 * self.vehicle.size[0]
        front, back = self._on(along + half), self._on(along - half)
        middle = (front + back) / 2
        return float(middle[0]), float(middle[1]), math.atan2(*(front - back)[::-1])

    def _on(self, metres: float) -> Floats:
        steps = np.linalg.norm(np.diff(self._line, axis=0), axis=1)
        marks = np.concatenate([[0.0], np.cumsum(steps)])
        if metres < 0 or metres > marks[-1]:
            first, last = (self._line[0], self._line[1]) if metres < 0 else (self._line[-2], self._line[-1])
            way = (last - first) / np.linalg.norm(last - first)
            return np.asarray(
                self._line[0] + way * metres if metres < 0 else self._line[-1] + way * (metres - marks[-1])
            )
        return np.array([np.interp(metres, marks, self._line[:, k]) for k in (0, 1)])

    def surfels(self, seconds: float) -> Surfels | None:
        spot = self.place(seconds)
        if spot is None:
            return None
        slower = (
            self.along(seconds + 0.1) - self.along(seconds) < self.along(seconds) - self.along(seconds - 0.1) - 0.004
        )
        return self.vehicle.posed(self.along(seconds), braking=slower, lit=self.lit).at(*spot)

    def rider_surfels(self, seconds: float) -> Surfels | None:
        spot = self.place(seconds)
        if spot is None or self.rider is None:
            return None
        return rider(self.rider, self.vehicle, self.along(seconds) * 2.2).at(*spot)


def _rounded(path: Sequence[Spot]) -> Floats:
    """Chaikin's corner cutting, ends kept."""
    line = np.asarray(path, np.float32)
    for _ in range(4):
        if len(line) < 3:
            break
        left, right = line[:-1], line[1:]
        cut = np.stack([0.75 * left + 0.25 * right, 0.25 * left + 0.75 * right], axis=1).reshape(-1, 2)
        line = np.concatenate([line[:1], cut, line[-1:]])
    return line
