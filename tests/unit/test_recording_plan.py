from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from config.settings import CameraRecording, RecordingHours
from streams.recording_plan import mode_at

SEOUL = ZoneInfo("Asia/Seoul")


def at(text: str) -> datetime:
    """A time of Seoul, as the server has it. 2 March 2026 is a Monday."""
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=SEOUL).astimezone(UTC)


def test_the_first_hours_that_fit_say_how_a_camera_is_recorded_in_the_citys_time() -> None:
    school = CameraRecording.model_validate(
        {
            "mode": "on_event",
            "hours": [
                {"days": ["saturday", "sunday"], "start": "00:00", "end": "24:00", "mode": "off"},
                {"start": "08:00", "end": "16:00", "mode": "continuous"},
            ],
        }
    )
    assert mode_at(school, at("02T07:59:59"), SEOUL) == "on_event"
    assert mode_at(school, at("02T08:00:00"), SEOUL) == "continuous"
    assert mode_at(school, at("02T15:59:59"), SEOUL) == "continuous"
    assert mode_at(school, at("02T16:00:00"), SEOUL) == "on_event"
    assert mode_at(school, at("07T12:00:00"), SEOUL) == "off"
    assert mode_at(school, at("08T23:59:59"), SEOUL) == "off"
    assert mode_at(school, at("09T00:00:00"), SEOUL) == "on_event"


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    night = RecordingHours(days=("friday",), start="22:00", end="06:00", mode="continuous")
    recording = CameraRecording(mode="off", hours=(night,))
    found = {text: mode_at(recording, at(text), SEOUL) for text in ("06T21:59", "06T22:00", "07T05:59", "07T06:00")}
    assert list(found.values()) == ["off", "continuous", "continuous", "off"]
    assert mode_at(recording, at("06T05:00"), SEOUL) == "off"
    assert mode_at(recording, at("07T23:00"), SEOUL) == "off"


@pytest.mark.parametrize("hours", [{"start": "8:00"}, {"start": "25:00"}, {"start": "12:60"}, {"days": []}])
def test_hours_that_are_none_are_refused(hours: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RecordingHours.model_validate({"start": "08:00", "end": "16:00", "mode": "off", **hours})
