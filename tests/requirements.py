"""What a test needs from the machine. Missing → skipped with the reason; with HAECHI_REQUIRE_ALL=1 → failed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from streams.rtsp.scanner import Compiled, load_compiled
from streams.rtsp.scanner_build import NotBuilt, build

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"


def _missing(reason: str) -> NoReturn:
    if os.environ.get("HAECHI_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need_program(*names: str) -> str:
    """Path of the first of `names` that is on this machine."""
    for name in names:
        if path := shutil.which(name):
            return path
    _missing(f"needs the program {' or '.join(names)} (apt install it)")


def need_data(relative: str) -> Path:
    """Path inside the development data folder (../shared/data); never required, it is not part of the project."""
    path = DATA / relative
    if not path.exists():
        pytest.skip(f"needs the development data folder ../shared/data/{relative}")
    return path


def need_module(name: str) -> None:
    """A Python module that only the test environment has."""
    if importlib.util.find_spec(name) is None:
        _missing(f"needs the Python package {name}")


def need_compiled_scanner() -> Compiled:
    """The compiled form of the scanner, made now where it is missing."""
    try:
        build()
    except NotBuilt as error:
        _missing(f"needs the compiled scanner: {error} (apt install gcc libc6-dev python3-dev)")
    compiled = load_compiled()
    assert compiled is not None
    return compiled


def need_gst_rtsp_server() -> str:
    """Debian's Python that has gst-rtsp-server's bindings."""
    python = "/usr/bin/python3"
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    if not Path(python).exists() or subprocess.run([python, "-c", check], capture_output=True).returncode != 0:
        _missing("needs gst-rtsp-server (apt install gir1.2-gst-rtsp-server-1.0 python3-gi)")
    return python
