"""One RTSP connection to a virtual camera."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
import time
from typing import TYPE_CHECKING, cast

from streams.virtual.rtsp_request import BadRequest, RequestParser, Response

if TYPE_CHECKING:
    from streams.virtual.server import VirtualCameraServer

MAX_UNSENT_BYTES = 2 * 1024 * 1024


class Connection(asyncio.Protocol):
    """Parses requests, hands them to the server, and carries the packets of its sessions.

    A client that leaves more than `max_unsent_bytes` unread is dropped: nothing is queued without a bound.
    """

    def __init__(self, server: VirtualCameraServer, max_unsent_bytes: int) -> None:
        self.nonce = secrets.token_hex(16)
        self.mount_name: str | None = None
        self.is_open = False
        self.is_silent = False
        self.last_alive = time.monotonic()
        self._server = server
        self._max_unsent_bytes = max_unsent_bytes
        self._parser = RequestParser()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True
        self._server.connection_opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._server.connection_closed(self)

    def data_received(self, data: bytes) -> None:
        if self.is_silent:
            self._server.spoken_to_the_silent(self)
            return
        try:
            requests = self._parser.feed(data)
        except BadRequest:
            self._transport.write(Response(400).encode("0"))
            self._transport.close()
            return
        self.last_alive = time.monotonic()
        for request in requests:
            response = self._server.answer(self, request)
            if response is None and not self.is_silent:
                self.close()
            if response is None or not self.is_open:
                return
            self.send(response.encode(request.headers.get("cseq", "0")))

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Queue framed packets or a response; drops the client when it does not read."""
        transport = self._transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > self._max_unsent_bytes:
            self._server.slow_clients_dropped += 1
            transport.abort()
            return
        transport.write(data)

    def close(self) -> None:
        """End it in good order."""
        self._transport.close()

    def abort(self) -> None:
        """End it at once, whatever is unsent."""
        self._transport.abort()

    def reset(self) -> None:
        """End it with an RST, as a camera does that lost its power and came back."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def fall_silent(self) -> None:
        """Answer nothing from now on and stay open: the camera has lost its power or its network."""
        self.is_silent = True

    def remote_host(self) -> str:
        """Address of the client."""
        return cast(str, self._transport.get_extra_info("peername")[0])

    def local_address(self) -> tuple[str, int]:
        """Host and port the client reached."""
        return cast("tuple[str, int]", self._transport.get_extra_info("sockname")[:2])
