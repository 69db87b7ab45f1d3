"""python -m detectors.scenes demo|training: make the demo's clips again, or training pictures."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m detectors.scenes", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="the demo's clips and their truth")
    demo.add_argument("--out", type=Path, default=Path("config/demo"))
    demo.add_argument("--only", nargs="*", help="names of clips; all when left out")
    training = commands.add_parser("training", help="pictures with YOLO labels, in the order of ObjectClass")
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--count", type=int, default=1000)
    training.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads cost twice the processor and save no time
    import cv2

    cv2.setNumThreads(1)
    if options.command == "training":
        from detectors.scenes.training import write

        write(options.out, options.count, options.seed)
        return
    _shoot_demo(options.out, options.only)


def _shoot_demo(folder: Path, only: list[str] | None) -> None:
    from detectors.scenes.demo import FILMS, shoot, write_city

    names = only or list(FILMS)
    unknown = sorted(set(names) - set(FILMS))
    if unknown:
        sys.exit(f"no such clip: {', '.join(unknown)}; there are {', '.join(FILMS)}")
    for name in names:

        def show(done: int, total: int, name: str = name) -> None:
            if done % 12 == 0 or done == total:
                print(f"\r{name}: {done}/{total} pictures", end="", file=sys.stderr, flush=True)

        shoot(name, folder, show)
        print(file=sys.stderr)
    write_city(folder)


if __name__ == "__main__":
    main()
