"""`haechi run` as a person starts it: real processes, and what happens when they die."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.haechi import haechi, running_haechi, write_settings

YARD = {"id": "yard", "name": "Yard", "purpose": "crime prevention", "main": "rtsp://127.0.0.1:1/main"}


def sign_in(url: str, password: str) -> int:
    form = {"name": "admin", "password": password}
    return httpx.post(f"{url}/api/v1/session", json=form, trust_env=False, timeout=30).status_code


def wait_until(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def first_passwords(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, str]]:
    """Two installations, each started once: (settings file, password)."""
    made = []
    for name in ("one", "two"):
        file = write_settings(tmp_path_factory.mktemp(name))
        with running_haechi("run", "--config", file) as running:
            made.append((file, running.password))
            assert sign_in(running.url, running.password) == 200
            assert running.stop() == 0
            assert running.text.count(running.password) == 1
    return made


def test_the_first_password_is_random_and_works(first_passwords: list[tuple[Path, str]]) -> None:
    (_, one), (_, two) = first_passwords
    assert one != two
    assert len(one) >= 20


def test_it_is_shown_once_and_still_works_at_the_second_start(first_passwords: list[tuple[Path, str]]) -> None:
    file, password = first_passwords[0]
    with running_haechi("run", "--config", file) as running:
        assert sign_in(running.url, password) == 200
        running.stop()
        assert "password" not in running.text and password not in running.text


def test_it_is_written_nowhere(first_passwords: list[tuple[Path, str]]) -> None:
    file, password = first_passwords[0]
    for path in file.parent.rglob("*"):
        if path.is_file():
            assert password.encode() not in path.read_bytes(), path


def test_a_lost_password_is_replaced(first_passwords: list[tuple[Path, str]]) -> None:
    file, old = first_passwords[1]
    with running_haechi("run", "--config", file) as running:
        url = running.url
        answer = haechi("account", "password", "admin", "--config", file)
        assert answer.returncode == 0
        new = answer.stdout.split()[-1]
        assert (sign_in(url, new), sign_in(url, old)) == (200, 401)


def test_a_password_can_be_given_and_is_then_not_shown(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    with running_haechi("run", "--config", file, HAECHI_ADMIN_PASSWORD="given-by-the-operator") as running:
        assert sign_in(running.url, "given-by-the-operator") == 200
        assert "given-by-the-operator" not in running.text


def test_a_second_one_on_the_same_data_folder_is_refused(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    with running_haechi("run", "--config", file) as running:
        running.wait_for("open ")
        other_port = write_settings(tmp_path, data_dir=str(tmp_path / "data"))
        answer = haechi("run", "--config", other_port)
        assert answer.returncode == 2
        assert f"in use by another haechi (process {running.process.pid})" in answer.stderr


def test_whatever_dies_is_started_again_and_everything_ends_with_the_parent(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    with running_haechi("run", "--config", file) as running:
        url = running.url
        center = int(running.wait_for(r"center started \(process (\d+)\)")[1])
        worker = int(running.wait_for(r"worker w0 started \(process (\d+)\)")[1])
        wait_until(lambda: healthy(url))
        os.kill(center, signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        again = r"(?s)center: .*was ended by SIGKILL.*center started \(process (\d+)\)"
        new_center = int(running.wait_for(again)[1])
        new_worker = int(running.wait_for(r"(?s)worker w0: .*SIGKILL.*worker w0 started \(process (\d+)\)")[1])
        wait_until(lambda: healthy(url))
        running.stop(signal.SIGKILL)
        wait_until(lambda: not is_running(new_center) and not is_running(new_worker))


def test_cameras_come_and_go_by_command_while_the_center_runs(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    (tmp_path / "list").mkdir()
    yard = [part for name, value in YARD.items() for part in (f"--{name}", value)]
    password = "given-by-the-operator"
    with running_haechi("run", "--config", file, HAECHI_ADMIN_PASSWORD=password) as running:
        with httpx.Client(base_url=running.url, trust_env=False, timeout=30) as client:
            assert client.post("/api/v1/session", json={"name": "admin", "password": password}).status_code == 200

            def states() -> dict[str, str]:
                listed = client.get("/api/v1/cameras").json()["cameras"]
                return {camera["id"]: camera["state"] for camera in listed}

            assert states() == {}
            assert haechi("camera", "add", *yard, "--config", file).returncode == 0
            wait_until(lambda: states() == {"yard": "backing_off"})  # its worker tried, and nobody is there
            changed = write_settings(tmp_path / "list", cameras=[{**YARD, "enabled": False}])
            assert haechi("camera", "import", changed, "--config", file).returncode == 0
            wait_until(lambda: states() == {"yard": "disabled"})
            assert haechi("camera", "remove", "yard", "--config", file).returncode == 0
            wait_until(lambda: states() == {})
        assert running.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_in_order(tmp_path: Path, number: signal.Signals) -> None:
    file = write_settings(tmp_path)
    with running_haechi("run", "--config", file) as running:
        center = int(running.wait_for(r"center started \(process (\d+)\)")[1])
        worker = int(running.wait_for(r"worker w0 started \(process (\d+)\)")[1])
        running.wait_for("open ")
        assert running.stop(number) == 0
        assert not is_running(center) and not is_running(worker)
        assert "everything has ended" in running.text
        assert "Traceback" not in running.text
        assert "killed" not in running.text


def test_events_survive_kill_9_of_the_center_and_are_counted_once(tmp_path: Path) -> None:
    """A worker of our own sends each event until it is accepted, while the center is killed again and again."""
    from tests.integration.control_center.event_sender import send_until_accepted

    file = write_settings(tmp_path)
    accepted = send_until_accepted(file, events=120, kills=3)
    with sqlite3.connect(tmp_path / "data" / "center.sqlite") as database:
        stored = [row[0] for row in database.execute("SELECT event_id FROM events ORDER BY event_id")]
        counted = database.execute("SELECT sum(event_count), count(*) FROM incidents").fetchone()
        broken = database.execute("PRAGMA integrity_check").fetchone()[0]
        pictures = [row[0] for row in database.execute("SELECT path FROM snapshots")]
    database.close()
    assert stored == sorted(accepted)
    assert counted == (120, 120)
    assert broken == "ok"
    assert all((tmp_path / "data" / path).stat().st_size > 0 for path in pictures)
