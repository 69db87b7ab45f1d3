"""YOLOX on ONNX Runtime.

Preprocessing and decoding as in YOLOX (Ge et al., 2021, arXiv:2107.08430): BGR 0..255, letterboxed to the top left
on grey 114; raw outputs are centre offsets and log sizes on grids of stride 8, 16 and 32.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from detectors.boxes import iou_matrix
from detectors.detections import Detections, ObjectClass
from detectors.detector import CLASS_OF_NAME
from detectors.frame import Image

SHIPPED_MODEL = Path(__file__).parent / "models" / "haechi_nano.onnx"
STRIDES = (8, 16, 32)
MAX_BATCH = 8
_PADDING = 114
# Order of COCO's 80 classes that have a name in CLASS_OF_NAME.
_COCO = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
_COCO |= {24: "backpack", 26: "handbag", 28: "suitcase"}


class ModelError(Exception):
    """A model file cannot be used as a YOLOX detector; the text says which file and why."""


class YoloxDetector:
    """Batched YOLOX inference on the CPU; one call uses at most `threads` threads and never spins."""

    def __init__(
        self,
        model_path: Path | None = None,
        threads: int = 1,
        score_threshold: float = 0.1,
        iou_threshold: float = 0.5,
    ) -> None:
        """Load `model_path` (default: the shipped model). Raises ModelError."""
        path = SHIPPED_MODEL if model_path is None else model_path
        self._session = _open_session(path, threads)
        model_input = self._session.get_inputs()[0]
        shape = model_input.shape
        if len(shape) != 4 or not all(isinstance(side, int) for side in shape[2:]):
            raise ModelError(f"{path}: input is {shape}, not (batch, 3, height, width) with a fixed height and width")
        self._input_name = model_input.name
        self._fixed_batch = shape[0] if isinstance(shape[0], int) else None
        self.input_height, self.input_width = int(shape[2]), int(shape[3])
        self._grid, self._stride = _grids(self.input_height, self.input_width)
        # The shipped model brings its boxes decoded, twice as many: published and new classes each have a head.
        self._decoded = self._session.get_modelmeta().custom_metadata_map.get("decoded") == "1"
        self._score_threshold = score_threshold
        self._iou_threshold = iou_threshold
        self._class_map = self._read_class_map(path)

    def _read_class_map(self, path: Path) -> NDArray[np.int32]:
        """(classes of the model,) → ObjectClass, -1 where it is none of ours."""
        columns = self._session.get_outputs()[0].shape[-1]
        names = _names(self._session.get_modelmeta().custom_metadata_map.get("names"))
        count = columns - 5 if isinstance(columns, int) else len(names)
        if not names:
            if count == 80:
                names = _COCO
            elif count == len(ObjectClass):
                names = {item.value: item.name.lower() for item in ObjectClass}
            else:
                raise ModelError(f"{path}: {count} classes and no `names` in its metadata")
        class_map = np.full(count, -1, np.int32)
        for index, name in names.items():
            known = CLASS_OF_NAME.get(name.lower())
            if known is not None and index < count:
                class_map[index] = known
        return class_map

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One `Detections` an image, boxes in that image's pixels, best first."""
        found: list[Detections] = []
        step = min(self._fixed_batch or MAX_BATCH, MAX_BATCH)
        for start in range(0, len(images), step):
            found += self._detect_batch(images[start : start + step])
        return found

    def _detect_batch(self, images: Sequence[Image]) -> list[Detections]:
        count = self._fixed_batch or len(images)
        batch = np.full((count, 3, self.input_height, self.input_width), _PADDING, np.float32)
        scales = [self._letterbox(image, batch[index]) for index, image in enumerate(images)]
        (raw,) = self._session.run(None, {self._input_name: batch})
        return [
            self._decode(raw[index], scale, image.shape[1], image.shape[0])
            for index, (image, scale) in enumerate(zip(images, scales, strict=True))
        ]

    def _letterbox(self, image: Image, out: NDArray[np.float32]) -> float:
        """Write `image` into `out` (3, height, width), top left; returns the scale used."""
        height, width = image.shape[:2]
        scale = min(self.input_height / height, self.input_width / width)
        new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
        method = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
        resized = cv2.resize(image, (new_width, new_height), interpolation=method)
        out[:, :new_height, :new_width] = resized.transpose(2, 0, 1)
        return float(scale)

    def _decode(self, raw: NDArray[np.float32], scale: float, width: int, height: int) -> Detections:
        """`raw` (cells, 5 + classes) of one image → boxes in its pixels."""
        class_scores = raw[:, 5:] * raw[:, 4:5]
        class_scores[:, self._class_map < 0] = 0.0
        best = class_scores.argmax(axis=1)
        scores = class_scores[np.arange(len(best)), best]
        keep = np.flatnonzero(scores >= self._score_threshold)
        if not len(keep):
            return Detections.empty()
        if self._decoded:
            centres, halves = raw[keep, :2] / scale, raw[keep, 2:4] / (2 * scale)
        else:
            stride = self._stride[keep]
            centres = (raw[keep, :2] + self._grid[keep]) * stride / scale
            halves = np.exp(np.minimum(raw[keep, 2:4], 10.0)) * stride / (2 * scale)
        boxes = np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32)
        boxes[:, 0::2] = boxes[:, 0::2].clip(0, width)
        boxes[:, 1::2] = boxes[:, 1::2].clip(0, height)
        detections = Detections(boxes, scores[keep].astype(np.float32), self._class_map[best[keep]])
        return suppress(detections, self._iou_threshold)


def suppress(detections: Detections, iou_threshold: float) -> Detections:
    """Class-wise non-maximum suppression, best first."""
    order = np.argsort(-detections.scores, kind="stable")
    boxes = detections.boxes[order]
    overlaps = iou_matrix(boxes, boxes)
    classes = detections.class_ids[order]
    overlaps[classes[:, None] != classes[None, :]] = 0.0
    alive = np.ones(len(order), bool)
    for index in range(len(order)):
        if alive[index]:
            alive[index + 1 :] &= overlaps[index, index + 1 :] <= iou_threshold
    kept = order[alive]
    return Detections(detections.boxes[kept], detections.scores[kept], detections.class_ids[kept])


def _grids(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cell positions (cells, 2) and strides (cells, 1), in the order of the model's output."""
    grids, strides = [], []
    for stride in STRIDES:
        rows, columns = height // stride, width // stride
        ys, xs = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
        grids.append(np.stack([xs, ys], axis=-1).reshape(-1, 2))
        strides.append(np.full((rows * columns, 1), stride))
    return np.concatenate(grids).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; check `analysis.model` in the settings")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"{path}: ONNX Runtime cannot load it ({error})") from error


def _names(text: str | None) -> dict[int, str]:
    """Class names from ONNX metadata: a JSON or Python list or mapping, or names with commas between."""
    if not text:
        return {}
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = [name.strip() for name in text.split(",")]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {int(index): str(name) for index, name in items}
