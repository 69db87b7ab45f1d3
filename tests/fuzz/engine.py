"""Runs a share of the inputs in this process: what failed, the slowest, how much memory grew."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import resource
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.fuzz.corpus_files import keep_failed, load
from tests.fuzz.mutation import Mutator
from tests.fuzz.targets import TARGETS

_LONGEST_SECONDS = 5.0  # of processor time for one input; then it hangs
_WARM_SHARE = 0.2
_LOOK_EVERY = 500


class Hang(BaseException):
    """An input that takes too long."""


@dataclass(slots=True)
class FuzzResult:
    """`failures` are one text for each place that failed, `slowest_ms` processor time of one input."""

    inputs: int = 0
    crashes: int = 0
    hangs: int = 0
    slowest_ms: float = 0.0
    slowest: str = ""
    grown_bytes: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.crashes and not self.hangs


def run_share(inputs: int, seed: int, share: int, shares: int, targets: Sequence[str], keep: Path | None) -> FuzzResult:
    """Every `shares`th block of inputs from `share` on, round robin over `targets`. Failed inputs go below `keep`."""
    return asyncio.run(_run(inputs, seed, share, shares, targets, keep))


async def _run(inputs: int, seed: int, share: int, shares: int, names: Sequence[str], keep: Path | None) -> FuzzResult:
    result = FuzzResult()
    mutators = {name: Mutator(load(name), seed) for name in names}
    places: set[str] = set()
    warm_bytes, warm_at = 0, int(inputs / shares * _WARM_SHARE)
    with _hangs_end():
        for number in _numbers(inputs, share, shares, len(names)):
            name = names[number % len(names)]
            data = mutators[name].make(number // len(names))
            failed, seconds = _try(name, data)
            result.inputs += 1
            if seconds * 1000 > result.slowest_ms:
                result.slowest_ms, result.slowest = seconds * 1000, f"{name} {number // len(names)}"
            if failed is not None:
                result.hangs += isinstance(failed, Hang)
                result.crashes += not isinstance(failed, Hang)
                _note(result, places, name, data, failed, keep)
            if result.inputs == warm_at:
                warm_bytes = _resident_bytes()
            if result.inputs % _LOOK_EVERY == 0:
                await asyncio.sleep(0)
    result.grown_bytes = _resident_bytes() - warm_bytes if warm_bytes else 0
    return result


def _numbers(inputs: int, share: int, shares: int, block: int) -> Iterator[int]:
    for start in range(share * block, inputs, shares * block):
        yield from range(start, min(inputs, start + block))


def _try(name: str, data: bytes) -> tuple[BaseException | None, float]:
    started = time.thread_time()
    signal.setitimer(signal.ITIMER_PROF, _LONGEST_SECONDS)
    try:
        TARGETS[name](data)
        failed = None
    except (Exception, Hang) as error:  # noqa: BLE001 - whatever escapes is what is looked for
        failed = error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return failed, time.thread_time() - started


def _note(
    result: FuzzResult, places: set[str], name: str, data: bytes, failed: BaseException, keep: Path | None
) -> None:
    last = traceback.extract_tb(failed.__traceback__)[-1]
    place = f"{name}: {type(failed).__name__} at {Path(last.filename).name}:{last.lineno}"
    if place in places:
        return
    places.add(place)
    kept = f", kept as {keep_failed(keep, name, data)}" if keep is not None else ""
    result.failures.append(f"{place}: {str(failed)[:100]} ({len(data)} bytes{kept})")


@contextmanager
def _hangs_end() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise Hang(f"longer than {_LONGEST_SECONDS:g} s")

    before = signal.signal(signal.SIGPROF, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, before)


def _resident_bytes() -> int:
    """After all that is free was given back: growth is what is held."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
