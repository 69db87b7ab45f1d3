"""The short form of `python -m tests.benchmarks.virtual_cameras`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.ingest import make_camera_clip
from tests.benchmarks.virtual_cameras import measure


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_camera_clip(tmp_path_factory.mktemp("clip") / "camera.mp4", seconds=2)


@pytest.mark.parametrize(("pacing", "transport"), [("paced", "tcp"), ("paced", "udp")])
def test_one_core_carries_a_thousand_virtual_cameras(clip: Path, pacing: str, transport: str) -> None:
    found = measure(clip, 150, 1.0, pacing, 0.01, transport)
    assert found["delivered"] > 0.1
    # The benchmark asks for 1,000 on a free core; beside other tests a second of processor does less.
    assert found["cameras_per_core"] > 200
