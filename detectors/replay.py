"""Development tool: run the analysis over a file as a worker would, at media speed, and print its events.

    python -m detectors.replay CLIP [--camera SETTINGS.yaml[:CAMERA]] [--zones ZONES.json|yaml] [--fps 5] [--json]

Not part of what runs in a worker: only this module of the package reads files.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import yaml
from pydantic import TypeAdapter

from config.load import load_settings
from config.settings import Camera, Zone
from detectors.analyzer import CameraAnalyzer
from detectors.crops import cut, gather
from detectors.detector import Detector
from detectors.event import Event
from detectors.frame import Frame, Image
from detectors.yolox import ModelError, YoloxDetector

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_ZONES: TypeAdapter[tuple[Zone, ...]] = TypeAdapter(tuple[Zone, ...])


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are looked at. `offset_seconds` shifts the phase; `gap_share` of the frames get lost at random.

    `width` is that of the stream watched (0: as in the file); `repeat` plays the clip that often, back to back;
    `hold_seconds` shows the last picture on; nothing is shown after `until_seconds`.
    """

    fps: float = 5.0
    width: int = 640
    offset_seconds: float = 0.0
    gap_share: float = 0.0
    repeat: int = 1
    hold_seconds: float = 0.0
    until_seconds: float = float("inf")
    seed: int = 0


@dataclass(slots=True)
class Report:
    """What a replay did. `events` hold their start in seconds from the first picture."""

    events: list[tuple[float, Event]]
    media_seconds: float = 0.0
    looks: int = 0
    crops: int = 0
    look_seconds: float = 0.0
    conclude_seconds: float = 0.0


def frames(clip: Path, sampling: Sampling) -> Iterator[tuple[float, Image]]:
    """Pictures of `clip` and their media seconds, thinned as `sampling` says."""
    chance = random.Random(sampling.seed)
    period, due, start = 1.0 / sampling.fps, sampling.offset_seconds, 0.0
    image: Image | None = None
    end = 0.0
    for _ in range(sampling.repeat):
        for seconds, picture in _decoded(clip, sampling.width):
            end = start + seconds
            if end > sampling.until_seconds:
                return
            image = picture
            if end + 1e-3 >= due:
                due = max(due + period, end)
                if chance.random() >= sampling.gap_share:
                    yield end, picture
        start = end + 1 / 25
    last = end
    while image is not None and (last := last + period) < end + sampling.hold_seconds:
        grain = np.random.default_rng(int(last * 1000)).integers(-1, 2, image.shape, np.int16)
        yield last, np.clip(image + grain, 0, 255).astype(np.uint8)


def _decoded(clip: Path, width: int) -> Iterator[tuple[float, Image]]:
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first: float | None = None
        for frame in container.decode(stream):
            seconds = float((frame.pts or 0) * (frame.time_base or 0))
            first = seconds if first is None else first
            image: Any = frame.to_ndarray(format="bgr24")
            if width and image.shape[1] != width:
                height = round(image.shape[0] * width / image.shape[1] / 2) * 2
                method = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_LINEAR
                image = cv2.resize(image, (width, height), interpolation=method)
            yield seconds - first, image


def replay(camera: Camera, pictures: Iterable[tuple[float, Image]], detector: Detector) -> Report:
    """Run `camera`'s rules over `pictures` (media seconds, BGR), concluding each look at once."""
    analyzer: CameraAnalyzer | None = None
    report = Report([])
    for seconds, image in pictures:
        if analyzer is None:
            analyzer = CameraAnalyzer(camera, image.shape[1], image.shape[0])
        frame = Frame(camera.id, image, round(seconds * 90_000), EPOCH + timedelta(seconds=seconds))
        started = time.perf_counter()
        look = analyzer.look(frame)
        looked = time.perf_counter()
        detections = gather(look, detector.detect([cut(frame, crop) for crop in look.crops]))
        detected = time.perf_counter()
        events = analyzer.conclude(look, detections)
        report.look_seconds += looked - started
        report.conclude_seconds += time.perf_counter() - detected
        report.looks += 1
        report.crops += len(look.crops)
        report.media_seconds = seconds
        report.events += [((event.started_at - EPOCH).total_seconds(), event) for event in events]
    return report


def read_zones(path: Path) -> tuple[Zone, ...]:
    """Zones from a JSON or YAML list. Raises pydantic.ValidationError."""
    return _ZONES.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))


def _camera(options: argparse.Namespace) -> Camera:
    if options.camera:
        path, _, camera_id = options.camera.partition(":")
        cameras = load_settings(Path(path)).cameras
        return next(camera for camera in cameras if not camera_id or camera.id == camera_id)
    zones = (
        read_zones(options.zones)
        if options.zones
        else _ZONES.validate_python(
            [
                {
                    "name": "all",
                    "rules": [{"kind": kind} for kind in ("intrusion", "loitering", "dumping", "parking", "fire")],
                }
            ]
        )
    )
    return Camera(id="replay", name="replay", purpose="development", main="rtsp://localhost/replay", zones=zones)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="detectors.replay", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--camera", help="settings file, with :CAMERA the camera's id; default is its first camera")
    parser.add_argument("--zones", type=Path, help="JSON or YAML list of zones; default: all rules everywhere")
    parser.add_argument("--model", type=Path, help="ONNX model; default is the shipped one")
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--width", type=int, default=640, help="width of the stream watched, 0: as in the file")
    parser.add_argument("--offset", type=float, default=0.0, help="seconds left out at the start")
    parser.add_argument("--gaps", type=float, default=0.0, help="share of the frames lost at random")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--hold", type=float, default=0.0, help="seconds the last picture stays")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Exit status 0, or 1 when the clip, the settings or the model cannot be used."""
    options = _options(arguments)
    sampling = Sampling(
        options.fps, options.width, options.offset, options.gaps, repeat=options.repeat, hold_seconds=options.hold
    )
    try:
        report = replay(_camera(options), frames(options.clip, sampling), YoloxDetector(options.model))
    except (OSError, ValueError, ModelError, av.FFmpegError) as error:
        print(f"{options.clip}: {error}", file=sys.stderr)
        return 1
    if options.json:
        events = [{"at": round(at, 2), **asdict(event)} for at, event in report.events]
        print(json.dumps({"events": events, "crops": report.crops, "looks": report.looks}, default=str))
        return 0
    for at, event in report.events:
        raised = (event.raised_at - EPOCH).total_seconds()
        box = " ".join(f"{side:.3f}" for side in event.box)
        print(
            f"{at:8.2f} s  {event.kind:10} {event.zone:12} {event.label:8} {event.score:.2f}  [{box}] at {raised:.2f}"
        )
    rate = report.crops / max(report.media_seconds, 1e-6)
    milliseconds = 1000 / max(report.looks, 1)
    print(
        f"{report.media_seconds:.1f} s, {report.looks} looks, {report.crops} crops ({rate:.2f}/s), "
        f"look {report.look_seconds * milliseconds:.2f} ms, conclude {report.conclude_seconds * milliseconds:.2f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
