"""Any Ultralytics detection model behind the same interface (extra `ultralytics`; PyTorch, TensorRT, GPU)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ultralytics import YOLO

from detectors.detections import Detections
from detectors.detector import CLASS_OF_NAME
from detectors.frame import Image


class UltralyticsDetector:
    """Runs `model_path` (.pt, .engine, .onnx …) on `device` ("cpu", "cuda:0"); classes map by their names."""

    def __init__(
        self, model_path: Path, device: str = "cpu", image_size: int = 416, score_threshold: float = 0.1
    ) -> None:
        self._model = YOLO(str(model_path), task="detect")
        self._device = device
        self._image_size = image_size
        self._score_threshold = score_threshold
        names: dict[int, str] = self._model.names
        self._class_map = np.full(max(names, default=-1) + 1, -1, np.int32)
        for index, name in names.items():
            self._class_map[index] = CLASS_OF_NAME.get(name.lower(), -1)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One `Detections` an image, boxes in that image's pixels."""
        if not images:
            return []
        results = self._model.predict(
            [np.ascontiguousarray(image) for image in images],
            imgsz=self._image_size,
            conf=self._score_threshold,
            device=self._device,
            verbose=False,
        )
        return [self._convert(result) for result in results]

    def _convert(self, result: object) -> Detections:
        boxes = result.boxes.cpu().numpy()  # type: ignore[attr-defined]
        classes = self._class_map[boxes.cls.astype(int)]
        found = Detections(boxes.xyxy.astype(np.float32), boxes.conf.astype(np.float32), classes.astype(np.int32))
        return found.only(classes >= 0)
