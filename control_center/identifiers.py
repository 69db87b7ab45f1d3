"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import secrets
import time


def new_id() -> str:
    """32 hexadecimal digits: 48 bits of milliseconds since 1970, 80 random bits (the layout of a ULID)."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
