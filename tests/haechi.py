"""The command `haechi` as a process, as a person starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.ports import free_port
from tests.requirements import ROOT

COMMAND = [sys.executable, "-m", "control_center"]


def haechi(*arguments: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=100,
    )


def write_settings(folder: Path, **changes: Any) -> Path:
    """A settings file with its own data folder and a free port; returns its path."""
    settings = {"data_dir": str(folder / "data"), "center": {"port": free_port()}, "workers": {"count": 1}} | changes
    file = folder / "haechi.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file


class RunningHaechi:
    """A `haechi run` or `haechi demo` in progress; `lines` is what it and its children wrote so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, seconds: float = 90) -> re.Match[str]:
        """The first match in what was written; fails when the process ends or the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            if match := re.search(pattern, self.text):
                return match
            assert not ended, f"haechi ended before {pattern!r}:\n{self.text}"
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} within {seconds} s:\n{self.text}")

    @property
    def url(self) -> str:
        return self.wait_for(r"open\s+(http://\S+)")[1]

    @property
    def password(self) -> str:
        return self.wait_for(r"password\s+(\S+)")[1]

    @property
    def demo_passwords(self) -> dict[str, str]:
        """By account, from the table that the demo shows."""
        self.wait_for(r"│ admin .*│")
        return dict(re.findall(r"^│ (\w+) +│ \w+ +│ (\S+) +│", self.text, re.MULTILINE))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; gives the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(60)
        self._reader.join(10)
        return status


@contextmanager
def running_haechi(*arguments: str | Path, **environment: str) -> Iterator[RunningHaechi]:
    """Start it; end it with its block however that ends."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = RunningHaechi(process)
    try:
        yield running
    finally:
        if process.poll() is None:
            running.stop()
        assert process.stdout is not None
        running._reader.join(10)
        process.stdout.close()
