"""A bad UDP path between a browser and the relay, in user space: loss and delay, both ways, changed at any time."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from playwright.async_api import Route

Address = tuple[str, int]
_MOST_UNDER_WAY = 20_000
_SOCKET_BYTES = 4 * 1024 * 1024  # a key frame sent at once must not be lost by the proxy itself
_CANDIDATE = re.compile(r"a=candidate:.*\r\n")
_HOST = re.compile(r"a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host.*\r\n", re.IGNORECASE)


@dataclass(slots=True)
class Impairment:
    """`loss`: the share of datagrams that vanish, by chance; `delay_seconds` one way. Read for each datagram anew."""

    loss: float = 0.0
    delay_seconds: float = 0.0


class ImpairedPath(asyncio.DatagramProtocol):
    """Forwards between whoever writes to it first and the server of an answer. `lost` and `passed` count."""

    def __init__(self, impairment: Impairment, chance: random.Random) -> None:
        self.lost = 0
        self.passed = 0
        self._impairment = impairment
        self._chance = chance
        self._server: Address | None = None
        self._client: Address | None = None
        self._due = {True: 0.0, False: 0.0}
        self._under_way = 0
        self._loop = asyncio.get_running_loop()

    def lead_through(self, answer: str) -> str:
        """The answer with this path's address for those of the server."""
        match = _HOST.search(answer)
        assert match, answer
        self._server = (match[1], int(match[2]))
        port = self._transport.get_extra_info("sockname")[1]
        candidate = f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host\r\n"
        return _CANDIDATE.sub("", answer.replace(match[0], "@here@")).replace("@here@", candidate)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        sock = transport.get_extra_info("socket")
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BYTES)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        is_up = addr != self._server
        if is_up:
            self._client = addr
        if self._chance.random() < self._impairment.loss or self._under_way >= _MOST_UNDER_WAY:
            self.lost += 1
            return
        # Never past one that was sent before it: a path of changing delay keeps the order.
        due = self._due[is_up] = max(self._due[is_up], self._loop.time() + self._impairment.delay_seconds)
        self._under_way += 1
        self._loop.call_at(due, self._pass_on, data, is_up)

    def _pass_on(self, data: bytes, is_up: bool) -> None:
        self._under_way -= 1
        to = self._server if is_up else self._client
        if to is not None and not self._transport.is_closing():
            self.passed += 1
            self._transport.sendto(data, to)


@asynccontextmanager
async def impaired_paths(seed: int = 5) -> AsyncIterator[Callable[[Impairment], Awaitable[ImpairedPath]]]:
    """Makes paths, each on a port of its own, until the block ends."""
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:

        async def make(impairment: Impairment) -> ImpairedPath:
            transport, path = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: ImpairedPath(impairment, chance), local_addr=("127.0.0.1", 0)
            )
            stack.callback(transport.close)
            return path

        yield make


def without_candidates(offer: str) -> str:
    """The offer as of a browser whose address nobody knows but the path."""
    return _CANDIDATE.sub("", offer)


async def lead_through(route: Route, path: ImpairedPath) -> None:
    """Answer a browser's WHEP request (Playwright's) as the center does, but with the path between."""
    response = await route.fetch(post_data=without_candidates(route.request.post_data or ""))
    body = await response.text()
    await route.fulfill(response=response, body=path.lead_through(body) if response.status == 201 else body)
