"""What lies between the lens and the scene, and in the sensor: clouds, rain, snow, fog, lamps, grain.

All of it comes round with the clip: `share` is the place in the loop, 0..1, and 0 and 1 look alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.scenes.camera import PoleCamera
from detectors.scenes.stage import Backdrop
from detectors.scenes.surfels import Floats

Picture = NDArray[np.uint8]
LampSpot = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Weather:
    """`wind` sways trees (1 is a breeze); `clouds` 0..1 dim the sun in passing; `grain` in display values."""

    wind: float = 1.0
    clouds: float = 0.0
    rain: float = 0.0
    snow: float = 0.0
    grain: float = 0.6
    night: bool = False
    label: str = ""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def sun(self, share: float) -> float:
        turn = 2 * math.pi * share
        wave = 0.5 + 0.5 * math.sin(turn + 0.6) * math.cos(2 * turn) * 0.6 + 0.2 * math.sin(3 * turn)
        return 1 - self.clouds * min(max(wave, 0.0), 1.0)


def weathered(
    picture: Floats,
    backdrop: Backdrop,
    weather: Weather,
    share: float,
    number: int,
    seed: int,
    lamps: Sequence[LampSpot] = (),
) -> Picture:
    """The picture as the camera hands it to its encoder, (rows, width, 3) uint8."""
    camera = backdrop.stage.camera
    if lamps:
        _headlights(picture, backdrop, lamps, weather)
    if weather.rain:
        _rain(picture, camera, weather.rain, share, seed)
    if weather.snow:
        _snow(picture, camera, weather.snow, share, seed)
    picture = cv2.multiply(cv2.GaussianBlur(picture, (0, 0), 0.55), _vignette(camera, weather.tint))
    rng = np.random.default_rng((seed, number))
    coarse = rng.standard_normal((camera.rows // 2, camera.width // 2), dtype=np.float32) * np.float32(weather.grain)
    grain = cv2.resize(coarse, (camera.width, camera.rows), interpolation=cv2.INTER_LINEAR)
    out = np.asarray(cv2.add(picture, cv2.merge([grain, grain, grain]), dtype=cv2.CV_8U), np.uint8)
    out = _developed(out)
    if weather.label:
        _caption(out, weather.label)
    return out


def _developed(picture: Picture) -> Picture:
    """A camera's own look: a little more contrast and colour than the scene has."""
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    vivid = cv2.addWeighted(picture, 1.16, grey, -0.16, 0)
    return np.asarray(cv2.LUT(vivid, _CONTRAST), np.uint8)


_LEVELS = np.arange(256) / 255.0
_CONTRAST = np.clip(255 * (0.62 * _LEVELS**0.95 + 0.38 * (3 * _LEVELS**2 - 2 * _LEVELS**3) + 0.02), 0, 255).astype(
    np.uint8
)


def _vignette(camera: PoleCamera, tint: tuple[float, float, float]) -> Floats:
    key = (camera.width, camera.rows, tint)
    if key not in _VIGNETTES:
        rows, columns = np.mgrid[: camera.rows, : camera.width].astype(np.float32)
        square = ((columns / camera.width - 0.5) ** 2 + (rows / camera.rows - 0.5) ** 2) * 2
        shade = (1 - 0.22 * square**1.2)[..., None] * np.asarray(tint, np.float32)
        _VIGNETTES[key] = shade.astype(np.float32)
    return _VIGNETTES[key]


_VIGNETTES: dict[tuple[int, int, tuple[float, float, float]], Floats] = {}


def _rain(picture: Floats, camera: PoleCamera, amount: float, share: float, seed: int) -> None:
    """Streaks that fall a whole number of picture heights in a loop."""
    rng = np.random.default_rng((seed, 77))
    count = int(420 * amount)
    x, y = rng.random(count) * camera.width * 1.2 - 0.1 * camera.width, rng.random(count)
    near = rng.uniform(0.35, 1.0, count)
    falls = np.round(60 * near).astype(int)
    top = np.mod(y + share * falls, 1.0) * (camera.rows + 80) - 60
    layer = np.zeros(picture.shape[:2], np.float32)
    for k in range(count):
        long = 16 + 34 * near[k]
        start = (int(x[k] * 8), int(top[k] * 8))
        end = (int((x[k] + 0.10 * long) * 8), int((top[k] + long) * 8))
        cv2.line(layer, start, end, float(0.22 * near[k]), 1, cv2.LINE_AA, 3)
    bright = 70.0 if float(picture.mean()) < 70 else 200.0
    picture += layer[..., None] * (bright - picture * 0.5)


def _snow(picture: Floats, camera: PoleCamera, amount: float, share: float, seed: int) -> None:
    rng = np.random.default_rng((seed, 78))
    count = int(500 * amount)
    x, y, near = rng.random(count), rng.random(count), rng.uniform(0.3, 1.0, count)
    falls = np.maximum(np.round(9 * near), 1)
    drift = np.sin(2 * math.pi * (share * np.round(4 * near) + x))
    layer: Floats = np.zeros(picture.shape[:2], np.float32)
    for k in range(count):
        spot = (
            int((x[k] * camera.width + 14 * drift[k] * near[k]) * 8),
            int((np.mod(y[k] + share * falls[k], 1.0) * (camera.rows + 20) - 10) * 8),
        )
        cv2.circle(layer, spot, int((0.8 + 1.8 * near[k]) * 8), float(0.8 * near[k]), -1, cv2.LINE_AA, 3)
    layer = cv2.GaussianBlur(layer, (0, 0), 0.8)
    picture += layer[..., None] * (235 - picture)


def headlight_pools(camera: PoleCamera, lamps: Sequence[LampSpot], weather: Weather) -> Floats | None:
    """By how much vehicles' lamps brighten the ground, (rows, width, 3); None without lamps."""
    if not lamps:
        return None
    pool = np.zeros((camera.rows // 4, camera.width // 4), np.float32)
    for x, y, _, heading, kind in lamps:
        if kind == 1.0:
            _pool(pool, camera, x, y, heading)
    strength = 1.6 if weather.night else 0.55
    light = cv2.resize(cv2.GaussianBlur(pool, (0, 0), 3.0), (camera.width, camera.rows))[..., None]
    return np.asarray(1 + light * np.array([0.9, 1.05, 1.15], np.float32) * strength, np.float32)


def _headlights(picture: Floats, backdrop: Backdrop, lamps: Sequence[LampSpot], weather: Weather) -> None:
    """The lamps themselves with their halo."""
    camera = backdrop.stage.camera
    glow = np.zeros((camera.rows // 4, camera.width // 4, 3), np.float32)
    for x, y, z, heading, kind in lamps:
        spot = camera.project(np.array([[x, y, z]], np.float32))[0]
        if spot[2] < 0.5 or not (-50 < spot[0] < camera.width + 50 and -50 < spot[1] < camera.rows + 50):
            continue
        towards = np.array([0.0, 0.0]) - np.array([x, y])
        way = np.array([math.cos(heading), math.sin(heading)]) * (1 if kind else -1)
        facing = max(0.0, float(towards @ way / (np.linalg.norm(towards) + 1e-6)))
        if facing <= 0.02:
            continue
        column, row = int(np.clip(spot[0], 0, camera.width - 1)), int(np.clip(spot[1], 0, camera.rows - 1))
        if backdrop.depth[row, column] < spot[2] - 0.8:
            continue
        size = max(0.6, 0.11 * camera.focal / float(spot[2]) / 4)
        colour = (215.0, 240.0, 255.0) if kind else (20.0, 20.0, 190.0)
        centre = (int(spot[0] / 4 * 16), int(spot[1] / 4 * 16))
        strength = facing**2 * (1.0 if kind else 0.5)
        cv2.circle(glow, centre, int(size * 16), tuple(c * strength for c in colour), -1, cv2.LINE_AA, 4)
    wide = cv2.GaussianBlur(glow, (0, 0), 3.0) * 1.6 + cv2.GaussianBlur(glow, (0, 0), 9.0) * 1.4 + glow
    size_full = (camera.width, camera.rows)
    night = 1.0 if weather.night else 0.35
    halo = np.clip(cv2.resize(wide, size_full) * night, 0, 255)
    picture += halo * (1 - picture / 290.0).clip(0, 1)


def _pool(pool: Floats, camera: PoleCamera, x: float, y: float, heading: float) -> None:
    """A cone of light on the road, 1.5 to 14 m ahead."""
    for near, far, half, strength in ((1.2, 6, 0.16, 0.5), (3, 10, 0.14, 0.35), (5, 15, 0.12, 0.25)):
        corners = []
        for reach, side in ((near, -1), (far, -1), (far, 1), (near, 1)):
            a = heading + side * half
            corners.append((x + reach * math.cos(a), y + reach * math.sin(a), 0.0))
        spots = camera.project(np.array(corners, np.float32))
        if (spots[:, 2] < 0.5).any():
            continue
        layer = np.zeros_like(pool)
        cv2.fillConvexPoly(layer, (spots[:, :2] / 4 * 8).astype(np.int32), strength, cv2.LINE_AA, 3)
        pool += layer


def _caption(picture: Picture, text: str) -> None:
    """The camera's name in the corner, as recorders print it; no clock, because the clip comes round."""
    for colour, thick in (((0, 0, 0), 4), ((245, 245, 245), 2)):
        cv2.putText(picture, text, (24, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, colour, thick, cv2.LINE_AA)
