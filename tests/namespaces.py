"""Two networks that only a TURN server is in: a viewer's and a worker's, as Linux network namespaces (root, iproute2).

    viewer 198.18.1.2 ── 198.18.1.1 turn 198.18.2.1 ── 198.18.2.2 worker

Nothing forwards packets from one to the other.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.coturn import TurnAddresses
from tests.requirements import need_program

TURN_AT_VIEWER, VIEWER = "198.18.1.1", "198.18.1.2"
TURN_AT_WORKER, WORKER = "198.18.2.1", "198.18.2.2"
TURN = TurnAddresses(listening=TURN_AT_VIEWER, relay=TURN_AT_WORKER, peer=WORKER, port=3478)


@dataclass(frozen=True, slots=True)
class Networks:
    """Names of the namespaces."""

    viewer: str
    turn: str
    worker: str


@contextmanager
def two_networks() -> Iterator[Networks]:
    """Skips where namespaces are not allowed (not root, or a container without CAP_SYS_ADMIN)."""
    need_program("ip")
    mark = f"{os.getpid() % 100_000}"
    names = Networks(*(f"haechi-{kind}-{mark}" for kind in ("viewer", "turn", "worker")))
    with ExitStack() as stack:
        for name in (names.viewer, names.turn, names.worker):
            added = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
            if added.returncode:
                pytest.skip(f"network namespaces are not allowed here: {added.stderr.strip()}")
            stack.callback(subprocess.run, ["ip", "netns", "delete", name], check=True)
        for name, here, there in ((names.viewer, VIEWER, TURN_AT_VIEWER), (names.worker, WORKER, TURN_AT_WORKER)):
            link = f"h{name[7]}{mark}"
            added = subprocess.run(
                ["ip", "-n", name, "link", "add", link, "type", "veth", "peer", "name", link, "netns", names.turn],
                capture_output=True,
                text=True,
            )
            if added.returncode:
                pytest.skip(f"veth links are not allowed here: {added.stderr.strip()}")
            for where, address in ((name, here), (names.turn, there)):
                _ip(where, "address", "add", f"{address}/24", "dev", link)
                _ip(where, "link", "set", link, "up")
                _ip(where, "link", "set", "lo", "up")
        yield names


def _ip(namespace: str, *arguments: str) -> None:
    subprocess.run(["ip", "-n", namespace, *arguments], check=True, capture_output=True)


def inside(namespace: str, *command: str) -> tuple[str, ...]:
    """The command that runs `command` in the namespace."""
    return ("ip", "netns", "exec", namespace, *command)
