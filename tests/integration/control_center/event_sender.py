"""Posts events to a center that is killed meanwhile, as a worker's outbox does: again until accepted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from config.load import load_settings
from tests.integration.control_center.conftest import event
from tests.requirements import ROOT

TOKEN = "token-of-the-event-sender"


def send_until_accepted(settings_file: Path, events: int, kills: int) -> list[str]:
    """Ids in the order of their acceptance. The center is killed (SIGKILL) `kills` times between and during posts."""
    settings = load_settings(settings_file)
    accepted: list[str] = []
    waiting = [event(f"{n:04d}", n * 100.0) for n in range(events)]
    with socket.create_server((settings.center.host, settings.center.port)) as listener:
        center = _start(settings_file, listener)
        try:
            for post in range(10_000):
                batch = waiting[:8]
                if not batch:
                    break
                if kills and post % 4 == 3:
                    kills -= 1
                    _kill_while_posting(center, listener, batch)
                    center = _start(settings_file, listener)
                answer = _post(listener, batch, seconds=30)
                if answer is not None:
                    accepted += answer
                    waiting = [one for one in waiting if one["event_id"] not in set(answer)]
        finally:
            center.kill()
            center.wait()
    assert kills == 0
    return accepted


def _start(settings_file: Path, listener: socket.socket) -> subprocess.Popen[bytes]:
    descriptor = listener.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", "control_center.serve", "--config", settings_file, "--fd", str(descriptor)],
        cwd=ROOT,
        env={**os.environ, "HAECHI_WORKER_TOKEN": TOKEN},
        pass_fds=[descriptor],
    )


def _kill_while_posting(
    center: subprocess.Popen[bytes], listener: socket.socket, batch: list[dict[str, object]]
) -> None:
    """The answer is lost, whether or not the center got as far as its commit."""
    address = listener.getsockname()
    request = httpx.Request(
        "POST", f"http://{address[0]}:{address[1]}/internal/v1/events", json=batch, headers=_headers()
    )
    with socket.create_connection(address) as connection:
        head = f"POST {request.url.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
        connection.sendall(head.encode() + b"\r\n" + request.read())
        connection.settimeout(0.02)
        try:
            connection.recv(1)
        except TimeoutError:
            pass
        center.send_signal(signal.SIGKILL)
        center.wait()


def _post(listener: socket.socket, batch: list[dict[str, object]], seconds: float) -> list[str] | None:
    address = listener.getsockname()
    try:
        answer = httpx.post(
            f"http://{address[0]}:{address[1]}/internal/v1/events",
            json=batch,
            headers=_headers(),
            timeout=seconds,
            trust_env=False,
        )
    except httpx.HTTPError:
        return None
    assert answer.status_code == 200, answer.text
    accepted: list[str] = answer.json()["accepted"]
    return accepted


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}", "X-Haechi-Worker": "w0"}
