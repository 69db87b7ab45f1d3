"""News for the browsers that look on: a bounded queue each, as Server-Sent Events (HTML standard, section 9.2)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from control_center.reach import Audience

MAX_QUEUED = 256
MAX_REMEMBERED = 512
MAX_LISTENERS = 256
KEEP_ALIVE_SECONDS = 10.0


class TooManyListeners(Exception):
    """Every place for a live listener is taken."""


@dataclass(frozen=True, slots=True)
class News:
    """One message: `sequence` grows by one, `name` is the SSE event.

    `texts` has one line of JSON for each audience that is told; the others never learn of it.
    """

    sequence: int
    name: str
    texts: Mapping[Audience, str]


class Listener:
    """One browser's queue. When it is full, what it holds is dropped and the browser is told to reload."""

    def __init__(self, audience: Audience) -> None:
        self.audience: Audience = audience
        self._queue: deque[News] = deque()
        self._arrived = asyncio.Event()
        self.missed = False
        self.closed = False

    def put(self, news: News) -> None:
        if self.audience not in news.texts:
            return
        if len(self._queue) >= MAX_QUEUED:
            self._queue.clear()
            self.missed = True
        self._queue.append(news)
        self._arrived.set()

    def clear(self) -> None:
        self._queue.clear()
        self._arrived.clear()
        if self.closed:
            self._arrived.set()

    def close(self) -> None:
        self.closed = True
        self._arrived.set()

    async def take(self, timeout_seconds: float) -> list[News]:
        """Everything that waits; empty after `timeout_seconds` without news, or once closed."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._arrived.wait()
        except TimeoutError:
            return []
        self._arrived.clear()
        waiting = list(self._queue)
        self._queue.clear()
        return waiting


class LiveNews:
    """Sends each piece of news to every listener, and remembers the last ones for a browser that comes back."""

    def __init__(self) -> None:
        # Sequence numbers of another run of the center mean nothing here.
        self.run = secrets.token_hex(4)
        self._sequence = 0
        self._remembered: deque[News] = deque(maxlen=MAX_REMEMBERED)
        self._listeners: set[Listener] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    def publish(self, name: str, data: str | Mapping[Audience, str]) -> None:
        """`data`: one line of JSON for each audience, or one for all but the desks."""
        texts: dict[Audience, str] = {"city": data, "cameras": data} if isinstance(data, str) else dict(data)
        self._sequence += 1
        news = News(self._sequence, name, texts)
        self._remembered.append(news)
        for listener in self._listeners:
            listener.put(news)

    def close(self) -> None:
        """End every listener, now and later: the center stops."""
        self._closed = True
        for listener in self._listeners:
            listener.close()

    def check_room(self) -> None:
        """Asked before the answer begins, when it can still be refused. Raises TooManyListeners."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise TooManyListeners(f"{MAX_LISTENERS} browsers are listening already")

    @contextmanager
    def listen(self, audience: Audience) -> Iterator[Listener]:
        """A queue of one's own for the length of the block. Raises TooManyListeners."""
        self.check_room()
        listener = Listener(audience)
        if self._closed:
            listener.close()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def since(self, last_event_id: str | None, audience: Audience) -> list[News] | None:
        """News for the audience after `last_event_id`, None when it cannot be told what was missed."""
        run, _, number = (last_event_id or "").partition("-")
        if run != self.run or not number.isdecimal() or int(number) > self._sequence:
            return None
        last = int(number)
        if last < self._sequence and (not self._remembered or self._remembered[0].sequence > last + 1):
            return None
        return [news for news in self._remembered if news.sequence > last and audience in news.texts]

    async def stream(self, listener: Listener, last_event_id: str | None) -> AsyncIterator[bytes | None]:
        """SSE text; None comes now and then: the caller checks that the listener may still listen."""
        listener.clear()  # whatever came before this moment is in `missed`, or is fetched anew
        missed = self.since(last_event_id, listener.audience)
        if missed is None:
            yield f'retry: 1000\nevent: ready\ndata: {{"resumed":false}}\nid: {self.run}-{self._sequence}\n\n'.encode()
        else:
            yield b'retry: 1000\nevent: ready\ndata: {"resumed":true}\n\n'
        for news in missed or ():
            yield self._text(news, listener.audience)
        checked_at = time.monotonic()
        while not listener.closed:
            waiting = await listener.take(KEEP_ALIVE_SECONDS)
            if not waiting or time.monotonic() - checked_at >= KEEP_ALIVE_SECONDS:
                checked_at = time.monotonic()
                yield None
            if listener.missed:
                listener.missed = False
                yield b"event: reload\ndata: {}\n\n"
            if waiting:
                yield b"".join(self._text(news, listener.audience) for news in waiting)
            elif not listener.closed:
                yield b": still here\n\n"

    def _text(self, news: News, audience: Audience) -> bytes:
        return f"event: {news.name}\ndata: {news.texts[audience]}\nid: {self.run}-{news.sequence}\n\n".encode()
