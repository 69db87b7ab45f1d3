"""Moving things put into the baked stage, from far to near, and what of each remains visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.scenes.burning import CELLS_HIGH, FLOOR, Burner
from detectors.scenes.splat import Sprite, cast_shadow, splat
from detectors.scenes.stage import Backdrop, Window, darken
from detectors.scenes.surfels import Floats, Surfels

PLAIN = 12.0  # display values by which smoke must differ from what it covers, to count as seen
MORE_NEAR = 0.3  # metres by which the stage must be nearer to hide a thing


UNDERBODY = frozenset({"car", "truck", "bus"})  # dark below, whatever the light
Drawn = tuple[str, str, int, float]  # name, label, pixels, contrast


@dataclass(frozen=True, slots=True)
class Item:
    """A thing of surfels in world coordinates. `label` is an ObjectClass name in lower case, or "" for none."""

    name: str
    surfels: Surfels
    label: str = ""
    shadow: float = 1.0


@dataclass(frozen=True, slots=True)
class Fire:
    """A fire whose seat is on the ground at (x, y)."""

    name: str
    burner: Burner
    x: float
    y: float
    lift: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the picture shows of a thing: xyxy box in pixels of what is visible, and the visible share of it.

    `contrast` is how much it changes what is behind it, in display values.
    """

    name: str
    label: str
    box: tuple[int, int, int, int]
    visible: float
    pixels: int
    contrast: float


def compose(
    backdrop: Backdrop,
    items: Sequence[Item],
    fires: Sequence[Fire] = (),
    sun: float = 1.0,
    ground_light: Floats | None = None,
) -> tuple[Floats, list[Seen]]:
    """Draw; `sun` 0..1 dims the sun for a passing cloud, `ground_light` (rows, width, 3) multiplies what stands still.

    Display BGR float32, and what is visible in it.
    """
    camera, light = backdrop.stage.camera, backdrop.stage.light
    picture = backdrop.picture.copy()
    if sun < 1.0:
        picture *= (np.maximum(1 - (1 - sun) * backdrop.sun_fraction, 0.05) ** (1 / 2.2))[..., None]
    if ground_light is not None:
        picture *= ground_light
    for item in items:
        shadow = cast_shadow(item.surfels, camera, light, 1.2)
        if shadow is not None:
            darken(picture, shadow, backdrop.sun_fraction * sun, 0.92 * item.shadow)
    _contacts(picture, backdrop, items)
    for fire in fires:
        _glow_on_ground(picture, backdrop, fire)
    owner = np.zeros(picture.shape[:2], np.int32)
    drawn: list[Drawn] = []
    for depth, thing in sorted(_depths(backdrop, items, fires), key=lambda pair: -pair[0]):
        if isinstance(thing, Fire):
            _draw_fire(picture, owner, drawn, backdrop, thing, depth)
        else:
            _draw_item(picture, owner, drawn, backdrop, thing, fires, sun)
    return picture, _seen(owner, drawn)


def _depths(backdrop: Backdrop, items: Sequence[Item], fires: Sequence[Fire]) -> list[tuple[float, Item | Fire]]:
    camera = backdrop.stage.camera
    forward = camera.axes[2]
    found: list[tuple[float, Item | Fire]] = []
    for item in items:
        low = item.surfels.positions
        found.append((float(np.median((low - camera.eye) @ forward)), item))
    for fire in fires:
        found.append((float((np.array([fire.x, fire.y, 0], np.float32) - camera.eye) @ forward) - 0.3, fire))
    return found


def _window(sprite: Sprite, shape: tuple[int, ...]) -> Window | None:
    height, width = sprite.alpha.shape
    x1, y1 = max(sprite.left, 0), max(sprite.top, 0)
    x2, y2 = min(sprite.left + width, shape[1]), min(sprite.top + height, shape[0])
    if x2 <= x1 or y2 <= y1:
        return None
    return (
        slice(y1, y2),
        slice(x1, x2),
        slice(y1 - sprite.top, y2 - sprite.top),
        slice(x1 - sprite.left, x2 - sprite.left),
    )


def _contacts(picture: Floats, backdrop: Backdrop, items: Sequence[Item]) -> None:
    """The dark seam where a thing meets the ground, whatever the light."""
    camera = backdrop.stage.camera
    for item in items:
        under = item.label in UNDERBODY
        low = item.surfels.positions[item.surfels.positions[:, 2] < (0.6 if under else 0.22)]
        if len(low) < 20:
            continue
        flat = low.copy()
        flat[:, 2] = 0
        spots = camera.project(flat)
        if spots[:, 2].min() < 0.5:
            continue
        reach = 0.09 * camera.focal / float(np.median(spots[:, 2]))
        margin = int(3 * reach) + 2
        left, top = int(spots[:, 0].min()) - margin, int(spots[:, 1].min()) - margin
        width, height = int(spots[:, 0].max()) + margin - left, int(spots[:, 1].max()) + margin - top
        if width * height > 1_500_000:
            continue
        mask: Floats = np.zeros((height, width), np.float32)
        mask[(spots[:, 1] - top).astype(np.int32), (spots[:, 0] - left).astype(np.int32)] = 1
        size = max(3, int(reach) * 2 + 1)
        mask = cv2.GaussianBlur(
            cv2.dilate(mask, np.ones((size // 2 + 1, size // 2 + 1))), (0, 0), max(reach * 0.8, 0.8)
        )
        sprite = Sprite(left, top, mask[..., None], mask, mask)
        window = _window(sprite, picture.shape)
        if window is not None:
            rows, columns, own_rows, own_columns = window
            open_ground = backdrop.depth[rows, columns] > float(np.median(spots[:, 2])) - 1.5
            darkest = 0.75 if under else 0.42
            picture[rows, columns] *= (1 - darkest * mask[own_rows, own_columns] * open_ground)[..., None]


def _draw_item(
    picture: Floats,
    owner: NDArray[np.int32],
    drawn: list[Drawn],
    backdrop: Backdrop,
    item: Item,
    fires: Sequence[Fire],
    sun: float,
) -> None:
    where = item.surfels.positions
    share = backdrop.sun_map.at(where[:, 0], where[:, 1]) * sun
    sprite = splat(item.surfels, backdrop.stage.camera, backdrop.stage.light, share, _fire_light(where, fires))
    if sprite is None:
        return
    window = _window(sprite, picture.shape)
    if window is None:
        return
    rows, columns, own_rows, own_columns = window
    hidden = backdrop.depth[rows, columns] < sprite.depth[own_rows, own_columns] - MORE_NEAR
    alpha = np.where(hidden, 0, sprite.alpha[own_rows, own_columns])
    colour = np.where(hidden[..., None], 0, sprite.colour[own_rows, own_columns])
    haze = backdrop.stage.haze
    if haze:
        veil = 1 - np.exp(-haze * sprite.depth[own_rows, own_columns] / 100)
        sky = np.asarray(backdrop.stage.sky_display, np.float32)
        colour = colour * (1 - veil[..., None]) + sky * (alpha * veil)[..., None]
    before = picture[rows, columns]
    after = before * (1 - alpha[..., None]) + colour
    solid = alpha > 0.5
    contrast = float(np.abs(after - before)[solid].mean()) if solid.any() else 0.0
    picture[rows, columns] = after
    drawn.append((item.name, item.label, int((sprite.alpha > 0.5).sum()), contrast))
    owner[rows, columns][solid] = len(drawn)


def _fire_light(where: Floats, fires: Sequence[Fire]) -> Floats | None:
    if not fires:
        return None
    total = np.zeros((len(where), 3), np.float32)
    for fire in fires:
        away = where - np.array([fire.x, fire.y, 0.6], np.float32)
        squared = np.maximum(np.einsum("ij,ij->i", away, away), 0.6)
        total += (fire.burner.brightness * 1.6 / squared)[:, None] * np.array([0.10, 0.42, 1.0], np.float32)
    return total


def _glow_on_ground(picture: Floats, backdrop: Backdrop, fire: Fire) -> None:
    bright = fire.burner.brightness
    if bright < 0.01:
        return
    camera = backdrop.stage.camera
    spot = camera.project(np.array([[fire.x, fire.y, 0.1]], np.float32))[0]
    scale = camera.focal / float(spot[2])
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    squash = max(0.25, camera.height / float(np.hypot(np.hypot(fire.x, fire.y), camera.height)))
    square = ((columns - spot[0]) / scale) ** 2 + ((rows - spot[1]) / scale / squash) ** 2
    pool = bright * 0.55 / (0.6 + square)
    near = backdrop.depth > float(spot[2]) - 6
    picture += picture * (pool * near)[..., None] * np.array([0.10, 0.42, 1.0], np.float32)


def _draw_fire(
    picture: Floats,
    owner: NDArray[np.int32],
    drawn: list[Drawn],
    backdrop: Backdrop,
    fire: Fire,
    depth: float,
) -> None:
    """Smoke, then flames, as upright boards facing the camera."""
    light = float(np.mean(to_display(backdrop.stage.light.sky))) if backdrop.stage.light.lamps else 205.0
    for label, board in (("smoke", fire.burner.smoke((light, light, light))), ("fire", fire.burner.flame())):
        sprite = _board(board, backdrop, fire, depth)
        window = _window(sprite, picture.shape)
        if window is None:
            continue
        rows, columns, own_rows, own_columns = window
        hidden = backdrop.depth[rows, columns] < depth - 1.0
        alpha = np.where(hidden, 0, sprite.alpha[own_rows, own_columns])
        colour = np.where(hidden[..., None], 0, sprite.colour[own_rows, own_columns])
        before = picture[rows, columns]
        after = before * (1 - alpha[..., None]) + colour
        seen = (alpha > (0.35 if label == "fire" else 0.2)) & (np.abs(after - before).max(axis=2) > PLAIN)
        contrast = float(np.abs(after - before)[seen].mean()) if seen.any() else 0.0
        picture[rows, columns] = after
        if seen.any():
            drawn.append((fire.name, label, int(seen.sum()), contrast))
            owner[rows, columns][seen] = len(drawn)


def to_display(linear: Sequence[float]) -> Floats:
    return np.asarray(255 * np.asarray(linear, np.float32) ** (1 / 2.2), np.float32)


def _board(board: Floats, backdrop: Backdrop, fire: Fire, depth: float) -> Sprite:
    camera = backdrop.stage.camera
    base = camera.project(np.array([[fire.x, fire.y, fire.lift]], np.float32))[0]
    scale = camera.focal / max(float(base[2]), 0.5) * fire.burner.metres_per_cell
    height, width = board.shape[:2]
    left = float(base[0]) - fire.burner.seat_column() * scale
    top = float(base[1]) - (CELLS_HIGH - FLOOR) * scale
    x1, y1 = int(np.floor(left)), int(np.floor(top))
    size = (int(np.ceil(width * scale)) + 2, int(np.ceil(height * scale)) + 2)
    move = np.array([[scale, 0, left - x1], [0, scale, top - y1]], np.float32)
    sharp = board if scale >= 0.7 else cv2.GaussianBlur(board, (0, 0), 0.45 / scale)
    drawn = cv2.warpAffine(sharp, move, size, flags=cv2.INTER_LINEAR)
    return Sprite(x1, y1, drawn[..., :3], drawn[..., 3], np.full(drawn.shape[:2], depth, np.float32))


def _seen(owner: NDArray[np.int32], drawn: list[Drawn]) -> list[Seen]:
    found = []
    for number, (name, label, whole, contrast) in enumerate(drawn, start=1):
        mine = owner == number
        rows = np.flatnonzero(mine.any(axis=1))
        if not len(rows):
            continue
        columns = np.flatnonzero(mine.any(axis=0))
        pixels = int(mine.sum())
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        found.append(Seen(name, label, box, pixels / max(whole, 1), pixels, contrast))
    return found
