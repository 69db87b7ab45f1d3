"""Flames and smoke: a small fluid, run ahead one picture at a time.

Stable fluids (Stam, 1999) on a periodic grid: semi-Lagrangian advection, a pressure step by Fourier transform,
buoyancy from heat, and vorticity confinement (Fedkiw, 2001) to keep the curls that a coarse grid would eat.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from detectors.scenes.surfels import Floats

CELLS_WIDE = 128
CELLS_HIGH = 192
FLOOR = 14  # rows under the seat of the fire


@dataclass(frozen=True, slots=True)
class Blaze:
    """What burns. `width` of the seat and `tall`, of the whole grid, in metres; `wind` in m/s to the right.

    `heat` scales the flames (0: smouldering only), `smoke` the smoke and `soot` its blackness, 0..1.
    """

    width: float = 0.8
    tall: float = 5.0
    heat: float = 1.0
    smoke: float = 1.0
    soot: float = 0.5
    wind: float = 0.3
    seats: int = 3


class Burner:
    """Steps one fire; `flame` and `smoke` give the picture of the moment."""

    def __init__(self, blaze: Blaze, seed: int) -> None:
        self.blaze = blaze
        self._rng = np.random.default_rng(seed)
        shape = (CELLS_HIGH, CELLS_WIDE)
        self._u: Floats = np.zeros(shape, np.float32)
        self._v: Floats = np.zeros(shape, np.float32)  # up is positive; row 0 is the floor
        self._heat: Floats = np.zeros(shape, np.float32)
        self._fog: Floats = np.zeros(shape, np.float32)
        self._rows, self._columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        ky = np.fft.fftfreq(shape[0])[:, None] * 2 * np.pi
        kx = np.fft.rfftfreq(shape[1])[None] * 2 * np.pi
        self._kx, self._ky = kx.astype(np.float32), ky.astype(np.float32)
        square = self._kx**2 + self._ky**2
        square[0, 0] = 1.0
        self._square = square
        self._seats = [
            (self._rng.uniform(-0.5, 0.5), self._rng.uniform(0.5, 1.0), self._rng.uniform(0, 6.28))
            for _ in range(blaze.seats)
        ]
        patches = self._rng.random((CELLS_HIGH // 8, CELLS_WIDE // 8), dtype=np.float32)
        self._cooling = 0.5 + cv2.resize(patches, (CELLS_WIDE, CELLS_HIGH), interpolation=cv2.INTER_CUBIC)
        self._time = 0.0

    @property
    def metres_per_cell(self) -> float:
        return self.blaze.tall / CELLS_HIGH

    @property
    def quiet(self) -> bool:
        return float(self._heat.max()) < 0.05 and float(self._fog.max()) < 0.02

    def step(self, seconds: float, strength: float) -> None:
        """Let it burn so much longer; `strength` 0 (fuel gone) .. 1 (full)."""
        pieces = max(1, round(seconds / 0.025))
        for _ in range(pieces):
            self._piece(seconds / pieces, strength)

    def _piece(self, seconds: float, strength: float) -> None:
        self._time += seconds
        self._feed(seconds, strength)
        cells = seconds / self.metres_per_cell
        wind = self.blaze.wind * np.clip(self._rows / CELLS_HIGH * 1.6, 0, 1)
        self._v += seconds * (15.0 * self._heat + 1.3 * self._fog)
        self._u += seconds * 1.5 * (wind - self._u)
        self._stir(seconds)
        self._curl(seconds)
        self._project()
        back_x = self._columns - self._u * cells
        back_y = self._rows - self._v * cells
        self._u, self._v = _carried(self._u, back_x, back_y), _carried(self._v, back_x, back_y)
        self._heat, self._fog = _carried(self._heat, back_x, back_y), _carried(self._fog, back_x, back_y)
        self._heat *= np.float32(1 - 0.8 * seconds)
        self._heat -= np.float32(0.62 / self.blaze.tall * 5 * seconds) * self._cooling
        np.maximum(self._heat, 0, out=self._heat)
        fade = 0.22 + 0.5 * np.clip((self._rows - 0.75 * CELLS_HIGH) / (0.25 * CELLS_HIGH), 0, 1) * 5
        self._fog *= (1 - fade * seconds).astype(np.float32)
        edge = np.clip(np.minimum(self._columns, CELLS_WIDE - 1 - self._columns) / 10, 0, 1)
        self._fog *= 1 - (1 - edge) * np.float32(min(6 * seconds, 1))
        drag = np.float32(1 - 0.6 * seconds)
        self._u *= drag
        self._v *= drag
        self._v[-12:] *= 0.8

    def _feed(self, seconds: float, strength: float) -> None:
        if strength <= 0:
            return
        half = self.blaze.width / self.metres_per_cell / 2
        middle = CELLS_WIDE * (0.5 - np.clip(self.blaze.wind, -1, 1) * 0.22)
        for offset, size, phase in self._seats:
            flicker = 0.65 + 0.35 * np.sin(self._time * 11 * size + phase) * np.sin(self._time * 17 + phase)
            x = middle + half * (2 * offset) * 0.7 + 1.5 * np.sin(self._time * 5 + phase)
            across = half * size * 0.42 * (0.4 + 0.6 * strength) + 1
            blob = np.exp(-(((self._columns - x) / across) ** 2) - ((self._rows - FLOOR) / (1.6 + half * 0.10)) ** 2)
            grain = self._rng.random((CELLS_HIGH // 4, CELLS_WIDE // 4), dtype=np.float32)
            blob = blob * cv2.resize(grain, (CELLS_WIDE, CELLS_HIGH), interpolation=cv2.INTER_CUBIC) * 2
            self._heat += np.float32(15 * seconds * self.blaze.heat * strength * flicker) * blob
            self._fog += np.float32(9 * seconds * self.blaze.smoke * min(1.0, strength * 1.5)) * blob
        np.minimum(self._heat, 1.05, out=self._heat)
        np.minimum(self._fog, 1.6, out=self._fog)

    def _stir(self, seconds: float) -> None:
        """Turbulence too fine for the grid to make by itself: gusts in and around what is hot."""
        amount = np.float32(38 * seconds) * np.clip(self._heat * 1.5 + self._fog * 0.25, 0, 1)
        for field in (self._u, self._v):
            coarse = self._rng.standard_normal((CELLS_HIGH // 6, CELLS_WIDE // 6), dtype=np.float32)
            field += amount * cv2.resize(coarse, (CELLS_WIDE, CELLS_HIGH), interpolation=cv2.INTER_CUBIC)

    def _curl(self, seconds: float) -> None:
        spin = np.gradient(self._v, axis=1) - np.gradient(self._u, axis=0)
        size = np.abs(spin)
        gy, gx = np.gradient(size, axis=0), np.gradient(size, axis=1)
        length = np.hypot(gx, gy) + 1e-5
        push = np.float32(5.0 * seconds)
        self._u += push * (gy / length) * spin
        self._v -= push * (gx / length) * spin

    def _project(self) -> None:
        fu, fv = np.fft.rfft2(self._u), np.fft.rfft2(self._v)
        divergence = (fu * self._kx + fv * self._ky) / self._square
        self._u = np.fft.irfft2(fu - divergence * self._kx, s=self._u.shape).astype(np.float32)
        self._v = np.fft.irfft2(fv - divergence * self._ky, s=self._v.shape).astype(np.float32)

    def flame(self) -> Floats:
        """Premultiplied BGRA, display values 0..255 and alpha 0..1, (CELLS_HIGH, CELLS_WIDE, 4), top row first."""
        heat = np.clip((self._heat[::-1] - 0.05) / 0.95, 0, 1)
        index = (heat * 255).astype(np.uint8)
        return np.asarray(_PALETTE[index])

    def smoke(self, sky: tuple[float, float, float] = (205.0, 205.0, 205.0)) -> Floats:
        """The same for smoke, lit from above by `sky` (BGR, display values)."""
        fog = self._fog[::-1]
        alpha = 1 - np.exp(-1.7 * np.maximum(fog, 0))
        above = cv2.GaussianBlur(np.roll(fog, (6, 4), (0, 1)), (0, 0), 4)
        lit = np.exp(-1.1 * above) * 0.6 + 0.4
        body = 1 - 0.82 * self.blaze.soot
        colour = np.asarray(sky, np.float32) * (body * lit * 0.95)[..., None]
        glow = cv2.GaussianBlur(self._heat[::-1], (0, 0), 7)[..., None] * np.array([10, 70, 190], np.float32)
        colour = np.clip(colour + glow, 0, 255)
        return np.concatenate([colour * alpha[..., None], alpha[..., None]], axis=2).astype(np.float32)

    @property
    def brightness(self) -> float:
        """How much the flames light up the place, about 0..1."""
        return float(np.clip(np.clip(self._heat, 0, 1).sum() / 900.0, 0, 1.5))

    def seat_column(self) -> float:
        """Column of the grid over the seat of the fire."""
        return CELLS_WIDE * (0.5 - float(np.clip(self.blaze.wind, -1, 1)) * 0.22)


def _carried(field: Floats, back_x: Floats, back_y: Floats) -> Floats:
    """What has come to each cell from where it was a moment ago."""
    return np.asarray(cv2.remap(field, back_x, back_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)


def _palette() -> Floats:
    """Black-body-like ramp from dark red smoke edge to white heat."""
    stops = np.array([0.0, 0.12, 0.28, 0.45, 0.62, 0.80, 1.0])
    blue = np.array([0, 6, 10, 22, 60, 140, 215])
    green = np.array([0, 22, 70, 140, 205, 240, 252])
    red = np.array([0, 110, 215, 250, 255, 255, 255])
    alpha = np.array([0, 0.30, 0.68, 0.85, 0.93, 0.97, 1.0])
    x = np.linspace(0, 1, 256)
    a = np.interp(x, stops, alpha)
    ramp = np.stack([np.interp(x, stops, c) for c in (blue, green, red)] + [np.ones(256)], axis=1)
    return np.asarray(ramp * a[:, None], np.float32)


_PALETTE = _palette()
