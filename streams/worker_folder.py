"""A worker's own folder under the data folder, used by one process at a time."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE_SECONDS = 10.0


class FolderError(Exception):
    """The worker's folder cannot be used; the text says which and why."""


@asynccontextmanager
async def owned_folder(path: Path, patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Path]:
    """Make `path` and hold its lock. A worker that is just ending is waited for. Raises FolderError.

    The kernel drops the lock with the process, however it ends.
    """
    lock = _open_lock(path)
    try:
        await _locked(lock, path, time.monotonic() + patience_seconds)
        yield path
    finally:
        os.close(lock)


def _open_lock(path: Path) -> int:
    try:
        path.mkdir(parents=True, exist_ok=True)
        return os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise FolderError(f"{path}: cannot be written ({error.strerror}); mend its rights, or set data_dir") from error


async def _locked(lock: int, path: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise FolderError(f"{path}: another process of this worker still runs; stop it first") from error
            await asyncio.sleep(0.1)
