"""No test fails by chance.

Tests with real processes and real time run once more when they fail, and never silently: their first failure and
their name are in the summary (`--rerun-show-tracebacks`). A test whose first failure must count is marked `no_rerun`:
what is stored may be lost in one run of many. Unit tests are never run again.

Hypothesis draws the same examples in every run and sets no deadline; the long form of chance is
`python -m tests.benchmarks.fuzz`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REAL_TIME = tuple(Path(__file__).parent / folder for folder in ("integration", "e2e"))

settings.register_profile(
    "certain", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("certain")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(folder in item.path.parents for folder in REAL_TIME) and not item.get_closest_marker("no_rerun"):
            item.add_marker(pytest.mark.flaky(reruns=1))
