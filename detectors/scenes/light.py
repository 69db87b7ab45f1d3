"""Sun, sky and lamps, and how they light surfels.

Lambert's law for the diffuse part, Schlick's approximation of Fresnel's for what shiny things reflect of the
surroundings, and a gamma of 2.2 with a soft shoulder towards the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.scenes.surfels import Colour, Floats, Surfels


@dataclass(frozen=True, slots=True)
class Lamp:
    """A street lamp: `colour` is the irradiance one metre away, falling with the square of the distance."""

    x: float
    y: float
    z: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Light:
    """`to_sun` points at the sun; its colour is zero at night. All colours are linear BGR."""

    to_sun: tuple[float, float, float] = (-0.45, -0.35, 0.82)
    sun: Colour = (0.86, 0.95, 1.0)
    sky: Colour = (0.62, 0.52, 0.46)
    bounce: Colour = (0.16, 0.17, 0.18)
    horizon: Colour = (0.30, 0.29, 0.28)  # what glass sees of the buildings around
    lamps: tuple[Lamp, ...] = ()
    exposure: float = 1.0

    @property
    def sun_vector(self) -> Floats:
        vector = np.asarray(self.to_sun, np.float32)
        return vector / np.float32(np.linalg.norm(vector))


def shade(
    surfels: Surfels, light: Light, eye: Floats, sun_share: float | Floats = 1.0, extra: Floats | None = None
) -> Floats:
    """Linear BGR (N, 3) that the camera at `eye` sees. `sun_share` is 0 in shadow; `extra` adds light, (N, 3)."""
    normal = surfels.normals
    up = normal[:, 2:3]
    facing = np.maximum(normal @ light.sun_vector, 0.0) * sun_share
    incoming = (
        np.asarray(light.sky, np.float32) * (0.5 + 0.5 * up)
        + np.asarray(light.bounce, np.float32) * (0.5 - 0.5 * up)
        + np.asarray(light.sun, np.float32) * facing[:, None]
        + lamp_light(surfels.positions, normal, light.lamps)
    )
    if extra is not None:
        incoming += extra
    near_ground = np.clip(surfels.positions[:, 2] / 0.45, 0.0, 1.0)
    incoming *= (0.62 + 0.38 * near_ground)[:, None]
    seen = surfels.colours * incoming
    shiny = surfels.gloss > 0.02
    if shiny.any():
        seen[shiny] += _reflection(surfels.where(shiny), light, eye, sun_share)
    seen += surfels.colours * surfels.glow[:, None]
    return np.asarray(seen * light.exposure, np.float32)


def lamp_light(positions: Floats, normals: Floats | None, lamps: tuple[Lamp, ...]) -> Floats:
    total = np.zeros((len(positions), 3), np.float32)
    for lamp in lamps:
        towards = np.array([lamp.x, lamp.y, lamp.z], np.float32) - positions
        squared = np.maximum(np.einsum("ij,ij->i", towards, towards), 0.3)
        if normals is None:
            facing = np.maximum(towards[:, 2], 0.0) / np.sqrt(squared)
        else:
            facing = 0.25 + 0.75 * np.maximum(np.einsum("ij,ij->i", towards, normals) / np.sqrt(squared), 0.0)
        total += (facing / squared)[:, None] * np.asarray(lamp.colour, np.float32)
    return total


def _reflection(surfels: Surfels, light: Light, eye: Floats, sun_share: float | Floats) -> Floats:
    view = surfels.positions - eye
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    cosine = -np.einsum("ij,ij->i", view, surfels.normals)
    mirrored = view + 2 * cosine[:, None] * surfels.normals
    gloss = surfels.gloss
    fresnel = (0.06 + 0.94 * (1 - np.clip(cosine, 0, 1)) ** 5) * gloss
    height = mirrored[:, 2]
    sides = 0.75 + 0.25 * np.sin(7 * np.arctan2(mirrored[:, 1], mirrored[:, 0]))
    sky = np.asarray(light.sky, np.float32) * 1.7
    share = np.clip((height - 0.10) / 0.30, 0, 1)[:, None]
    around = np.asarray(light.horizon, np.float32) * sides[:, None]
    ground = np.asarray(light.bounce, np.float32) * 0.8
    seen = np.where(height[:, None] > 0, around * (1 - share) + sky * share, ground)
    flash = np.maximum(mirrored @ light.sun_vector, 0.0)
    sun = np.asarray(light.sun, np.float32)
    spark = (flash**60 * gloss * 1.2 + flash**8 * gloss * 0.12) * (
        np.mean(sun_share) if np.ndim(sun_share) else sun_share
    )
    return np.asarray(seen * fresnel[:, None] + sun * spark[:, None], np.float32)


def to_picture(linear: Floats) -> NDArray[np.float32]:
    """Linear light to display values 0..255, with a soft shoulder instead of hard white."""
    soft = np.where(linear > 0.7, 0.7 + 0.3 * (1 - np.exp(-(linear - 0.7) / 0.3)), linear)
    return np.asarray(255.0 * np.maximum(soft, 0.0) ** (1 / 2.2), np.float32)


def to_linear(picture: NDArray[np.uint8]) -> Floats:
    return _TO_LINEAR[picture]


_TO_LINEAR = ((np.arange(256, dtype=np.float32) / 255.0) ** 2.2).astype(np.float32)
