"""Tests with real processes and real time run once more when they fail, and never silently.

Their first failure and their name are in the summary (`--rerun-show-tracebacks`). A test whose first failure must
count is marked `no_rerun`: what is stored may be lost in one run of many. Unit tests are never run again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

REAL_TIME = tuple(Path(__file__).parent / folder for folder in ("integration", "e2e"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(folder in item.path.parents for folder in REAL_TIME) and not item.get_closest_marker("no_rerun"):
            item.add_marker(pytest.mark.flaky(reruns=1))
