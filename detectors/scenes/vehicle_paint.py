"""What is painted on a body: glass with seats behind it, lamps, grille, seams, plates. By place, not by texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.scenes.surfels import Colour, Floats
from detectors.scenes.vehicle_shapes import CHROME, LAMP, PLATE, TAIL, TRIM, BodyShape, line

PANE: Colour = (0.030, 0.028, 0.026)
SEATS: Colour = (0.010, 0.010, 0.010)
DASH: Colour = (0.060, 0.060, 0.062)
HOUSING: Colour = (0.16, 0.16, 0.16)
DARK: Colour = (0.010, 0.010, 0.010)
BOW_METRES = 0.11  # how far the corners of nose and tail stand back

Mask = NDArray[np.bool_]


def bow(x: Floats, y: Floats, shape: BodyShape) -> Floats:
    """By how much the body at (x, y) stands nearer to the middle than its lengthwise line."""
    u = np.minimum(np.abs(x) / (shape.length / 2), 1.0)
    return np.asarray(BOW_METRES * (y / (shape.width / 2)) ** 2 * u**6 * np.sign(x), np.float32)


class BodyPainter:
    """Fills `colours` (N, 3) and `gloss` (N,) for the points of a body."""

    def __init__(self, shape: BodyShape, where: Floats, normal: Floats, paint: Colour) -> None:
        self.shape = shape
        self.x = where[:, 0] + bow(where[:, 0], where[:, 1], shape)
        self.y, self.z = where[:, 1], where[:, 2]
        self.span = np.abs(self.y)
        self.side, self.ahead, self.up = np.abs(normal[:, 1]), normal[:, 0], normal[:, 2]
        self.top, self.belt = line(shape.top, self.x), line(shape.belt, self.x)
        self.half, self.wide = shape.length / 2, shape.width / 2
        self.colours = np.broadcast_to(np.asarray(paint, np.float32), (len(where), 3)).copy()
        self.gloss = np.full(len(where), 1.0, np.float32)

    def put(self, mask: Mask, colour: Colour, gloss: float) -> None:
        self.colours[mask] = colour
        self.gloss[mask] = gloss

    def all(self, *, blind: bool) -> None:
        self._sides(blind)
        self._hood()
        self._screens()
        if self.shape.length > 7:
            self._coach()
        self._front()
        self._rear()
        self._arches()

    def _sides(self, blind: bool) -> None:
        shape, x, z = self.shape, self.x, self.z
        self.put(z < shape.clearance + 0.09, TRIM, 0.05)
        outside = (self.side > 0.6) & (z < self.belt - 0.02)
        for seam in (*shape.pillars, shape.glass_ends[0] + 0.06):
            self.put(outside & (np.abs(x - seam) < 0.014) & (z > shape.clearance + 0.12), TRIM, 0.0)
            handle = (np.abs(x - seam - 0.16) < 0.09) & (np.abs(z - self.belt + 0.13) < 0.016)
            self.put(outside & handle, CHROME, 0.4)
        self.put(outside & (np.abs(z - shape.clearance - 0.30) < 0.012), TRIM, 0.1)
        lengthwise = (x < shape.glass_ends[0]) & (x > shape.glass_ends[1])
        above = (z > self.belt + 0.03) & (self.top - self.belt > 0.16)
        sideways = (self.side > 0.45) & (np.abs(self.ahead) < 0.6)
        window = above & lengthwise & sideways & (z < self.top - shape.window_top)
        rim = lengthwise & (self.side > 0.45) & (np.abs(z - self.belt - 0.015) < 0.014)
        self.put(rim, CHROME, 0.5)
        frame = window.copy()
        for post in shape.pillars:
            window &= np.abs(x - post) > 0.04
        if blind:
            window &= x > shape.pillars[0]
            frame &= x > shape.pillars[0]
        self.put(frame, DARK, 0.4)
        self.put(window, PANE, 1.6)
        height = (z - self.belt) / np.maximum(self.top - self.belt, 0.2)
        for post in (shape.pillars[0] + 0.28, shape.pillars[-1] + 0.22):
            self.put(window & (np.abs(x - post) < 0.16) & (height < 0.48), SEATS, 1.2)

    def _hood(self) -> None:
        shape, x = self.shape, self.x
        cowl = shape.screen[0]
        if self.half - cowl < 0.5:
            return
        over = self.up > 0.5
        self.put(over & (np.abs(self.span - 0.66 * self.wide) < 0.012) & (x > cowl) & (x < self.half - 0.22), TRIM, 0.1)
        self.put((self.up > 0.3) & (np.abs(x - self.half + 0.20) < 0.012) & (self.span < 0.66 * self.wide), TRIM, 0.1)
        self.put(over & (x > cowl - 0.03) & (x < cowl + 0.09) & (self.span < 0.80 * self.wide), TRIM, 0.1)

    def _screens(self) -> None:
        shape = self.shape
        rise = np.maximum(self.top - self.belt, 0)
        room = self.wide * 0.965 - shape.tumble * rise - 0.05
        for (low_x, high_x), sign in ((shape.screen, 1), (shape.rear_screen[::-1], -1)):
            along = (sign * self.x < sign * low_x + 0.02) & (sign * self.x > sign * high_x + 0.02)
            facing = (sign * self.ahead > 0.15) & (self.side < 0.65)
            bottom = self.belt + 0.05
            if sign > 0:
                bottom = np.maximum(self.belt, line(shape.belt, np.array([low_x], np.float32))[0]) + 0.02
            elif shape.top[0][1] < 0.8 and max(height for _, height in shape.top) > 1.9:
                bottom = np.full_like(self.z, 1.75 if shape.length > 7 else 1.22)
            area = along & facing & (self.span < room) & (self.z > bottom)
            if not area.any():
                continue
            floor, ceiling = float(self.z[area].min()), float(self.z[area].max())
            height = (self.z - floor) / max(ceiling - floor, 0.05)
            self.put(area, DARK, 0.5)
            pane = area & (self.span < room - 0.045) & (height > 0.04) & (height < 0.95)
            self.put(pane, PANE, 1.9)
            self._behind_glass(pane, height, sign)

    def _behind_glass(self, pane: Mask, height: Floats, sign: int) -> None:
        self.put(pane & (height < 0.16), DASH if sign > 0 else SEATS, 1.6)
        if self.shape.length > 7:
            return
        # Backs of seats only: heads behind glass would be taken for people.
        seat = (np.abs(self.span - 0.40 * self.wide) < 0.24) & (height < 0.42)
        self.put(pane & seat & (height > 0.12), SEATS, 1.6)
        self.put(pane & (height > 0.86), (0.05, 0.045, 0.04), 1.9)
        if sign > 0:
            self.put(pane & (self.span < 0.11) & (np.abs(height - 0.84) < 0.06), DARK, 0.3)

    def _front(self) -> None:
        shape, z, span, wide = self.shape, self.z, self.span, self.wide
        low, high = shape.grille
        face = (self.x > self.half - 0.20) & (self.ahead > 0.2)
        grille = face & (span < wide * 0.56) & (z > low) & (z < high)
        self.put(grille, DARK, 0.4)
        self.put(grille & (np.mod(z - low, 0.05) < 0.016), CHROME, 0.5)
        edge = (np.abs(span - wide * 0.56) < 0.025) | (np.abs(z - low) < 0.014) | (np.abs(z - high) < 0.014)
        self.put(face & (span < wide * 0.58) & (z > low - 0.014) & (z < high + 0.014) & edge, CHROME, 0.7)
        self.put(face & (np.hypot(self.y, z - (low + high) / 2) < 0.055), (0.6, 0.6, 0.6), 0.8)
        bottom = shape.clearance
        self.put(face & (span < wide * 0.60) & (z > bottom + 0.10) & (z < low - 0.10), DARK, 0.1)
        corner = (self.x > self.half - 0.34) & (span > wide * 0.68) & (span < wide * 0.93)
        self.put(corner & (z > bottom + 0.12) & (z < low - 0.06), DARK, 0.1)
        fog = np.hypot(span - wide * 0.80, z - (bottom + low) / 2) < 0.055
        self.put((self.x > self.half - 0.34) & fog, (0.55, 0.55, 0.55), 0.8)
        self.put(face & (np.abs(z - low + 0.045) < 0.010), TRIM, 0.1)
        self._head_lamps()
        plate = face & (span < 0.27)
        self.put(plate & (z > low - 0.125) & (z < low + 0.005), PLATE, 0.2)
        self.put(plate & (span < 0.20) & (np.abs(z - low + 0.06) < 0.028) & (np.mod(self.y, 0.055) < 0.034), DARK, 0.1)

    def _head_lamps(self) -> None:
        low, high = self.shape.head_lamps
        nose = (self.x > self.half - 0.50) & (self.span > self.wide * 0.56) & (self.up < 0.9)
        slant = (1 - (self.span / self.wide - 0.56) / 0.44) * 0.35 * (high - low)
        lamp = nose & (self.z > low + slant) & (self.z < high + 0.015)
        self.put(lamp, HOUSING, 1.2)
        middle, radius = (low + high) / 2 + 0.02, 0.44 * (high - low)
        for at in (0.70, 0.88):
            self.put(lamp & (np.hypot(self.span - self.wide * at, self.z - middle) < radius), LAMP, 0.9)
        self.put(nose & (np.abs(self.z - high) < 0.016), (0.75, 0.75, 0.75), 0.6)

    def _rear(self) -> None:
        shape, z, span, wide = self.shape, self.z, self.span, self.wide
        low, high = shape.tail_lamps
        tail = (self.x < -self.half + 0.34) & (self.up < 0.85)
        back = tail & (self.ahead < -0.25)
        lamp = tail & (span > wide * 0.56) & (z > low) & (z < high)
        inner = back & (span > wide * 0.40) & (z > (low + high) / 2) & (z < high)
        self.put(lamp | inner, TAIL, 0.8)
        self.put(lamp & (span < wide * 0.72) & (z < low + 0.35 * (high - low)), (0.6, 0.6, 0.6), 0.7)
        self.put(lamp & (np.abs(z - (low + high) / 2) < 0.012), (0.02, 0.02, 0.16), 0.5)
        self.put(back & (np.abs(z - low + 0.07) < 0.012), TRIM, 0.0)
        self.put(back & (z < shape.clearance + 0.20), TRIM, 0.1)
        reflector = (np.abs(z - shape.clearance - 0.27) < 0.022) & (span > wide * 0.62) & (span < wide * 0.86)
        self.put(back & reflector, TAIL, 0.4)
        plate = shape.clearance + 0.36 if shape.length > 7 else (low + high) / 2 - 0.08
        self.put(back & (span < 0.33) & (np.abs(z - plate) < 0.105), TRIM, 0.1)
        self.put(back & (span < 0.26) & (np.abs(z - plate) < 0.06), PLATE, 0.2)
        self.put(back & (span < 0.20) & (np.abs(z - plate) < 0.026) & (np.mod(self.y, 0.055) < 0.034), DARK, 0.1)
        self.put(back & (np.hypot(self.y, z - high - 0.03) < 0.035), (0.6, 0.6, 0.6), 0.8)

    def _coach(self) -> None:
        """What makes a bus: a sign over the screen, doors on the right, a band along the side, an engine grille."""
        z, top = self.z, self.top
        head = (self.x > self.half - 0.75) & (self.ahead > 0.3) & (self.span < 0.74 * self.wide)
        sign = head & (z > 2.46) & (z < 2.80)
        self.put(sign, DARK, 0.4)
        digits = sign & (np.abs(z - 2.63) < 0.09) & (np.mod(self.y, 0.16) < 0.10) & (self.span < 0.55 * self.wide)
        self.put(digits, (0.05, 0.45, 0.80), 0.2)
        outside = self.side > 0.7
        self.put(outside & (np.abs(z - 1.02) < 0.10), (0.70, 0.70, 0.70), 0.5)
        for door in (self.half - 1.05, -0.35):
            leaf = outside & (self.y < 0) & (np.abs(self.x - door) < 0.55) & (z > 0.45) & (z < top - 0.42)
            self.put(leaf, DARK, 0.3)
            self.put(leaf & (np.abs(np.abs(self.x - door) - 0.27) < 0.21) & (z > 0.62), PANE, 1.6)
        back = (self.x < -self.half + 0.2) & (self.ahead < -0.4) & (self.span < 0.7 * self.wide)
        grille = back & (z > 0.85) & (z < 1.45)
        self.put(head & (self.span < 0.025) & (z < 2.46), DARK, 0.3)
        self.put(grille & (np.mod(z, 0.08) < 0.045), DARK, 0.1)

    def _arches(self) -> None:
        radius = self.shape.wheel_radius
        for axle in self.shape.wheels:
            arch = np.hypot(self.x - axle, self.z - radius) < radius + 0.055
            self.put(arch & (self.span > self.shape.width * 0.3), (0.006, 0.006, 0.006), 0.0)
