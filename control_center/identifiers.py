"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import math
import secrets
import time
from datetime import datetime


def new_id() -> str:
    """32 hexadecimal digits: 48 bits of milliseconds since 1970, 80 random bits (the layout of a ULID)."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def first_id_at(moment: datetime) -> str:
    """The least id that may have been made at `moment` or later."""
    return f"{math.floor(moment.timestamp() * 1000):012x}" + "0" * 20
