"""Real clips of other people's cameras: what must be raised, and that nothing else is (tests/media/real_clips.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import Camera
from detectors.replay import Sampling, frames, replay
from detectors.scoring import Mark, match
from detectors.yolox import YoloxDetector
from tests.requirements import need_data

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "media" / "real_clips.yaml").read_text(encoding="utf-8")
)
NAMES = [
    f"{Path(case['clip']).stem}-{'-'.join(event['kind'] for event in case['events']) or 'nothing'}" for case in CASES
]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_real_clip_raises_its_alarms_and_no_other(case: dict[str, Any]) -> None:
    clip = need_data(f"clips/{case['clip']}")
    camera = Camera.model_validate(
        {"id": "real", "name": "real", "purpose": "test", "main": "rtsp://host/real", "zones": case["zones"]}
    )
    sampling = Sampling(
        offset_seconds=case.get("from_seconds", 0.0),
        until_seconds=case.get("until_seconds", float("inf")),
        hold_seconds=case.get("hold_seconds", 0.0),
    )
    report = replay(camera, frames(clip, sampling), YoloxDetector())
    truth = [Mark("real", event["kind"], event["start"]) for event in case["events"]]
    score = match(truth, [Mark("real", event.kind, at, event.event_id) for at, event in report.events])
    assert (score.missed, score.false) == ((), ())
