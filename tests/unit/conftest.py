"""Fixtures of the unit tests."""

from __future__ import annotations

import pytest

from streams.rtsp.scanner import scan_in_python
from tests.requirements import need_compiled_scanner
from tests.rtp import Receiver


@pytest.fixture(params=("compiled", "python"))
def each_scanner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs once with each form of the scanner."""
    scan = need_compiled_scanner().scan if request.param == "compiled" else scan_in_python
    monkeypatch.setattr(Receiver, "usual_scan", staticmethod(scan))
