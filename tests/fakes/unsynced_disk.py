"""Disks that fail: one that loses what was not synced when its power is cut, one that is slow, one that is full,
one whose calls fail."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

from streams.disk import Disk


class UnsyncedDisk(Disk):
    """Remembers what was synced. `after_power_cut` gives what such a disk may hold then, at its worst."""

    def __init__(self) -> None:
        self._paths: dict[int, Path] = {}
        self._synced_bytes: dict[Path, int] = {}
        self._synced_names: set[Path] = set()
        self._lock = threading.Lock()

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        with self._lock:
            self._paths[descriptor] = path
            self._synced_bytes[path] = 0
        return descriptor

    def sync_file(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        super().sync_file(descriptor)
        with self._lock:
            self._synced_bytes[self._paths[descriptor]] = size

    def sync_folder(self, path: Path) -> None:
        names = set(path.iterdir())
        super().sync_folder(path)
        with self._lock:
            self._synced_names |= names

    def after_power_cut(self, directory: Path, copy: Path) -> None:
        """Copy to `copy`: files whose folders were synced, their unsynced bytes as zeros."""
        with self._lock:
            for path, size in self._synced_bytes.items():
                if not path.exists():
                    continue
                names = [path, *path.parents[: len(path.relative_to(directory).parts) - 1]]
                if all(name in self._synced_names for name in names):
                    target = copy / path.relative_to(directory)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(path.read_bytes()[:size].ljust(path.stat().st_size, b"\0"))


class SlowDisk(Disk):
    """Writes wait from `stall` to `recover`."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()

    def stall(self) -> None:
        self._free.clear()

    def recover(self) -> None:
        self._free.set()

    def write(self, descriptor: int, data: bytes) -> None:
        self._free.wait(60)
        super().write(descriptor, data)


class FullDisk(Disk):
    """Has no room while `is_full`; of a write that fails a part has arrived."""

    def __init__(self) -> None:
        self.is_full = False

    def write(self, descriptor: int, data: bytes) -> None:
        if self.is_full:
            super().write(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(descriptor, data)


class FailingDisk(UnsyncedDisk):
    """Loses what was not synced, and raises the errno that `fails` names for a call: create, write, sync_file …

    Of a write that fails a part has arrived. After a sync that failed nothing of it is on the disk, ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fails: dict[str, int] = {}

    def _fail(self, call: str) -> None:
        if number := self.fails.get(call):
            raise OSError(number, os.strerror(number))

    def create(self, path: Path) -> int:
        self._fail("create")
        return super().create(path)

    def make_folder(self, path: Path) -> list[Path]:
        self._fail("make_folder")
        return super().make_folder(path)

    def write(self, descriptor: int, data: bytes) -> None:
        if "write" in self.fails:
            super().write(descriptor, data[: len(data) // 2])
        self._fail("write")
        super().write(descriptor, data)

    def sync_file(self, descriptor: int) -> None:
        self._fail("sync_file")
        super().sync_file(descriptor)

    def sync_folder(self, path: Path) -> None:
        self._fail("sync_folder")
        super().sync_folder(path)
