"""The short form of `python -m tests.benchmarks.virtual_cameras`."""

from __future__ import annotations

import pytest

from tests.benchmarks.virtual_cameras import measure


@pytest.mark.parametrize(("pacing", "transport"), [("paced", "tcp"), ("burst", "tcp"), ("paced", "udp")])
def test_one_core_carries_a_thousand_virtual_cameras(pacing: str, transport: str) -> None:
    found = measure(150, 2.0, pacing, 0.01, transport)
    assert found["delivered"] > 0.5
    assert found["cameras_per_core"] > 1_000
