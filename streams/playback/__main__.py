"""The playback process: `python -m streams.playback --data-dir D --index I --fd N`, started by the packets process.

It serves HTTP on the listening socket `--fd`, reads the worker token as the first line of standard input, and ends
when that input ends: with the packets process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from pathlib import Path

from streams import worker_http
from streams.playback.library import Library
from streams.playback.service import playback_app
from streams.process_log import set_up_logging

_NICE = 5


async def _serve(listening: socket.socket, library: Library, token: str) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)  # nothing more is ever sent
    async with worker_http.serve(playback_app(library, token), listening):
        await ended.wait()
    loop.remove_reader(sys.stdin.fileno())


def _first_line(descriptor: int) -> str:
    """Without a buffer that would hide what comes after from the loop."""
    line = b""
    while (byte := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode()


def main() -> int:
    parser = argparse.ArgumentParser(prog="streams.playback", description="Playback process of a Haechi stream worker.")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True, help="the worker's recording index")
    parser.add_argument("--fd", type=int, required=True, help="listening socket")
    arguments = parser.parse_args()
    set_up_logging("playback")
    os.nice(_NICE)
    token = _first_line(sys.stdin.fileno())
    if not token:
        return 2
    with socket.socket(fileno=arguments.fd) as listening:
        asyncio.run(_serve(listening, Library(arguments.data_dir, arguments.index), token))
    return 0


if __name__ == "__main__":
    sys.exit(main())
