"""A UDP path that carries so many bits a second and no more, with a queue before it, as a slow link has."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.whep_client import LossyPath

if TYPE_CHECKING:
    from playwright.async_api import Page, Route


class NarrowPath(LossyPath):
    """`carries` bits/s towards the client may be changed at any time; what finds the queue full is dropped."""

    def __init__(self, carries: float = math.inf, queue_seconds: float = 0.4, delay_seconds: float = 0.02) -> None:
        super().__init__(lambda _: False)
        self.carries = carries
        self.passed_bytes = 0
        self._queue_seconds = queue_seconds
        self._delay = delay_seconds
        self._busy_until = 0.0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if addr != self._server:
            self._client = addr
            loop.call_at(now + self._delay, self._send, data, self._server)
        elif self._client is not None:
            if self._busy_until - now > self._queue_seconds:
                self.dropped += 1
                return
            self._busy_until = max(self._busy_until, now) + len(data) * 8 / self.carries
            self.passed_bytes += len(data)
            loop.call_at(self._busy_until + self._delay, self._send, data, self._client)

    def _send(self, data: bytes, addr: tuple[str, int] | None) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, addr)


@asynccontextmanager
async def narrow_path(carries: float = math.inf) -> AsyncIterator[NarrowPath]:
    """A path on a port of its own."""
    loop = asyncio.get_running_loop()
    transport, path = await loop.create_datagram_endpoint(lambda: NarrowPath(carries), local_addr=("127.0.0.1", 0))
    try:
        yield path
    finally:
        transport.close()


async def lead_page_through(page: Page, path: LossyPath) -> None:
    """Let sessions that `page` opens from now on go over `path`."""

    async def rewrite(route: Route) -> None:
        offer = route.request.post_data or ""
        kept = [line for line in offer.splitlines(keepends=True) if not line.startswith("a=candidate:")]
        answer = await route.fetch(post_data="".join(kept))
        await route.fulfill(response=answer, body=path.lead_through(await answer.text()))

    await page.route("**/whep/*", rewrite)
