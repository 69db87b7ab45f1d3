"""Ports for processes that are started with a number: nobody gets them by chance meanwhile."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

_LOWEST = 20_000
# A port the kernel gives out (to any outgoing connection too) may be taken between the look and its use.
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_order = random.Random(os.getpid())  # two test processes do not ask for the same ones in the same order


def free_port() -> int:
    """A port of 127.0.0.1 below those that the kernel gives out, free for TCP and UDP a moment ago."""
    end = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32_768
    while True:
        port = _order.randrange(_LOWEST, max(end, _LOWEST + 5_000))
        if _is_free(socket.SOCK_STREAM, port) and _is_free(socket.SOCK_DGRAM, port):
            return port


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
