"""A child process that is started again whenever it dies, and dies with its parent."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from streams.supervision import BackOff, supervise

logger = logging.getLogger(__name__)

STOP_SECONDS = 10.0
HEALTHY_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class ChildEnded(Exception):
    """The process ended; the text says how."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to start. `environment` is added to ours, `pass_fds` stay open in it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()


async def run_once(spec: ChildSpec, log_file: Path | None = None) -> None:
    """Start it and wait for its end. Raises ChildEnded; when cancelled, ends the process first."""
    try:
        with _log(log_file) as log:
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                env={**os.environ, **spec.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,  # standard output is for results
                stderr=log,
                pass_fds=spec.pass_fds,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end the children in order
                preexec_fn=die_with_parent,
            )
    except OSError as error:
        raise ChildEnded(f"cannot be started ({error.strerror}): {spec.command[0]}") from error
    logger.info("%s started (process %d)", spec.name, process.pid)
    try:
        code = await process.wait()
    finally:
        await stop(process, spec.name)
    raise ChildEnded(f"process {process.pid} {describe_end(code)}")


async def stop(process: asyncio.subprocess.Process, name: str) -> None:
    """SIGTERM, then SIGKILL after STOP_SECONDS. Nothing when it has ended already."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        logger.warning("%s does not end, so it is killed", name)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def kept_running(*specs: ChildSpec, log_file: Path | None = None) -> AsyncIterator[None]:
    """Run them for the length of the block, each again with growing jittered back-off whenever it ends."""
    tasks = [asyncio.create_task(_keep(spec, log_file)) for spec in specs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(spec: ChildSpec, log_file: Path | None) -> None:
    back_off = BackOff(first_seconds=0.5, most_seconds=30.0)
    await supervise(spec.name, lambda: run_once(spec, log_file), back_off=back_off, healthy_seconds=HEALTHY_SECONDS)


@contextmanager
def _log(log_file: Path | None) -> Iterator[int]:
    """A descriptor to write to: the end of `log_file`, or our standard error."""
    if log_file is None:
        yield sys.stderr.fileno()
        return
    with log_file.open("ab") as file:
        yield file.fileno()


def describe_end(code: int) -> str:
    """An exit status in words; below zero it is a signal."""
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def die_with_parent() -> None:
    """Between fork and exec: the kernel sends SIGTERM when the parent is gone, even by kill -9 (Linux, prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
