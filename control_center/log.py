"""Log lines: one a thing that matters, with the time of day as the people here see it."""

from __future__ import annotations

import logging
import sys


def set_up_logging(program: str, level: int = logging.INFO) -> None:
    """To standard error, marked with the program's name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {program}: %(levelname_mark)s%(message)s", "%H:%M:%S"))
    handler.addFilter(_mark_level)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("alembic", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _mark_level(record: logging.LogRecord) -> bool:
    record.levelname_mark = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
    return True
