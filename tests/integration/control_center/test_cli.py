from __future__ import annotations

import socket
from pathlib import Path

from typer.testing import CliRunner

from control_center.cli import app
from tests.haechi import haechi, write_settings


def test_the_version_is_told() -> None:
    answer = haechi("--version")
    assert answer.returncode == 0
    assert answer.stdout.startswith("haechi 0.")


def test_every_command_of_the_reference_is_there() -> None:
    reference = (Path(__file__).parents[3] / "docs/reference/cli.md").read_text(encoding="utf-8")
    for command in ("run", "demo", "score", "camera check", "config check", "account password"):
        assert f"`haechi {command}" in reference
        answer = CliRunner().invoke(app, [*command.split(), "--help"])
        assert answer.exit_code == 0, answer.output


def test_wrong_yaml_names_file_line_field_and_mend_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "city.yaml"
    file.write_text("cameras:\n  - id: gate\n    nam: Gate\n    purpose: x\n    main: http://a/b\n")
    for command in (["config", "check", file], ["run", "--config", file]):
        answer = haechi(*command)
        assert answer.returncode == 2
        assert "Traceback" not in answer.stderr
        assert f"{file}:3: cameras[0].nam (camera gate): is not a known field; did you mean `name`?" in answer.stderr
        assert f"{file}:5: cameras[0].main (camera gate): must look like rtsp://" in answer.stderr


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    answer = haechi("run", "--config", tmp_path / "none.yaml")
    assert answer.returncode == 2
    assert "none.yaml: cannot be read" in answer.stderr


def test_a_right_file_is_told_so(tmp_path: Path) -> None:
    camera = {"id": "gate", "name": "Gate", "purpose": "x", "main": "rtsp://h/p", "zones": [{"name": "z", "rules": []}]}
    answer = haechi("config", "check", write_settings(tmp_path, cameras=[camera]))
    assert answer.returncode == 0
    assert "1 cameras" in answer.stdout


def test_a_busy_port_is_said_with_its_field_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        answer = haechi("run", "--config", write_settings(tmp_path, center={"port": port}))
    assert answer.returncode == 2
    assert f"port {port} on 127.0.0.1 cannot be listened on (Address already in use)" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "center.port" in answer.stderr and "haechi.yaml" in answer.stderr
    assert "password" not in answer.stdout


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = haechi("run", "--config", write_settings(tmp_path, data_dir=str(tmp_path / "file" / "data")))
    assert answer.returncode == 2
    assert "the data folder cannot be written" in answer.stderr


def test_a_database_that_cannot_be_used_is_said_without_its_password(tmp_path: Path) -> None:
    center = {"database_url": "postgresql://haechi:s3cret@127.0.0.1:1/haechi"}
    answer = haechi("run", "--config", write_settings(tmp_path, center=center))
    assert answer.returncode == 2
    assert "check center.database_url" in answer.stderr
    assert "s3cret" not in answer.stderr + answer.stdout
    assert "Traceback" not in answer.stderr


def test_a_camera_that_cannot_be_reached_is_said_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
    answer = haechi("camera", "check", f"rtsp://viewer:s3cret@127.0.0.1:{port}/main")
    assert answer.returncode == 2
    assert "connection refused" in answer.stderr
    assert "s3cret" not in answer.stderr + answer.stdout


def test_something_that_is_no_camera_url_is_said() -> None:
    answer = haechi("camera", "check", "http://127.0.0.1/")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert "rtsp://" in answer.stderr


def test_a_password_for_an_account_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    answer = haechi("account", "password", "kim", "--config", write_settings(tmp_path))
    assert answer.returncode == 2
    assert "there is no account 'kim'" in answer.stderr
