"""A pair of UDP ports for RTP and RTCP."""

from __future__ import annotations

import errno
import socket

_ATTEMPTS = 100


def bind_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Non-blocking sockets at an even port of address `host` and at the one after it (RFC 3550, 11). Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(_ATTEMPTS):
        pair = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        try:
            if _bind(pair, host):
                return pair
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                _close(pair)
                raise
        _close(pair)
    raise OSError(errno.EADDRINUSE, "no pair of free UDP ports")


def _bind(pair: tuple[socket.socket, socket.socket], host: str) -> bool:
    pair[0].bind((host, 0))
    port = pair[0].getsockname()[1]
    if port % 2:
        return False
    pair[1].bind((host, port + 1))
    for sock in pair:
        sock.setblocking(False)
    return True


def _close(pair: tuple[socket.socket, socket.socket]) -> None:
    for sock in pair:
        sock.close()
