"""Writing the shipped ONNX file from a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import torch

from detectors.detections import ObjectClass
from detectors.training.augment import SIDE
from detectors.training.model import NewBranch, TwoBranches, original

SOURCE = "YOLOX-nano (Megvii, COCO) with a second neck and head for bag, fire and smoke; made by detectors.training"
LICENCE = "Apache-2.0 for YOLOX's weights; AGPL-3.0-or-later for the added branch; see detectors/models/NOTICE"


def export(weights: Path, checkpoint: Path, out: Path) -> int:
    """Write `out` and return its size in bytes."""
    neck, head = original(weights)
    branch = NewBranch(neck, head)
    branch.load_state_dict(torch.load(checkpoint, weights_only=True)["averaged"])
    network = TwoBranches(neck, head, branch).eval()
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, SIDE, SIDE),),
        str(out),
        input_names=["images"],
        output_names=["output"],
        dynamic_axes={"images": {0: "batch"}, "output": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(str(out))
    onnx.helper.set_model_props(
        model,
        {
            "names": json.dumps([item.name.lower() for item in ObjectClass]),
            "input_size": str(SIDE),
            "decoded": "1",
            "source": SOURCE,
            "licence": LICENCE,
        },
    )
    onnx.checker.check_model(model)
    onnx.save(model, str(out))
    return out.stat().st_size
