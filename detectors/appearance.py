"""Tells a thing that appeared from a hole where a thing was, and both from a change of light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.boxes import Box
from detectors.motion import Motion

Patch = NDArray[np.float32]  # (h, w, 3), BGR 0..255
_MARGIN = 4
_BAND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Evidence:
    """`appeared` runs from -1 (a thing was taken away) to +1 (a thing came): which of the two pictures has the
    contour and stands out from the surroundings. `ratio` is brightness now over before, `chroma` the change of
    colour (0..255), `texture` the correlation of before and now inside it (1: the same surface in other light).
    """

    appeared: float
    ratio: float
    chroma: float
    texture: float

    @property
    def is_light(self) -> bool:
        """A shadow or a light: the same surface, only darker or brighter."""
        return self.texture > 0.75 and self.chroma < 12.0 and 0.35 < self.ratio < 2.8


NOTHING = Evidence(-1.0, 1.0, 0.0, 0.0)
"""What is no longer there."""


def compare_patches(before: Patch, now: Patch, window: tuple[slice, slice], mask: NDArray[np.bool_]) -> Evidence:
    """Compare two layers (height, width, 3) in `window`, where `mask` (of the window's shape) has changed.

    Outside `mask` both layers are taken from `before`, since nothing else changed there.
    """
    rows = slice(max(window[0].start - _MARGIN, 0), min(window[0].stop + _MARGIN, before.shape[0]))
    columns = slice(max(window[1].start - _MARGIN, 0), min(window[1].stop + _MARGIN, before.shape[1]))
    inside = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    y, x = window[0].start - rows.start, window[1].start - columns.start
    inside[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    old = before[rows, columns]
    new = np.where(inside[..., None] > 0, now[rows, columns], old)
    old_grey, new_grey = _grey(old), _grey(new)
    band = cv2.subtract(cv2.dilate(inside, _BAND), cv2.erode(inside, _BAND)) > 0
    outside = (cv2.dilate(inside, _BAND, iterations=_MARGIN) > 0) & (inside == 0)
    kept = inside > 0
    edges = _balance(_edge_strength(new_grey, band), _edge_strength(old_grey, band))
    contrast = 0.0
    if outside.any():
        ring = old[outside].mean(axis=0)
        contrast = _balance(
            float(np.abs(new[kept] - ring).max(axis=1).mean()), float(np.abs(old[kept] - ring).max(axis=1).mean())
        )
    old_mean, new_mean = old[kept].mean(axis=0), new[kept].mean(axis=0)
    ratio = float(new_mean.sum() / max(old_mean.sum(), 1.0))
    chroma = float(np.abs(new_mean - old_mean * ratio).max())
    return Evidence(0.5 * edges + 0.5 * contrast, ratio, chroma, _correlation(old_grey[kept], new_grey[kept]))


def _grey(patch: Patch) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY), np.float32)


def _edge_strength(grey: NDArray[np.float32], band: NDArray[np.bool_]) -> float:
    horizontal = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    vertical = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return float(cv2.magnitude(horizontal, vertical)[band].mean()) if band.any() else 0.0


def _balance(now: float, before: float) -> float:
    return (now - before) / max(now + before, 1.0)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    first, second = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((first**2).mean() * (second**2).mean()))
    return float((first * second).mean()) / spread if spread > 4.0 else 0.0


def colours(motion: Motion, box: Box) -> NDArray[np.float32]:
    """(6,): mean BGR of the upper and of the lower half of the middle of `box` (frame pixels): shirt and trousers."""
    x1, y1, x2, y2 = motion.grid.window(box)
    inset = (x2 - x1) // 4
    middle = motion.small[y1:y2, x1 + inset : max(x2 - inset, x1 + inset + 1)]
    half = max(len(middle) // 2, 1)
    parts = [middle[:half], middle[half:] if len(middle) > 1 else middle]
    return np.concatenate([part.mean(axis=(0, 1)) for part in parts]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Portrait:
    """How a place looks, apart from the light: strength of edges on a small grid, its mean taken away."""

    edges: NDArray[np.float32]

    def likeness(self, other: Portrait) -> float:
        """Correlation, -1 to 1."""
        return float((self.edges * other.edges).sum())

    def blended(self, newer: Portrait) -> Portrait:
        """A portrait that follows slow change."""
        mixed = 0.8 * self.edges + 0.2 * newer.edges
        return Portrait((mixed / max(float(np.linalg.norm(mixed)), 1e-6)).astype(np.float32))


def portrait(motion: Motion, box: Box) -> Portrait:
    """The portrait of `box` (frame pixels) in the picture of `motion`."""
    x1, y1, x2, y2 = motion.grid.window(box)
    grey = cv2.cvtColor(motion.small[y1:y2, x1:x2], cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = np.log1p(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA))
    strength = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    strength = strength - strength.mean()
    return Portrait((strength / max(float(np.linalg.norm(strength)), 1e-6)).astype(np.float32))
