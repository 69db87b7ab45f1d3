"""Where the detector looks: few crops around what moves or is followed, the whole picture only now and then."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.boxes import Box, areas, covered, iou_matrix, shared_areas
from detectors.detections import VEHICLES, Boxes, Detections, ObjectClass
from detectors.frame import Frame, Image
from detectors.look import Crop, Look

MIN_SIDE = 160
MARGIN = 2.2  # side of a crop, in sides of what it shows
MAX_CROPS = 2
MERGED_SIDE = 300
CROPS_PER_SECOND = 1.3
BURST = 3.0
ROUND_SECONDS = 10.0
TILE_SHARE = 0.56  # of the picture's width
FIRST_BACK_OFF = 0.5
LONGEST_BACK_OFF = 8.0
_CELLS = (6, 10)  # rows, columns of the map of dull places
_EDGE = 3.0  # pixels
_SHAPELESS = (int(ObjectClass.FIRE), int(ObjectClass.SMOKE))  # a part of a fire is a fire


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody wants the detector to look at `box` (frame pixels)."""

    box: Box
    priority: int


class CropPlanner:
    """Spends one camera's budget of crops. All times are media seconds."""

    def __init__(self, width: int, height: int, interest: Box | None = None) -> None:
        """`interest` (frame pixels) holds all zones: what stands there unmoved is looked for there, from near."""
        self._width, self._height = width, height
        whole = Crop((0, 0, width, height), 0)
        self._rounds = [
            whole,
            *_tiles(np.array(whole.box, np.float32) if interest is None else interest, width, height),
        ]
        self._round = 0
        self._tokens = BURST
        self._seconds: float | None = None
        self._last_round = -1e9
        # Movement in which nothing is ever found (a tree, a flag) is looked at less and less.
        self._next_look = np.full(_CELLS, -1e9)
        self._back_off = np.full(_CELLS, FIRST_BACK_OFF)
        self._history: deque[tuple[float, Crop]] = deque(maxlen=64)

    def plan(self, requests: Sequence[Request], followed: Boxes, seconds: float, is_busy: bool) -> list[Crop]:
        """The crops for this frame, most urgent first; none most of the time.

        No crop cuts through one of `followed` (N, 4). `is_busy`: something is followed or moves, so the whole picture
        is worth a look when its time has come.
        """
        elapsed = 0.0 if self._seconds is None else max(seconds - self._seconds, 0.0)
        self._seconds = seconds
        self._tokens = min(self._tokens + elapsed * CROPS_PER_SECOND, BURST)
        round_due = seconds - self._last_round >= ROUND_SECONDS * (1.0 if is_busy else 2.0)
        if self._tokens < 1.0 and not any(request.priority >= 3 for request in requests):
            return []
        if self._tokens < -1.0:
            return []
        if round_due and not any(request.priority >= 2 for request in requests):
            self._tokens -= 1.0
            self._last_round = seconds
            crop = self._rounds[self._round % len(self._rounds)]
            self._round += 1
            return [self._note(crop, seconds)]
        crops = self._merge(sorted(requests, key=lambda request: -request.priority), followed)[:MAX_CROPS]
        self._tokens -= len(crops)
        return [self._note(crop, seconds) for crop in crops]

    def _note(self, crop: Crop, seconds: float) -> Crop:
        self._history.append((seconds, crop))
        return crop

    def want_whole(self) -> None:
        """Look at the whole picture as soon as possible (start, a cut)."""
        self._last_round = -1e9
        self._round = 0
        self._tokens = max(self._tokens, 1.0)

    def seconds_since(self, box: Box, seconds: float, whole: bool = False) -> float:
        """How long ago the middle of `box`, or the `whole` of it, was last planned to be looked at."""
        x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
        wanted = box if whole else np.array([x, y, x, y], np.float32)
        for when, crop in reversed(self._history):
            limits = np.array(crop.box, np.float32)
            if (wanted[:2] >= limits[:2] - 1).all() and (wanted[2:] <= limits[2:] + 1).all():
                return seconds - when
        return 1e9

    def is_dull(self, box: Box, seconds: float) -> bool:
        """Nothing was found at `box` lately; its turn has not come."""
        row, column = self._cell(box)
        return bool(seconds < self._next_look[row, column])

    def learn(self, regions: Sequence[Box], found: Boxes, looked: Boxes, seconds: float) -> None:
        """After a look: places where `found` shows something become interesting again, the others duller."""
        for box in regions:
            if not len(looked) or shared_areas(box[None], looked).max() < 0.5 * areas(box[None])[0]:
                continue
            cell = self._cell(box)
            hit = len(found) > 0 and bool((shared_areas(box[None], found) > 0).any())
            self._back_off[cell] = FIRST_BACK_OFF if hit else min(self._back_off[cell] * 1.7, LONGEST_BACK_OFF)
            self._next_look[cell] = seconds + (0.0 if hit else self._back_off[cell])

    def _cell(self, box: Box) -> tuple[int, int]:
        column = int((box[0] + box[2]) / 2 / self._width * _CELLS[1])
        row = int((box[1] + box[3]) / 2 / self._height * _CELLS[0])
        return min(max(row, 0), _CELLS[0] - 1), min(max(column, 0), _CELLS[1] - 1)

    def _merge(self, requests: Sequence[Request], followed: Boxes) -> list[Crop]:
        """Greedy: a request joins the crop that can take it in without growing too large."""
        groups: list[tuple[Box, int, float]] = []
        for request in requests:
            own_side = max(MIN_SIDE, MARGIN * float(max(request.box[2:] - request.box[:2])))
            for index, (box, priority, side) in enumerate(groups):
                joined: Box = np.concatenate(
                    [np.minimum(box[:2], request.box[:2]), np.maximum(box[2:], request.box[2:])]
                )
                limit = max(1.35 * max(side, own_side), float(min(MERGED_SIDE, 0.6 * self._width)))
                if float(max(joined[2:] - joined[:2])) * 1.25 <= limit:
                    groups[index] = (joined, max(priority, request.priority), max(side, own_side))
                    break
            else:
                groups.append((request.box, request.priority, own_side))
        crops = [self._around(box, priority, side, followed) for box, priority, side in groups]
        return list({crop.box: crop for crop in reversed(crops)}.values())[::-1]  # the more urgent of two alike

    def _around(self, box: Box, priority: int, side: float, followed: Boxes) -> Crop:
        """A crop for `box` that holds whatever else it would cut."""
        crop = self._square(box, priority, side)
        for _ in range(2):
            outline = np.array(crop.box, np.float32)
            shared = shared_areas(outline[None], followed)[0] / np.maximum(areas(followed), 1.0)
            cut = followed[(shared > 0.2) & (shared < 0.98)]
            if not len(cut):
                break
            box = np.concatenate(
                [np.minimum(box[:2], cut[:, :2].min(axis=0)), np.maximum(box[2:], cut[:, 2:].max(axis=0))]
            )
            crop = self._square(box, priority, side)
        return crop

    def _square(self, box: Box, priority: int, side: float) -> Crop:
        """A square of `side` around `box`, moved into the picture; the whole picture where it is nearly that."""
        side = max(side, float(max(box[2:] - box[:2])) * 1.25)
        width, height = min(side, float(self._width)), min(side, float(self._height))
        if width * height > 0.6 * self._width * self._height:
            return Crop((0, 0, self._width, self._height), priority)
        x1 = min(max(float(box[0] + box[2]) / 2 - width / 2, 0.0), self._width - width)
        y1 = min(max(float(box[1] + box[3]) / 2 - height / 2, 0.0), self._height - height)
        return Crop((int(x1), int(y1), int(x1 + width), int(y1 + height)), priority)


def _tiles(interest: Box, width: int, height: int) -> list[Crop]:
    """Overlapping near views that cover `interest`, in reading order; none where the whole picture is no farther."""
    side = max(float(MIN_SIDE), TILE_SHARE * width)
    x1, y1 = np.maximum(interest[:2] - 0.1 * side, 0)
    x2, y2 = np.minimum(interest[2:] + 0.1 * side, [width, height])
    tiles = []
    for top, tall in _spans(float(y1), float(y2), side, height):
        for left, wide in _spans(float(x1), float(x2), side, width):
            tiles.append(Crop((int(left), int(top), int(left + wide), int(top + tall)), 0))
    return tiles


def _spans(low: float, high: float, side: float, limit: int) -> list[tuple[float, float]]:
    """(start, length) of equal overlapping pieces of at most about `side` that cover low..high."""
    length = min(max(high - low, float(MIN_SIDE)), float(limit))
    count = int(np.ceil(length / (1.15 * side)))
    piece = min(length, side) if count > 1 else length
    start = min(low, limit - length)
    step = (length - piece) / max(count - 1, 1)
    return [(start + index * step, piece) for index in range(count)]


def cut(frame: Frame, crop: Crop) -> Image:
    """The part of `frame` that `crop` shows, without a copy."""
    return crop.cut(frame.image)


def gather(look: Look, per_crop: Sequence[Detections]) -> Detections:
    """Bring the detections of `look.crops` (their order and number) into the frame and keep one of each object.

    Of two overlapping boxes of one class (or of vehicles) the sure one stays, but a box cut by the edge of its crop
    gives way to a whole one, and counts half: how far it goes on is unknown. Raises ValueError when crops and
    detections differ in number.
    """
    height, width = look.frame.image.shape[:2]
    boxes, scores, class_ids, cuts = [], [], [], []
    for crop, found in zip(look.crops, per_crop, strict=True):
        if len(found):
            boxes.append(found.boxes + np.array([*crop.box[:2], *crop.box[:2]], np.float32))
            scores.append(found.scores)
            class_ids.append(found.class_ids)
            cuts.append(_is_cut(boxes[-1], crop, width, height))
    if not boxes:
        return Detections.empty()
    is_cut = np.concatenate(cuts)
    classes = np.concatenate(class_ids)
    is_cut &= ~np.isin(classes, _SHAPELESS)
    halved = np.where(is_cut, 0.5, 1.0).astype(np.float32)
    merged = Detections(np.concatenate(boxes), np.concatenate(scores) * halved, classes)
    order = np.argsort(-(merged.scores - is_cut), kind="stable")
    kept: list[int] = []
    for index in order:
        if not any(_same(merged, index, other, bool(is_cut[index])) for other in kept):
            kept.append(int(index))
    keep = np.array(sorted(kept), np.int64)
    return Detections(merged.boxes[keep], merged.scores[keep], merged.class_ids[keep])


def cut_by_crops(detections: Detections, look: Look) -> NDArray[np.bool_]:
    """(N,): which of the gathered `detections` end where a crop of `look` ended."""
    height, width = look.frame.image.shape[:2]
    result = np.zeros(len(detections), np.bool_)
    for crop in look.crops:
        limits = np.array(crop.box, np.float32)
        inside = (detections.boxes[:, :2] > limits[:2] - 1).all(axis=1) & (
            detections.boxes[:, 2:] < limits[2:] + 1
        ).all(axis=1)
        result |= inside & _is_cut(detections.boxes, crop, width, height)
    return result & ~np.isin(detections.class_ids, _SHAPELESS)


def _is_cut(boxes: Boxes, crop: Crop, width: int, height: int) -> NDArray[np.bool_]:
    """(N,): the box ends at an edge of the crop that is not an edge of the frame."""
    x1, y1, x2, y2 = crop.box
    left = (boxes[:, 0] < x1 + _EDGE) & (x1 > 0)
    top = (boxes[:, 1] < y1 + _EDGE) & (y1 > 0)
    right = (boxes[:, 2] > x2 - _EDGE) & (x2 < width)
    bottom = (boxes[:, 3] > y2 - _EDGE) & (y2 < height)
    result: NDArray[np.bool_] = left | top | right | bottom
    return result


def _same(merged: Detections, index: int, other: int, is_cut: bool) -> bool:
    vehicles = merged.class_ids[index] in VEHICLES and merged.class_ids[other] in VEHICLES
    if merged.class_ids[index] != merged.class_ids[other] and not vehicles:
        return False
    first, second = merged.boxes[index], merged.boxes[other]
    if float(iou_matrix(first[None], second[None])[0, 0]) > 0.5:
        return True
    return (is_cut or vehicles) and covered(first, second) > (0.7 if is_cut else 0.85)
