"""Surfels to pixels: a sprite with its own alpha and depth, and the shadow it casts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.scenes.camera import PoleCamera
from detectors.scenes.light import Light, shade, to_picture
from detectors.scenes.surfels import Floats, Surfels

FINE = 2  # sub-pixels a pixel and axis
MARGIN = 2  # pixels around a sprite


@dataclass(frozen=True, slots=True)
class Sprite:
    """Premultiplied BGRA float32 0..255 (alpha 0..1) with its top left pixel; `depth` is in metres, 0 where empty."""

    left: int
    top: int
    colour: Floats
    alpha: Floats
    depth: Floats

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """x1, y1, x2, y2 of the pixels that are more than half covered."""
        solid = self.alpha > 0.5
        columns, rows = np.flatnonzero(solid.any(axis=0)), np.flatnonzero(solid.any(axis=1))
        if not len(columns):
            return None
        return (
            self.left + int(columns[0]),
            self.top + int(rows[0]),
            self.left + int(columns[-1]) + 1,
            self.top + int(rows[-1]) + 1,
        )


def splat(
    surfels: Surfels,
    camera: PoleCamera,
    light: Light,
    sun_share: float | Floats = 1.0,
    extra: Floats | None = None,
) -> Sprite | None:
    """Draw a cloud; None when it is out of the picture. Points that face away are left out."""
    away = surfels.positions - camera.eye
    facing = np.einsum("ij,ij->i", away, surfels.normals) < 0
    spots = camera.project(surfels.positions)
    inside = (
        facing
        & (spots[:, 2] > 0.3)
        & (spots[:, 0] > -40)
        & (spots[:, 0] < camera.width + 40)
        & (spots[:, 1] > -40)
        & (spots[:, 1] < camera.rows + 40)
    )
    if np.count_nonzero(inside) < 8:
        return None
    share = sun_share[inside] if isinstance(sun_share, np.ndarray) else sun_share
    spots = spots[inside]
    shown = surfels.where(inside)
    reach = surfels.spacing * camera.focal / float(np.median(spots[:, 2])) * FINE
    footprint = min(max(round(2.4 * reach), 2), 14)
    lit = to_picture(shade(shown, light, camera.eye, share, None if extra is None else extra[inside]))
    return _scatter(spots, lit, footprint)


def _scatter(spots: Floats, colours: Floats, footprint: int) -> Sprite:
    """Each point covers a square of `footprint` sub-pixels."""
    margin = MARGIN + footprint // FINE
    left, top = int(spots[:, 0].min()) - margin, int(spots[:, 1].min()) - margin
    width = int(spots[:, 0].max()) + margin + 2 - left
    height = int(spots[:, 1].max()) + margin + 2 - top
    column = ((spots[:, 0] - left) * FINE - (footprint - 1) / 2).astype(np.int32)
    row = ((spots[:, 1] - top) * FINE - (footprint - 1) / 2).astype(np.int32)
    stride = width * FINE
    near, far = float(spots[:, 2].min()), float(spots[:, 2].max())
    rank = ((far - spots[:, 2]) * (65535.0 / max(far - near, 1e-3))).astype(np.uint16)
    order = np.argsort(rank, kind="stable")  # far to near: the last one written wins
    base = (row * stride + column)[order]
    square = (np.arange(footprint)[:, None] * stride + np.arange(footprint)[None]).ravel().astype(np.int32)
    cells = (base[:, None] + square[None]).ravel()
    owner = np.full(height * FINE * stride, -1, np.int32)
    owner[cells] = np.repeat(order.astype(np.int32), len(square))
    covered = (owner >= 0).reshape(height * FINE, stride)
    owner = np.maximum(owner, 0)
    picture = np.clip(colours, 0, 255).astype(np.uint8)[owner].reshape(height * FINE, stride, 3)
    picture = cv2.medianBlur(picture, 3).astype(np.float32)  # a far point that shows between near ones is a speck
    depth = spots[owner, 2].reshape(height * FINE, stride)
    return _reduced(left, top, picture, depth, covered)


def _reduced(left: int, top: int, picture: Floats, depth: Floats, covered: NDArray[np.bool_]) -> Sprite:
    mask = covered.astype(np.float32)
    size = (picture.shape[1] // FINE, picture.shape[0] // FINE)
    premultiplied = picture * mask[..., None]
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    holes = closed > mask
    if holes.any():
        weight = cv2.blur(mask, (3, 3)) + 1e-6
        filled = cv2.blur(premultiplied, (3, 3)) / weight[..., None]
        premultiplied[holes] = filled[holes]
        depth = np.where(holes, cv2.dilate(depth * mask, np.ones((3, 3), np.uint8)), depth)
    alpha = cv2.resize(closed, size, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA)
    deep = cv2.resize(np.asarray(depth * closed, np.float32), size, interpolation=cv2.INTER_AREA)
    return Sprite(left, top, colour, alpha, deep / np.maximum(alpha, 1e-3))


def cast_shadow(surfels: Surfels, camera: PoleCamera, light: Light, softness: float = 1.0) -> Sprite | None:
    """Where a cloud keeps the sun (or, without one, the sky) off the ground: alpha 0..1, no colour."""
    sun = light.sun_vector
    slope = sun[:2] / max(float(sun[2]), 0.15)
    points = surfels.positions.copy()
    points[:, :2] -= points[:, 2:3] * slope
    points[:, 2] = 0.0
    spots = camera.project(points)
    keep = (
        (spots[:, 2] > 0.3)
        & (spots[:, 0] > -60)
        & (spots[:, 0] < camera.width + 60)
        & (spots[:, 1] > -60)
        & (spots[:, 1] < camera.rows + 60)
    )
    if np.count_nonzero(keep) < 8:
        return None
    spots = spots[keep]
    margin = 8
    left, top = int(spots[:, 0].min()) - margin, int(spots[:, 1].min()) - margin
    width = int(spots[:, 0].max()) + margin + 1 - left
    height = int(spots[:, 1].max()) + margin + 1 - top
    mask: Floats = np.zeros((height, width), np.float32)
    mask[(spots[:, 1] - top).astype(np.int32), (spots[:, 0] - left).astype(np.int32)] = 1.0
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    mask = cv2.GaussianBlur(mask, (0, 0), softness)
    empty = np.zeros((0, 0, 3), np.float32)
    return Sprite(left, top, empty, mask, mask)
