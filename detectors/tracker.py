"""Follows objects of one camera through looks that are irregular, seconds apart, and cover parts of the picture.

Two passes as in ByteTrack (Zhang et al., 2022, arXiv:2110.06864): sure detections first, then the doubtful ones for
tracks that are still without. A track ages only where the detector looked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from detectors.boxes import Box, areas, covered, shared_areas
from detectors.detections import VEHICLES, Boxes, Detections, ObjectClass

SURE_SCORE = 0.4
DOUBTFUL_SCORE = 0.15
CONFIRMING_HITS = 2
TRAIL_LENGTH = 240
MAX_TRACKS = 64
# A look that should have shown a track and did not; and for how long it must have been gone.
_MAX_MISSES = {True: 6, False: 2}  # confirmed or not
_LOST_SECONDS = {True: 6.0, False: 1.0}
_VACATED_SHARE = 0.1
_VACATED_SECONDS = 0.7
_FORGOTTEN_SECONDS = 40.0


class Kind(Enum):
    """What a detector tells apart well enough to be followed as one object."""

    PERSON = "person"
    CYCLE = "cycle"
    VEHICLE = "vehicle"
    BAG = "bag"
    FLAME = "flame"
    SMOKE = "smoke"


def kind_of(class_id: int) -> Kind:
    """Vehicles change name from look to look (car, truck, bus): they are one kind."""
    match ObjectClass(class_id):
        case ObjectClass.PERSON:
            return Kind.PERSON
        case ObjectClass.BICYCLE | ObjectClass.MOTORCYCLE:
            return Kind.CYCLE
        case ObjectClass.BAG:
            return Kind.BAG
        case ObjectClass.FIRE:
            return Kind.FLAME
        case ObjectClass.SMOKE:
            return Kind.SMOKE
        case _:
            return Kind.VEHICLE


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a track was at `seconds`."""

    seconds: float
    box: Box
    score: float


@dataclass(slots=True, eq=False)
class Track:
    """One followed object. `box` is the last seen one, `velocity` of its centre in pixels a second,
    `colours` those of its upper and lower half.

    `trail` holds its sightings, oldest first. `stirred` tells that the picture once moved inside it: a poster or a
    tree trunk taken for a person never does; `stir_share` is the share of looks at which it did. `misses` counts
    looks in a row that should have shown it, `is_vacated` tells that the last of them showed bare background there.
    """

    id: int
    kind: Kind
    box: Box
    first_seen: float
    last_seen: float
    score: float
    velocity: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    hits: int = 1
    misses: int = 0
    is_vacated: bool = False
    last_looked: float = 0.0
    last_moved: float = 0.0
    colours: NDArray[np.float32] = field(default_factory=lambda: np.zeros(6, np.float32))
    stirred: bool = False
    stir_share: float = 0.0
    class_scores: dict[int, float] = field(default_factory=dict)
    trail: deque[Sighting] = field(default_factory=lambda: deque(maxlen=TRAIL_LENGTH))

    @property
    def is_confirmed(self) -> bool:
        return self.hits >= CONFIRMING_HITS

    @property
    def object_class(self) -> ObjectClass:
        """The class it was called most, by score."""
        return ObjectClass(max(self.class_scores, key=lambda class_id: self.class_scores[class_id]))

    @property
    def is_motor_vehicle(self) -> bool:
        return self.object_class in VEHICLES

    @property
    def height(self) -> float:
        return float(self.box[3] - self.box[1])

    @property
    def size(self) -> float:
        """Mean of width and height."""
        return float(self.box[2] - self.box[0] + self.box[3] - self.box[1]) / 2

    @property
    def foot(self) -> tuple[float, float]:
        """Where it touches the ground: the middle of the lower edge."""
        return float(self.box[0] + self.box[2]) / 2, float(self.box[3])

    def predicted(self, seconds: float) -> Box:
        """Where it should be at `seconds`; it is trusted to go on for a second and a half at most."""
        ahead = min(max(seconds - self.last_seen, 0.0), 1.5)
        result: Box = self.box + np.tile(self.velocity * np.float32(ahead), 2)
        return result


class Tracker:
    """`update` wants detections and looked-at regions in order of media time."""

    def __init__(self, width: int, height: int) -> None:
        self._frame = np.array([0, 0, width, height], np.float32)
        self._next_id = 1
        self.tracks: list[Track] = []

    def update(
        self,
        detections: Detections,
        seconds: float,
        looked: Boxes,
        filled: Callable[[Box], float] = lambda box: 1.0,
    ) -> list[Track]:
        """Take in `detections` found at `seconds` inside `looked` (N, 4); returns the living tracks.

        `filled` tells which share of a box does not look like the background: who is missed by the detector is there
        still, unless the bare background is.
        """
        kinds = [kind_of(int(class_id)) for class_id in detections.class_ids]
        free = [index for index in range(len(detections)) if detections.scores[index] >= DOUBTFUL_SCORE]
        waiting = list(self.tracks)
        sure = [index for index in free if detections.scores[index] >= SURE_SCORE]
        taken = self._match(waiting, sure, detections, kinds, seconds)
        waiting = [track for track in waiting if track.last_seen < seconds]
        doubtful = [index for index in free if detections.scores[index] < SURE_SCORE]
        self._match(waiting, doubtful, detections, kinds, seconds, strict=True)
        for index in sure:
            if index not in taken:
                self._begin(detections, index, kinds[index], seconds)
        for track in self.tracks:
            self._age(track, seconds, looked, filled)
        self.tracks = [track for track in self.tracks if not self._is_over(track, seconds)][:MAX_TRACKS]
        return self.tracks

    def clear(self) -> None:
        """The picture is another one now: nothing can be followed on."""
        self.tracks = []

    def _match(
        self,
        tracks: Sequence[Track],
        indices: Sequence[int],
        detections: Detections,
        kinds: Sequence[Kind],
        seconds: float,
        strict: bool = False,
    ) -> set[int]:
        """Give detections to tracks, nearest pairs first; returns the detections taken."""
        pairs = []
        for track in tracks:
            for index in indices:
                if kinds[index] is track.kind:
                    likeness = _likeness(track, detections.boxes[index], seconds, strict)
                    if likeness > 0:
                        pairs.append((likeness, track.id, index, track))
        taken: set[int] = set()
        matched: set[int] = set()
        for _, track_id, index, track in sorted(pairs, key=lambda pair: -pair[0]):
            if index not in taken and track_id not in matched:
                taken.add(index)
                matched.add(track_id)
                _sight(track, detections, index, seconds)
        return taken

    def _begin(self, detections: Detections, index: int, kind: Kind, seconds: float) -> None:
        box, score = detections.boxes[index].copy(), float(detections.scores[index])
        for track in self.tracks:
            if track.kind is kind and track.last_seen == seconds and covered(box, track.box) > 0.85:
                return  # a part of what is already followed
        track = Track(self._next_id, kind, box, seconds, seconds, score, last_looked=seconds)
        track.class_scores[int(detections.class_ids[index])] = score
        track.trail.append(Sighting(seconds, box, score))
        self._next_id += 1
        self.tracks.append(track)

    def _age(self, track: Track, seconds: float, looked: Boxes, filled: Callable[[Box], float]) -> None:
        if track.last_seen >= seconds or not len(looked):
            return
        where = np.maximum(track.predicted(seconds), self._frame[:2].repeat(2))
        where = np.minimum(where, self._frame[[2, 3, 2, 3]])[None]
        if areas(where)[0] <= 0 or shared_areas(where, looked).max() >= 0.8 * areas(where)[0]:
            track.misses += 1
            track.last_looked = seconds
            track.is_vacated = filled(track.box) < _VACATED_SHARE and filled(where[0]) < _VACATED_SHARE

    def _is_over(self, track: Track, seconds: float) -> bool:
        unseen = seconds - track.last_seen
        if unseen > _FORGOTTEN_SECONDS:
            return True
        if covered(track.predicted(seconds), self._frame) < 0.3 and track.misses >= 1:
            return True
        if track.is_vacated and unseen >= _VACATED_SECONDS:
            return True
        sure = track.is_confirmed
        return track.misses >= _MAX_MISSES[sure] and unseen >= _LOST_SECONDS[sure]


def _likeness(track: Track, box: Box, seconds: float, strict: bool) -> float:
    """How well `box` continues `track`, 0 (not at all) to 2; overlap counts most, distance decides without it."""
    predicted = track.predicted(seconds)
    shared = float(shared_areas(predicted[None], box[None])[0, 0])
    union = float(areas(predicted[None])[0] + areas(box[None])[0]) - shared
    overlap = shared / max(union, 1e-6)
    if overlap > 0.3:
        return 1.0 + overlap
    size = (float(box[2] - box[0] + box[3] - box[1])) / 2
    ratio = size / max(track.size, 1.0)
    if not 0.5 < ratio < 2.0:
        return 0.0
    elapsed = min(seconds - track.last_seen, 4.0)
    pace = 1.0 if track.kind in (Kind.PERSON, Kind.BAG) else 1.6  # own sizes a second beyond the prediction
    reach = (0.5 + pace * elapsed) * track.size * (0.5 if strict else 1.0)
    distance = float(np.hypot(*((predicted[:2] + predicted[2:] - box[:2] - box[2:]) / 2)))
    return max(0.0, 1.0 - distance / max(reach, 1.0)) * min(ratio, 1 / ratio)


def _is_part(box: Box, whole: Box) -> bool:
    """The cab of a lorry, the front of a bus: a vehicle does not shrink on the spot."""
    return covered(box, whole) > 0.85 and float(areas(box[None])[0]) < 0.6 * float(areas(whole[None])[0])


def _sight(track: Track, detections: Detections, index: int, seconds: float) -> None:
    box, score = detections.boxes[index].copy(), float(detections.scores[index])
    if track.kind is Kind.VEHICLE and track.hits > 2 and _is_part(box, track.box):
        box = track.box.copy()
    elapsed = seconds - track.last_seen
    if elapsed > 0:
        shift = (box[:2] + box[2:] - track.box[:2] - track.box[2:]) / 2
        keep = 0.3 if track.hits > 2 else 0.0
        track.velocity = keep * track.velocity + (1 - keep) * shift / np.float32(max(elapsed, 0.05))
    class_id = int(detections.class_ids[index])
    track.class_scores[class_id] = track.class_scores.get(class_id, 0.0) + score
    track.box, track.last_seen, track.last_looked = box, seconds, seconds
    track.score = 0.7 * track.score + 0.3 * score if track.hits > 1 else max(track.score, score)
    track.hits += 1
    track.misses = 0
    track.is_vacated = False
    track.trail.append(Sighting(seconds, box, score))
