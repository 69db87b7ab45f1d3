"""The list of cameras a worker gets from the center and keeps."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.plain import plain
from config.settings import Camera
from streams import camera_list
from streams.camera_list import CameraListError
from tests.camera_definitions import cameras

GATE: dict[str, Any] = {"id": "gate", "name": "Gate", "purpose": "crime prevention", "main": "rtsp://10.0.0.1/x"}


def document(*definitions: Any, version: Any = "1") -> bytes:
    return json.dumps({"version": version, "cameras": definitions}).encode()


@given(st.lists(cameras(), max_size=3, unique_by=lambda camera: camera.id))
def test_cameras_arrive_as_they_were_registered(registered: list[Camera]) -> None:
    found = camera_list.parse(document(*map(plain, registered), version="abc"), "center")
    assert (found.version, found.cameras, found.faults) == ("abc", tuple(registered), ())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        document(version=""),
        document(version=1),
        b'{"version": "1", "cameras": {}}',
        b"null",
    ],
)
def test_a_list_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(CameraListError, match="the list of cameras is not understood: "):
        camera_list.parse(content, "center")


def test_a_camera_that_cannot_be_understood_harms_no_other_and_its_password_is_not_told() -> None:
    secret = {**GATE, "id": "yard", "main": "rtsp://viewer:s3cret@10.0.0.1/x", "password": ["s3cret"]}
    found = camera_list.parse(document(GATE, secret, GATE, 7, {**GATE, "id": 7}, {**GATE, "id": "new", "x": 1}), "kept")
    assert [camera.id for camera in found.cameras] == ["gate"]
    assert [fault.camera_id for fault in found.faults] == ["yard", "", "", "", "new"]
    assert "cameras[1]: main: " in found.faults[0].reason and "stands twice" in found.faults[1].reason
    assert "s3cret" not in str(found.faults)


def test_a_list_is_kept_for_its_owners_eyes_alone(tmp_path: Path) -> None:
    assert camera_list.kept(tmp_path) is None
    (tmp_path / "cameras.new").write_text("left over by a crash")
    for version in ("1", "2"):
        camera_list.keep(tmp_path, document(GATE, version=version))
    found = camera_list.kept(tmp_path)
    assert found is not None and (found.source, found.version) == ("kept", "2")
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_bytes(b"{")
    with pytest.raises(CameraListError):
        camera_list.kept(tmp_path)
