"""A million torn inputs for everything that parses what a camera or a disk says: no crash, no hang, no growth.

`python -m tests.benchmarks.fuzz --json [--inputs N] [--engine own|atheris] [--seed S] [--targets NAME …]`

`own` tears the corpus (`tests/fuzz/corpus`) by a seeded random generator, on all cores, round robin over the
targets: the same seed makes the same inputs. `atheris` (to be installed by hand) is guided by coverage, target after
target, from the same corpus. An input that fails is kept in the corpus, where `make test` tries it from then on.
`slowest_ms` is processor time of one input; `grown_bytes` is how much all processes grew after their first fifth.
The last line is one JSON object; the exit status is 1 when something failed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.fuzz.corpus_files import CORPUS
from tests.fuzz.engine import run_share
from tests.fuzz.targets import TARGETS

_STATISTIC = re.compile(r"stat::(\w+):\s+(\d+)")
_MAX_RESIDENT_MB = 2048
_LONGEST_SECONDS = 10


def run_own(inputs: int, seed: int, targets: Sequence[str], processes: int) -> dict[str, Any]:
    """The own engine in `processes` processes."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        shares = [
            pool.submit(run_share, inputs, seed, number, processes, targets, CORPUS) for number in range(processes)
        ]
        results = [share.result() for share in shares]
    slowest = max(results, key=lambda result: result.slowest_ms)
    return {
        "inputs": sum(result.inputs for result in results),
        "crashes": sum(result.crashes for result in results),
        "hangs": sum(result.hangs for result in results),
        "slowest_ms": slowest.slowest_ms,
        "slowest": slowest.slowest,
        "grown_bytes": sum(result.grown_bytes for result in results),
        "failures": sorted({text for result in results for text in result.failures}),
    }


def run_atheris(inputs: int, seed: int, targets: Sequence[str]) -> dict[str, Any]:
    """Each target by itself, with an equal part of the inputs. Ends a target at its first failure."""
    if importlib.util.find_spec("atheris") is None:
        sys.exit("atheris is not installed: pip install atheris")
    total = {"inputs": 0, "crashes": 0, "hangs": 0, "slowest_ms": 0.0, "grown_bytes": None}
    failures = []
    for name in targets:
        with tempfile.TemporaryDirectory() as folder:
            found = Path(folder) / "found"
            shutil.copytree(CORPUS / name, found)
            command = [
                sys.executable,
                "-m",
                "tests.fuzz.atheris_run",
                name,
                str(found),
                f"-runs={inputs // len(targets)}",
            ]
            command += [f"-seed={seed}", f"-timeout={_LONGEST_SECONDS}", f"-rss_limit_mb={_MAX_RESIDENT_MB}"]
            command += ["-print_final_stats=1", f"-artifact_prefix={folder}/", "-max_len=20000"]
            done = subprocess.run(command, capture_output=True, text=True)
            statistics = {key: int(value) for key, value in _STATISTIC.findall(done.stderr)}
            total["inputs"] += statistics.get("number_of_executed_units", 0)
            total["slowest_ms"] = max(total["slowest_ms"], 1000.0 * statistics.get("slowest_unit_time_sec", 0))
            if done.returncode:
                total["hangs" if "ALARM: working" in done.stderr else "crashes"] += 1
                failures.append(f"{name}: {done.stderr[-1500:]}")
                for path in Path(folder).glob("*-*"):
                    shutil.copy(path, CORPUS / name / f"failed-{path.name.rpartition('-')[2][:12]}")
        print(f"{name}: {statistics}, exit status {done.returncode}", file=sys.stderr)
    return {**total, "failures": failures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("own", "atheris"), default="own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--targets", nargs="+", choices=tuple(TARGETS), default=tuple(TARGETS), metavar="NAME")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    started = time.monotonic()
    if arguments.engine == "own":
        result = run_own(arguments.inputs, arguments.seed, arguments.targets, arguments.processes)
    else:
        result = run_atheris(arguments.inputs, arguments.seed, arguments.targets)
    result |= {"engine": arguments.engine, "seed": arguments.seed, "seconds": round(time.monotonic() - started, 1)}
    print(json.dumps(result))
    sys.exit(bool(result["crashes"] or result["hangs"]))


if __name__ == "__main__":
    main()
