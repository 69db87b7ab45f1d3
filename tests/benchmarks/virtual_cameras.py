"""What virtual cameras cost: CPU share and lateness of one process that plays a thousand of them.

`python -m tests.benchmarks.virtual_cameras --json [--cameras N] [--seconds S] [--tick T] [--transport tcp|udp]`

1080p15, 2 Mbit/s, one GOP in 2 s, each camera at another place of the clip; a process beside it asks for all of them
and throws the bytes away. CPU seconds are the server's, user and system, after everything plays; `late_seconds_max` is
the worst sweep of its timer, `delivered` the share of the pictures due that really went out. Packets paced one by one,
then in bursts of whole pictures. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.ingest import make_camera_clip

_TICKS = os.sysconf("SC_CLK_TCK")
_READ_BYTES = 1024 * 1024
_SWEEP_SECONDS = 0.05


class Server:
    """`python -m streams.virtual` with `--control`."""

    def __init__(self, settings: Path) -> None:
        command = [sys.executable, "-m", "streams.virtual", str(settings), "--control"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.mounts = [mount["main"] for mount in self._read()["mounts"]]

    def statistics(self) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write('{"statistics": true}\n')
        self._process.stdin.flush()
        found: dict[str, float] = self._read()["statistics"]
        return found

    def cpu_seconds(self) -> float:
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / _TICKS

    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def drink(urls: list[str], transport: str) -> None:
    """Body of the reading process: play everything, say so, throw the bytes away until standard input ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    poll = select.epoll()
    sockets: dict[int, socket.socket] = {}
    for url in urls:
        for sock in _play(url, transport):
            sock.setblocking(False)
            poll.register(sock.fileno(), select.EPOLLIN)
            sockets[sock.fileno()] = sock
    print("playing", flush=True)
    poll.register(sys.stdin.fileno(), select.EPOLLIN)
    buffer = bytearray(_READ_BYTES)
    while True:
        for descriptor, _ in poll.poll(0):
            if descriptor == sys.stdin.fileno():
                return
            try:
                while sockets[descriptor].recv_into(buffer) and transport == "udp":
                    pass
            except BlockingIOError:
                pass
        time.sleep(_SWEEP_SECONDS)


def _play(url: str, transport: str) -> list[socket.socket]:
    parts = urlsplit(url)
    control = socket.create_connection((parts.hostname, parts.port))
    control.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _READ_BYTES)
    offer, found = "RTP/AVP/TCP;unicast;interleaved=0-1", [control]
    if transport == "udp":
        media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        media.bind(("127.0.0.1", 0))
        media.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _READ_BYTES)
        offer, found = f"RTP/AVP;unicast;client_port={media.getsockname()[1]}-1", [control, media]
    _ask(control, f"SETUP {url}/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: {offer}\r\n\r\n")
    session = _session_of(control.recv(4096))
    _ask(control, f"PLAY {url} RTSP/1.0\r\nCSeq: 2\r\nSession: {session}\r\n\r\n")
    return found


def _ask(control: socket.socket, request: str) -> None:
    control.sendall(request.encode("ascii"))


def _session_of(answer: bytes) -> str:
    lines = answer.decode("ascii").split("\r\n")
    return next(line for line in lines if line.startswith("Session: ")).removeprefix("Session: ").partition(";")[0]


def measure(
    clip: Path, cameras: int, seconds: float, pacing: str, tick_seconds: float, transport: str
) -> dict[str, float]:
    """One server, one reader."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mounts = [
            {"name": f"c{number}", "main": str(clip), "phase_seconds": number * 0.37} for number in range(cameras)
        ]
        content = {"pacing": pacing, "tick_seconds": tick_seconds, "session_timeout_seconds": 3600, "mounts": mounts}
        (folder / "cameras.yaml").write_text(json.dumps(content), encoding="utf-8")
        server = Server(folder / "cameras.yaml")
        command = [sys.executable, "-m", "tests.benchmarks.virtual_cameras", "--drink", "--transport", transport]
        reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert reader.stdin is not None and reader.stdout is not None
        try:
            reader.stdin.write(json.dumps(server.mounts) + "\n")
            reader.stdin.flush()
            reader.stdout.readline()
            time.sleep(2.0)
            return _watch(server, cameras, seconds)
        finally:
            with reader:
                reader.stdin.close()
            server.close()


def _watch(server: Server, cameras: int, seconds: float) -> dict[str, float]:
    before = server.statistics()
    cpu, started = server.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    cpu, elapsed = server.cpu_seconds() - cpu, time.monotonic() - started
    after = server.statistics()
    if after["sessions"] != cameras:
        raise RuntimeError(f"{cameras} cameras were asked for, {after['sessions']:.0f} play at the end")
    pictures = after["pictures_sent"] - before["pictures_sent"]
    return {
        "core_share": cpu / elapsed,
        "cameras_per_core": cameras * elapsed / cpu,
        "late_seconds_max": after["late_seconds_max"],
        "packets_per_second": (after["packets_sent"] - before["packets_sent"]) / elapsed,
        "delivered": pictures / (15 * cameras * elapsed),
        "resident_bytes": server.resident_bytes(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--cameras", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--tick", type=float, default=0.01, help="tick_seconds of the server")
    parser.add_argument("--transport", choices=("tcp", "udp"), default="tcp")
    parser.add_argument("--drink", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.drink:
        drink(json.loads(sys.stdin.readline()), arguments.transport)
        return
    with tempfile.TemporaryDirectory() as folder:
        clip = make_camera_clip(Path(folder) / "camera.mp4")
        found = {
            pacing: measure(clip, arguments.cameras, arguments.seconds, pacing, arguments.tick, arguments.transport)
            for pacing in ("paced", "burst")
        }
    result = {"cameras": arguments.cameras, "tick_seconds": arguments.tick, "transport": arguments.transport, **found}
    if not arguments.json:
        for pacing, figures in found.items():
            print(f"{pacing}: {figures}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
