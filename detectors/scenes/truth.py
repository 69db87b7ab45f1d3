"""What truly happens in a clip, as JSON beside it.

Start times follow the KISA test: intrusion, the whole body inside; loitering, the whole body inside + dwell; dumping,
left by its owner + 10 s; parking, stopped + dwell. Fire is the exception: its start is **the first smoke or flame
+ 3 s**, so that [start - 2 s, start + 10 s] takes an alarm from 1 to 13 s after ignition; KISA's + 10 s would call an
alarm at 7 s too early, and the centre wants it as early as it can be had.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from detectors.event import EventKind

FIRE_SEEN_SECONDS = 3.0
LEFT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class TruthEvent:
    """`start_seconds` from the clip's first picture; `end_seconds` when the cause is gone. `box` xyxy in fractions."""

    kind: EventKind
    zone: str
    start_seconds: float
    end_seconds: float
    box: tuple[float, float, float, float]
    cause_seconds: float  # first moment of the cause: inside, stopped, put down, burning


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """`zones` are polygons in fractions of the picture. `clip` is the file name of the main stream."""

    clip: str
    duration_seconds: float
    fps: float
    size: tuple[int, int]
    zones: dict[str, tuple[tuple[float, float], ...]]
    events: tuple[TruthEvent, ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


class TruthError(ValueError):
    """A truth file that cannot be used; says which and why."""


def load_truth(path: Path) -> ClipTruth:
    """Read a truth file. Raises TruthError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return ClipTruth(
            content["clip"],
            float(content["duration_seconds"]),
            float(content["fps"]),
            (int(content["size"][0]), int(content["size"][1])),
            {name: tuple((float(x), float(y)) for x, y in polygon) for name, polygon in content["zones"].items()},
            tuple(_event(event) for event in content["events"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise TruthError(f"{path}: not a truth file: {error}") from error


def _event(content: dict[str, object]) -> TruthEvent:
    box = content["box"]
    if content["kind"] not in ("intrusion", "loitering", "dumping", "parking", "fire"):
        raise ValueError(f"unknown kind {content['kind']!r}")
    if not isinstance(box, list) or len(box) != 4:
        raise ValueError("box must be four numbers")
    return TruthEvent(
        content["kind"],
        str(content["zone"]),
        float(content["start_seconds"]),  # type: ignore[arg-type]
        float(content["end_seconds"]),  # type: ignore[arg-type]
        (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        float(content["cause_seconds"]),  # type: ignore[arg-type]
    )
