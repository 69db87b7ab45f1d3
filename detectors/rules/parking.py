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

STILL_SHARE, WAVER_PIXELS = 0.12, 4.5
MIN_SCORE = 0.35
MIN_HITS = 3
SAME_PLACE = 0.45
SAME_CHANGE = 0.6
HIDDEN_SHARE = 0.12
SAME_LOOK = 0.45
GONE_SECONDS = 6.0
RESUME_SECONDS = 60.0
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
        self._began: float | None = None

    def watch(self, view: View) -> list[Finding]:
        """An alarm for each vehicle that has now stood for the dwell time."""
        if self._began is None:
            self._began = view.seconds
        if view.seconds - self._began > RESUME_SECONDS:
            self._resumed = []
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
        old = max(self._stands, key=lambda stand: iou(stand.box, track.box), default=None)
        alarmed = False
        if old is not None and iou(old.box, track.box) > SAME_PLACE:
            if _is_still(old.box, track.box) or self._looks_same(old, view):
                _confirm(old, track, view)
                return
            self._stands.remove(old)
            # The same car a little farther on, or the camera turned a little: not another violation.
            alarmed = old.alarmed and old.track_id == track.id
        since = _still_since(track, _changed_since(track.box, view))
        if alarmed or (view.seconds - since >= 1.0 and track.hits >= MIN_HITS):
            image = portrait(view.motion, track.box)
            label = track.object_class.name.lower()
            best = max(sighting.score for sighting in track.trail if sighting.seconds >= since)
            stand = Stand(track.box.copy(), since, view.seconds, view.seconds, image, track.id, best, label)
            stand.hits = sum(1 for sighting in track.trail if sighting.seconds >= since)
            stand.alarmed = alarmed or self._was_alarmed(stand.box, view)
            self._stands.append(stand)

    def _was_alarmed(self, box: Box, view: View) -> bool:
        """Before the restart. Each is taken up once: a later vehicle at that place is another one."""
        size = np.tile([view.width, view.height], 2).astype(np.float32)
        for index, old in enumerate(self._resumed):
            if iou((old * size).astype(np.float32), box) > 0.4:
                del self._resumed[index]
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


def _changed_since(box: Box, view: View) -> float:
    """Since when the place looks as it does, if the vehicle is what changed it: the detector may have missed its
    first moments.
    """
    alike = [change.since for change in view.changes if iou(change.box, box) > SAME_CHANGE]
    return min(alike, default=view.seconds)


def _confirm(stand: Stand, track: Track, view: View) -> None:
    """The detector saw it again."""
    stand.seen = stand.held = view.seconds
    stand.hits += 1
    stand.absent = 0
    stand.score = max(0.97 * stand.score, track.trail[-1].score)
    stand.track_id = track.id
    if view.motion.share_in(stand.box) < HIDDEN_SHARE:
        stand.portrait = stand.portrait.blended(portrait(view.motion, stand.box))


def _is_still(first: Box, second: Box) -> bool:
    """The centre moved by less than a share of the size, or by no more than a detector wavers."""
    size = float(first[2] - first[0] + first[3] - first[1]) / 2
    distance = np.hypot(*((first[:2] + first[2:] - second[:2] - second[2:]) / 2))
    return float(distance) < max(STILL_SHARE * size, WAVER_PIXELS)


def _still_since(track: Track, changed_since: float) -> float:
    """Since when its sightings lie where the last ones lie; if it was never seen elsewhere after that, since the place
    changed.
    """
    trail = list(track.trail)
    anchor: Box = np.median([sighting.box for sighting in trail[-3:]], axis=0).astype(np.float32)
    since = trail[-1].seconds
    for sighting in reversed(trail):
        if not _is_still(anchor, sighting.box):
            return min(since, max(sighting.seconds, changed_since))
        since = sighting.seconds
    return min(since, changed_since)
