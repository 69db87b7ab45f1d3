"""Running until somebody says stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop


class Stopped(Exception):
    """SIGINT or SIGTERM came; everything was ended in order before this is raised."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number


def run_until_stopped(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `main()` to its end. Raises Stopped after a signal, and what `main` raises."""
    uvloop.run(_guarded(main))


async def _guarded(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    came: list[signal.Signals] = []
    task = asyncio.create_task(main())

    def stop(number: signal.Signals) -> None:
        if not came:  # a second one must not cut short the orderly end; SIGKILL is there for that
            task.cancel()
        came.append(number)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        await task
    except asyncio.CancelledError:
        if not came:
            raise
    if came:
        raise Stopped(came[0])
