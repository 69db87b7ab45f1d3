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

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from detectors.training.augment import Composer, Pools, Scene
from detectors.training.model import FEATURES, NEW, NewBranch, original

MOST_LABELS = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. `fresh` pictures join each step's batch of `batch`; `ring` is how many features are remembered."""

    steps: int = 2500
    batch: int = 32
    fresh: int = 12
    ring: int = 3000
    rate: float = 1.0e-3
    warm_up_steps: int = 100
    weight_decay: float = 1e-4
    averaging: float = 0.998
    threads: int = 2
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


class _Pictures(IterableDataset[Any]):
    """Composed pictures without end; each loader process has its own seed."""

    def __init__(self, pools: Pools, seed: int) -> None:
        self._pools, self._seed = pools, seed

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        composer = Composer(self._pools, self._seed + 1000 * (worker.id if worker else 0))
        while True:
            scene = composer.picture()
            image = np.ascontiguousarray(scene.image.transpose(2, 0, 1))
            yield torch.from_numpy(image), torch.from_numpy(labels_of(scene))


class _Ring:
    """The last `size` pictures' features and labels."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: list[tuple[list[Any], Any]] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, features: dict[str, Any], labels: Any) -> None:
        for index in range(len(labels)):
            item = ([features[name][index].half() for name in FEATURES], labels[index])
            if len(self._items) < self._size:
                self._items.append(item)
            else:
                self._items[self._next] = item
                self._next = (self._next + 1) % self._size

    def draw(self, count: int, rng: np.random.Generator) -> tuple[dict[str, Any], Any]:
        chosen = [self._items[int(index)] for index in rng.integers(len(self._items), size=count)]
        features = {name: torch.stack([item[0][k] for item in chosen]).float() for k, name in enumerate(FEATURES)}
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
    branch = NewBranch(neck, head)
    averaged = copy.deepcopy(branch).eval()
    optimiser = torch.optim.AdamW(branch.parameters(), lr=plan.rate, weight_decay=plan.weight_decay)
    last, first_step = out / "last.pt", 0
    if last.exists():
        state = torch.load(last, weights_only=True)
        branch.load_state_dict(state["branch"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        first_step = state["step"]
        say(f"going on from step {first_step}")
    loader = iter(
        DataLoader(_Pictures(pools, plan.seed + first_step), batch_size=plan.fresh, num_workers=1, prefetch_factor=3)
    )
    ring, rng, started = _Ring(plan.ring), np.random.default_rng(plan.seed + first_step), time.monotonic()
    mean: np.ndarray[Any, Any] | None = None
    for step in range(first_step, plan.steps):
        images, labels = next(loader)
        with torch.no_grad():
            features = neck.backbone(images.float())
        old = ring.draw(plan.batch - plan.fresh, rng) if len(ring) >= plan.batch else None
        ring.add(features, labels)
        losses = _learn(branch, optimiser, features, labels, old, _rate(plan, step))
        _average(averaged, branch, min(plan.averaging, (1 + step) / (20 + step)))
        mean = losses if mean is None else 0.98 * mean + 0.02 * losses
        if (step + 1) % 20 == 0:
            box, objectness, kind = mean
            pace = (time.monotonic() - started) / (step + 1 - first_step)
            say(
                f"step {step + 1}/{plan.steps} box {box:.3f} object {objectness:.3f} class {kind:.3f} {pace:.2f} s/step"
            )
        if (step + 1) % plan.checkpoint_every == 0 or step + 1 == plan.steps:
            state = {"branch": branch.state_dict(), "averaged": averaged.state_dict(), "step": step + 1}
            torch.save(state | {"optimiser": optimiser.state_dict()}, out / "writing.pt")
            (out / "writing.pt").replace(last)
    return last


def _learn(branch: NewBranch, optimiser: Any, features: dict[str, Any], labels: Any, old: Any, rate: float) -> Any:
    """One step over the fresh and the remembered pictures; the losses (box, objectness, class)."""
    if old is not None:
        features = {name: torch.cat([features[name], old[0][name]]) for name in FEATURES}
        labels = torch.cat([labels, old[1]])
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
