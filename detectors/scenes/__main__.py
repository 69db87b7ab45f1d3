"""python -m detectors.scenes training|demo: make training pictures, or the demo's clips again."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m detectors.scenes", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("training", help="pictures with YOLO labels, in the order of ObjectClass")
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--count", type=int, default=1000)
    training.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.command == "training":
        from detectors.scenes.training import write

        write(options.out, options.count, options.seed)


if __name__ == "__main__":
    main()
