"""A drawn street for tests of the picture analysis: textured ground, grain, things put down, people as figures."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.frame import Image

WIDTH, HEIGHT = 640, 360
Box = tuple[int, int, int, int]
GRAIN = np.random.default_rng(7).normal(0, 1.5, (5, HEIGHT, WIDTH, 3)).astype(np.float32)


def ground(seed: int = 1, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """Asphalt with stains, a kerb and a wall."""
    chance = np.random.default_rng(seed)
    coarse = chance.normal(0, 14, (height // 20, width // 20))
    fine = chance.normal(0, 5, (height, width))
    grey = 112 + cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) + fine
    image = np.repeat(grey[:, :, None], 3, axis=2) + np.array([4, 0, -3])
    image[: height // 4] = image[: height // 4] * 0.6 + 60
    image[height // 4 : height // 4 + 4] = 150
    return np.clip(image, 0, 255).astype(np.uint8)


@dataclass
class Street:
    """Draws one picture at a time; `things` stay, `light` multiplies all."""

    background: Image = field(default_factory=ground)
    things: list[tuple[Box, tuple[int, int, int]]] = field(default_factory=list)
    light: float = 1.0
    drawn: int = 0

    def picture(self, people: tuple[Box, ...] = (), shift: tuple[float, float] = (0, 0)) -> Image:
        """BGR picture with sensor grain; `people` are boxes of figures."""
        image = self.background.astype(np.float32)
        for box, colour in self.things:
            draw_thing(image, box, colour)
        for box in people:
            draw_person(image, box)
        if shift != (0, 0):
            matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
            image = cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        return self.with_grain(image)

    def with_grain(self, image: NDArray[np.float32]) -> Image:
        """The picture as the sensor gives it."""
        self.drawn += 1
        return np.clip(image * self.light + GRAIN[self.drawn % len(GRAIN)], 0, 255).astype(np.uint8)


def draw_thing(image: NDArray[np.float32], box: Box, colour: tuple[int, int, int]) -> None:
    """A sack: an ellipse with a darker lower half."""
    x1, y1, x2, y2 = box
    centre, axes = ((x1 + x2) // 2, (y1 + y2) // 2), ((x2 - x1) // 2, (y2 - y1) // 2)
    cv2.ellipse(image, centre, axes, 0, 0, 360, colour, -1)
    cv2.ellipse(image, centre, axes, 0, 20, 160, tuple(c * 0.7 for c in colour), -1)


def draw_person(image: NDArray[np.float32], box: Box) -> None:
    """Head, trunk and legs in a box."""
    x1, y1, x2, y2 = box
    height, width = y2 - y1, x2 - x1
    cv2.circle(image, ((x1 + x2) // 2, y1 + height // 9), height // 9, (120, 150, 200), -1)
    cv2.rectangle(
        image, (x1 + width // 6, y1 + height // 5), (x2 - width // 6, y1 + height * 6 // 10), (140, 40, 30), -1
    )
    cv2.rectangle(image, (x1 + width // 4, y1 + height * 6 // 10), (x2 - width // 4, y2), (40, 40, 50), -1)


def draw_vehicle(image: NDArray[np.float32], box: Box, colour: tuple[int, int, int]) -> None:
    """Body, windows and wheels."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    roof, belt = y1 + height // 10, y1 + height // 2
    cabin = [(x1 + width // 5, belt), (x1 + width // 3, roof), (x2 - width // 3, roof), (x2 - width // 6, belt)]
    cv2.fillPoly(image, [np.array(cabin)], (60, 50, 45))
    cv2.rectangle(image, (x1, belt), (x2, y2 - height // 8), colour, -1)
    for x in (x1 + width // 5, x2 - width // 5):
        cv2.circle(image, (x, y2 - height // 7), height // 7, (25, 25, 25), -1)
