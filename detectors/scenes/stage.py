"""The part of a scene that stands still: ground, walls and street furniture, lit once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.scenes.camera import PoleCamera
from detectors.scenes.light import Light, lamp_light, to_picture
from detectors.scenes.splat import Sprite, cast_shadow, splat
from detectors.scenes.surfels import Floats, Surfels

FINE = 2  # sub-pixels a pixel and axis
MAP_PPM = 10.0  # cells a metre of the map of sunlit ground
FAR = 1e6


@dataclass(frozen=True, slots=True)
class Panel:
    """A painted rectangle in the world: `corner` plus 0..1 times `along` and `up`; its last row is at `corner`.

    `texture` BGR or BGRA uint8. `glow` (same size, BGR) is light it gives off itself. A panel that is `ground` may be
    shadowed by others; one that is not `solid` casts no shadow.
    """

    texture: NDArray[np.uint8]
    corner: tuple[float, float, float]
    along: tuple[float, float, float]
    up: tuple[float, float, float]
    ground: bool = False
    solid: bool = True
    glow: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that does not move. Panels first, then clouds of surfels (trees, poles, parked cars)."""

    camera: PoleCamera
    light: Light
    panels: tuple[Panel, ...]
    furniture: tuple[Surfels, ...] = ()
    haze: float = 0.0  # share of haze at 100 m
    sky_display: tuple[float, float, float] = (225.0, 214.0, 204.0)


@dataclass(frozen=True, slots=True)
class SunMap:
    """Share of sun (0..1) on the ground, on a grid of MAP_PPM cells a metre from (`left`, `near`)."""

    share: Floats
    left: float
    near: float

    def at(self, x: Floats, y: Floats) -> Floats:
        column = np.clip(((x - self.left) * MAP_PPM), 0, self.share.shape[1] - 1).astype(np.int32)
        row = np.clip(((y - self.near) * MAP_PPM), 0, self.share.shape[0] - 1).astype(np.int32)
        return self.share[row, column]


@dataclass(frozen=True, slots=True)
class Backdrop:
    """The stage as the camera sees it: display BGR float32, depth in metres, the share of its light from the sun."""

    picture: Floats
    depth: Floats
    sun_fraction: Floats
    sun_map: SunMap
    stage: Stage = field(repr=False)


def bake(stage: Stage) -> Backdrop:
    """Light and draw the stage once."""
    camera = stage.camera
    fine = replace(camera, width=camera.width * FINE, rows=camera.rows * FINE)
    sun_map = _sun_map(stage)
    shape = (fine.rows, fine.width)
    depth = np.full(shape, FAR, np.float32)
    linear = np.zeros((*shape, 3), np.float32)
    linear[:] = (np.asarray(stage.sky_display, np.float32) / 255) ** 2.2
    fraction = np.zeros(shape, np.float32)
    rays = _rays(fine)
    for panel in stage.panels:
        _draw_panel(panel, stage, fine, rays, sun_map, depth, linear, fraction)
    if stage.haze:
        share = (1 - np.exp(-stage.haze * np.minimum(depth, 400) / 100))[..., None]
        linear += share * ((np.asarray(stage.sky_display, np.float32) / 255) ** 2.2 - linear)
    size = (camera.width, camera.rows)
    picture = cv2.resize(to_picture(linear * stage.light.exposure), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST)
    lit = cv2.resize(fraction, size, interpolation=cv2.INTER_AREA)
    for surfels in sorted(stage.furniture, key=lambda s: -float(np.median(camera.project(s.positions)[:, 2]))):
        _bake_furniture(surfels, stage, sun_map, picture, small, lit)
    return Backdrop(picture, small, lit, sun_map, stage)


def _bake_furniture(
    surfels: Surfels, stage: Stage, sun_map: SunMap, picture: Floats, depth: Floats, lit: Floats
) -> None:
    camera, light = stage.camera, stage.light
    shadow = cast_shadow(surfels, camera, light, 1.2)
    if shadow is not None:
        darken(picture, shadow, lit)
    share = sun_map.at(surfels.positions[:, 0], surfels.positions[:, 1])
    high = np.clip((surfels.positions[:, 2] - 2.0) / 1.5, 0, 1)
    sprite = splat(surfels, camera, light, np.maximum(share, high))
    if sprite is None:
        return
    window = _window(sprite, camera)
    if window is None:
        return
    rows, columns, own_rows, own_columns = window
    alpha = sprite.alpha[own_rows, own_columns]
    hidden = depth[rows, columns] < sprite.depth[own_rows, own_columns] - 0.2
    alpha = np.where(hidden, 0, alpha)
    colour = np.where(hidden[..., None], 0, sprite.colour[own_rows, own_columns])
    picture[rows, columns] = picture[rows, columns] * (1 - alpha[..., None]) + colour
    solid = alpha > 0.5
    depth[rows, columns][solid] = sprite.depth[own_rows, own_columns][solid]
    lit[rows, columns][solid] = 0


Window = tuple[slice, slice, slice, slice]


def _window(sprite: Sprite, camera: PoleCamera) -> Window | None:
    """Where a sprite lies in the picture, and the part of it that does."""
    height, width = sprite.alpha.shape
    x1, y1 = max(sprite.left, 0), max(sprite.top, 0)
    x2, y2 = min(sprite.left + width, camera.width), min(sprite.top + height, camera.rows)
    if x2 <= x1 or y2 <= y1:
        return None
    return (
        slice(y1, y2),
        slice(x1, x2),
        slice(y1 - sprite.top, y2 - sprite.top),
        slice(x1 - sprite.left, x2 - sprite.left),
    )


def darken(picture: Floats, shadow: Sprite, sun_fraction: Floats, strength: float = 0.92) -> None:
    """Take the sun's share away where a shadow falls; in place."""
    rows_total, width_total = sun_fraction.shape
    height, width = shadow.alpha.shape
    x1, y1 = max(shadow.left, 0), max(shadow.top, 0)
    x2, y2 = min(shadow.left + width, width_total), min(shadow.top + height, rows_total)
    if x2 <= x1 or y2 <= y1:
        return
    alpha = shadow.alpha[y1 - shadow.top : y2 - shadow.top, x1 - shadow.left : x2 - shadow.left]
    left = 1 - strength * alpha * sun_fraction[y1:y2, x1:x2]
    picture[y1:y2, x1:x2] *= (np.maximum(left, 0.02) ** (1 / 2.2))[..., None]


def _rays(camera: PoleCamera) -> Floats:
    """Direction of each pixel with a forward part of 1, so that its multiple is depth; (rows, width, 3)."""
    columns = (np.arange(camera.width, dtype=np.float32) + 0.5 - camera.width / 2) / camera.focal
    rows = (np.arange(camera.rows, dtype=np.float32) + 0.5 - camera.rows / 2) / camera.focal
    right, down, forward = camera.axes
    return np.asarray(columns[None, :, None] * right + rows[:, None, None] * down + forward, np.float32)


def _corners(panel: Panel) -> Floats:
    corner, along, up = (np.asarray(v, np.float32) for v in (panel.corner, panel.along, panel.up))
    return np.stack([corner, corner + along, corner + along + up, corner + up])


def _sun_map(stage: Stage) -> SunMap:
    grounds = [_corners(panel) for panel in stage.panels if panel.ground]
    points = np.concatenate(grounds) if grounds else np.array([[-30, 0, 0], [30, 80, 0]], np.float32)
    left, near = float(points[:, 0].min()), float(points[:, 1].min())
    width = min(int((points[:, 0].max() - left) * MAP_PPM) + 1, 2000)
    depth = min(int((points[:, 1].max() - near) * MAP_PPM) + 1, 3000)
    shade = np.zeros((depth, width), np.float32)
    sun = stage.light.sun_vector
    slope = sun[:2] / max(float(sun[2]), 0.1)

    def cells(where: Floats) -> NDArray[np.int32]:
        flat = where[:, :2] - where[:, 2:3] * slope
        return np.asarray((flat - np.array([left, near], np.float32)) * MAP_PPM, np.int32)

    for panel in stage.panels:
        if panel.solid and not panel.ground:
            cv2.fillConvexPoly(shade, cv2.convexHull(cells(_corners(panel))), 1.0)
    for surfels in stage.furniture:
        spots = cells(surfels.positions)
        keep = (spots >= 0).all(axis=1) & (spots[:, 0] < width) & (spots[:, 1] < depth)
        own = np.zeros_like(shade)
        own[spots[keep, 1], spots[keep, 0]] = 1.0
        shade = np.maximum(shade, cv2.morphologyEx(own, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)))
    return SunMap(1 - cv2.GaussianBlur(shade, (0, 0), 1.4), left, near)


def _draw_panel(
    panel: Panel,
    stage: Stage,
    fine: PoleCamera,
    rays: Floats,
    sun_map: SunMap,
    depth: Floats,
    linear: Floats,
    fraction: Floats,
) -> None:
    corner, along, up = (np.asarray(v, np.float32) for v in (panel.corner, panel.along, panel.up))
    normal = np.cross(along, up)
    normal /= np.linalg.norm(normal)
    if float(normal @ (fine.eye - corner)) < 0:
        normal = -normal
    box = _screen_box(panel, fine)
    if box is None:
        return
    rows, columns = box
    ray = rays[rows, columns]
    facing = ray @ normal
    reach = float((corner - fine.eye) @ normal)
    deep = np.where(facing < -1e-6, reach / np.minimum(facing, -1e-6), FAR).astype(np.float32)
    spot = fine.eye + ray * deep[..., None] - corner
    a = spot @ along / float(along @ along)
    b = spot @ up / float(up @ up)
    hit = (a >= 0) & (a < 1) & (b >= 0) & (b < 1) & (deep > 0.2) & (deep < depth[rows, columns])
    if not hit.any():
        return
    colour, alpha = _sampled(panel.texture, panel, fine, a, b, deep)
    world = spot + corner
    sun_share = sun_map.at(world[..., 0], world[..., 1]) if panel.ground else _wall_sun(stage, panel)
    light, share = _panel_light(stage, normal, world, sun_share, panel.ground)
    lit = (colour / 255) ** 2.2 * light
    if panel.glow is not None:
        shine, _ = _sampled(panel.glow, panel, fine, a, b, deep)
        lit += (shine / 255) ** 2.2
    cover = (hit * alpha)[..., None]
    linear[rows, columns] = linear[rows, columns] * (1 - cover) + lit * cover
    taken = hit & (alpha > 0.5)
    depth[rows, columns][taken] = deep[taken]
    fraction[rows, columns][taken] = share[taken] if panel.ground else 0.0


def _wall_sun(stage: Stage, panel: Panel) -> float:
    return 0.8 if panel.solid else 0.6


def _screen_box(panel: Panel, fine: PoleCamera) -> tuple[slice, slice] | None:
    seen = (_corners(panel) - fine.eye) @ fine.axes.T
    if (seen[:, 2] <= 0.2).all():
        return None
    if (seen[:, 2] <= 0.2).any():
        return slice(0, fine.rows), slice(0, fine.width)
    spots = fine.project(_corners(panel))
    x1, x2 = max(int(spots[:, 0].min()) - 1, 0), min(int(spots[:, 0].max()) + 2, fine.width)
    y1, y2 = max(int(spots[:, 1].min()) - 1, 0), min(int(spots[:, 1].max()) + 2, fine.rows)
    return (slice(y1, y2), slice(x1, x2)) if x2 > x1 and y2 > y1 else None


def _sampled(
    texture: NDArray[np.uint8], panel: Panel, fine: PoleCamera, a: Floats, b: Floats, deep: Floats
) -> tuple[Floats, Floats]:
    """The texture at plane fractions, from a pyramid, so that the far ground does not sparkle. BGR and alpha."""
    length = float(np.linalg.norm(panel.along))
    ppm = texture.shape[1] / length
    wanted = np.log2(np.maximum(ppm * deep / fine.focal * 1.4, 1.0))
    levels = [texture]
    while min(levels[-1].shape[:2]) > 8 and len(levels) <= int(min(float(wanted.max()), 7.0)):
        half = cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(half, np.uint8))
    nearest = np.clip(np.round(wanted), 0, len(levels) - 1).astype(np.uint8)
    out = np.zeros((*a.shape, texture.shape[2]), np.float32)
    for level, picture in enumerate(levels):
        mine = nearest == level
        if mine.any():
            x, y = a * picture.shape[1] - 0.5, (1 - b) * picture.shape[0] - 0.5
            got = cv2.remap(
                picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            out[mine] = got[mine]
    alpha = out[..., 3] / 255 if texture.shape[2] == 4 else np.ones(a.shape, np.float32)
    return out[..., :3], alpha


def _panel_light(
    stage: Stage, normal: Floats, world: Floats, sun_share: Floats | float, ground: bool
) -> tuple[Floats, Floats]:
    """Irradiance (.., 3) and the sun's share of it (..)."""
    light = stage.light
    up = float(normal[2])
    sky = np.asarray(light.sky, np.float32) * (0.5 + 0.5 * up) + np.asarray(light.bounce, np.float32) * (0.5 - 0.5 * up)
    total = np.broadcast_to(sky, world.shape).copy()
    if not ground:
        total *= 0.62 + 0.38 * np.clip(world[..., 2:3] / 2.5, 0, 1)
    if light.lamps:
        flat = world.reshape(-1, 3)
        total += lamp_light(flat, np.broadcast_to(normal, flat.shape), light.lamps).reshape(world.shape)
    facing = max(float(normal @ light.sun_vector), 0.0)
    sun = (
        np.asarray(light.sun, np.float32)
        * facing
        * (sun_share[..., None] if isinstance(sun_share, np.ndarray) else sun_share)
    )
    total += sun
    share = (sun / np.maximum(total, 1e-4)).mean(axis=-1)
    return total, np.broadcast_to(share, world.shape[:-1])


def upright(
    texture: NDArray[np.uint8],
    start: tuple[float, float],
    end: tuple[float, float],
    tall: float,
    base: float = 0.0,
    **more: object,
) -> Panel:
    """A wall from `start` to `end` on the ground, `tall` metres high from `base`."""
    return Panel(
        texture,
        (start[0], start[1], base),
        (end[0] - start[0], end[1] - start[1], 0.0),
        (0.0, 0.0, tall),
        **more,  # type: ignore[arg-type]
    )


def floor(texture: NDArray[np.uint8], left: float, near: float, width: float, depth: float, z: float = 0.0) -> Panel:
    """A piece of ground; the texture's top row is the far edge."""
    return Panel(texture, (left, near, z), (width, 0.0, 0.0), (0.0, depth, 0.0), ground=True, solid=False)


def block(
    textures: Sequence[NDArray[np.uint8]],
    left: float,
    near: float,
    width: float,
    depth: float,
    tall: float,
    glows: Sequence[NDArray[np.uint8] | None] = (None, None, None),
) -> list[Panel]:
    """A building: `textures` for its near, left-hand and right-hand faces, as seen by the camera."""
    x1, x2, y1, y2 = left, left + width, near, near + depth
    faces = [
        upright(textures[0], (x1, y1), (x2, y1), tall, glow=glows[0]),
        upright(textures[1], (x1, y2), (x1, y1), tall, glow=glows[1]),
        upright(textures[2], (x2, y1), (x2, y2), tall, glow=glows[2]),
    ]
    faces.append(upright(textures[0], (x2, y2), (x1, y2), tall))
    roof = np.full((8, 8, 3), 120, np.uint8)
    faces.append(Panel(roof, (x1, y1, tall), (width, 0, 0), (0, depth, 0)))
    return faces


def degrees(angle: float) -> float:
    return math.radians(angle)
