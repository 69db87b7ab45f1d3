"""The network: YOLOX-nano as published, frozen, and a second neck and head on the same backbone for the new classes.

YOLOX: Ge et al., 2021, arXiv:2107.08430; model code from the package `pixeltable-yolox` (Apache-2.0). The published
ONNX weights have their batch norms folded in; they map one to one, in order of execution, onto its modules.
"""

# mypy: allow-subclassing-any, allow-untyped-calls

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from yolox.models import YoloPafpn, YoloxHead

from detectors.detections import ObjectClass
from detectors.training.data import COCO_TO_OURS, DataError

DEPTH, WIDTH = 0.33, 0.25
NEW = (ObjectClass.BAG, ObjectClass.FIRE, ObjectClass.SMOKE)  # order of the second head's classes
KNOWN = tuple(coco for coco, ours in COCO_TO_OURS.items() if ours is not ObjectClass.BAG)
LUGGAGE = tuple(coco for coco, ours in COCO_TO_OURS.items() if ours is ObjectClass.BAG)
FEATURES = ("dark3", "dark4", "dark5")  # strides 8, 16, 32


def original(weights: Path) -> tuple[Any, Any]:
    """Neck with backbone, and head, of the published YOLOX-nano with the weights of the ONNX file, in eval mode."""
    neck = YoloPafpn(DEPTH, WIDTH, depthwise=True)
    head = YoloxHead(80, WIDTH, depthwise=True)
    head.decode_in_inference = False
    graph = onnx.load(str(weights)).graph
    values = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    folded = [[values[name] for name in node.input[1:]] for node in graph.node if node.op_type == "Conv"]
    modules = _in_order_of_execution(neck, head)
    if len(modules) != len(folded):
        raise DataError(f"{weights}: {len(folded)} convolutions, YOLOX-nano has {len(modules)}; wrong file?")
    for (conv, norm), (weight, bias) in zip(modules, folded, strict=True):
        if tuple(conv.weight.shape) != weight.shape:
            raise DataError(f"{weights}: a convolution of {weight.shape} where {tuple(conv.weight.shape)} was expected")
        _fill(conv, norm, torch.from_numpy(weight.copy()), torch.from_numpy(bias.copy()))
    return neck.eval(), head.eval()


def _fill(conv: Any, norm: Any, weight: Any, bias: Any) -> None:
    with torch.no_grad():
        conv.weight.copy_(weight)
        if norm is None:
            conv.bias.copy_(bias)
            return
        norm.weight.fill_(1.0)
        norm.bias.copy_(bias)
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)  # identity: (x - 0) / sqrt(var + eps)


def _in_order_of_execution(neck: Any, head: Any) -> list[tuple[Any, Any]]:
    """(convolution, its batch norm or None) as they run, seen by hooks on one pass."""
    norm_of: dict[int, Any] = {}
    for module in [*neck.modules(), *head.modules()]:
        if hasattr(module, "conv") and hasattr(module, "bn"):
            norm_of[id(module.conv)] = module.bn
    order: list[tuple[Any, Any]] = []
    hooks = [
        module.register_forward_hook(lambda conv, _in, _out: order.append((conv, norm_of.get(id(conv)))))
        for module in [*neck.modules(), *head.modules()]
        if isinstance(module, nn.Conv2d)
    ]
    neck.eval(), head.eval()
    with torch.no_grad():
        head(neck(torch.zeros(1, 3, 416, 416)))
    for hook in hooks:
        hook.remove()
    return order


class NewBranch(nn.Module):
    """Copies of the published neck and head that learn bag, fire and smoke from the frozen backbone's features.

    In training mode `forward(features, labels)` gives YOLOX's losses; its batch norms stay the identity.
    """

    def __init__(self, neck: Any, head: Any) -> None:
        super().__init__()
        self.neck = copy.deepcopy(neck)
        self.neck.backbone = nn.Identity()  # the neck is given the backbone's features
        self.head = YoloxHead(len(NEW), WIDTH, depthwise=True)
        self.head.decode_in_inference = False
        state = {name: value for name, value in head.state_dict().items() if not name.startswith("cls_preds")}
        self.head.load_state_dict(state, strict=False)
        with torch.no_grad():
            for mine, theirs in zip(self.head.cls_preds, head.cls_preds, strict=True):
                mine.weight.normal_(0, 0.02)
                mine.weight[0] = theirs.weight[list(LUGGAGE)].mean(dim=0)[...]
                mine.bias.fill_(-2.0)

    def train(self, mode: bool = True) -> NewBranch:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, features: dict[str, Any], labels: Any = None) -> Any:
        return self.head(self.neck(features), labels)


class TwoBranches(nn.Module):
    """What ships. (B, 3, 416, 416) BGR 0..255 → (B, 2 · 3549, 5 + 9).

    A row is centre x, y, width, height in input pixels, objectness and the nine classes.
    The first half of the rows is the published network's (six classes, and its three kinds of luggage as bag), so what
    it saw before it sees unchanged; the second half is the new branch's.
    """

    def __init__(self, neck: Any, head: Any, branch: NewBranch) -> None:
        super().__init__()
        self.backbone = neck.backbone
        self.neck = copy.deepcopy(neck)
        self.neck.backbone = nn.Identity()
        self.head = copy.deepcopy(head)
        keep = list(KNOWN + LUGGAGE)
        for level, conv in enumerate(head.cls_preds):
            part = nn.Conv2d(conv.in_channels, len(keep), 1)
            with torch.no_grad():
                part.weight.copy_(conv.weight[keep])
                part.bias.copy_(conv.bias[keep])
            self.head.cls_preds[level] = part
        self.branch = branch
        grids = [np.stack(np.meshgrid(np.arange(n), np.arange(n)), -1).reshape(-1, 2) for n in (52, 26, 13)]
        strides = [np.full((len(grid), 1), stride) for grid, stride in zip(grids, (8, 16, 32), strict=True)]
        self.register_buffer("grid", torch.from_numpy(np.concatenate(grids)).float()[None])
        self.register_buffer("stride", torch.from_numpy(np.concatenate(strides)).float()[None])

    def _boxes(self, rows: Any) -> Any:
        centres = (rows[..., :2] + self.grid) * self.stride
        return torch.cat([centres, torch.exp(rows[..., 2:4]) * self.stride, rows[..., 4:5]], dim=-1)

    def forward(self, images: Any) -> Any:
        features = self.backbone(images)
        old, new = self.head(self.neck(features)), self.branch(features)
        first = 5 + len(KNOWN)
        luggage = old[..., first:].max(dim=-1, keepdim=True).values
        zeros = torch.zeros_like(old[..., :1])
        old = torch.cat([self._boxes(old), old[..., 5:first], luggage, zeros, zeros], dim=-1)
        new = torch.cat([self._boxes(new), *[zeros] * len(KNOWN), new[..., 5:]], dim=-1)
        return torch.cat([old, new], dim=1)
