"""A repeated picture is told from a quiet scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streams.freeze_watch import FreezeWatch
from tests.clips import cached_clip
from tests.requirements import ROOT

FPS = 10
Picture = NDArray[np.uint8]


def scene() -> NDArray[np.float64]:
    """A dark place without anything that moves, (180, 320, 3)."""
    rough = np.random.default_rng(3).integers(0, 256, (180, 320, 3), np.uint8)
    soft = cv2.GaussianBlur(rough, (0, 0), 5).astype(np.float64)
    return 10 + (soft - soft.min()) / (soft.max() - soft.min()) * 70


def coded(draw: Callable[[int], Picture], seconds: float, gop: int = FPS) -> list[av.VideoFrame]:
    """Pictures after H.264 at a camera's night quality."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(FPS), Fraction(1, FPS)
    encoder.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "crf": "30",
        "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:threads=1",
    }
    decoder = av.CodecContext.create("h264", "r")
    packets = []
    for number in range(round(seconds * FPS)):
        frame = av.VideoFrame.from_ndarray(draw(number), format="bgr24")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [picture for packet in [*packets, None] for picture in decoder.decode(packet)]


def watched(pictures: Iterator[av.VideoFrame] | list[av.VideoFrame], fps: float = FPS) -> FreezeWatch:
    watch = FreezeWatch()
    for number, picture in enumerate(pictures):
        watch.take(picture, number / fps)
    return watch


def test_a_picture_that_is_repeated_is_still_from_the_third_key_frame_on() -> None:
    still = scene().astype(np.uint8)
    pictures = coded(lambda number: still, 1)
    watch = watched(pictures * 2)
    assert watch.still_seconds == 0
    watch = watched(pictures * 30)
    assert watch.still_seconds == pytest.approx(29, abs=0.1)
    assert watch.changes == 0


@pytest.mark.parametrize("noise", [0.5, 1.0, 3.0])
def test_a_quiet_night_behind_a_sensor_is_never_still(noise: float) -> None:
    place, random = scene(), np.random.default_rng(5)
    watch = watched(
        coded(lambda number: np.clip(place + random.normal(0, noise, place.shape), 0, 255).astype(np.uint8), 15)
    )
    assert watch.still_seconds == 0
    assert watch.changes >= 13


def test_a_loop_whose_key_frame_returns_is_not_still_because_it_moves_between() -> None:
    place = scene().astype(np.uint8)

    def draw(number: int) -> Picture:
        picture = place.copy()
        cv2.circle(picture, (20 + 7 * number, 90), 12, (200, 200, 200), -1)
        return picture

    watch = watched(coded(draw, 4, gop=4 * FPS) * 5)
    assert watch.still_seconds == 0
    assert watch.changes >= 4


def test_a_picture_that_moves_again_is_still_no_longer() -> None:
    still = scene().astype(np.uint8)
    frozen = coded(lambda number: still, 1) * 10
    with av.open(str(cached_clip(seconds=4, fps=15, gop=15, size=(320, 180)))) as container:
        moving = list(container.decode(video=0))
    watch = watched(frozen + moving)
    assert watch.still_seconds == 0 and watch.changes > 0


@pytest.mark.parametrize("clip", ["carpark_sub", "playground_sub", "alley_sub"])
def test_the_quiet_clips_of_the_demo_are_never_still(clip: str) -> None:
    path = ROOT / "config" / "demo" / "clips" / f"{clip}.mp4"
    if not Path(path).is_file():
        pytest.skip("the demo's clips are not here")
    with av.open(str(path)) as container:
        keys = (picture for picture in container.decode(video=0) if picture.key_frame)
        watch = watched(islice(keys, 12), fps=0.25)
    assert watch.still_seconds == 0 and watch.changes >= 8
