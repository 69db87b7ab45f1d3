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

from detectors.appearance import Evidence, compare_patches
from detectors.boxes import Box
from detectors.masks import (
    Mask,
    above,
    below,
    both,
    bytes_of,
    components,
    count,
    distance,
    either,
    follow,
    higher,
    lowered,
    without,
    write,
)
from detectors.motion import Motion, scaled_box

UPDATE_SECONDS = 0.35
CALM_SECONDS = 1.0
BACKGROUND_SECONDS = 20.0
YOUNG_SECONDS, YOUNG_BACKGROUND_SECONDS = 10.0, 5.0
LAYER_SECONDS = 10.0
ABSORB_SECONDS = 300.0
MIN_AREA = 14  # working pixels
MAX_CHANGES = 24
GLOBAL_SHARE = 0.35
_OPEN = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class StandingChange:
    """One thing at rest (or one hole where a thing was). `box` in frame pixels; `since` and `last_seen` are media
    seconds; `area_share` is its area as a share of its box; `evidence` compares the place with its background.
    `stirring` is the share of it that moves or is hidden at the moment.
    """

    id: int
    box: Box
    since: float
    last_seen: float
    area_share: float
    evidence: Evidence
    stirring: float


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
        self._next_id = 1
        self._heated = self._updated = self._started = 0.0

    def update(self, motion: Motion) -> list[StandingChange]:
        """All standing changes now; at most every UPDATE_SECONDS they are looked at anew."""
        if self._background is None or motion.scene_changed:
            self._begin(motion)
            return []
        cooling = 255.0 * max(motion.seconds - self._heated, 0.0) / CALM_SECONDS
        self._heated = motion.seconds
        self._heat = higher(lowered(self._heat, min(cooling, 255.0)), motion.moving)
        elapsed = motion.seconds - self._updated
        if elapsed >= UPDATE_SECONDS:
            self._updated = motion.seconds
            self._learn(motion, min(elapsed, 5.0))
            self._changes = self._find(motion)
        return self._changes

    def forget(self, boxes: Sequence[Box], scale: tuple[float, float]) -> None:
        """Something that will move stands in `boxes` (frame pixels): what is behind it is not known yet."""
        for box in boxes:
            x1, y1, x2, y2 = scaled_box(box, scale, self._shape)
            self._unknown[y1:y2, x1:x2] = 255

    def _begin(self, motion: Motion) -> None:
        self._background = motion.small.astype(np.float32)
        for array in (self._changed, self._unknown, self._heat, self._ids):
            array[:] = 0
        self._changes = []
        self._heated = self._updated = self._started = motion.seconds

    def _learn(self, motion: Motion, elapsed: float) -> None:
        """Move every calm pixel between background and resting layer."""
        assert self._background is not None
        recent = bytes_of(motion.recent)
        calm = below(self._heat, 1)
        self._follow_light(recent, calm)
        noise = np.minimum(motion.noise, 14.0)
        to_background = distance(recent, bytes_of(self._background)).astype(np.float32)
        differs = both(above(to_background, noise * 2.0 + 16.0), calm)
        returned = both(below(to_background, noise * 1.2 + 11.0), calm)
        learned = both(self._unknown, calm)
        if count(learned):
            write(motion.recent, learned, self._background)
            self._unknown = without(self._unknown, calm)
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

    def _enter_layer(
        self, motion: Motion, recent: NDArray[np.uint8], differs: Mask, noise: NDArray[np.float32]
    ) -> None:
        """Pixels that hold something new, or something else than before, start anew."""
        from_layer = distance(recent, bytes_of(self._layer)).astype(np.float32)
        other = above(from_layer, noise * 2.0 + 20.0)
        new = either(both(differs, other), without(differs, self._changed))
        if count(new):
            write(motion.recent, new, self._layer)
            np.copyto(self._since, np.float32(motion.seconds - CALM_SECONDS), where=new.view(np.bool_))

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

    def _find(self, motion: Motion) -> list[StandingChange]:
        """Connected changed pixels, matched with those of before by the pixels they share."""
        if not count(self._changed):
            self._ids[:] = 0
            return []
        solid = np.asarray(cv2.morphologyEx(self._changed, cv2.MORPH_OPEN, _OPEN), np.uint8)
        labels, stats = components(np.asarray(cv2.dilate(solid, _OPEN), np.uint8))
        ids = np.zeros(self._shape, np.int32)
        taken: set[int] = set()
        changes: list[StandingChange] = []
        for index in np.argsort(-stats[:, 4])[:MAX_CHANGES]:
            x, y, width, height = (int(value) for value in stats[index, :4])
            window = (slice(y, y + height), slice(x, x + width))
            mask = (labels[window] == index + 1) & (solid[window] > 0)
            if np.count_nonzero(mask) < MIN_AREA:
                continue
            change = self._describe(motion, window, mask, taken)
            taken.add(change.id)
            ids[window][mask] = change.id
            changes.append(change)
        self._ids = ids
        self._absorb(motion.seconds, changes)
        return changes

    def _describe(
        self, motion: Motion, window: tuple[slice, slice], mask: NDArray[np.bool_], taken: set[int]
    ) -> StandingChange:
        assert self._background is not None
        before = self._ids[window][mask]
        votes = np.bincount(before[before > 0]) if before.any() else np.zeros(1, np.int64)
        change_id = int(votes.argmax()) if votes.any() else 0
        if not change_id or change_id in taken:
            change_id = self._next_id
            self._next_id += 1
        old = next((change for change in self._changes if change.id == change_id), None)
        y, x = window
        corners = np.array([x.start, y.start, x.stop, y.stop], np.float32)
        box: Box = (corners / np.array([*motion.scale, *motion.scale])).astype(np.float32)
        stirring = float(np.count_nonzero(self._heat[window][mask])) / mask.sum()
        evidence = compare_patches(self._background, self._layer, window, mask)
        last_seen = motion.seconds if stirring < 0.5 or old is None else old.last_seen
        since = float(np.percentile(self._since[window][mask], 70))
        return StandingChange(change_id, box, since, last_seen, float(mask.mean()), evidence, stirring)

    def _absorb(self, seconds: float, changes: Sequence[StandingChange]) -> None:
        """What has rested for long belongs to the background."""
        assert self._background is not None
        for change in changes:
            if seconds - change.since > ABSORB_SECONDS:
                mask = np.asarray(cv2.dilate((self._ids == change.id).astype(np.uint8), _OPEN), np.uint8)
                write(self._layer, mask, self._background)
                self._changed[mask > 0] = 0
