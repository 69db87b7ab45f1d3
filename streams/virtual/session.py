"""An RTSP session: one client's right to one stream of one mount."""

from __future__ import annotations

import secrets
import time
from typing import Protocol

from streams.virtual.connection import Connection
from streams.virtual.live_stream import LiveStream


class Route(Protocol):
    """How packets get to the client. `channel` is the interleaved channel they are framed for."""

    channel: int

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Pass framed packets on, never wait."""


class InterleavedRoute:
    """Over the RTSP connection."""

    def __init__(self, connection: Connection, channel: int) -> None:
        self.channel = channel
        self.send = connection.send


class Session:
    """`connection` is None once it was lost without TEARDOWN and the mount keeps such sessions until they time out."""

    def __init__(self, mount_name: str, stream: LiveStream, connection: Connection, route: Route) -> None:
        self.id = secrets.token_hex(4).upper()
        self.mount_name = mount_name
        self.stream = stream
        self.connection: Connection | None = connection
        self.channel = route.channel
        self.report_address: tuple[str, int] | None = None
        self._route = route
        self._last_alive = connection.last_alive

    @property
    def last_alive(self) -> float:
        """When the client last sent anything, `time.monotonic()`."""
        return self._last_alive if self.connection is None else max(self._last_alive, self.connection.last_alive)

    def touch(self) -> None:
        """The client sent a receiver report."""
        self._last_alive = time.monotonic()

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Pass framed packets on to the client, if it is still there."""
        if self.connection is not None:
            self._route.send(data)

    def detach(self) -> None:
        """The connection is gone; the session stays."""
        self.stream.leave(self)
        self._last_alive = self.last_alive
        self.connection = None
