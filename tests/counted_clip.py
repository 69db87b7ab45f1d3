"""Clips whose pictures carry their number as light and dark squares, which a browser can read off what it shows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

BITS = 10  # beside them a light and a dark square, which tell a picture from a grey or black one
_LIGHT, _DARK = 235, 20

# JavaScript: the number of the picture that a video shows now, or null.
READ_NUMBER = f"""
(video) => {{
  const size = {{ width: {4 * (BITS + 2)}, height: 4 }};
  const canvas = (window.squares ??= Object.assign(document.createElement("canvas"), size));
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  const [width, height] = [video.videoWidth, video.videoHeight];
  context.drawImage(video, 0, 0, Math.floor(width / 20) * {BITS + 2}, Math.floor(height / 12), 0, 0, canvas.width, 4);
  const data = context.getImageData(0, 2, canvas.width, 1).data;
  const light = (n) => data[4 * (4 * n + 2)] > 128;
  if (!light({BITS}) || light({BITS + 1})) return null;
  let number = 0;
  for (let bit = 0; bit < {BITS}; bit++) number |= light(bit) << bit;
  return number;
}}
"""


def draw_number(picture: NDArray[np.uint8], number: int) -> None:
    """Write `number` (below 1,024) into the upper left of `picture`, (height, width, 3) uint8."""
    width, height = picture.shape[1] // 20, picture.shape[0] // 12
    squares = [bool(number >> bit & 1) for bit in range(BITS)] + [True, False]
    for place, is_light in enumerate(squares):
        picture[:height, place * width : (place + 1) * width] = _LIGHT if is_light else _DARK


def make_counted_clip(path: Path, seconds: int, size: tuple[int, int], gop: int, bitrate: int, fps: int = 15) -> Path:
    """H.264 without B pictures at a bit rate that is really used: noise that moves. Returns `path`."""
    width, height = size
    noise = np.random.default_rng(7).integers(0, 48, (height, width, 3), np.uint8)
    options = {"preset": "ultrafast", "maxrate": str(bitrate), "bufsize": str(bitrate)}
    options["x264-params"] = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:threads=1"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", bitrate
        stream.codec_context.time_base = Fraction(1, fps)
        for number in range(seconds * fps):
            picture = np.roll(noise, number * 4, axis=1)
            draw_number(picture, number)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
