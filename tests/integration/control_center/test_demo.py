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


def role_of(url: str, name: str, password: str) -> str:
    form = {"name": name, "password": password}
    role: str = httpx.post(f"{url}/api/v1/session", json=form, trust_env=False, timeout=30).json()["role"]
    return role


def test_the_demo_brings_its_cameras_live_without_any_truth_and_makes_an_account_a_role_anew_each_time(
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
            url, shown = running.url, running.demo_passwords
            assert {name: role_of(url, name, password) for name, password in shown.items()} == {
                "operator": "operator",
                "lead": "shift_lead",
                "police": "police_desk",
                "fire": "fire_desk",
                "mayor": "mayor",
                "privacy": "privacy_officer",
                "admin": "administrator",
            }
            status = httpx.get(f"{url}/api/v1/status", trust_env=False, timeout=30).json()
            assert status["cameras"]["live"] == status["cameras"]["total"] == 2
            assert running.stop() == 0
            assert SECRET not in running.text
        passwords += shown.values()
    assert len(set(passwords)) == 14
    for path in (tmp_path / "data").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [one for one in passwords if one.encode() in content], path
    assert (tmp_path / "data" / "settings.yaml").stat().st_mode & 0o077 == 0


def test_the_demo_takes_back_its_accounts_and_shows_no_password_that_was_given(folder: Path, tmp_path: Path) -> None:
    """Somebody disabled one, gave another a new role, and made a second administrator."""
    arguments = ("demo", "--folder", folder, "--data-dir", tmp_path / "data", "--port", "0")
    given = {"HAECHI_DEMO_PASSWORD": "one-for-all-of-them", "HAECHI_ADMIN_PASSWORD": "another-for-admin"}
    with running_haechi(*arguments, **given) as running:
        assert role_of(running.url, "operator", "one-for-all-of-them") == "operator"
        assert role_of(running.url, "admin", "another-for-admin") == "administrator"
        running.wait_for("as set in HAECHI_DEMO_PASSWORD")
        assert "one-for-all-of-them" not in running.text and "another-for-admin" not in running.text
        config = ("--config", tmp_path / "data" / "settings.yaml")
        for change in (("disable", "operator"), ("role", "mayor", "administrator"), ("role", "admin", "operator")):
            assert haechi("account", *change, *config).returncode == 0
    with running_haechi(*arguments, **given) as running:
        assert role_of(running.url, "operator", "one-for-all-of-them") == "operator"
        assert role_of(running.url, "mayor", "one-for-all-of-them") == "mayor"
        assert role_of(running.url, "admin", "another-for-admin") == "administrator"


def test_a_password_for_the_demo_that_is_too_short_is_said_with_its_variable(folder: Path, tmp_path: Path) -> None:
    answer = haechi(
        "demo", "--folder", folder, "--data-dir", tmp_path / "data", "--port", "0", HAECHI_DEMO_PASSWORD="short"
    )
    assert answer.returncode == 2
    assert "HAECHI_DEMO_PASSWORD: a password needs 12" in answer.stderr


def test_scoring_counts_what_truly_happens_and_was_not_found(folder: Path) -> None:
    answer = haechi(*("score", "--demo", "0.3", "--json", "--folder", folder, "--settle", "0", "--late", "1"))
    assert answer.returncode == 1, answer.stderr
    told = json.loads(answer.stdout.strip().splitlines()[-1])
    assert told["cameras"] == told["cameras_live_least"] == 2
    # 18 s hold at least one whole event of an 8 s loop on each camera, and at most three.
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
