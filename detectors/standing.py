"""Static change of the background: what stands in the picture now that did not stand there before.

Each pixel holds its background value, and, where something else came to rest on it, the value that rests there and
since when (a two-layer background in the spirit of Porikli, 2007, "Detection of temporarily static regions by
processing video at different frame rates"). A passer-by hides a change, but does not end it; only the background
seen again does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.appearance import NOTHING, Evidence, compare_patches
from detectors.boxes import Box
from detectors.masks import (
    Blob,
    Mask,
    above,
    below,
    blobs,
    both,
    bytes_of,
    count,
    distance,
    either,
    fill_outside,
    follow,
    higher,
    lowered,
    without,
    write,
)
from detectors.motion import MAX_NOISE, Grid, Motion

UPDATE_SECONDS = 0.35
CALM_SECONDS = 1.0
SETTLE_SECONDS = 0.8  # until the average of the last second shows it
BACKGROUND_SECONDS = 20.0
YOUNG_SECONDS, YOUNG_BACKGROUND_SECONDS = 10.0, 5.0
LAYER_SECONDS = 10.0
ABSORB_SECONDS = 300.0
HOLE_SECONDS, HOLE_APPEARED = 12.0, -0.15
EXAMINE_SECONDS = 2.0
ENTER_THRESHOLD, LEAVE_THRESHOLD, OTHER_THRESHOLD = 16.0, 11.0, 20.0  # of 255, above noise
MIN_AREA = 14  # working pixels
MAX_CHANGES = 24
GLOBAL_SHARE = 0.35
_OPEN = np.ones((3, 3), np.uint8)
_RIM = np.ones((9, 9), np.uint8)


@dataclass(frozen=True, slots=True)
class StandingChange:
    """One thing at rest (or one hole where a thing was). `box` in frame pixels; `since` and `last_seen` are media
    seconds; `area_share` is its area as a share of its box; `stirring` the share of it that moves or is hidden at the
    moment.
    """

    id: int
    box: Box
    since: float
    last_seen: float
    area_share: float
    stirring: float


@dataclass(slots=True, eq=False)
class _Known:
    """A change with its pixels, and what was last made of them."""

    change: StandingChange
    window: tuple[slice, slice]
    mask: NDArray[np.bool_]
    evidence: Evidence | None = None
    examined: float = -1e18


class StandingField:
    """Follows one camera. `update` wants each Motion once, in order."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size` is the working (width, height)."""
        shape = (size[1], size[0])
        self._shape = shape
        self._background: NDArray[np.float32] | None = None
        self._layer = np.zeros((*shape, 3), np.float32)
        self._changed: Mask = np.zeros(shape, np.uint8)
        self._unknown: Mask = np.zeros(shape, np.uint8)
        self._heat: Mask = np.zeros(shape, np.uint8)
        self._since = np.zeros(shape, np.float32)
        self._ids = np.zeros(shape, np.int32)
        self._changes: list[StandingChange] = []
        self._known: dict[int, _Known] = {}
        self._next_id = 1
        self._heated = self._updated = self._started = 0.0

    def update(self, motion: Motion, occupied: Sequence[Box] = ()) -> list[StandingChange]:
        """All standing changes now; at most every UPDATE_SECONDS they are looked at anew.

        Nothing unknown is learned in `occupied` (boxes in frame pixels, people and vehicles followed now).
        """
        if self._background is None or motion.background_lost:
            self._begin(motion)
            return []
        cooling = 255.0 * max(motion.seconds - self._heated, 0.0) / CALM_SECONDS
        self._heated = motion.seconds
        self._heat = higher(lowered(self._heat, min(cooling, 255.0)), motion.moving)
        fill_outside(self._heat, motion.grid.seen(), 255)
        elapsed = motion.seconds - self._updated
        if elapsed >= UPDATE_SECONDS:
            self._updated = motion.seconds
            self._learn(motion, min(elapsed, 5.0), occupied)
            self._changes = self._find(motion)
        return self._changes

    def filled_share(self, box: Box, motion: Motion) -> float:
        """Share of `box` (frame pixels) that does not look like the background; 1 where that is not known."""
        if self._background is None:
            return 1.0
        x1, y1, x2, y2 = motion.grid.window(box)
        place = (slice(y1, y2), slice(x1, x2))
        difference = distance(motion.small[place], bytes_of(self._background[place])).astype(np.float32)
        filled = above(difference, np.minimum(motion.noise[place], MAX_NOISE) * 2.0 + ENTER_THRESHOLD)
        return count(either(filled, self._unknown[place])) / filled.size

    def forget(self, boxes: Sequence[Box], grid: Grid) -> None:
        """Something that will move stands in `boxes` (frame pixels): what is behind it is not known yet."""
        for box in boxes:
            x1, y1, x2, y2 = grid.window(box)
            self._unknown[y1:y2, x1:x2] = 255

    def _begin(self, motion: Motion) -> None:
        self._background = motion.small.astype(np.float32)
        for array in (self._changed, self._heat, self._ids):
            array[:] = 0
        self._unknown[:] = 255
        self._changes = []
        self._known = {}
        self._heated = self._updated = self._started = motion.seconds

    def _learn(self, motion: Motion, elapsed: float, occupied: Sequence[Box]) -> None:
        """Move every calm pixel between background and resting layer."""
        assert self._background is not None
        recent = bytes_of(motion.recent)
        calm = below(self._heat, 1)
        self._follow_light(recent, calm)
        noise = np.minimum(motion.noise, MAX_NOISE)
        to_background = distance(recent, bytes_of(self._background)).astype(np.float32)
        differs = both(above(to_background, noise * 2.0 + ENTER_THRESHOLD), calm)
        returned = both(below(to_background, noise * 1.2 + LEAVE_THRESHOLD), calm)
        if count(self._unknown):
            learned = self._learnable(motion, calm, occupied)
            write(motion.recent, learned, self._background)
            self._unknown = without(self._unknown, learned)
            differs = without(differs, self._unknown)
            returned = either(returned, learned)
            differs = without(differs, learned)
        if count(differs) > GLOBAL_SHARE * differs.size:
            self._begin(motion)
            return
        self._enter_layer(motion, recent, differs, noise)
        self._changed = without(either(self._changed, differs), returned)
        resting = both(self._changed, calm)
        follow(motion.small, self._layer, 1.0 - float(np.exp(-elapsed / LAYER_SECONDS)), resting)
        young = motion.seconds - self._started < YOUNG_SECONDS
        pace = 1.0 - float(np.exp(-elapsed / (YOUNG_BACKGROUND_SECONDS if young else BACKGROUND_SECONDS)))
        follow(motion.small, self._background, pace, without(calm, self._changed))

    def _learnable(self, motion: Motion, calm: Mask, occupied: Sequence[Box]) -> Mask:
        """Unknown pixels that now show what can be taken for background."""
        learned = both(self._unknown, calm)
        for box in occupied:
            x1, y1, x2, y2 = motion.grid.window(box)
            learned[y1:y2, x1:x2] = 0
        return learned

    def _enter_layer(
        self, motion: Motion, recent: NDArray[np.uint8], differs: Mask, noise: NDArray[np.float32]
    ) -> None:
        """Pixels that hold something new, or something else than before, start anew."""
        from_layer = distance(recent, bytes_of(self._layer)).astype(np.float32)
        other = above(from_layer, noise * 2.0 + OTHER_THRESHOLD)
        new = either(both(differs, other), without(differs, self._changed))
        if count(new):
            write(motion.recent, new, self._layer)
            np.copyto(self._since, np.float32(motion.seconds - CALM_SECONDS - SETTLE_SECONDS), where=new.view(np.bool_))

    def _follow_light(self, recent: NDArray[np.uint8], calm: Mask) -> None:
        """A camera that changes its exposure, or a cloud, changes all at once: follow by the median ratio."""
        assert self._background is not None
        step = (slice(None, None, 9), slice(None, None, 9))
        usable = (calm[step] > 0) & (self._changed[step] == 0)
        before = self._background[step].sum(axis=2)[usable]
        if before.size < 50:
            return
        now = recent[step].astype(np.float32).sum(axis=2)[usable]
        ratio = float(np.median(now / np.maximum(before, 1.0)))
        if abs(ratio - 1.0) > 0.015 and 0.4 < ratio < 2.5:
            self._background *= ratio
            self._layer *= ratio

    def examine(self, change: StandingChange) -> Evidence:
        """Thing, hole or light? Compares the place with its background; worked out at most every EXAMINE_SECONDS.

        NOTHING for one that is over.
        """
        known = self._known.get(change.id)
        if known is None or self._background is None:
            return NOTHING
        if known.evidence is None or self._updated - known.examined > EXAMINE_SECONDS:
            known.evidence = compare_patches(self._background, self._layer, known.window, known.mask)
            known.examined = self._updated
        return known.evidence

    def _find(self, motion: Motion) -> list[StandingChange]:
        """Connected changed pixels, matched with those of before by the pixels they share."""
        old, self._known = self._known, {}
        if not count(self._changed):
            self._ids[:] = 0
            return []
        solid = np.asarray(cv2.morphologyEx(self._changed, cv2.MORPH_OPEN, _OPEN), np.uint8)
        ids = np.zeros(self._shape, np.int32)
        for blob in blobs(np.asarray(cv2.dilate(solid, _OPEN), np.uint8), MAX_CHANGES):
            mask = blob.inside & (solid[blob.window] > 0)
            if np.count_nonzero(mask) >= MIN_AREA:
                known = self._describe(motion, blob, mask, old)
                ids[blob.window][mask] = known.change.id
                self._known[known.change.id] = known
        self._ids = ids
        self._absorb(motion)
        return [known.change for known in self._known.values()]

    def _describe(self, motion: Motion, blob: Blob, mask: NDArray[np.bool_], old: dict[int, _Known]) -> _Known:
        window = blob.window
        votes, weights = np.unique(self._ids[window][mask], return_counts=True)
        weights[votes == 0] = 0
        change_id = int(votes[weights.argmax()])
        if not change_id or change_id in self._known:
            change_id = self._next_id
            self._next_id += 1
        stirring = np.count_nonzero(self._heat[window][mask]) / int(mask.sum())
        before = old.get(change_id)
        last_seen = motion.seconds if stirring < 0.5 or before is None else before.change.last_seen
        since = float(np.percentile(self._since[window][mask], 70))
        box = motion.grid.frame_boxes(blob.corners)
        change = StandingChange(change_id, box, since, last_seen, float(mask.mean()), stirring)
        known = _Known(change, window, mask)
        if before is not None and before.mask.sum() * 0.8 < mask.sum() < before.mask.sum() * 1.25:
            known.evidence, known.examined = before.evidence, before.examined
        return known

    def _absorb(self, motion: Motion) -> None:
        """A hole, and whatever has rested for long, belongs to the background, with the blurred rim around it."""
        assert self._background is not None
        for known in list(self._known.values()):
            rested = motion.seconds - known.change.since
            if rested < HOLE_SECONDS or known.change.stirring > 0.2:
                continue
            if rested > ABSORB_SECONDS or self.examine(known.change).appeared < HOLE_APPEARED:
                own = (self._ids == known.change.id).astype(np.uint8) * np.uint8(255)
                mask = both(np.asarray(cv2.dilate(own, _RIM), np.uint8), below(self._heat, 1))
                write(motion.recent, mask, self._background)
                self._changed[mask > 0] = 0
                del self._known[known.change.id]
