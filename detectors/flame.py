"""Places that have the colour of flame and flicker like it, found without a neural network.

Colour as in Çelik and Demirel, 2009 ("Fire detection in video sequences using a generic color model"), loosened;
flicker after Töreyin et al., 2006 ("Computer vision based method for real-time fire and flame detection"), in a
form that works at two to five pictures a second: the flame-coloured shape changes from picture to picture while its
place does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.boxes import Box
from detectors.masks import Mask, above, below, blobs, both, count, either, follow, without
from detectors.motion import Motion

MEMORY_SECONDS = 2.0
MIN_AREA = 16  # working pixels
MIN_PRESENCE = 0.15
MIN_FLICKER = 0.16
WAVER = 16
DARK_SHARE = 0.1
MAX_SWAY = 0.4  # working pixels
GREY_CAST = 1.5  # of 255
MAX_FLAMES = 8
GONE_SECONDS = 3.0
_JOIN = np.ones((5, 5), np.uint8)


@dataclass(slots=True, eq=False)
class Flame:
    """A flickering place. `box` in frame pixels, media seconds. `flicker` is how often its pixels change from picture
    to picture (0..1), `steady` the share of looks it was there, `area` in working pixels, `growth` its area now over
    the first, `contrast` how much brighter it is than what is around it (0..255), `dark` the share of looks at which
    it was all but out, as a lamp that blinks. `home` is the box it began with: what travels is no fire.
    """

    id: int
    box: Box
    home: Box
    since: float
    last_seen: float
    area: float
    first_area: float
    flicker: float = 0.0
    contrast: float = 0.0
    steady: float = 1.0
    dark: float = 0.0
    looks: int = 1

    @property
    def growth(self) -> float:
        return self.area / max(self.first_area, 1.0)


class FlameField:
    """Follows one camera; `update` wants each Motion once, in order."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size` is the working (width, height)."""
        shape = (size[1], size[0])
        self._presence = np.zeros(shape, np.float32)  # how often a pixel is flame-coloured, 0..255
        self._restless = np.zeros(shape, np.float32)  # how often it changes meanwhile, 0..255
        self._mask: Mask = np.zeros(shape, np.uint8)
        self._bright: NDArray[np.uint8] | None = None
        self._seconds = 0.0
        self._next_id = 1
        self.flames: list[Flame] = []

    def update(self, motion: Motion) -> list[Flame]:
        """The flickering places now."""
        mask, bright = flame_coloured(motion.small), np.ascontiguousarray(motion.small[:, :, 2])
        old_mask, self._mask = self._mask, mask
        old_bright, self._bright = self._bright, bright
        elapsed = min(max(motion.seconds - self._seconds, 0.01), 3.0)
        self._seconds = motion.seconds
        if motion.sway > MAX_SWAY:
            return self.flames  # every bright edge flickers in a swaying picture
        if old_bright is None or motion.background_lost:
            self._presence[:] = 0
            self._restless[:] = 0
            self.flames = []
            return []
        if not self.flames and not count(mask) and not count(old_mask):
            self._presence *= np.exp(-elapsed / MEMORY_SECONDS)
            return []
        waver = above(np.asarray(cv2.absdiff(bright, old_bright), np.uint8), WAVER)
        changes = either(without(mask, old_mask), without(old_mask, mask))
        changes = either(changes, both(both(mask, old_mask), waver))
        pace = 1.0 - float(np.exp(-elapsed / MEMORY_SECONDS))
        follow(mask, self._presence, pace)
        follow(changes, self._restless, pace)
        lively = both(above(self._presence, MIN_PRESENCE * 255), above(self._restless, MIN_FLICKER * 255))
        self._follow(motion, lively)
        return self.flames

    def _follow(self, motion: Motion, lively: Mask) -> None:
        seen: set[int] = set()
        for box, area, flicker, contrast in self._components(lively):
            frame_box: Box = motion.grid.frame_boxes(box)
            flame = self._same(frame_box, seen)
            if flame is None:
                flame = Flame(self._next_id, frame_box, frame_box, motion.seconds, motion.seconds, area, area)
                self._next_id += 1
                self.flames.append(flame)
            seen.add(flame.id)
            flame.looks += 1
            lit = count(self._mask[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])])
            flame.dark += ((1.0 if lit < DARK_SHARE * area else 0.0) - flame.dark) / min(flame.looks, 15)
            flame.flicker += (flicker - flame.flicker) / min(flame.looks, 10)
            flame.contrast += (contrast - flame.contrast) / min(flame.looks, 10)
            flame.box, flame.area, flame.last_seen = frame_box, area, motion.seconds
        for flame in self.flames:
            flame.steady += ((1.0 if flame.id in seen else 0.0) - flame.steady) / min(flame.looks + 1, 15)
        living = [flame for flame in self.flames if motion.seconds - flame.last_seen < GONE_SECONDS]
        self.flames = sorted(living, key=lambda flame: flame.since)[:MAX_FLAMES]

    def _components(self, lively: Mask) -> list[tuple[NDArray[np.float32], float, float, float]]:
        """Box in working pixels, area, flicker and contrast of each lively place, largest first."""
        if count(lively) < MIN_AREA:
            return []
        found = []
        for blob in blobs(np.asarray(cv2.dilate(lively, _JOIN), np.uint8), MAX_FLAMES):
            inside = blob.inside & (lively[blob.window] > 0)
            area = float(np.count_nonzero(inside))
            if area >= MIN_AREA:
                flicker = float(self._restless[blob.window][inside].mean()) / 255
                found.append((blob.corners, area, flicker, self._contrast(blob.window, inside)))
        return found

    def _contrast(self, window: tuple[slice, slice], inside: NDArray[np.bool_]) -> float:
        assert self._bright is not None
        rows, columns = window
        y, x = max(rows.start - 6, 0), max(columns.start - 6, 0)
        around = self._bright[y : rows.stop + 6, x : columns.stop + 6].astype(np.float32)
        outer = float(around.mean()) * around.size - float(self._bright[window].sum())
        return float(self._bright[window][inside].mean()) - outer / max(around.size - inside.size, 1)

    def _same(self, box: Box, seen: set[int]) -> Flame | None:
        for flame in self.flames:
            x1, y1 = np.maximum(flame.box[:2], box[:2])
            x2, y2 = np.minimum(flame.box[2:], box[2:])
            if flame.id not in seen and x2 > x1 and y2 > y1:
                return flame
        return None


def warm_share(motion: Motion, box: Box) -> float:
    """Share of `box` (frame pixels) that has the colour of flame; 1 in a picture without colours (night mode)."""
    x1, y1, x2, y2 = motion.grid.window(box)
    sample = motion.small[::8, ::8].astype(np.int16)
    if float(np.abs(sample[:, :, 2] - sample[:, :, 0]).mean()) < GREY_CAST:
        return 1.0
    return count(flame_coloured(motion.small[y1:y2, x1:x2])) / ((x2 - x1) * (y2 - y1))


def flame_coloured(small: NDArray[np.uint8]) -> Mask:
    """(h, w, 3) BGR → 255 where it could be flame: bright red to yellow."""
    blue, green, red = (np.asarray(channel, np.uint8) for channel in cv2.split(small))
    warm = above(np.asarray(cv2.subtract(red, blue)), 55)
    ordered = above(np.asarray(cv2.subtract(red, green)), 12)
    not_pink = below(np.asarray(cv2.subtract(blue, green)), 25)
    return both(both(above(red, 165), warm), both(ordered, not_pink))
