from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from streams.virtual import VirtualCameraSettings
from streams.virtual.settings import ControlMessage
from tests.requirements import ROOT

REFERENCE = (ROOT / "docs/reference/virtual-cameras.md").read_text(encoding="utf-8")


def test_the_file_in_the_reference_is_taken_as_it_stands() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    settings = VirtualCameraSettings.model_validate(yaml.safe_load(text)).relative_to(Path("/clips"))
    assert settings.mounts[0].main == Path("/clips/street.mp4")
    assert settings.mounts[0].faults.drop == 0.01
    assert "secret" not in repr(settings)


def test_the_control_messages_in_the_reference_are_taken_as_they_stand() -> None:
    messages = re.findall(r'`(\{"(?:mount|reboot_seconds|statistics)": .*?\})`', REFERENCE)
    assert [ControlMessage.model_validate_json(message).mount for message in messages] == ["gate"] * 3 + [None] * 2


def test_mounts_of_one_name_and_messages_that_do_nothing_are_refused() -> None:
    mount = {"name": "gate", "main": "a.mp4"}
    with pytest.raises(ValidationError, match="differ"):
        VirtualCameraSettings.model_validate({"mounts": [mount, mount]})
    with pytest.raises(ValidationError, match="faults"):
        ControlMessage.model_validate({"mount": "gate"})
    with pytest.raises(ValidationError, match="mount"):
        ControlMessage.model_validate({"reset": True})
