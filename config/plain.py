"""Settings as plain values, as YAML and JSON have them, passwords included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr


def plain(value: Any) -> Any:
    """`model_dump(mode="json")` would hide the passwords. What comes out is secret where what went in was."""
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, Path) else value
