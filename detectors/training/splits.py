"""Which pictures are kept out of training: whole scenes, found by perceptual hash, never single pictures at random."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.frame import Image
from detectors.training.data import Picture

Hash = NDArray[np.uint8]  # (32,) packed bits
SAME_SCENE_BITS = 46  # of 256; nearer than this counts as one scene
SHARE_HELD_OUT = {"coco128": 0.5, "crossing_traffic": 0.5, "ward_falls": 0.5, "garbage_piles": 0.3}
DEFAULT_SHARE = 0.22


def difference_hash(image: Image) -> Hash:
    """256 bits: is a cell of a 17 by 16 thumbnail brighter than its right neighbour (dHash)."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(cv2.GaussianBlur(grey, (0, 0), 1.5), (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1])


def distances(hashes: NDArray[np.uint8], one: Hash) -> NDArray[np.int64]:
    """Differing bits between each row of `hashes` (N, 32) and `one`."""
    bits = np.unpackbits(np.bitwise_xor(hashes, one[None]), axis=1)
    return np.asarray(bits.sum(axis=1), np.int64)


def scenes(pictures: Sequence[Picture], same_bits: int = SAME_SCENE_BITS) -> list[int]:
    """A scene number for each picture: single linkage over hashes (mirrored ones too) and over known videos."""
    parent = list(range(len(pictures)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_of_video: dict[tuple[str, str], int] = {}
    straight: list[Hash] = []
    mirrored: list[Hash] = []
    for index, picture in enumerate(pictures):
        image = picture.read()
        straight.append(difference_hash(image))
        mirrored.append(difference_hash(np.ascontiguousarray(image[:, ::-1])))
        if picture.scene is not None:
            other = first_of_video.setdefault((picture.source, picture.scene), index)
            parent[root(index)] = root(other)
    table = np.stack(straight)
    for index in range(len(pictures)):
        near = np.minimum(distances(table[:index], straight[index]), distances(table[:index], mirrored[index]))
        for neighbour in np.flatnonzero(near < same_bits):
            parent[root(index)] = root(int(neighbour))
    return [root(index) for index in range(len(pictures))]


def choose_held_out(pictures: Sequence[Picture], scene_of: Sequence[int]) -> list[str]:
    """Names of the pictures to keep out: scenes in the order of a digest of their first name, up to each share.

    A scene with more than a third of its source stays in training: it would be the whole test.
    """
    members: dict[int, list[Picture]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for picture, scene in zip(pictures, scene_of, strict=True):
        members[scene].append(picture)
        sizes[picture.source] += 1
    room = {source: SHARE_HELD_OUT.get(source, DEFAULT_SHARE) * size for source, size in sizes.items()}
    chosen: list[str] = []
    for group in sorted(
        members.values(), key=lambda group: hashlib.sha256(min(p.name for p in group).encode()).digest()
    ):
        source = group[0].source
        if len(group) > room[source]:
            continue
        room[source] -= len(group)
        chosen.extend(picture.name for picture in group)
    return sorted(chosen)
