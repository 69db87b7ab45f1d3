"""One camera's eyes: frames in, events out, with the detector called in between by whoever owns it.

    look = analyzer.look(frame)
    detections = gather(look, detector.detect([crop.cut(frame.image) for crop in look.crops]))
    events = analyzer.conclude(look, detections)

Most looks want no crop at all. Who is short of time may leave crops out (`look.keeping(some)`), conclude a look late,
after looks at later frames, or never.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from config.settings import Camera, DumpingRule, FireRule, IntrusionRule, LoiteringRule, ParkingRule, Rule, Zone
from detectors.appearance import colours
from detectors.boxes import Box, areas, grown, shared_areas
from detectors.crops import CropPlanner, Request, cut_by_crops
from detectors.detections import Detections
from detectors.event import Event
from detectors.flame import FlameField
from detectors.frame import Frame
from detectors.look import Crop, Look
from detectors.motion import Motion, MotionField
from detectors.rules.dumping import DumpingWatch
from detectors.rules.fire import FireWatch
from detectors.rules.intrusion import IntrusionWatch
from detectors.rules.loitering import LoiteringWatch
from detectors.rules.parking import ParkingWatch
from detectors.rules.view import Finding, RuleWatch, View
from detectors.standing import StandingField
from detectors.tracker import SURE_SCORE, Kind, Track, Tracker
from detectors.zones import ZoneArea

__all__ = ["CameraAnalyzer", "Look"]

START_SECONDS = 1.0
SHED_SECONDS = 2.0
STIRRED_SHARE = 0.03
_KNOWN_HITS = 4
_CUT_INTERVAL = 1.5
_MOVING_INTERVAL, _STILL_INTERVAL, _LOST_INTERVAL, _NEW_INTERVAL = 0.9, 4.0, 0.6, 0.15


@dataclass(frozen=True, slots=True)
class _Armed:
    zone: Zone
    rule: Rule
    watch: RuleWatch


class CameraAnalyzer:
    """Follows one camera's frames of `width` × `height` pixels. `look` and `conclude` take turns."""

    def __init__(self, camera: Camera, width: int, height: int) -> None:
        self._camera = camera
        self._width, self._height = width, height
        self._motion = MotionField(width, height)
        self._standing = StandingField(self._motion.size)
        self._tracker = Tracker(width, height)
        self._armed: list[_Armed] = []
        self._flames: FlameField | None = None
        self._arm(camera)
        self._first_seconds: float | None = None
        self._last_regions: list[Box] = []
        self._cut_boxes: list[Box] = []
        self._asked: float | None = None  # the look with crops that is not concluded yet
        self._concluded = -1e18

    @property
    def tracks(self) -> Sequence[Track]:
        """The objects followed now."""
        return self._tracker.tracks

    def look(self, frame: Frame) -> Look:
        """Take in `frame` (later than the one before) and say where the detector should look."""
        motion = self._motion.update(frame.image, frame.seconds)
        if self._first_seconds is None:
            self._first_seconds = frame.seconds
        if motion.scene_changed:
            self._tracker.clear()
            self._planner.want_whole()
        changes = self._standing.update(motion, self._occupied(frame.seconds)) if self._armed else []
        flames = self._flames.update(motion) if self._flames else []
        crops: list[Crop] = []
        if self._asked is not None and frame.seconds - self._asked > SHED_SECONDS:
            self._asked = None
        if self._armed and self._asked is None:
            busy = bool(self._tracker.tracks) or len(motion.regions) > 0
            followed = np.array([track.predicted(frame.seconds) for track in self.tracks], np.float32).reshape(-1, 4)
            crops = self._planner.plan(self._requests(motion), followed, frame.seconds, busy)
            self._asked = frame.seconds if crops else None
        return Look(frame, tuple(crops), motion, tuple(changes), tuple(flames))

    def conclude(self, look: Look, detections: Detections) -> list[Event]:
        """What the rules say, given what the detector found in the look's crops.

        The rules see looks in order of time: while one waits for the detector, later ones without crops are passed
        over, and one that comes too late is left out.
        """
        seconds, looked = look.frame.seconds, look.looked
        if seconds <= self._concluded or (self._asked is not None and seconds > self._asked):
            return []
        self._asked, self._concluded = None, seconds
        filled = partial(self._standing.filled_share, motion=look.motion)
        is_cut = cut_by_crops(detections, look)
        tracks = self._tracker.update(detections.only(~is_cut), seconds, looked, filled)
        self._note_cut(detections.only(is_cut))
        self._mark_stirring(tracks, look.motion)
        self._planner.learn(self._last_regions, detections.boxes, looked, seconds)
        self._clear_background(tracks, look)
        view = View(
            seconds, look.frame.captured_at, self._width, self._height, tracks, look.changes, look.flames,
            look.motion, detections, looked, self._standing.examine, filled,
        )  # fmt: skip
        events = []
        for armed in self._armed:
            events += [self._event(armed, finding, view) for finding in armed.watch.watch(view)]
        return events

    def _note_cut(self, detections: Detections) -> None:
        """Something that a crop cut, and nobody follows yet, is to be seen whole next time."""
        known = np.array([track.box for track in self.tracks], np.float32).reshape(-1, 4)
        self._cut_boxes = []
        for box, score in zip(detections.boxes, detections.scores, strict=True):
            explained = len(known) > 0 and shared_areas(box[None], known).max() > 0.5 * areas(box[None])[0]
            if 2 * score >= SURE_SCORE and not explained:  # a cut box counts half
                side = float(max(box[2:] - box[:2]))
                self._cut_boxes.append(grown(box, 0.6 * side, self._width, self._height))

    def _occupied(self, seconds: float) -> list[Box]:
        """Where somebody or something that can leave is now."""
        kinds = (Kind.PERSON, Kind.VEHICLE, Kind.CYCLE)
        return [track.box for track in self.tracks if track.kind in kinds and seconds - track.last_seen < 3.0]

    def _clear_background(self, tracks: Sequence[Track], look: Look) -> None:
        """Who is there in the first pictures hides the background, and will leave."""
        seconds = look.frame.seconds
        if self._first_seconds is not None and seconds - self._first_seconds < START_SECONDS:
            movers = [track for track in tracks if track.last_seen == seconds and track.kind is Kind.PERSON]
            self._standing.forget([_core(track.box) for track in movers], look.motion.grid)

    def resume(self, recent: Sequence[Event]) -> None:
        """After a restart: `recent` events of this camera; what still stands is not alarmed again."""
        for armed in self._armed:
            self._resume(armed, recent)

    @staticmethod
    def _resume(armed: _Armed, recent: Sequence[Event]) -> None:
        armed.watch.resume([one for one in recent if (one.kind, one.zone) == (armed.rule.kind, armed.zone.name)])

    def rearm(self, camera: Camera, recent: Sequence[Event] = ()) -> None:
        """Go on with the zones and rules of `camera`; what is followed and the background stay.

        A rule that is the same in a zone that is the same keeps its clocks. The others begin anew, `recent` events of
        theirs as in `resume`.
        """
        kept = [armed.watch for armed in self._armed]
        self._arm(camera)
        for armed in self._armed:
            if armed.watch not in kept:
                self._resume(armed, recent)

    def _arm(self, camera: Camera) -> None:
        before: dict[object, RuleWatch] = {_identity(armed.zone, armed.rule): armed.watch for armed in self._armed}
        self._camera = camera
        self._areas = [ZoneArea(zone, self._width, self._height) for zone in camera.zones]
        self._planner = CropPlanner(self._width, self._height, _around([area.bounds for area in self._areas]))
        self._armed = []
        for area in self._areas:
            for rule in area.zone.rules:
                same = before.pop(_identity(area.zone, rule), None)
                self._armed.append(_Armed(area.zone, rule, _watch(area, rule) if same is None else same))
        if not any(armed.rule.kind == "fire" for armed in self._armed):
            self._flames = None
        elif self._flames is None:
            self._flames = FlameField(self._motion.size)

    def _requests(self, motion: Motion) -> list[Request]:
        """Everything that the detector should look at now."""
        seconds = motion.seconds
        wishes = [wish for armed in self._armed for wish in armed.watch.wishes()]
        requests = self._track_requests(motion)
        requests += [
            Request(wish.box, wish.priority)
            for wish in wishes
            if not self._looked_within(wish.box, seconds, wish.every_seconds)
        ]
        requests += [
            Request(box, 2)
            for box in self._cut_boxes
            if self._matters(box, 0.0) and not self._looked_within(box, seconds, _CUT_INTERVAL, whole=True)
        ]
        return requests + self._motion_requests(motion)

    def _track_requests(self, motion: Motion) -> list[Request]:
        """Tracks whose turn has come."""
        requests = []
        for track in self._tracker.tracks:
            box = track.predicted(motion.seconds)
            due = motion.seconds - track.last_looked >= self._interval(track, motion)
            if due and self._matters(box, track.height):
                is_new = track.hits == 1 and track.stirred and not track.misses
                requests.append(Request(box, 3 if is_new else 2 if track.stirred else 1))
        return requests

    def _motion_requests(self, motion: Motion) -> list[Request]:
        """Movement that no track explains, where something was found or it is not known yet."""
        known = np.array([track.predicted(motion.seconds) for track in self.tracks], np.float32).reshape(-1, 4)
        unexplained = [
            box for box in motion.regions if shared_areas(box[None], known).sum() <= 0.5 * areas(box[None])[0]
        ]
        self._last_regions = [box for box in unexplained if self._matters(box, 30.0)]
        return [Request(box, 2) for box in self._last_regions if not self._planner.is_dull(box, motion.seconds)]

    def _looked_within(self, box: Box, seconds: float, every: float, whole: bool = False) -> bool:
        return self._planner.seconds_since(box, seconds, whole) < every

    def _matters(self, box: Box, margin: float) -> bool:
        return any(area.touches(box, margin) for area in self._areas)

    @staticmethod
    def _interval(track: Track, motion: Motion) -> float:
        if not track.stirred:  # a car that stands, or a bollard taken for a person
            return _CUT_INTERVAL if track.kind is Kind.VEHICLE and track.hits < _KNOWN_HITS else _STILL_INTERVAL
        if not track.is_confirmed:
            return _NEW_INTERVAL
        if track.hits < _KNOWN_HITS and not track.misses:
            return _MOVING_INTERVAL
        if track.misses:
            return _LOST_INTERVAL * track.misses
        return _MOVING_INTERVAL if motion.share_in(track.box) > STIRRED_SHARE else _STILL_INTERVAL

    @staticmethod
    def _mark_stirring(tracks: Sequence[Track], motion: Motion) -> None:
        for track in tracks:
            if track.last_seen == motion.seconds:
                now = colours(motion, track.box)
                track.colours = now if track.hits == 1 else 0.5 * track.colours + 0.5 * now
            stirs = motion.share_in(track.box) > STIRRED_SHARE
            track.stir_share += (float(stirs) - track.stir_share) * 0.15
            if stirs:
                track.stirred = True
                track.last_moved = motion.seconds
            else:
                track.velocity = track.velocity * np.float32(0.5)  # nothing moves there: it has stopped

    def _event(self, armed: _Armed, finding: Finding, view: View) -> Event:
        return Event(
            event_id=uuid.uuid4().hex,
            camera_id=self._camera.id,
            kind=armed.rule.kind,
            zone=armed.zone.name,
            severity=armed.rule.severity,
            started_at=view.clock(finding.started),
            raised_at=view.captured_at,
            box=view.fractions(finding.box),
            score=round(min(finding.score, 1.0), 3),
            label=finding.label,
            track_ids=finding.track_ids,
            dwell_seconds=finding.dwell_seconds,
        )


def _identity(zone: Zone, rule: Rule) -> object:
    """What makes a rule in a zone another one; how grave its alarms are does not."""
    return zone.name, zone.polygon, rule.model_copy(update={"severity": "attention"})


def _watch(area: ZoneArea, rule: Rule) -> RuleWatch:
    match rule:
        case IntrusionRule():
            return IntrusionWatch(area, rule)
        case LoiteringRule():
            return LoiteringWatch(area, rule)
        case DumpingRule():
            return DumpingWatch(area, rule)
        case ParkingRule():
            return ParkingWatch(area, rule)
        case FireRule():
            return FireWatch(area, rule)


def _around(boxes: Sequence[Box]) -> Box | None:
    """The smallest box that holds them all."""
    if not boxes:
        return None
    stacked = np.array(boxes)
    return np.concatenate([stacked[:, :2].min(axis=0), stacked[:, 2:].max(axis=0)]).astype(np.float32)


def _core(box: Box) -> Box:
    """The part of a box that its object surely fills."""
    inset = 0.1 * (box[2] - box[0])
    result: Box = (box + np.array([inset, 0, -inset, 0], np.float32)).astype(np.float32)
    return result
