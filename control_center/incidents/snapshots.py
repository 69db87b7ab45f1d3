"""Pictures of events, as files named by their SHA-256."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """`path` is relative to the data folder."""

    hash: str
    path: str
    size_bytes: int


class SnapshotFiles:
    """Writes under `data_dir`/snapshots. A file is on disk, name and all, before anything refers to it."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    async def write(self, jpegs: list[bytes]) -> list[StoredSnapshot]:
        """Raises OSError."""
        return await asyncio.to_thread(lambda: [self._write_one(jpeg) for jpeg in jpegs])

    def full_path(self, path: str) -> Path:
        return self._data_dir / path

    def _write_one(self, jpeg: bytes) -> StoredSnapshot:
        digest = hashlib.sha256(jpeg).hexdigest()
        stored = StoredSnapshot(digest, f"snapshots/{digest[:2]}/{digest}.jpg", len(jpeg))
        target = self._data_dir / stored.path
        if target.exists() and target.stat().st_size == len(jpeg):
            return stored
        if not target.parent.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _sync_folder(target.parent.parent)
        partial = target.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as file:
            file.write(jpeg)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        _sync_folder(target.parent)
        return stored


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
