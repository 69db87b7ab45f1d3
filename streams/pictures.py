"""The pictures process: access units in, events out. `python -m streams.pictures --fd N`, child of streams.worker.

One loop decodes, looks (motion, crops) and concludes (tracker, rules); one thread runs the detector, so that decoding
goes on meanwhile. It ends itself when the packets process closes the link.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import cv2

from detectors.yolox import ModelError, YoloxDetector
from streams import picture_link
from streams.picture_link import Kind, PictureStats, RecordParser
from streams.picture_watch import DetectorThread, PictureWatch
from streams.process_log import set_up_logging
from streams.records import LinkError

NICENESS = 10
STATS_SECONDS = 1.0
_READ_BYTES = 256 * 1024


class LinkClosed(Exception):
    """The packets process closed the link or died: time to end."""


class Link:
    """The pictures end of the socketpair."""

    def __init__(self, link: socket.socket) -> None:
        self._socket = link
        self._socket.setblocking(True)
        self._parser = RecordParser()

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> list[tuple[Kind, bytes]]:
        """Records that have arrived; waits for the first bytes. Raises LinkClosed, LinkError."""
        try:
            data = self._socket.recv(_READ_BYTES)
        except ConnectionError as error:
            raise LinkClosed from error
        if not data:
            raise LinkClosed
        return list(self._parser.feed(data))

    def send(self, record: bytes) -> None:
        """Waits for room: the packets process always reads. Raises LinkClosed."""
        try:
            self._socket.sendall(record)
        except ConnectionError as error:
            raise LinkClosed from error


def watch(link: Link, thread: DetectorThread, pictures: PictureWatch) -> None:
    """Decode, look, detect and conclude until the link closes. Raises LinkClosed, LinkError."""
    poll = select.poll()
    poll.register(link.fileno(), select.POLLIN)
    poll.register(thread.fileno(), select.POLLIN)
    stats_at = time.monotonic()
    while True:
        ready = {fd for fd, _ in poll.poll(pictures.wait_seconds(time.monotonic()) * 1000)}
        if link.fileno() in ready:
            take(link, pictures, link.receive())
        pictures.advance(time.monotonic())
        for event, snapshot_jpeg in pictures.take_events():
            link.send(picture_link.encode_event(event, snapshot_jpeg))
        if time.monotonic() - stats_at >= STATS_SECONDS:
            stats_at = time.monotonic()
            link.send(picture_link.encode_stats(pictures.stats()))


def take(link: Link, pictures: PictureWatch, records: Sequence[tuple[Kind, bytes]]) -> None:
    """Do what `records` say, in their order. Raises LinkClosed, LinkError."""
    units = 0
    for kind, body in records:
        if kind is Kind.UNIT:
            pictures.take_unit(picture_link.decode_unit(body))
            units += 1
        elif kind is Kind.WATCH:
            pictures.watch(picture_link.decode_watch(body))
        elif kind is Kind.UNWATCH:
            pictures.unwatch(picture_link.decode_unwatch(body))
        elif kind is Kind.ATTENTION:
            pictures.incident_cameras = picture_link.decode_attention(body)
        else:
            raise LinkError(f"{kind.name} record goes up, not down")
    if units:
        link.send(picture_link.encode_credit(units))


def run(link: Link) -> None:
    """Serve one packets process. Raises LinkClosed, LinkError, ModelError."""
    records = link.receive()
    while not records:
        records = link.receive()
    kind, body = records[0]
    if kind is not Kind.HELLO:
        raise LinkError(f"expected HELLO, got {kind.name}")
    hello = picture_link.decode_hello(body)
    detector = YoloxDetector(hello.analysis.model, hello.analysis.inference_threads)
    with DetectorThread(detector) as thread:
        pictures = PictureWatch(hello, thread)
        take(link, pictures, records[1:])
        link.send(picture_link.encode_stats(PictureStats(pid=os.getpid())))  # ready
        watch(link, thread, pictures)


def main() -> int:
    """Exit status 0: the link closed; 1: it cannot go on, and has told the packets process why."""
    parser = argparse.ArgumentParser(prog="streams.pictures", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="inherited end of the socketpair")
    arguments = parser.parse_args()
    set_up_logging("pictures")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the link's end is what ends us
    os.nice(NICENESS)
    cv2.setNumThreads(1)  # its pool would spin beside the packets process
    link = Link(socket.socket(fileno=arguments.fd))
    try:
        run(link)
    except LinkClosed:
        return 0
    except (LinkError, ModelError) as error:
        with suppress(LinkClosed):
            link.send(picture_link.encode_fault(str(error)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
