"""House fronts, shops, fences and signs, painted flat (display BGR, or BGRA with holes)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.scenes import textures
from detectors.scenes.hangul import width_of, write

Texture = NDArray[np.uint8]
Display = tuple[int, int, int]
PPM = 40.0


@dataclass(frozen=True, slots=True)
class Front:
    """A house front and the light that comes from it at night (black by day)."""

    texture: Texture
    glow: Texture


def _rect(picture: Texture, x: float, y: float, w: float, h: float, colour: Display) -> None:
    """Metres from the top left."""
    p = [round(v * PPM) for v in (x, y, x + w, y + h)]
    cv2.rectangle(picture, (p[0], p[1]), (p[2] - 1, p[3] - 1), colour, -1)


def _window(front: Front, x: float, y: float, w: float, h: float, rng: np.random.Generator, frame: Display) -> None:
    """Frame, two panes with a slanting reflection, a sill; some lit."""
    picture = front.texture
    _rect(picture, x - 0.06, y - 0.06, w + 0.12, h + 0.12, frame)
    pane = int(rng.integers(45, 95))
    _rect(picture, x, y, w, h, (pane + 14, pane + 6, pane))
    x1, y1, x2, y2 = (round(v * PPM) for v in (x, y, x + w, y + h))
    glass = picture[y1:y2, x1:x2].astype(np.float32)
    if not glass.size:
        return
    rows, columns = np.mgrid[: glass.shape[0], : glass.shape[1]]
    slant = (columns + rows * 0.7) / max(glass.shape[1], 1)
    glass += (38 * np.exp(-(((slant - rng.uniform(0.3, 1.2)) / 0.22) ** 2)))[..., None]
    if rng.random() < 0.5:
        share = rng.uniform(0.3, 0.9)
        curtain = rows < share * glass.shape[0]
        glass[curtain] = glass[curtain] * 0.45 + np.array([150, 160, 165]) * 0.5
    picture[y1:y2, x1:x2] = np.clip(glass, 0, 255).astype(np.uint8)
    _rect(picture, x + w / 2 - 0.03, y, 0.06, h, frame)
    _rect(picture, x - 0.10, y + h + 0.06, w + 0.20, 0.07, (150, 152, 155))
    _rect(picture, x - 0.10, y + h + 0.13, w + 0.20, 0.04, (70, 72, 74))
    if rng.random() < 0.35:
        tint = [(60, 130, 190), (90, 150, 185), (130, 150, 160)][int(rng.integers(3))]
        _rect(front.glow, x, y, w, h, tint)
        _rect(front.glow, x + w / 2 - 0.03, y, 0.06, h, (0, 0, 0))


def _aircon(picture: Texture, x: float, y: float) -> None:
    _rect(picture, x, y, 0.85, 0.62, (196, 200, 202))
    centre = (round((x + 0.36) * PPM), round((y + 0.31) * PPM))
    cv2.circle(picture, centre, round(0.24 * PPM), (95, 97, 98), -1, cv2.LINE_AA)
    for r in (0.18, 0.11, 0.05):
        cv2.circle(picture, centre, round(r * PPM), (150, 152, 153), 1, cv2.LINE_AA)
    _rect(picture, x, y + 0.62, 0.85, 0.05, (60, 60, 60))


def house(
    width: float,
    tall: float,
    rng: np.random.Generator,
    *,
    wall: str = "brick",
    colour: Display | None = None,
    first_storey: float = 0.6,
) -> Front:
    """A villa: rows of windows, outdoor units, a drain pipe. `first_storey` is the height of the first sill row."""
    shape = (round(tall * PPM), round(width * PPM))
    painter = {"brick": textures.brick, "plaster": textures.plaster, "concrete": textures.concrete}[wall]
    base = painter(shape, PPM, rng, colour) if colour is not None else painter(shape, PPM, rng)
    front = Front(base, np.zeros((*shape, 3), np.uint8))
    frame: Display = (215, 218, 220) if rng.random() < 0.6 else (70, 66, 62)
    storeys = max(1, int((tall - first_storey) / 2.9))
    across = max(1, int(width / 2.6))
    pitch = width / across
    wide = float(rng.uniform(1.1, 1.5))
    for storey in range(storeys):
        top = tall - first_storey - 2.9 * storey - 2.25
        if storey:
            _rect(front.texture, 0, top + 2.32, width, 0.14, (165, 168, 170))
            _rect(front.texture, 0, top + 2.46, width, 0.05, (80, 82, 84))
        for k in range(across):
            x = pitch * (k + 0.5) - wide / 2
            if rng.random() < 0.9:
                _window(front, x, top + 0.35, wide, 1.25, rng, frame)
            if rng.random() < 0.35:
                _aircon(front.texture, x + 0.2, top + 1.72)
    pipe = float(rng.uniform(0.3, width - 0.3))
    _rect(front.texture, pipe, 0, 0.10, tall, (135, 138, 140))
    _rect(front.texture, pipe + 0.08, 0, 0.03, tall, (85, 87, 88))
    _rect(front.texture, 0, 0, width, 0.22, (120, 122, 125))
    return front


def shop(
    front: Front, left: float, width: float, name: str, rng: np.random.Generator, sign: Display, ink: Display
) -> None:
    """Put a shop with a glass front and a lit sign into the ground floor of `front`; in place."""
    tall = front.texture.shape[0] / PPM
    base = tall - 2.75
    _rect(front.texture, left, base, width, 2.75, (92, 94, 96))
    panes = max(2, round(width / 1.1))
    pitch = width / panes
    for k in range(panes):
        x = left + k * pitch
        tone = int(rng.integers(60, 105))
        _rect(front.texture, x + 0.04, base + 0.08, pitch - 0.08, 2.42, (tone + 10, tone + 6, tone))
        for _ in range(3):
            sx, sy = float(rng.uniform(0.1, max(pitch - 0.5, 0.11))), float(rng.uniform(0.7, 1.9))
            _rect(front.texture, x + sx, base + sy, 0.3, 0.3, tuple(int(v) for v in rng.integers(60, 210, 3)))  # type: ignore[arg-type]
        x1, y1, x2, y2 = (round(v * PPM) for v in (x + 0.04, base + 0.08, x + pitch - 0.04, base + 2.5))
        part = front.texture[y1:y2, x1:x2].astype(np.float32)
        part += np.linspace(45, -8, part.shape[0], dtype=np.float32)[:, None, None]
        front.texture[y1:y2, x1:x2] = np.clip(part, 0, 255).astype(np.uint8)
        _rect(front.glow, x + 0.04, base + 0.08, pitch - 0.08, 2.42, (120, 165, 190))
    _rect(front.texture, left + width / 2 - 0.5, base + 0.5, 0.05, 2.2, (200, 200, 200))
    _rect(front.texture, left, base - 0.85, width, 0.85, sign)
    _rect(front.texture, left, base - 0.85, width, 0.05, (235, 235, 235))
    size = round(0.55 * PPM)
    room = round(width * PPM) - 12
    while width_of(name, size) > room and size > 6:
        size -= 1
    at = (round((left + width / 2) * PPM) - width_of(name, size) // 2, round((base - 0.43) * PPM) - size // 2)
    write(front.texture, name, at, size, ink)
    x1, y1, x2, y2 = (round(v * PPM) for v in (left, base - 0.85, left + width, base))
    front.glow[y1:y2, x1:x2] = (front.texture[y1:y2, x1:x2] * 0.75).astype(np.uint8)


def door(front: Front, left: float, rng: np.random.Generator, colour: Display = (70, 74, 82)) -> None:
    tall = front.texture.shape[0] / PPM
    _rect(front.texture, left - 0.1, tall - 2.3, 1.3, 2.3, (110, 112, 114))
    _rect(front.texture, left, tall - 2.2, 1.1, 2.2, colour)
    _rect(front.texture, left + 0.15, tall - 2.0, 0.8, 0.8, (100, 98, 92))
    _rect(front.texture, left + 0.95, tall - 1.1, 0.05, 0.25, (190, 190, 190))
    _rect(front.texture, left - 0.4, tall - 2.55, 1.9, 0.18, (150, 152, 154))
    _ = rng


def shutter(front: Front, left: float, width: float, colour: Display = (150, 148, 140)) -> None:
    tall = front.texture.shape[0] / PPM
    _rect(front.texture, left, tall - 2.6, width, 2.6, colour)
    for k in range(26):
        _rect(front.texture, left, tall - 2.6 + k * 0.1, width, 0.03, tuple(int(0.72 * c) for c in colour))  # type: ignore[arg-type]
    _rect(front.texture, left, tall - 2.8, width, 0.2, (100, 100, 100))


def garden_wall(width: float, tall: float, rng: np.random.Generator, *, colour: Display | None = None) -> Texture:
    """A low wall with a coping."""
    shape = (round(tall * PPM), round(width * PPM))
    wall = textures.brick(shape, PPM, rng, colour) if colour is not None else textures.brick(shape, PPM, rng)
    _rect(wall, 0, 0, width, 0.12, (168, 170, 172))
    _rect(wall, 0, 0.12, width, 0.04, (70, 70, 70))
    return wall


def railing(width: float, tall: float, colour: Display = (70, 105, 70), gap: float = 0.14) -> Texture:
    """Upright bars with two rails; BGRA, open between the bars."""
    shape = (round(tall * PPM), round(width * PPM))
    picture = np.zeros((*shape, 4), np.uint8)
    paint = (*colour, 255)
    for x in np.arange(0, width, gap):
        p = round(x * PPM)
        cv2.rectangle(picture, (p, 0), (p + 1, shape[0] - 1), paint, -1)
    for y in (0.06, tall - 0.16):
        cv2.rectangle(picture, (0, round(y * PPM)), (shape[1] - 1, round((y + 0.05) * PPM)), paint, -1)
    for x in np.arange(0, width + 0.01, 2.0):
        p = round(x * PPM)
        cv2.rectangle(picture, (p - 2, 0), (p + 2, shape[0] - 1), (*(int(0.8 * c) for c in paint[:3]), 255), -1)
    return picture


def sign(text: str, colour: Display, ink: Display, size: float = 0.30, second: str = "") -> Texture:
    """A board with one or two lines, `size` metres a syllable, drawn at twice PPM."""
    step = round(size * PPM * 2)
    lines = [text] + ([second] if second else [])
    wide = max(width_of(line, step) for line in lines) + step
    tall = round(step * (1.35 * len(lines) + 0.5))
    board = np.full((tall, wide, 3), colour, np.uint8)
    cv2.rectangle(board, (2, 2), (wide - 3, tall - 3), ink, max(1, step // 14))
    for number, line in enumerate(lines):
        write(board, line, ((wide - width_of(line, step)) // 2, round(step * (0.42 + 1.3 * number))), step, ink)
    return board
