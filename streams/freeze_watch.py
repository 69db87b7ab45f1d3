"""Whether a camera's pictures are all the same one, told from a scene in which nothing happens.

Each key frame is coded anew. Behind a sensor it carries other noise, and its picture differs a little everywhere (with
noise of a third of a grey level, coded at 200 kbit/s at 360p, by 0.6 grey levels on average). A picture that is
repeated gives the same key frame again. Pictures between key frames prove nothing by being equal, since a quiet scene
is coded as "no change"; they only show movement.
"""

from __future__ import annotations

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]  # (height, width), sampled

CHECK_SECONDS = 1.0
MIN_KEY_FRAMES = 3
SAME_MEAN = 0.1
MOVED_BLOCK = 4
"""Grey levels (0..255): two key frames are one picture when they differ by less than SAME_MEAN on average, and nowhere
by half a level over a block; a block that differs by MOVED_BLOCK has moved."""
_SAMPLED_WIDTH = 320
_BLOCK = 8
_LONGEST_GAP_SECONDS = 15.0


class FreezeWatch:
    """Takes decoded pictures of one camera in their order.

    `still_seconds` is for how long key frames have been one picture, 0 before the third of them. A gap between key
    frames counts for 15 s at most, as the stream may have been away. `changes` counts pictures that were
    another one.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._reference: Luma | None = None
        self._key_seconds = 0.0
        self._keys = 0
        self._still = 0.0
        self._checked_at = 0.0

    @property
    def still_seconds(self) -> float:
        return self._still if self._keys >= MIN_KEY_FRAMES else 0.0

    def take(self, picture: av.VideoFrame, seconds: float) -> None:
        """`seconds` is media time. Every key frame is compared, others once a second."""
        is_key = bool(picture.key_frame)
        if not is_key and (self._reference is None or abs(seconds - self._checked_at) < CHECK_SECONDS):
            return
        self._checked_at = seconds
        luma = sampled_luma(picture)
        if self._reference is None or self._reference.shape != luma.shape:
            self._begin(luma, seconds, is_key)
            return
        apart = cv2.absdiff(self._reference, luma)
        blocks = cv2.resize(apart, (luma.shape[1] // _BLOCK, luma.shape[0] // _BLOCK), interpolation=cv2.INTER_AREA)
        if not is_key:
            if int(blocks.max()) >= MOVED_BLOCK:
                self.changes += 1
                self._begin(luma, seconds, is_key)
            return
        if float(apart.mean()) < SAME_MEAN and int(blocks.max()) == 0:
            self._keys += 1
            self._still += min(max(seconds - self._key_seconds, 0.0), _LONGEST_GAP_SECONDS)
            self._key_seconds = seconds
        else:
            self.changes += 1
            self._begin(luma, seconds, is_key)

    def _begin(self, luma: Luma, seconds: float, is_key: bool) -> None:
        self._reference = luma if is_key else None
        self._key_seconds, self._keys, self._still = seconds, 1, 0.0


def sampled_luma(picture: av.VideoFrame) -> Luma:
    """Single pixels of the luma plane, about 320 wide: averaging would take the noise away that is looked for."""
    step = max(1, picture.width // _SAMPLED_WIDTH)
    if picture.format.name not in {"yuv420p", "yuvj420p", "nv12"}:
        grey: Luma = np.ascontiguousarray(picture.to_ndarray(format="gray")[::step, ::step])
        return grey
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    luma: Luma = np.ascontiguousarray(rows[: picture.height : step, : picture.width : step])
    return luma
