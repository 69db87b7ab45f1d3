"""`python -m detectors.training`: split, preview, train, export, evaluate."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from detectors.training.data import DataError, held_out_names, read_all, read_rendered

if TYPE_CHECKING:
    from detectors.training.augment import Pools

HELD_OUT = Path(__file__).parent / "heldout.txt"
SHIPPED = Path(__file__).parents[1] / "models" / "haechi_nano.onnx"
WEIGHTS = Path("weights") / "yolox_nano_coco.onnx"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 with one line on standard error when the data or a package is missing."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"error: needs the Python package {error.name}: pip install 'haechi[training]'", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m detectors.training", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="development data folder")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    split = commands.add_parser("split", help="choose the held-out pictures again and write the list")
    split.set_defaults(run=_split)
    split.add_argument("--out", type=Path, default=HELD_OUT)

    preview = commands.add_parser("preview", help="draw a sheet of training pictures with their boxes")
    preview.set_defaults(run=_preview)
    preview.add_argument("--out", type=Path, required=True, help="image file")
    preview.add_argument("--seed", type=int, default=1)

    train = commands.add_parser("train", help="train the new branch; goes on from OUT/last.pt where there is one")
    train.set_defaults(run=_train)
    train.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    train.add_argument("--steps", type=int, default=2500)
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--rendered", type=Path, help="folder made by `python -m detectors.scenes training`")

    export = commands.add_parser("export", help="write the ONNX file from a checkpoint")
    export.set_defaults(run=_export)
    export.add_argument("--checkpoint", type=Path, required=True)
    export.add_argument("--out", type=Path, default=SHIPPED)

    evaluate = commands.add_parser("evaluate", help="AP, false alarms and latency beside the published YOLOX-nano")
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument("--model", type=Path, default=SHIPPED)
    evaluate.add_argument("--json", action="store_true", help="print one JSON object last")
    return parser


def _split(options: argparse.Namespace) -> None:
    from detectors.training.splits import choose_held_out, scenes

    pictures = read_all(options.data / "boxes")
    names = choose_held_out(pictures, scenes(pictures))
    head = "# Pictures kept out of training, as source/filename. Made by `python -m detectors.training split`.\n"
    options.out.write_text(head + "".join(f"{name}\n" for name in names))
    print(f"{len(names)} of {len(pictures)} pictures held out: {options.out}")


def _preview(options: argparse.Namespace) -> None:
    from detectors.training.augment import Composer, sheet

    composer = Composer(_pools(options.data, None), options.seed)
    sheet([composer.picture() for _ in range(40)], options.out)


def _train(options: argparse.Namespace) -> None:
    import cv2

    from detectors.training.train import Plan, train

    cv2.setNumThreads(0)  # before the loader forks: OpenCV's thread pool does not survive it
    plan = Plan(steps=options.steps, threads=options.threads, seed=options.seed)
    pools = _pools(options.data, options.rendered)
    print(train(options.data / WEIGHTS, pools, options.out, plan, lambda text: print(text, flush=True)))


def _export(options: argparse.Namespace) -> None:
    from detectors.training.export import export

    print(f"{options.out}: {export(options.data / WEIGHTS, options.checkpoint, options.out)} bytes")


def _evaluate(options: argparse.Namespace) -> None:
    from detectors.training.evaluate import evaluate, table

    figures = evaluate(options.model, options.data, held_out_names(HELD_OUT))
    print(json.dumps(figures) if options.json else table(figures))


def _pools(data_dir: Path, rendered: Path | None) -> Pools:
    from detectors.training.augment import fill_pools
    from detectors.training.clips import street_frames
    from detectors.yolox import YoloxDetector

    finder = YoloxDetector(data_dir / WEIGHTS, threads=1)
    held_out = held_out_names(HELD_OUT)
    pictures = [picture for picture in read_all(data_dir / "boxes") if picture.name not in held_out]
    return fill_pools(pictures, street_frames(data_dir), read_rendered(rendered) if rendered else (), finder)


if __name__ == "__main__":
    sys.exit(main())
