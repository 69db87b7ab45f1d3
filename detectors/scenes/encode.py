"""Pictures to an H.264 file a virtual camera can send: no B-frames, a key frame every few seconds.

The one module here that does input and output; only the command line uses it.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


class Encoder:
    """`with Encoder(path, size, fps) as encoder: encoder.add(picture)`; `size` is width, height.

    The file appears under its name only when it is whole.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: int, *, crf: float, gop_seconds: float = 4.0) -> None:
        self._size = size
        self._path, self._part = path, path.with_suffix(".part")
        self._container = av.open(str(self._part), "w", format="mp4", options={"movflags": "faststart"})
        stream = self._container.add_stream("libx264", rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, fps)
        stream.options = {
            "crf": str(crf),
            "preset": "medium",
            "profile": "main",
            "bf": "0",
            "g": str(round(gop_seconds * fps)),
            "keyint_min": str(round(gop_seconds * fps)),
            "sc_threshold": "0",
            "threads": "1",
            "x264-params": "rc-lookahead=20:aq-mode=2",
        }
        self._stream = stream
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
        self._container.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)

    def add(self, picture: Picture) -> None:
        """The next picture, BGR uint8 of any size."""
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = self._count
        self._count += 1
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
