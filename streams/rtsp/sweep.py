"""Reads many sockets together, instead of each time a packet arrives.

Cameras spread the packets of a picture over its whole frame time, so reading at once costs a wake-up, a system call
and a callback a packet. A sweep asks the kernel once which sockets have something and empties each with one read of
many packets (measured by `tests.benchmarks.ingest`). Streams that somebody looks at are swept every 20 ms, the others,
which are only recorded and analysed, every 150 ms (ADR 0022, 0027).
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import weakref
from dataclasses import dataclass
from typing import ClassVar, Protocol

from streams.rtsp.connection import RtspConnection
from streams.rtsp.datagrams import DatagramSource

URGENT_SECONDS = 0.02
CALM_SECONDS = 0.15
# A calm socket that had this much is read again at the next urgent sweep, so that a camera of a high bit rate
# never finds the receive window closed for long.
_MUCH_BYTES = 48 * 1024
_SOCKETS_A_TURN = 128  # then the loop's other work gets its turn


class _Reader(Protocol):
    def read(self) -> int:
        """Take what is in the socket; how many bytes that were."""

    def close(self) -> None: ...


class _ConnectionReader:
    """The duplicate of a connection's socket."""

    def __init__(self, descriptor: int, connection: RtspConnection) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._connection = connection

    def read(self) -> int:
        connection = self._connection
        try:
            count = self._socket.recv_into(connection.get_buffer(-1))
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            connection.connection_lost(error)
            connection.abort()
            return 0
        if not count:
            connection.connection_lost(None)
            connection.abort()
            return 0
        connection.buffer_updated(count)
        return count

    def close(self) -> None:
        self._socket.close()


@dataclass(slots=True)
class _Swept:
    reader: _Reader
    is_urgent: bool


class _Lane:
    """Sockets that are swept at one pace."""

    def __init__(self, sweep: SocketSweep, loop: asyncio.AbstractEventLoop, interval_seconds: float) -> None:
        self._sweep = sweep
        self._loop = loop
        self._interval_seconds = interval_seconds
        self._epoll: select.epoll | None = None
        self._sockets = 0
        self._timer: asyncio.Handle | None = None

    def add(self, descriptor: int) -> None:
        if self._epoll is None:
            self._epoll = select.epoll()
        self._epoll.register(descriptor, select.EPOLLIN)
        self._sockets += 1
        self.wake()

    def remove(self, descriptor: int) -> None:
        assert self._epoll is not None
        self._epoll.unregister(descriptor)
        self._sockets -= 1
        if not self._sockets:
            self._epoll.close()
            self._epoll = None

    def wake(self, *, at_once: bool = False) -> None:
        """Sweep after the interval, or now."""
        if at_once and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_later(0 if at_once else self._interval_seconds, self._turn)

    def _turn(self) -> None:
        """Read each socket that has something, once."""
        self._timer = None
        ready = self._epoll.poll(0, _SOCKETS_A_TURN) if self._epoll is not None else []
        self._sweep.read_late()
        for descriptor, _ in ready:
            self._sweep.read(descriptor)
        if self._epoll is not None:
            self.wake(at_once=len(ready) == _SOCKETS_A_TURN)


class SocketSweep:
    """The sweep of one event loop. It runs while it has connections."""

    _of_loop: ClassVar[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, SocketSweep]] = weakref.WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._swept: dict[int, _Swept] = {}
        self._descriptors: dict[RtspConnection | DatagramSource, int] = {}
        self._late: list[int] = []
        self._urgent = _Lane(self, loop, URGENT_SECONDS)
        self._calm = _Lane(self, loop, CALM_SECONDS)

    @classmethod
    def of_running_loop(cls) -> SocketSweep:
        """The one sweep of the running loop."""
        loop = asyncio.get_running_loop()
        sweep = cls._of_loop.get(loop)
        if sweep is None:
            sweep = cls._of_loop[loop] = cls(loop)
        return sweep

    def add(self, connection: RtspConnection, *, is_urgent: bool = False) -> None:
        """Read `connection` from now on. Only for plain TCP; it leaves by itself when it ends."""
        transport = connection.transport
        if transport is None or transport.is_closing() or connection.lost.done():
            return
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
        transport.pause_reading()
        self._add(connection, descriptor, _ConnectionReader(descriptor, connection), is_urgent)
        connection.lost.add_done_callback(lambda _: self.remove(connection))

    def add_datagrams(self, source: DatagramSource, *, is_urgent: bool = False) -> None:
        """Read `source` from now on, until `remove` closes it."""
        self._add(source, source.descriptor, source, is_urgent)

    def remove(self, source: RtspConnection | DatagramSource) -> None:
        """Read it no more and close it."""
        descriptor = self._descriptors.pop(source, None)
        if descriptor is not None:
            swept = self._swept.pop(descriptor)
            self._lane(swept.is_urgent).remove(descriptor)
            swept.reader.close()

    def set_urgent(self, source: RtspConnection | DatagramSource, is_urgent: bool) -> None:
        """Sweep it as something that is looked at, or that is not. What waits in its socket is read at once."""
        descriptor = self._descriptors.get(source)
        if descriptor is None or self._swept[descriptor].is_urgent == is_urgent:
            return
        self._lane(not is_urgent).remove(descriptor)
        self._swept[descriptor].is_urgent = is_urgent
        lane = self._lane(is_urgent)
        lane.add(descriptor)
        if is_urgent:
            lane.wake(at_once=True)

    def read(self, descriptor: int) -> None:
        """Take what is in the socket."""
        swept = self._swept.get(descriptor)
        if swept is None:
            return
        if swept.reader.read() >= _MUCH_BYTES and not swept.is_urgent:
            self._late.append(descriptor)
            self._urgent.wake()

    def read_late(self) -> None:
        """Read again what had much to say."""
        late, self._late = self._late, []
        for descriptor in late:
            self.read(descriptor)

    def _lane(self, is_urgent: bool) -> _Lane:
        return self._urgent if is_urgent else self._calm

    def _add(self, source: RtspConnection | DatagramSource, descriptor: int, reader: _Reader, is_urgent: bool) -> None:
        self._swept[descriptor] = _Swept(reader, is_urgent)
        self._descriptors[source] = descriptor
        self._lane(is_urgent).add(descriptor)
