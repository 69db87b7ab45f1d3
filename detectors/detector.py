"""What the pictures process asks of any detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detectors.detections import Detections, ObjectClass
from detectors.frame import Image

# Names as COCO and the shipped model have them; what Haechi does not watch for is left out.
CLASS_OF_NAME: dict[str, ObjectClass] = {
    "person": ObjectClass.PERSON,
    "bicycle": ObjectClass.BICYCLE,
    "car": ObjectClass.CAR,
    "motorcycle": ObjectClass.MOTORCYCLE,
    "bus": ObjectClass.BUS,
    "truck": ObjectClass.TRUCK,
    "bag": ObjectClass.BAG,
    "backpack": ObjectClass.BAG,
    "handbag": ObjectClass.BAG,
    "suitcase": ObjectClass.BAG,
    "fire": ObjectClass.FIRE,
    "flame": ObjectClass.FIRE,
    "smoke": ObjectClass.SMOKE,
}


class Detector(Protocol):
    """Finds objects in pictures of any size."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One `Detections` an image, boxes in that image's pixels, scores from about 0.1 up."""
        ...
