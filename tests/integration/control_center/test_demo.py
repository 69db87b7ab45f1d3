"""`haechi demo` and `haechi score` on a demo folder made here: two cameras that show a ball and no person."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest
import yaml

from detectors.scenes.truth import ClipTruth, TruthEvent
from tests.clips import make_clip
from tests.haechi import haechi, running_haechi

CAMERAS = ("gate", "alley")
SECRET = "password-of-the-cameras"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "clips").mkdir()
    (folder / "truth").mkdir()
    make_clip(folder / "clips" / "ball.mp4", seconds=8, size=(640, 360))
    make_clip(folder / "clips" / "ball_sub.mp4", seconds=8, size=(320, 180))
    signs = {"username": "viewer", "password": SECRET}
    mounts = [{"name": name, "main": "clips/ball.mp4", "sub": "clips/ball_sub.mp4", **signs} for name in CAMERAS]
    cameras = [
        {
            "id": name,
            "name": name,
            "purpose": "demonstration",
            "main": f"rtsp://127.0.0.1:8554/{name}/main",
            "sub": f"rtsp://127.0.0.1:8554/{name}/sub",
            "zones": [{"name": "yard", "rules": [{"kind": "intrusion"}]}],
            **signs,
        }
        for name in CAMERAS
    ]
    (folder / "mounts.yaml").write_text(yaml.safe_dump({"mounts": mounts}))
    (folder / "cameras.yaml").write_text(yaml.safe_dump({"cameras": cameras, "workers": {"count": 1}}))
    event = TruthEvent("intrusion", "yard", 2.0, 4.0, (0.1, 0.1, 0.2, 0.2), 2.0)
    truth = ClipTruth("ball.mp4", 8.0, 15.0, (640, 360), {}, (event,))
    (folder / "truth" / "ball.json").write_text(truth.to_json())
    return folder


def test_the_demo_brings_its_cameras_live_without_any_truth_and_with_a_new_password_each_time(
    folder: Path, tmp_path: Path
) -> None:
    blind = tmp_path / "blind"
    shutil.copytree(folder, blind)
    shutil.rmtree(blind / "truth")
    arguments = ("demo", "--folder", blind, "--data-dir", tmp_path / "data", "--port", "0")
    passwords = []
    for _ in range(2):
        with running_haechi(*arguments) as running:
            running.wait_for("2 of 2 live")
            url, password = running.url, running.password
            answer = httpx.post(
                f"{url}/api/v1/session", json={"name": "admin", "password": password}, trust_env=False, timeout=30
            )
            assert answer.status_code == 200
            status = httpx.get(f"{url}/api/v1/status", trust_env=False, timeout=30).json()
            assert status["cameras"]["live"] == status["cameras"]["total"] == 2
            assert running.stop() == 0
            assert SECRET not in running.text
        passwords.append(password)
    assert passwords[0] != passwords[1]
    assert (tmp_path / "data" / "settings.yaml").stat().st_mode & 0o077 == 0


def test_scoring_counts_what_truly_happens_and_was_not_found(folder: Path) -> None:
    answer = haechi(*("score", "--demo", "0.4", "--json", "--folder", folder, "--settle", "0", "--late", "1"))
    assert answer.returncode == 1, answer.stderr
    told = json.loads(answer.stdout.strip().splitlines()[-1])
    assert told["cameras"] == told["cameras_live_least"] == 2
    # 24 s hold at least one whole event of an 8 s loop on each camera, and at most three.
    assert 2 <= told["truth"] == told["missed"] <= 6
    assert (told["found"], told["false"]) == (0, 0)
    assert told["families"]["crime"]["missed"] == told["missed"]
    assert told["families"]["fire"]["truth"] == 0


def test_a_demo_without_its_clips_says_so(tmp_path: Path) -> None:
    answer = haechi("demo", "--folder", tmp_path, "--data-dir", tmp_path / "data")
    assert answer.returncode == 2
    assert "mounts.yaml: is missing" in answer.stderr


def test_scoring_without_the_truth_says_so(folder: Path, tmp_path: Path) -> None:
    blind = tmp_path / "blind"
    shutil.copytree(folder, blind)
    shutil.rmtree(blind / "truth")
    answer = haechi("score", "--demo", "1", "--folder", blind)
    assert answer.returncode == 2
    assert "ball.json" in answer.stderr
    assert "Traceback" not in answer.stderr
