"""Illegal parking: a vehicle stands in the zone for a while.

A standing vehicle is known by its place and its look, not by the tracker's number: as long as its patch of the
picture looks the same, or something hides it, it is the same one, and it is alarmed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from config.settings import ParkingRule
from detectors.appearance import Portrait, portrait
from detectors.boxes import Box, covered, iou
from detectors.event import Event
from detectors.rules.view import Finding, View, Wish
from detectors.tracker import Kind, Track
from detectors.zones import ZoneArea

STILL_SHARE = 0.12
MIN_SCORE = 0.35
MIN_HITS = 3
SAME_PLACE = 0.45
HIDDEN_SHARE = 0.12
SAME_LOOK = 0.45
GONE_SECONDS = 6.0
FRESH_SECONDS = 12.0


@dataclass(slots=True, eq=False)
class Stand:
    """A vehicle at rest. `seen` is when a detection last confirmed it, `held` when anything did."""

    box: Box
    since: float
    seen: float
    held: float
    portrait: Portrait
    track_id: int
    score: float
    label: str
    hits: int = 1
    alarmed: bool = False
    absent: int = 0


class ParkingWatch:
    """Remembers the standing vehicles of the zone."""

    def __init__(self, area: ZoneArea, rule: ParkingRule) -> None:
        self._area = area
        self._dwell = rule.dwell_seconds
        self._stands: list[Stand] = []
        self._resumed: list[Box] = []

    def watch(self, view: View) -> list[Finding]:
        """An alarm for each vehicle that has now stood for the dwell time."""
        if view.motion.scene_changed:
            return []
        for track in view.tracks:
            if track.kind is Kind.VEHICLE and track.last_seen == view.seconds and self._is_in(track.box):
                self._take_in(track, view)
        self._stands = [stand for stand in self._stands if self._holds(stand, view)]
        return [self._alarm(stand, view) for stand in self._stands if self._is_due(stand, view.seconds)]

    def _is_in(self, box: Box) -> bool:
        """The ground under it is in the zone: the middle of its lower part, and a good share of it."""
        x = float(box[0] + box[2]) / 2
        y = float(box[3] - 0.2 * (box[3] - box[1]))
        return self._area.contains(x, y) and self._area.share_of(box) > 0.3

    def _take_in(self, track: Track, view: View) -> None:
        best = max(self._stands, key=lambda stand: iou(stand.box, track.box), default=None)
        if best is not None and iou(best.box, track.box) > SAME_PLACE:
            if _shift(best.box, track.box) < STILL_SHARE or self._looks_same(best, view):
                best.seen = best.held = view.seconds
                best.hits += 1
                best.absent = 0
                best.score = max(0.9 * best.score, track.score)
                best.track_id = track.id
                if view.motion.share_in(best.box) < HIDDEN_SHARE:
                    best.portrait = best.portrait.blended(portrait(view.motion, best.box))
                return
            self._stands.remove(best)
        since = _still_since(track)
        if view.seconds - since >= 1.0 and track.hits >= MIN_HITS:
            image = portrait(view.motion, track.box)
            label = track.object_class.name.lower()
            stand = Stand(track.box.copy(), since, view.seconds, view.seconds, image, track.id, track.score, label)
            stand.hits = sum(1 for sighting in track.trail if sighting.seconds >= since)
            stand.alarmed = self._was_alarmed(stand.box, view)
            self._stands.append(stand)

    def _was_alarmed(self, box: Box, view: View) -> bool:
        for old in self._resumed:
            if iou(old * np.tile([view.width, view.height], 2).astype(np.float32), box) > 0.4:
                return True
        return False

    def _looks_same(self, stand: Stand, view: View) -> bool:
        return stand.portrait.likeness(portrait(view.motion, stand.box)) > SAME_LOOK

    def _holds(self, stand: Stand, view: View) -> bool:
        """It is still there, or nothing says that it left."""
        if stand.held == view.seconds:
            return True
        if view.motion.share_in(stand.box) >= HIDDEN_SHARE:
            return view.seconds - stand.held < 60.0
        if self._looks_same(stand, view):
            stand.held = view.seconds
            return True
        if len(view.looked) and any(covered(stand.box, looked) > 0.9 for looked in view.looked):
            stand.absent += 1
        return stand.absent < 2 or view.seconds - stand.held < GONE_SECONDS

    def _is_due(self, stand: Stand, seconds: float) -> bool:
        if stand.alarmed or seconds - stand.since < self._dwell or stand.held < seconds:
            return False
        recently = max(FRESH_SECONDS, 0.2 * self._dwell)
        return stand.hits >= MIN_HITS and stand.score >= MIN_SCORE and seconds - stand.seen < recently

    def _alarm(self, stand: Stand, view: View) -> Finding:
        stand.alarmed = True
        started = stand.since + self._dwell
        dwell = view.seconds - stand.since
        return Finding(started, stand.box, stand.score, stand.label, (stand.track_id,), dwell)

    def wishes(self) -> list[Wish]:
        return [Wish(stand.box, 2 if stand.hits < 5 else 1, 4.0) for stand in self._stands if not stand.alarmed]

    def resume(self, recent: Sequence[Event]) -> None:
        self._resumed = [np.array(event.box, np.float32) for event in recent]


def _shift(first: Box, second: Box) -> float:
    """How far the centre moved, as a share of the size."""
    size = float(first[2] - first[0] + first[3] - first[1]) / 2
    distance = np.hypot(*((first[:2] + first[2:] - second[:2] - second[2:]) / 2))
    return float(distance) / max(size, 1.0)


def _still_since(track: Track) -> float:
    """Since when its sightings lie where the last ones lie."""
    trail = list(track.trail)
    anchor: Box = np.median([sighting.box for sighting in trail[-3:]], axis=0).astype(np.float32)
    since = trail[-1].seconds
    for sighting in reversed(trail):
        if _shift(anchor, sighting.box) >= STILL_SHARE:
            break
        since = sighting.seconds
    return since
