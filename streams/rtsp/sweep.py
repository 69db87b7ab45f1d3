"""Reads many sockets together, every 20 ms, instead of each time a packet arrives.

Cameras spread the packets of a picture over its whole frame time, so reading at once costs a wake-up, a system call
and a callback a packet. A sweep asks the kernel once which sockets have something and empties each with one read of
several packets (measured by `tests.benchmarks.ingest`). It adds 10 ms to a picture on average.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import weakref
from typing import ClassVar

from streams.rtsp.connection import RtspConnection

INTERVAL_SECONDS = 0.02
_SOCKETS_A_TURN = 128  # then the loop's other work gets its turn


class SocketSweep:
    """The sweep of one event loop. It runs while it has connections."""

    _of_loop: ClassVar[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, SocketSweep]] = weakref.WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sockets: dict[int, tuple[socket.socket, RtspConnection]] = {}
        self._epoll: select.epoll | None = None
        self._timer: asyncio.Handle | None = None

    @classmethod
    def of_running_loop(cls) -> SocketSweep:
        """The one sweep of the running loop."""
        loop = asyncio.get_running_loop()
        sweep = cls._of_loop.get(loop)
        if sweep is None:
            sweep = cls._of_loop[loop] = cls(loop)
        return sweep

    def add(self, connection: RtspConnection) -> None:
        """Read `connection` from now on. Only for plain TCP; it leaves by itself when it ends."""
        transport = connection.transport
        if transport is None or transport.is_closing() or connection.lost.done():
            return
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
        sock = socket.socket(fileno=descriptor)
        transport.pause_reading()
        if self._epoll is None:
            self._epoll = select.epoll()
        self._sockets[descriptor] = (sock, connection)
        self._epoll.register(descriptor, select.EPOLLIN)
        connection.lost.add_done_callback(lambda _: self._remove(descriptor))
        if self._timer is None:
            self._timer = self._loop.call_later(INTERVAL_SECONDS, self._turn)

    def _remove(self, descriptor: int) -> None:
        sock, _ = self._sockets.pop(descriptor)
        if self._epoll is not None:
            self._epoll.unregister(descriptor)
        sock.close()
        if not self._sockets and self._epoll is not None:
            self._epoll.close()
            self._epoll = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _turn(self) -> None:
        """Read each socket that has something, once."""
        if self._epoll is None:
            return
        ready = self._epoll.poll(0, _SOCKETS_A_TURN)
        sockets = self._sockets
        for descriptor, _ in ready:
            entry = sockets.get(descriptor)
            if entry is not None:
                self._read(*entry)
        if len(ready) == _SOCKETS_A_TURN:
            self._timer = self._loop.call_soon(self._turn)
        else:
            self._timer = self._loop.call_later(INTERVAL_SECONDS, self._turn)

    def _read(self, sock: socket.socket, connection: RtspConnection) -> None:
        try:
            count = sock.recv_into(connection.get_buffer(-1))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            connection.connection_lost(error)
            connection.abort()
            return
        if count:
            connection.buffer_updated(count)
        else:
            connection.connection_lost(None)
            connection.abort()
