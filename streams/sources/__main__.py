"""The process that reads HLS and files: `python -m streams.sources --fd N`, child of streams.worker.

A thread a source, two for HLS; Python runs in them, which is why they are not beside the loop of the packets process.
It ends itself when the packets process closes the link.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import sys
import threading

from streams.errors import ConnectFailed
from streams.process_log import set_up_logging
from streams.records import LinkError, RecordParser
from streams.sources import link
from streams.sources.link import Kind, Open
from streams.sources.player import Player

MAX_SOURCES = 64
_ALIVE_SECONDS = 2.0
_READ_BYTES = 64 * 1024


class Children:
    """The sources that are played, by number."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._changing = threading.Lock()
        self._players: dict[int, Player] = {}

    def send(self, record: bytes) -> None:
        """Waits for room: the packets process always reads. When it is gone, so is this process."""
        try:
            with self._sending:
                self._connection.sendall(record)
        except OSError:
            os._exit(0)

    def take(self, kind: Kind, body: bytes) -> None:
        """Do what a record says. Raises LinkError."""
        if kind is Kind.OPEN:
            self._open(link.decode_open(body))
        elif kind is Kind.CLOSE:
            with self._changing:
                player = self._players.get(link.decode_number(body))
            if player is not None:
                player.stop()
        else:
            raise LinkError(f"{kind.name} record goes up, not down")

    def _open(self, order: Open) -> None:
        with self._changing:
            has_room = len(self._players) < MAX_SOURCES
            if has_room:
                self._players[order.number] = player = Player(order, self.send, self._forget)
        if has_room:
            player.start()
            return
        full = ConnectFailed(f"{MAX_SOURCES} HLS feeds and files play already; start another worker")
        self.send(link.encode(Kind.ENDED, link.ended_of(order.number, full)))

    def _forget(self, number: int) -> None:
        with self._changing:
            self._players.pop(number, None)


def serve(connection: socket.socket) -> None:
    """Until the link closes. Raises LinkError."""
    children, parser = Children(connection), RecordParser(Kind)
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    while True:
        if not poll.poll(_ALIVE_SECONDS * 1000):
            children.send(link.encode_alive())
            continue
        try:
            data = connection.recv(_READ_BYTES)
        except ConnectionError:
            return
        if not data:
            return
        for kind, body in parser.feed(data):
            children.take(kind, body)
        children.send(link.encode_alive())


def main() -> int:
    """Exit status 0: the link closed; 1: what came over it is not understood."""
    parser = argparse.ArgumentParser(prog="streams.sources", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="inherited end of the socketpair")
    arguments = parser.parse_args()
    set_up_logging("sources")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the link's end is what ends us
    try:
        serve(socket.socket(fileno=arguments.fd))
    except LinkError as error:
        print(f"sources: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # threads may wait for a server yet
