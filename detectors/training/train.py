"""Training the new branch on features of the frozen backbone.

A picture's features do not change while the backbone stands still, so each picture pays for the backbone once and is
then learned from several times out of a ring of recent ones (half precision, about 0.6 MB a picture).
"""

# mypy: allow-subclassing-any, allow-untyped-calls

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from detectors.training.augment import Composer, Pools, Scene
from detectors.training.model import FEATURES, NEW, NewBranch, original

CHECKPOINT = "last.pt"
MOST_LABELS = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. Half of a step's batch is new pictures; `ring` is how many pictures' features are remembered."""

    steps: int = 2500
    batch: int = 32
    ring: int = 2500
    rate: float = 1.0e-3
    warm_up_steps: int = 100
    weight_decay: float = 1e-4
    averaging: float = 0.998
    threads: int = 1
    seed: int = 1
    checkpoint_every: int = 200


def labels_of(scene: Scene) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(MOST_LABELS, 5): class in the new head's order, centre x, y, width, height in pixels; zeros pad."""
    rows = np.zeros((MOST_LABELS, 5), np.float32)
    boxes, classes = scene.boxes[:MOST_LABELS], scene.classes[:MOST_LABELS]
    rows[: len(boxes), 0] = [NEW.index(int(number)) for number in classes]
    rows[: len(boxes), 1:3] = (boxes[:, :2] + boxes[:, 2:]) / 2
    rows[: len(boxes), 3:5] = boxes[:, 2:] - boxes[:, :2]
    return rows


class _FreshFeatures(IterableDataset[Any]):
    """Batches of composed pictures' features (half precision) and labels, without end, from a process of their own."""

    def __init__(self, pools: Pools, backbone: Any, batch: int, seed: int) -> None:
        self._pools, self._backbone, self._batch, self._seed = pools, backbone, batch, seed

    def __iter__(self) -> Iterator[tuple[list[Any], Any]]:
        torch.set_num_threads(1)
        backbone = self._backbone.to(memory_format=torch.channels_last)
        composer = Composer(self._pools, self._seed)
        while True:
            scenes = [composer.picture() for _ in range(self._batch)]
            images = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2)
            with torch.no_grad():
                features = backbone(images.to(torch.float32, memory_format=torch.channels_last))
            labels = torch.from_numpy(np.stack([labels_of(scene) for scene in scenes]))
            yield [features[name].half().contiguous() for name in FEATURES], labels


class _Ring:
    """The last `size` pictures' features and labels."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: list[tuple[list[Any], Any]] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, features: list[Any], labels: Any) -> None:
        for index in range(len(labels)):
            item = ([level[index].clone() for level in features], labels[index].clone())
            if len(self._items) < self._size:
                self._items.append(item)
            else:
                self._items[self._next] = item
            self._next = (self._next + 1) % self._size

    def draw(self, count: int, rng: np.random.Generator) -> tuple[dict[str, Any], Any]:
        """The newest half of `count`, and as many at random."""
        newest = [(self._next - 1 - back) % len(self._items) for back in range(count // 2)]
        chosen = [self._items[int(i)] for i in [*newest, *rng.integers(len(self._items), size=count - len(newest))]]
        features = {
            name: torch.stack([item[0][level] for item in chosen]).to(torch.float32, memory_format=torch.channels_last)
            for level, name in enumerate(FEATURES)
        }
        return features, torch.stack([item[1] for item in chosen])


def _rate(plan: Plan, step: int) -> float:
    """Linear warm-up, then a half cosine down to 2 %."""
    if step < plan.warm_up_steps:
        return plan.rate * (step + 1) / plan.warm_up_steps
    done = (step - plan.warm_up_steps) / max(1, plan.steps - plan.warm_up_steps)
    return plan.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def train(weights: Path, pools: Pools, out: Path, plan: Plan, say: Callable[[str], None] = print) -> Path:
    """Train and return the checkpoint (the averaged branch). Goes on from `out/last.pt` where there is one."""
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    out.mkdir(parents=True, exist_ok=True)
    neck, head = original(weights)
    branch = NewBranch(neck, head).to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(branch).eval()
    optimiser = torch.optim.AdamW(branch.parameters(), lr=plan.rate, weight_decay=plan.weight_decay)
    parts = {"branch": branch, "averaged": averaged, "optimiser": optimiser}
    first_step = _go_on(parts, out / CHECKPOINT)
    say(f"from step {first_step} to {plan.steps}")
    fresh = _FreshFeatures(pools, neck.backbone, plan.batch // 2, plan.seed + first_step)
    loader = iter(DataLoader(fresh, batch_size=None, num_workers=1, prefetch_factor=3))
    ring, rng, started = _Ring(plan.ring), np.random.default_rng(plan.seed + first_step), time.monotonic()
    mean: np.ndarray[Any, Any] | None = None
    for step in range(first_step, plan.steps):
        ring.add(*next(loader))
        losses = _learn(branch, optimiser, *ring.draw(plan.batch, rng), _rate(plan, step))
        _average(averaged, branch, min(plan.averaging, (1 + step) / (20 + step)))
        mean = losses if mean is None else 0.98 * mean + 0.02 * losses
        if (step + 1) % 20 == 0:
            box, objectness, kind = mean
            pace = (time.monotonic() - started) / (step + 1 - first_step)
            say(f"step {step + 1} box {box:.3f} object {objectness:.3f} class {kind:.3f} {pace:.2f} s/step")
        if (step + 1) % plan.checkpoint_every == 0 or step + 1 == plan.steps:
            _save(parts, step + 1, out / CHECKPOINT)
    return out / CHECKPOINT


def _save(parts: dict[str, Any], step: int, path: Path) -> None:
    """Written beside and renamed, so that a stopped run leaves a whole checkpoint."""
    writing = path.with_suffix(".writing")
    torch.save({"step": step} | {name: part.state_dict() for name, part in parts.items()}, writing)
    writing.replace(path)


def _go_on(parts: dict[str, Any], path: Path) -> int:
    """Fill `parts` from the checkpoint where there is one; the steps it had done."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"])


def _learn(branch: NewBranch, optimiser: Any, features: dict[str, Any], labels: Any, rate: float) -> Any:
    """One step; the losses (box, objectness, class)."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    branch.train()
    total, box, objectness, kind, _, _ = branch(features, labels)
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    torch.nn.utils.clip_grad_norm_(branch.parameters(), 10.0)
    optimiser.step()
    return np.array([float(box), float(objectness), float(kind)])


def _average(averaged: NewBranch, branch: NewBranch, keep: float) -> None:
    with torch.no_grad():
        for mine, theirs in zip(averaged.parameters(), branch.parameters(), strict=True):
            mine.mul_(keep).add_(theirs, alpha=1 - keep)
