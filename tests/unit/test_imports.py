"""Imports go one way: control_center → streams → detectors → config."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = ["config", "detectors", "streams", "control_center"]


def imported_packages(source: Path) -> set[str]:
    packages: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            packages.add(node.module.split(".")[0])
    return packages


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_those_below_it(package: str) -> None:
    above = {*ORDER[ORDER.index(package) + 1 :], "tests"}
    sources = sorted((ROOT / package).rglob("*.py"))
    assert sources
    wrong = {str(source): found for source in sources if (found := imported_packages(source) & above)}
    assert not wrong
