"""A throw-away PostgreSQL server for tests, on a Unix socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

from tests.requirements import need_module, need_program

# PostgreSQL refuses to run as root.
UNPRIVILEGED = "nobody"


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The folder of its socket. Skips the test where PostgreSQL is missing."""
    need_module("asyncpg")
    with _programs_on_path():
        initdb, postgres = need_program("initdb"), need_program("postgres")
    folder = Path(tempfile.mkdtemp(prefix="haechi-pg-"))
    as_user: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED)
        as_user.update(user=UNPRIVILEGED, group=os.stat(folder).st_gid, extra_groups=[])
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", "haechi", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-locale"],
        check=True,
        capture_output=True,
        **as_user,
    )
    options = ("-c", "fsync=off", "-c", "listen_addresses=", "-c", "max_connections=60", "-k", folder)
    server = subprocess.Popen([postgres, "-D", data, *options], stderr=subprocess.DEVNULL, **as_user)
    try:
        deadline = time.monotonic() + 60
        while not (folder / ".s.PGSQL.5432").exists():
            assert server.poll() is None and time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.05)
        yield str(folder)
    finally:
        server.send_signal(signal.SIGQUIT)  # at once; nothing here is kept
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _programs_on_path() -> Iterator[None]:
    """Debian keeps them off the path, below /usr/lib/postgresql."""
    before = os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join([before, *sorted(glob("/usr/lib/postgresql/*/bin"), reverse=True)])
    try:
        yield
    finally:
        os.environ["PATH"] = before
