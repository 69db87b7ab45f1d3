"""Fire and smoke (KISA 방화): the detector sees it again and again where the picture lives as fire does, or it is
plainly flame by its colour and flicker.

The start is the first flame or smoke seen + `confirm_seconds`, as the other rules add their time (KISA adds 10 s, which
would call an alarm at 7 s too early).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from config.settings import FireRule
from detectors.boxes import Box, areas, covered, gap
from detectors.detections import ObjectClass
from detectors.event import Event
from detectors.flame import MAX_SWAY, Flame, warm_share
from detectors.rules.view import Finding, View, Wish
from detectors.tracker import Kind, Track
from detectors.zones import ZoneArea

SEEN_SCORE = 0.25
MIN_HITS, MIN_SUM, MIN_RATIO = 3, 1.2, 0.4  # seen at so many looks, scores together, share of the looks at it
MIN_LIVELY, MIN_LIVELY_LOOKS = 0.55, 8
STIR_SHARE = {ObjectClass.FIRE: 0.03, ObjectClass.SMOKE: 0.015}
ALONE_FLICKER, ALONE_STEADY, ALONE_AREA = 0.3, 0.8, 40.0
ALONE_DARK, ALONE_CONTRAST = 0.08, 8.0
ALONE_EXTRA_SECONDS = 7.0
SURE_PERSON = 0.55
MIN_WARM = 0.03
BLINKING_DARK = 0.2
FORGET_SECONDS = 8.0
BURNT_OUT_SECONDS = 15.0
MAX_SUSPECTS = 12


@dataclass(slots=True, eq=False)
class Suspect:
    """A place where the detector saw fire or smoke. `lively` is the share of looks at which it stirred,
    `warm` the largest share of it that had the colour of flame.
    """

    box: Box
    first_seen: float
    last_seen: float
    class_scores: dict[ObjectClass, float] = field(default_factory=dict)
    hits: int = 0
    looks: int = 0
    lively: float = 0.0
    lively_looks: int = 0
    warm: float = 0.0

    @property
    def object_class(self) -> ObjectClass:
        return max(self.class_scores, key=lambda item: self.class_scores[item])

    @property
    def score_sum(self) -> float:
        return sum(self.class_scores.values())


class FireWatch:
    """One alarm a fire: another only when nothing has burned in the zone for BURNT_OUT_SECONDS."""

    def __init__(self, area: ZoneArea, rule: FireRule) -> None:
        self._area = area
        self._confirm = rule.confirm_seconds
        self._suspects: list[Suspect] = []
        self._flames: Sequence[Flame] = ()
        self._burning: Box | None = None
        self._last_burning = 0.0
        self._resumed: Sequence[Event] = ()

    def watch(self, view: View) -> list[Finding]:
        """An alarm for each new fire."""
        if self._resumed:
            self._burning, self._last_burning, self._resumed = self._whole(view), view.seconds, ()
        self._flames = [flame for flame in view.flames if self._area.touches(flame.box)]
        self._take_in(view)
        self._age(view)
        if self._burning is not None:
            return self._keep_burning(view)
        found = [self._from_suspect(suspect, view) for suspect in self._suspects]
        found += [self._from_flame(flame, view) for flame in self._flames]
        alarms = [finding for finding in found if finding is not None]
        if not alarms:
            return []
        first = min(alarms, key=lambda finding: finding.started)
        self._burning, self._last_burning = first.box.copy(), view.seconds
        return [first]

    @staticmethod
    def _whole(view: View) -> Box:
        return np.array([0, 0, view.width, view.height], np.float32)

    def _take_in(self, view: View) -> None:
        """What the detector saw now, at the places where it saw it before."""
        seen = view.detections
        for box, score, class_id in zip(seen.boxes, seen.scores, seen.class_ids, strict=True):
            kind = ObjectClass(int(class_id))
            if kind not in STIR_SHARE or score < SEEN_SCORE or not self._area.touches(box):
                continue
            suspect = min(self._suspects, key=lambda one: gap(one.box, box), default=None)
            if suspect is None or gap(suspect.box, box) > 0.3 * float(max(box[2:] - box[:2])):
                suspect = Suspect(box.copy(), view.seconds, view.seconds)
                self._suspects.append(suspect)
            if suspect.last_seen < view.seconds or not suspect.hits:
                suspect.hits += 1
            suspect.box = (0.5 * suspect.box + 0.5 * box).astype(np.float32)
            suspect.last_seen = view.seconds
            suspect.warm = max(suspect.warm, warm_share(view.motion, box))
            suspect.class_scores[kind] = suspect.class_scores.get(kind, 0.0) + float(score)
        self._suspects = sorted(self._suspects, key=lambda one: -one.score_sum)[:MAX_SUSPECTS]

    def _age(self, view: View) -> None:
        """Count looks and liveliness of every suspect; forget those not seen for long."""
        for suspect in self._suspects:
            if any(covered(suspect.box, looked) > 0.8 for looked in view.looked):
                suspect.looks += 1
            if view.motion.sway < MAX_SWAY and not view.motion.scene_changed:
                stirs = view.motion.share_in(suspect.box) >= STIR_SHARE[suspect.object_class]
                suspect.lively_looks += 1
                suspect.lively += (float(stirs) - suspect.lively) / min(suspect.lively_looks, 20)
        self._suspects = [one for one in self._suspects if view.seconds - one.last_seen < FORGET_SECONDS]

    def _from_suspect(self, suspect: Suspect, view: View) -> Finding | None:
        lasted = suspect.last_seen - suspect.first_seen
        if lasted < self._confirm or suspect.last_seen < view.seconds or self._is_explained(suspect.box, view):
            return None
        if suspect.hits < MIN_HITS or suspect.score_sum < MIN_SUM or suspect.hits < MIN_RATIO * suspect.looks:
            return None
        if suspect.lively < MIN_LIVELY or suspect.lively_looks < MIN_LIVELY_LOOKS:
            return None
        if suspect.object_class is ObjectClass.FIRE and suspect.warm < MIN_WARM:
            return None
        if any(flame.dark > BLINKING_DARK and gap(flame.box, suspect.box) == 0 for flame in self._flames):
            return None
        score = min(suspect.score_sum / suspect.hits, 1.0)
        return Finding(suspect.first_seen + self._confirm, suspect.box, score, suspect.object_class.name.lower())

    def _from_flame(self, flame: Flame, view: View) -> Finding | None:
        """Flame by colour and flicker: at once if the detector saw it too, else only after a while."""
        lasted = flame.last_seen - flame.since
        is_seen = any(gap(suspect.box, flame.box) == 0 for suspect in self._suspects)
        if lasted < self._confirm + (0.0 if is_seen else ALONE_EXTRA_SECONDS) or flame.last_seen < view.seconds:
            return None
        if flame.dark > ALONE_DARK or flame.contrast < ALONE_CONTRAST:
            return None
        if flame.flicker < ALONE_FLICKER or flame.steady < ALONE_STEADY or flame.area < ALONE_AREA:
            return None
        if gap(flame.home, flame.box) > 0 or self._is_explained(flame.box, view):
            return None
        return Finding(flame.since + self._confirm, flame.box, 0.5, "fire")

    @staticmethod
    def _is_explained(box: Box, view: View) -> bool:
        return any(_explains(track, box, view.seconds) for track in view.tracks)

    def _keep_burning(self, view: View) -> list[Finding]:
        """The fire that was alarmed: still burning, or out."""
        seen_now = any(suspect.last_seen == view.seconds for suspect in self._suspects)
        flickers = any(flame.last_seen == view.seconds and flame.flicker > 0.2 for flame in self._flames)
        if seen_now or flickers:
            self._last_burning = view.seconds
        elif view.seconds - self._last_burning > BURNT_OUT_SECONDS:
            self._burning = None
            self._suspects = []
        return []

    def wishes(self) -> list[Wish]:
        if self._burning is not None:
            return [Wish(self._burning, 1, 4.0)]
        places = [Wish(flame.box, 3, 1.0) for flame in self._flames if flame.flicker > 0.15]
        return places + [Wish(suspect.box, 3, 0.7) for suspect in self._suspects]

    def resume(self, recent: Sequence[Event]) -> None:
        self._resumed = tuple(recent)


def _explains(track: Track, box: Box, seconds: float) -> bool:
    """People who move before a warm wall or in an orange vest, or a moving vehicle's lights."""
    if not track.is_confirmed or seconds - track.last_seen > 3.0:
        return False
    if track.kind is Kind.PERSON and track.score >= SURE_PERSON:  # a burning bin is a doubtful person
        shared = covered(box, track.box) * float(areas(box[None])[0])
        return shared > 0.4 * min(float(areas(box[None])[0]), float(areas(track.box[None])[0]))
    moving = float(abs(track.velocity).max()) > 0.1 * track.size
    return track.kind in (Kind.VEHICLE, Kind.CYCLE) and moving and covered(box, track.box) > 0.5
