"""Illegal dumping: a thing is left and its owner has been gone for a while (KISA 유기, rubbish included).

The thing is a static change of the background; the detector is asked only for what it is not (a person, a vehicle),
since no detector knows every kind of rubbish. Somebody must have been at the place when it appeared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from config.settings import DumpingRule
from detectors.appearance import NOTHING, Evidence
from detectors.boxes import Box, areas, covered, gap, iou
from detectors.detections import Boxes, ObjectClass
from detectors.event import Event
from detectors.rules.view import Finding, View, Wish
from detectors.standing import StandingChange
from detectors.tracker import Kind, Track, kind_of
from detectors.zones import ZoneArea

NEAR_SHARE = 1.0  # of a person's height: a good step and a half
BRING_SHARE, TOUCHING_SHARE = 0.5, 0.3
GOING_SECONDS = 1.2
BRING_BEFORE_SECONDS = 4.0
BRING_AFTER_SECONDS = 3.0
STAYS_SECONDS = 4.0
MIN_APPEARED = 0.06
MIN_PERSON_SHARE, MAX_PERSON_SHARE = 0.012, 1.2  # of the owner's box
MAX_SLIMNESS = 6.0
MEMORY_SECONDS = 60.0
TOGETHER_SECONDS = 15.0
BARE_SHARE, BARE_SECONDS = 0.1, 4.0
UNSEEN_SHARE, UNSEEN_PAUSE, UNSEEN_SECONDS = 0.4, 1.5, 4.0  # of the owner's size; longest rest, longest stay unseen


@dataclass(frozen=True, slots=True)
class Visit:
    """A person at a moment."""

    seconds: float
    track_id: int
    box: Box


@dataclass(slots=True, eq=False)
class Thing:
    """A standing change that somebody may have left. `owners` are tracks, `last_near` when one was last near, `away`
    when one was first seen farther off after that.
    """

    change: StandingChange
    owners: set[int] = field(default_factory=set)
    owner_area: float = 0.0
    last_near: float = 0.0
    away: float | None = None
    near_since: dict[int, float] = field(default_factory=dict)
    refused: int = 0
    checked: int = 0
    bag_score: float = 0.0
    evidence: Evidence = NOTHING

    @property
    def left_at(self) -> float:
        """When its owner went away from it."""
        gone = self.last_near if self.away is None else min(self.away, self.last_near + GOING_SECONDS)
        return max(gone, self.change.since)


@dataclass(slots=True, eq=False)
class Left:
    """A thing that was alarmed. `bare_since`: since when its place shows the bare background again."""

    box: Box
    left_at: float
    owners: frozenset[int]
    bare_since: float | None = None


class DumpingWatch:
    """Follows the standing changes of the zone."""

    def __init__(self, area: ZoneArea, rule: DumpingRule) -> None:
        self._area = area
        self._gone = rule.owner_gone_seconds
        self._visits: deque[Visit] = deque(maxlen=2000)
        self._stirs: deque[tuple[float, Boxes]] = deque(maxlen=1000)
        self._things: dict[int, Thing] = {}
        self._alarmed: list[Left] = []
        self._resumed: Sequence[Event] = ()

    def watch(self, view: View) -> list[Finding]:
        """An alarm for each thing whose owner has been gone long enough."""
        self._take_up_resumed(view)
        self._remember(view)
        changes = [change for change in view.changes if self._is_in(change.box)]
        self._things = {change.id: self._thing(change, view) for change in changes}
        findings = []
        for thing in self._things.values():
            if self._was_alarmed(thing.change) or not self._could_be_left(thing, view):
                continue
            self._follow_owner(thing, view)
            self._check(thing, view)
            if self._is_due(thing, view):
                left_at = self._left_at(thing)
                if view.seconds - left_at < self._gone:
                    continue
                if not any(self._is_one_with(left, thing, left_at) for left in self._alarmed):
                    findings.append(self._alarm(thing, left_at))
                self._alarmed.append(Left(thing.change.box, left_at, frozenset(thing.owners)))
        return findings

    def _remember(self, view: View) -> None:
        for track in view.tracks:
            if track.kind is Kind.PERSON and track.last_seen == view.seconds:
                self._visits.append(Visit(view.seconds, track.id, track.box))
        while self._visits and view.seconds - self._visits[0].seconds > MEMORY_SECONDS:
            self._visits.popleft()
        if len(view.motion.regions):
            self._stirs.append((view.seconds, view.motion.regions))
        while self._stirs and view.seconds - self._stirs[0][0] > MEMORY_SECONDS:
            self._stirs.popleft()
        self._alarmed = [left for left in self._alarmed if not self._is_cleared(left, view)]

    @staticmethod
    def _is_cleared(left: Left, view: View) -> bool:
        """The thing was taken away, or has become background: what comes next at its place is another one."""
        if view.filled(left.box) > BARE_SHARE:
            left.bare_since = None
        elif left.bare_since is None:
            left.bare_since = view.seconds
        return left.bare_since is not None and view.seconds - left.bare_since > BARE_SECONDS

    def _is_in(self, box: Box) -> bool:
        middle = float(box[0] + box[2]) / 2
        return self._area.contains(middle, float(box[3])) or self._area.contains(middle, float(box[1] + box[3]) / 2)

    def _thing(self, change: StandingChange, view: View) -> Thing:
        thing = self._things.get(change.id)
        if thing is None:
            thing = Thing(change)
        moved = abs(thing.change.since - change.since) > 1.0
        thing.change = change
        if moved or not thing.owners:
            self._find_owners(thing)
        return thing

    def _find_owners(self, thing: Thing) -> None:
        """Those who were at the place when it came to rest."""
        since = thing.change.since
        for visit in self._visits:
            height = float(visit.box[3] - visit.box[1])
            timely = since - BRING_BEFORE_SECONDS <= visit.seconds <= since + BRING_AFTER_SECONDS
            if timely and gap(visit.box, thing.change.box) < BRING_SHARE * height:
                thing.owners.add(visit.track_id)
                thing.owner_area = max(thing.owner_area, float(areas(visit.box[None])[0]))
                thing.last_near = max(thing.last_near, visit.seconds)
                thing.away = None

    def _could_be_left(self, thing: Thing, view: View) -> bool:
        change = thing.change
        if not thing.owners or not self._has_size_of_a_thing(thing):
            return False
        thing.evidence = view.examine(change)
        if thing.evidence.appeared < MIN_APPEARED or thing.evidence.is_light:
            return False
        for track in view.tracks:
            if self._could_own_its_place(track.kind, track.box, thing) and track.is_confirmed:
                fresh = view.seconds - track.last_seen < 6.0
                if fresh and covered(change.box, track.box) > 0.6 and not self._is_passing(track, view.seconds):
                    return False
        return True

    @staticmethod
    def _could_own_its_place(kind: Kind, box: Box, thing: Thing) -> bool:
        """Someone or something that stands there by itself. A sack is often taken for a small car: a true one is
        larger than the owner who stood beside it.
        """
        least = {Kind.PERSON: 0.35, Kind.CYCLE: 0.35, Kind.VEHICLE: 0.9}.get(kind)
        return least is not None and float(areas(box[None])[0]) > least * thing.owner_area

    @staticmethod
    def _has_size_of_a_thing(thing: Thing) -> bool:
        """Between a lunch bag and a mattress, seen beside its owner."""
        area = float(areas(thing.change.box[None])[0])
        width, height = (float(side) for side in thing.change.box[2:] - thing.change.box[:2])
        slim = max(width, height) > MAX_SLIMNESS * min(width, height)
        filled = area * thing.change.area_share
        return MIN_PERSON_SHARE * thing.owner_area < filled and area < MAX_PERSON_SHARE * thing.owner_area and not slim

    @staticmethod
    def _is_passing(track: Track, seconds: float) -> bool:
        return float(np.hypot(*track.velocity)) > 0.25 * track.size

    def _follow_owner(self, thing: Thing, view: View) -> None:
        """Notes when an owner, or somebody who stays, was last near."""
        for track in view.tracks:
            if track.kind is not Kind.PERSON or track.last_seen < view.seconds:
                continue
            distance = gap(track.box, thing.change.box) / track.height
            if distance >= NEAR_SHARE:
                thing.near_since.pop(track.id, None)
                if track.id in thing.owners and thing.away is None:
                    thing.away = view.seconds
                continue
            # Whose owner was seen going does not get another one from people who merely stand about.
            if thing.away is not None and distance >= TOUCHING_SHARE:
                continue
            since = thing.near_since.setdefault(track.id, view.seconds)
            if track.id in thing.owners or view.seconds - since >= STAYS_SECONDS:
                thing.owners.add(track.id)
                thing.last_near, thing.away = max(thing.last_near, view.seconds), None

    def _check(self, thing: Thing, view: View) -> None:
        """What the detector says about the thing, where it looked."""
        box = thing.change.box
        if not len(view.looked) or not any(covered(box, looked) > 0.95 for looked in view.looked):
            return
        thing.checked += 1
        thing.refused = max(0, thing.refused - 1)
        for found, score, class_id in zip(
            view.detections.boxes, view.detections.scores, view.detections.class_ids, strict=True
        ):
            overlap = iou(found, box)
            if class_id == ObjectClass.BAG and overlap > 0.2:
                thing.bag_score = max(thing.bag_score, float(score))
            elif overlap > 0.4 and score > 0.3 and self._could_own_its_place(kind_of(int(class_id)), found, thing):
                thing.refused += 2

    def _is_due(self, thing: Thing, view: View) -> bool:
        calm = thing.change.stirring < 0.3 and thing.change.last_seen >= view.seconds - 1.0
        return calm and view.seconds - thing.left_at >= self._gone and thing.checked >= 1 and thing.refused == 0

    def _left_at(self, thing: Thing) -> float:
        """When the owner went. One whom the detector lost, bent down or for want of looks, was there as long as
        something went on moving at the thing.
        """
        left_at = thing.left_at
        reach = UNSEEN_SHARE * float(np.sqrt(thing.owner_area))
        until = left_at + UNSEEN_SECONDS if thing.away is None else thing.away
        for seconds, regions in self._stirs:
            if left_at < seconds <= min(left_at + UNSEEN_PAUSE, until) and any(
                gap(region, thing.change.box) < reach for region in regions
            ):
                left_at = seconds
        return left_at

    def _alarm(self, thing: Thing, left_at: float) -> Finding:
        score = max(0.5 + 0.5 * min(thing.evidence.appeared, 1.0), thing.bag_score)
        return Finding(left_at + self._gone, thing.change.box, score, "bag", tuple(sorted(thing.owners)))

    @staticmethod
    def _is_one_with(left: Left, thing: Thing, left_at: float) -> bool:
        """Left by the same owner at the same time beside it: two sacks, or a sack and its shadow, are one dumping."""
        near = gap(left.box, thing.change.box) < float(np.sqrt(thing.owner_area))
        return near and abs(left.left_at - left_at) < TOGETHER_SECONDS and not left.owners.isdisjoint(thing.owners)

    def _was_alarmed(self, change: StandingChange) -> bool:
        return any(covered(change.box, left.box) > 0.3 or covered(left.box, change.box) > 0.3 for left in self._alarmed)

    def _take_up_resumed(self, view: View) -> None:
        for event in self._resumed:
            box = np.array(event.box, np.float32) * np.tile([view.width, view.height], 2).astype(np.float32)
            self._alarmed.append(Left(box.astype(np.float32), view.seconds, frozenset()))
        self._resumed = ()

    def wishes(self) -> list[Wish]:
        return [Wish(thing.change.box, 3, 4.0) for thing in self._things.values() if thing.owners]

    def resume(self, recent: Sequence[Event]) -> None:
        self._resumed = tuple(recent)
