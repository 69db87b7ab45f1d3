"""Which worker has which camera: rendezvous hashing (Thaler and Ravishankar, 1998).

When a shard is added or removed only the cameras that must move do so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from config.settings import Camera


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `index` of `count`, counted from 0."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `index/count`, as in `0/2`. Raises ValueError."""
        index, separator, count = text.partition("/")
        if not (separator and index.isdecimal() and count.isdecimal() and int(index) < int(count)):
            raise ValueError(f"shard {text!r} must look like 0/2: index from 0, a slash, number of shards")
        return cls(int(index), int(count))

    def __contains__(self, camera_id: object) -> bool:
        return isinstance(camera_id, str) and shard_of(camera_id, self.count) == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def shard_of(camera_id: str, count: int) -> int:
    """Index of the shard that has `camera_id` among `count`."""
    return max(range(count), key=lambda index: hashlib.sha256(f"{index}/{camera_id}".encode()).digest())


def cameras_of(shard: Shard, cameras: Sequence[Camera]) -> tuple[Camera, ...]:
    """The cameras of `shard`, in the order given."""
    return tuple(camera for camera in cameras if camera.id in shard)
