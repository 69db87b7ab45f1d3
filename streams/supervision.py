"""The one place where any error is caught: run, wait with growing jittered back-off, run again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

log = logging.getLogger(__name__)


class BackOff:
    """Waiting times that double from `first_seconds` to `most_seconds`, each shortened by up to half at random."""

    def __init__(self, first_seconds: float = 0.5, most_seconds: float = 30.0) -> None:
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds
        self._next_seconds = first_seconds

    def reset(self) -> None:
        """Begin again at `first_seconds`."""
        self._next_seconds = self._first_seconds

    def next_seconds(self) -> float:
        """How long to wait now; the next one is longer."""
        seconds = self._next_seconds
        self._next_seconds = min(self._most_seconds, seconds * 2)
        return seconds * random.uniform(0.5, 1.0)


async def supervise(
    name: str,
    run: Callable[[], Awaitable[None]],
    *,
    back_off: BackOff | None = None,
    healthy_seconds: float = 20.0,
    on_restart: Callable[[], None] | None = None,
) -> None:
    """Keep `run()` running for ever: when it raises or returns, start it again after a back-off.

    A run of at least `healthy_seconds` resets the back-off. Ends only by cancellation.
    """
    back_off = back_off or BackOff()
    while True:
        started = time.monotonic()
        try:
            await run()
            fault = "ended by itself"
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            log.debug("%s failed", name, exc_info=True)
        if time.monotonic() - started >= healthy_seconds:
            back_off.reset()
        seconds = back_off.next_seconds()
        log.warning("%s: %s; starting it again in %.1f s", name, fault, seconds)
        await asyncio.sleep(seconds)
        if on_restart:
            on_restart()


@asynccontextmanager
async def running(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run them beside the block; at its end cancel them and wait for them all."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
