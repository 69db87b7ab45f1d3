"""Records between a packets process and a child, over a socketpair: `!IB` (length of what follows, kind) and a body."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Generic, TypeVar

MAX_RECORD_BYTES = 16 * 1024 * 1024
_HEAD = struct.Struct("!IB")
_Kind = TypeVar("_Kind", bound=IntEnum)


class LinkError(Exception):
    """The other process sent something that is not a record of this link."""


def record(kind: IntEnum, *parts: bytes) -> bytes:
    return _HEAD.pack(1 + sum(map(len, parts)), kind) + b"".join(parts)


class RecordParser(Generic[_Kind]):
    """Cuts a byte stream into records of `kinds`; holds at most one unfinished record of `max_record_bytes`."""

    def __init__(self, kinds: type[_Kind], max_record_bytes: int = MAX_RECORD_BYTES) -> None:
        self._kinds = kinds
        self._max_record_bytes = max_record_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[tuple[_Kind, bytes]]:
        """Yield (kind, body) of each record that `data` completes. Raises LinkError."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= _HEAD.size:
                length, kind = _HEAD.unpack_from(buffer, start)
                if not 1 <= length <= self._max_record_bytes:
                    raise LinkError(f"record of {length} bytes; at most {self._max_record_bytes} are allowed")
                end = start + 4 + length
                if len(buffer) < end:
                    break
                body = bytes(memoryview(buffer)[start + _HEAD.size : end])
                start = end
                yield self._kind(kind), body
        finally:
            del buffer[:start]

    def _kind(self, value: int) -> _Kind:
        try:
            return self._kinds(value)
        except ValueError as error:
            raise LinkError(f"record of unknown kind {value}") from error


class LinkProtocol(asyncio.Protocol, Generic[_Kind]):
    """Hands each record of a child to `take`; `closed` ends with the link, or with what was wrong with it."""

    def __init__(self, take: Callable[[_Kind, bytes], None], parser: RecordParser[_Kind]) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._take = take
        self._parser = parser

    def data_received(self, data: bytes) -> None:
        if self.closed.done():
            return
        try:
            for kind, body in self._parser.feed(data):
                self._take(kind, body)
        except LinkError as error:
            self.closed.set_exception(error)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
