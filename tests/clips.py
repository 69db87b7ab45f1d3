"""Small clips for tests: a moving pattern with a burned-in frame counter."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def draw_picture(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Picture `number`, (height, width, 3) uint8 BGR: a gradient that shifts, a ball that moves, the number."""
    width, height = size
    ramp = (np.arange(width, dtype=np.int32) * 255 // width + number * 3) % 256
    picture = np.empty((height, width, 3), np.uint8)
    picture[:, :, 0] = ramp
    picture[:, :, 1] = (np.arange(height, dtype=np.int32) * 255 // height)[:, None]
    picture[:, :, 2] = 96
    centre = ((number * 7) % width, height // 2)
    cv2.circle(picture, centre, max(4, height // 8), (255, 255, 255), -1)
    cv2.putText(picture, f"{number:05d}", (8, height - 12), cv2.FONT_HERSHEY_SIMPLEX, height / 240, (0, 0, 0), 3)
    return picture


def make_clip(
    path: Path,
    seconds: float = 4,
    fps: int = 15,
    size: tuple[int, int] = (640, 360),
    gop: int = 30,
    bitrate: int = 500_000,
    profile: str = "high",
    b_frames: int = 0,
    audio: bool = False,
    codec: Literal["h264", "h265"] = "h264",
    still: bool = False,
    intra_refresh: bool = False,
) -> Path:
    """Encode a clip with libx264 or libx265 to `path` (the container by its ending) and return `path`.

    Constrained baseline is `profile="baseline"`. `b_frames` reorders pictures; `audio` adds a silent AAC track.
    `still` repeats the first picture. `intra_refresh` refreshes a column at a time, without key frames (H.264 only).
    """
    wanted = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}"
    if codec == "h264":
        options = {"profile": profile, "preset": "ultrafast" if profile == "baseline" else "veryfast"}
        options |= {"x264-params": f"{wanted}:threads=1:intra-refresh={int(intra_refresh)}"}
    else:
        options = {"preset": "ultrafast", "x265-params": f"{wanted}:b-adapt=0:pools=1:log-level=none"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264" if codec == "h264" else "libx265", rate=fps, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = bitrate
        stream.codec_context.time_base = Fraction(1, fps)
        sound = container.add_stream("aac", rate=16_000) if audio else None
        for number in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(draw_picture(0 if still else number, size), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _mux_silence(container, sound, seconds)
    return path


def cached_clip(suffix: str = ".mp4", **options: Any) -> Path:
    """A clip made once per test process by `make_clip(**options)`; do not write to it."""
    return _cached_clip(suffix, tuple(sorted(options.items())))


@cache
def _cached_clip(suffix: str, options: tuple[tuple[str, Any], ...]) -> Path:
    return make_clip(_folder() / f"{len(list(_folder().iterdir()))}{suffix}", **dict(options))


@cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="haechi-clips-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _mux_silence(container: av.container.OutputContainer, sound: av.AudioStream, seconds: float) -> None:
    for number in range(int(seconds * 16_000) // 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        frame.pts = number * 1024
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))
