"""The network that is trained. Skipped without PyTorch and YOLOX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `training`")
pytest.importorskip("yolox", reason="needs the extra `training`")

import torch

from tests.requirements import need_data

# YOLOX's loss still spells it the old way.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.cuda.amp.autocast.*:FutureWarning")
WEIGHTS = "weights/yolox_nano_coco.onnx"


def test_the_published_weights_give_the_published_outputs() -> None:
    import onnxruntime

    from detectors.training.model import original

    path = need_data(WEIGHTS)
    neck, head = original(path)
    images = torch.rand(1, 3, 416, 416, generator=torch.Generator().manual_seed(1)) * 255
    with torch.no_grad():
        mine = head(neck(images)).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"images": images.numpy()})
    assert np.abs(mine - theirs).max() < 1e-4


def test_the_first_branch_is_the_original_and_training_moves_only_the_second(tmp_path: Path) -> None:
    from detectors.training.model import NewBranch, TwoBranches, original

    neck, head = original(need_data(WEIGHTS))
    branch = NewBranch(neck, head)
    network = TwoBranches(neck, head, branch).eval()
    images = torch.rand(1, 3, 416, 416, generator=torch.Generator().manual_seed(1)) * 255
    with torch.no_grad():
        features = neck.backbone(images)
        before = network(images)
        raw = head(neck(images))
    assert before.shape == (1, 2 * 3549, 14)
    assert torch.allclose(before[0, :3549, 4:7], raw[0, :, 4:7], atol=1e-6)  # objectness, person, bicycle
    labels = torch.zeros(1, 60, 5)
    labels[0, 0] = torch.tensor([1.0, 200, 200, 80, 120])
    optimiser = torch.optim.SGD(branch.parameters(), lr=1e-3)
    branch.train()
    branch(features, labels)[0].backward()
    optimiser.step()
    network.eval()
    with torch.no_grad():
        after = network(images)
    assert torch.equal(after[:, :3549], before[:, :3549])
    assert not torch.equal(after[:, 3549:], before[:, 3549:])
