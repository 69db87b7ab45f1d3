"""The corpus: `tests/fuzz/corpus/TARGET/NAME`. A name that begins with `failed-` is an input that once failed."""

from __future__ import annotations

import hashlib
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def load(target: str) -> list[bytes]:
    """Inputs of `target`, in the order of their names."""
    return [path.read_bytes() for path in sorted((CORPUS / target).glob("*"))]


def keep_failed(folder: Path, target: str, data: bytes) -> Path:
    """Write an input that failed below `folder`, named after its content."""
    path = folder / target / f"failed-{hashlib.sha256(data).hexdigest()[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
