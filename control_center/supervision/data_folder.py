"""The data folder belongs to one installation at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from control_center.supervision.errors import StartError


@contextmanager
def owned(data_dir: Path) -> Iterator[None]:
    """Make the folder and hold its lock; the kernel lets go of it however we end. Raises StartError."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "haechi.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StartError(
            f"{data_dir}: the data folder cannot be written ({error.strerror}); mend its rights, or set data_dir"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise StartError(
                f"{data_dir}: the data folder is in use by another haechi{f' (process {holder})' if holder else ''}; "
                "stop that one, or set another data_dir"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
