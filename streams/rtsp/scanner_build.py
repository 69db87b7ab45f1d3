"""`python -m streams.rtsp.scanner_build`: compile the scanner where there is a compiler; do well without one.

Says in one line what came of it. The exit status is 0 either way: without the compiled form the one in Python reads
the packets, with the same results.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from streams.rtsp.scanner import COMPILER_OPTIONS, SOURCE, compiled_file, load_compiled

_MOST_SECONDS = 120
_HINT = "packets will be read by the slower scanner in Python (on Debian: apt install gcc libc6-dev python3-dev)"


class NotBuilt(Exception):
    """Why there is no compiled scanner."""


def build() -> Path:
    """The compiled form, made now when it is not there; files of other sources are deleted. Raises NotBuilt."""
    target = compiled_file()
    if target.exists() and load_compiled() is not None:
        return target
    with tempfile.TemporaryDirectory(dir=_writable_folder()) as folder:
        made = Path(folder) / target.name
        _compile(made)
        for old in SOURCE.parent.glob(f"_scanner-*{sysconfig.get_config_var('EXT_SUFFIX')}"):
            if old != target:
                old.unlink(missing_ok=True)
        os.replace(made, target)
    if load_compiled() is None:
        target.unlink(missing_ok=True)
        raise NotBuilt("what was compiled cannot be loaded")
    return target


def _writable_folder() -> Path:
    """That of the source: a rename into it then is one step, and nobody sees half a file."""
    if not os.access(SOURCE.parent, os.W_OK):
        raise NotBuilt(f"{SOURCE.parent} cannot be written")
    return SOURCE.parent


def _compile(target: Path) -> None:
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        raise NotBuilt("no C compiler")
    includes = {sysconfig.get_path("include"), sysconfig.get_path("platinclude")}
    if not any(Path(folder, "Python.h").exists() for folder in includes):
        raise NotBuilt("Python's header files are missing")
    command = [*shlex.split(compiler), *COMPILER_OPTIONS, *(f"-I{folder}" for folder in sorted(includes))]
    try:
        done = subprocess.run(
            [*command, str(SOURCE), "-o", str(target)], capture_output=True, text=True, timeout=_MOST_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(f"{compiler} failed: {error}") from error
    if done.returncode:
        raise NotBuilt(f"{compiler} failed: {done.stderr.strip()[-1000:]}")


def main() -> None:
    is_there = compiled_file().exists()
    try:
        build()
    except (NotBuilt, OSError) as error:
        print(f"The scanner of packets was not compiled: {error}; {_HINT}", file=sys.stderr)
        return
    if not is_there:
        print("Compiled the scanner of packets")


if __name__ == "__main__":
    main()
