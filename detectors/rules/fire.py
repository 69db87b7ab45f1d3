"""Fire and smoke (KISA 방화): seen by the detector and flickering or moving on the spot, or plainly flame by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from config.settings import FireRule
from detectors.boxes import Box, covered, gap, iou
from detectors.event import Event
from detectors.flame import Flame
from detectors.rules.view import Finding, View, Wish
from detectors.tracker import Kind, Track
from detectors.zones import ZoneArea

SAME_FIRE_SECONDS = 60.0
SEEN_SCORE = 0.35
SEEN_FLICKER = 0.08
ALONE_FLICKER = 0.3
ALONE_STEADY = 0.8
ALONE_AREA = 40.0
ALONE_DARK, ALONE_CONTRAST = 0.08, 8.0
ALONE_EXTRA_SECONDS = 1.5


@dataclass(slots=True, eq=False)
class Fire:
    """A fire that was alarmed."""

    box: Box
    last_seen: float


class FireWatch:
    """One alarm a fire: until nothing burned near for SAME_FIRE_SECONDS."""

    def __init__(self, area: ZoneArea, rule: FireRule) -> None:
        self._area = area
        self._confirm = rule.confirm_seconds
        self._fires: list[Fire] = []
        self._flames: Sequence[Flame] = ()
        self._resumed: Sequence[Event] = ()

    def watch(self, view: View) -> list[Finding]:
        """An alarm for each new fire."""
        self._take_up_resumed(view)
        if view.motion.scene_changed:
            for fire in self._fires:  # the view changed, the fire did not: where it is now is not known
                fire.box = np.array([0, 0, view.width, view.height], np.float32)
        self._flames = [flame for flame in view.flames if self._area.touches(flame.box)]
        self._fires = [fire for fire in self._fires if view.seconds - fire.last_seen < SAME_FIRE_SECONDS]
        burning = [track for track in view.tracks if track.kind in (Kind.FLAME, Kind.SMOKE)]
        found = [self._from_track(track, view) for track in burning if self._area.touches(track.box)]
        found += [self._from_flame(flame, view) for flame in self._flames]
        return [finding for finding in found if finding is not None and self._is_new(finding, view)]

    def _from_track(self, track: Track, view: View) -> Finding | None:
        """What the detector calls fire or smoke, if it also lives as fire does."""
        lasted = track.last_seen - track.first_seen
        if track.hits < 3 or lasted < self._confirm or track.score < SEEN_SCORE or track.misses > 1:
            return None
        flicker = max((flame.flicker for flame in self._flames if iou(flame.box, track.box) > 0.05), default=0.0)
        if flicker < SEEN_FLICKER and track.stir_share < 0.5:
            return None
        label = track.object_class.name.lower()
        return Finding(track.first_seen, track.box, track.score, label, (track.id,))

    def _from_flame(self, flame: Flame, view: View) -> Finding | None:
        """Flame by colour and flicker alone: only what could hardly be anything else."""
        lasted = flame.last_seen - flame.since
        if lasted < self._confirm + ALONE_EXTRA_SECONDS or flame.last_seen < view.seconds:
            return None
        if flame.dark > ALONE_DARK or flame.contrast < ALONE_CONTRAST:
            return None
        if flame.flicker < ALONE_FLICKER or flame.steady < ALONE_STEADY or flame.area < ALONE_AREA:
            return None
        if iou(flame.home, flame.box) < 0.1 and flame.growth < 2.0:
            return None
        if any(_explains(track, flame) for track in view.tracks):
            return None
        return Finding(flame.since, flame.box, 0.5, "fire")

    def _take_up_resumed(self, view: View) -> None:
        for event in self._resumed:
            box = np.array(event.box, np.float32) * np.tile([view.width, view.height], 2).astype(np.float32)
            self._fires.append(Fire(box.astype(np.float32), view.seconds))
        self._resumed = ()

    def _is_new(self, finding: Finding, view: View) -> bool:
        reach = 0.15 * max(view.width, view.height)
        for fire in self._fires:
            if gap(fire.box, finding.box) < reach:
                fire.last_seen = view.seconds
                fire.box = finding.box
                return False
        self._fires.append(Fire(finding.box.copy(), view.seconds))
        return True

    def wishes(self) -> list[Wish]:
        return [Wish(flame.box, 3, 1.0) for flame in self._flames if flame.flicker > SEEN_FLICKER]

    def resume(self, recent: Sequence[Event]) -> None:
        self._resumed = tuple(recent)


def _explains(track: Track, flame: Flame) -> bool:
    """A person in an orange vest, or a moving vehicle's lights."""
    if track.kind is Kind.PERSON and track.is_confirmed:
        return covered(flame.box, track.box) > 0.6
    moving = float(abs(track.velocity).max()) > 0.1 * track.size
    return track.kind in (Kind.VEHICLE, Kind.CYCLE) and moving and covered(flame.box, track.box) > 0.5
