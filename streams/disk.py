"""What the recorder asks of a disk. A class of its own so that a test can cut the power."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Disk:
    """Blocking calls; each raises OSError. They release the GIL while they wait."""

    def create(self, path: Path) -> int:
        """A new file for writing, locked so that recovery sees that its writer lives. Raises FileExistsError.

        A recovery that looks at it before it is locked is waited for: it lets go after one look.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def make_folder(self, path: Path) -> list[Path]:
        """Make `path` with its parents; the folders that must be synced for it to last."""
        missing: list[Path] = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
        return [folder.parent for folder in missing]

    def write(self, descriptor: int, data: bytes) -> None:
        """Append all of `data`."""
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, memoryview(data)[written:])

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file back to `size` bytes and go on writing there."""
        os.ftruncate(descriptor, size)
        os.lseek(descriptor, size, os.SEEK_SET)

    def sync_file(self, descriptor: int) -> None:
        """What was written is on the disk when it returns."""
        os.fdatasync(descriptor)

    def sync_folder(self, path: Path) -> None:
        """The names in `path` are on the disk when it returns."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def take_back(self, descriptor: int, path: Path) -> None:
        """Remove an empty file that was just made, and close it."""
        path.unlink()
        os.close(descriptor)

    def close(self, descriptor: int) -> None:
        """Give the file back."""
        os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Take the file's name away; its folder is to be synced."""
        path.unlink()

    def free_bytes(self, path: Path) -> int:
        """Room that this process may still take on the disk of `path`."""
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize
