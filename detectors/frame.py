"""A decoded picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (height, width, 3), BGR


@dataclass(frozen=True, slots=True)
class Frame:
    """`image` is (height, width, 3) BGR. `pts_90k` is media time, `captured_at` aware UTC server time."""

    camera_id: str
    image: Image
    pts_90k: int
    captured_at: datetime

    @property
    def seconds(self) -> float:
        """Media time in seconds; only differences mean anything."""
        return self.pts_90k / 90_000
