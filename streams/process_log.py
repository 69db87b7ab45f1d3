"""Log lines of a process: to standard error, with the time of day and the program's name."""

from __future__ import annotations

import logging
import sys

_CHATTY = ("alembic", "httpx", "httpcore", "uvicorn", "aiortc", "aioice")


def set_up_logging(program: str, level: int = logging.INFO) -> None:
    """One line a thing that matters; libraries speak from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {program}: %(mark)s%(message)s", "%H:%M:%S"))
    handler.addFilter(_mark_level)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _mark_level(record: logging.LogRecord) -> bool:
    record.mark = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
    return True
