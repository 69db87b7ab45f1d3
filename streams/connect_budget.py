"""How much a site may connect: a bound on attempts at the same time and on attempts a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager


class ConnectBudget:
    """At most `at_once` attempts run at the same time, and one begins every 1/`per_second` seconds.

    Cameras whose last attempt failed get three quarters of the places: dead ones keep theirs for as long as the
    patience of an attempt lasts, and one that was live a moment ago must not wait behind them.
    """

    def __init__(self, at_once: int = 32, per_second: float = 50.0) -> None:
        self.running = 0
        self.most_running = 0
        self.begun = 0
        self._places = asyncio.Semaphore(at_once)
        self._doubtful_places = asyncio.Semaphore(max(1, at_once * 3 // 4))
        self._pause = 1 / per_second
        self._next_at = 0.0

    @asynccontextmanager
    async def attempt(self, *, has_failed: bool) -> AsyncIterator[None]:
        """Wait for a place, and hold it for the block. `has_failed`: so did the attempt before."""
        async with AsyncExitStack() as places:
            if has_failed:
                await places.enter_async_context(self._doubtful_places)
            await places.enter_async_context(self._places)
            await self._wait_for_turn()
            self.begun += 1
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                yield
            finally:
                self.running -= 1

    async def _wait_for_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + self._pause
        if at > now:
            await asyncio.sleep(at - now)
