from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

import yaml
from typer.testing import CliRunner

from config.load import read_cameras
from control_center.cli import app
from tests.clips import cached_clip
from tests.haechi import haechi, write_settings
from tests.hls_server import file_server
from tests.ports import free_port
from tests.unit.test_its_list import ENTRY, as_json, as_xml

CAMERA_COMMANDS = [f"camera {name}" for name in ("check", "add", "list", "import", "import-its", "export", "remove")]


def test_the_version_is_told() -> None:
    answer = haechi("--version")
    assert answer.returncode == 0
    assert answer.stdout.startswith("haechi 0.")


def test_every_command_of_the_reference_is_there() -> None:
    reference = (Path(__file__).parents[3] / "docs/reference/cli.md").read_text(encoding="utf-8")
    for command in (
        "run",
        "demo",
        "score",
        "config check",
        "account password",
        "ledger verify",
        "ledger export",
        *CAMERA_COMMANDS,
    ):
        assert f"`haechi {command}" in reference
        answer = CliRunner().invoke(app, [*command.split(), "--help"])
        assert answer.exit_code == 0, answer.output


def test_wrong_yaml_names_file_line_field_and_mend_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "city.yaml"
    file.write_text("cameras:\n  - id: gate\n    nam: Gate\n    purpose: x\n    main: ftp://a/b\n")
    for answer in (haechi("config", "check", file), haechi("run", "--config", file)):
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


def test_a_turn_secret_that_cannot_be_read_is_said_before_anything_starts(tmp_path: Path) -> None:
    turn = {"urls": ["turn:turn.example"], "secret_file": str(tmp_path / "none")}
    file = write_settings(tmp_path, turn=turn)
    for answer in (haechi("config", "check", file), haechi("run", "--config", file)):
        assert answer.returncode == 2
        assert f"{tmp_path / 'none'}: cannot be read" in answer.stderr
        assert "Traceback" not in answer.stderr


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
    answer = haechi("camera", "check", f"rtsp://viewer:s3cret@127.0.0.1:{free_port()}/main")
    assert answer.returncode == 2
    assert "connection refused" in answer.stderr
    assert "s3cret" not in answer.stderr + answer.stdout


def test_something_that_is_no_camera_url_is_said() -> None:
    answer = haechi("camera", "check", "ftp://127.0.0.1/")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert "rtsp://" in answer.stderr


def test_a_file_and_a_clip_on_a_server_are_checked_like_a_camera() -> None:
    clip = cached_clip(seconds=4, fps=15, gop=15)
    with file_server(clip.parent) as server:
        for url in (f"file://{clip}", f"{server.url}/{clip.name}"):
            answer = haechi("camera", "check", url, "--seconds", "3")
            assert answer.returncode == 0, answer.stderr
            assert "h264 640x360" in answer.stdout and "every 1.0 s" in answer.stdout
        answer = haechi("camera", "check", f"{server.url}/not-there.mp4")
    assert answer.returncode == 2
    assert "404" in answer.stderr and "Traceback" not in answer.stderr


YARD = ("--id", "yard", "--name", "마당", "--purpose", "crime prevention", "--main", "rtsp://192.0.2.7/main")


def camera_command(file: Path, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return haechi("camera", *arguments, "--config", file, stdin=stdin)


def test_cameras_are_added_listed_exported_imported_and_removed(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    place = ("--latitude", "37.26", "--longitude", "127.03", "--category", "park_safety")
    added = camera_command(file, "add", *YARD, *place, "--username", "u", "--password-stdin", stdin="hunter2\n")
    assert added.returncode == 0, added.stderr
    listed = camera_command(file, "list")
    assert "yard" in listed.stdout and "마당" in listed.stdout

    plain, whole = (camera_command(file, "export", *more) for more in ((), ("--with-passwords",)))
    assert "hunter2" not in added.stdout + added.stderr + listed.stdout + plain.stdout
    (camera,) = read_cameras(whole.stdout, "export")
    assert camera.password is not None and camera.password.get_secret_value() == "hunter2"
    assert camera.position is not None and camera.position.longitude == 127.03 and camera.category == "park_safety"

    (tmp_path / "copy").mkdir()
    other, exported = write_settings(tmp_path / "copy"), tmp_path / "cameras.yaml"
    exported.write_text(whole.stdout, encoding="utf-8")
    assert camera_command(other, "import", exported, "--dry-run").stdout == "would be added: yard\n"
    assert camera_command(other, "import", exported).stdout == "added: yard\n"
    assert camera_command(other, "import", exported).stdout == "unchanged: yard\n"
    assert camera_command(other, "export", "--with-passwords").stdout == whole.stdout

    assert camera_command(file, "remove", "yard").returncode == 0
    assert camera_command(file, "export").stdout.endswith("cameras: []\n")
    done = haechi("ledger", "export", "--config", file).stdout
    actions = re.findall(r",this machine,(camera\.\w+),(\w*),", done)
    assert actions == [
        ("camera.added", "yard"),
        ("camera.exported", ""),
        ("camera.exported", ""),
        ("camera.removed", "yard"),
        ("camera.exported", ""),
    ]
    assert "hunter2" not in done


def test_a_camera_that_cannot_be_registered_is_refused_by_its_options(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    wrong = camera_command(file, "add", *YARD, "--purpose", " ", "--category", "zoo", "--sub", "rtsp://u:hunter2@h/x")
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr
    for option in ("--purpose: must not be blank", "--category: Input should be", "--sub: must not hold"):
        assert option in wrong.stderr
    assert "hunter2" not in wrong.stderr
    half = camera_command(file, "add", *YARD, "--latitude", "37")
    assert half.returncode == 2 and "give both, or none" in half.stderr
    assert not (tmp_path / "data").exists()


def test_a_camera_that_is_there_or_is_not_is_said(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    assert camera_command(file, "add", *YARD).returncode == 0
    again, unknown = camera_command(file, "add", *YARD), camera_command(file, "remove", "gate")
    assert again.returncode == unknown.returncode == 2
    assert "there is a camera yard in the register already" in again.stderr
    assert "there is no camera gate in the register" in unknown.stderr


def test_an_import_with_a_fault_names_it_and_adds_nothing(tmp_path: Path) -> None:
    file, listed = write_settings(tmp_path), tmp_path / "cameras.yaml"
    camera = {"id": "gate", "name": "Gate", "purpose": "x", "main": "rtsp://h/p"}
    listed.write_text(yaml.safe_dump({"cameras": [camera, {**camera, "id": "yard", "pupose": "x"}]}))
    answer = camera_command(file, "import", listed)
    assert answer.returncode == 2
    assert "cameras[1].pupose (camera yard): is not a known field; did you mean `purpose`?" in answer.stderr
    assert camera_command(file, "export").stdout.endswith("cameras: []\n")


def test_a_password_for_an_account_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    answer = haechi("account", "password", "kim", "--config", write_settings(tmp_path))
    assert answer.returncode == 2
    assert "there is no account 'kim'" in answer.stderr


def test_the_traffic_cameras_of_the_national_center_come_in_and_keep_what_people_gave_them(tmp_path: Path) -> None:
    file, saved = write_settings(tmp_path), tmp_path / "cctv.json"
    saved.write_bytes(as_json(ENTRY, ENTRY | {"cctvname": "still", "cctvtype": "3"}))
    purpose = ("--purpose", "교통정보 제공")
    looked = camera_command(file, "import-its", saved, *purpose, "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert looked.stdout.startswith("would be added: its-") and "still picture" in looked.stderr
    assert "서해대교" not in camera_command(file, "list").stdout
    assert camera_command(file, "import-its", saved, *purpose).stdout.startswith("added: its-")
    (camera,) = read_cameras(camera_command(file, "export").stdout, "export")
    assert (camera.name, camera.category, camera.record) == ("[서해안선] 서해대교", "traffic", False)

    saved.write_bytes(as_xml(ENTRY | {"cctvurl": "http://other.example.kr/live.m3u8"}))
    again = camera_command(file, "import-its", saved, "--purpose", "another", "--record")
    assert again.stdout == f"changed: {camera.id}\n"
    (changed,) = read_cameras(camera_command(file, "export").stdout, "export")
    assert changed.main == "http://other.example.kr/live.m3u8"
    assert (changed.purpose, changed.record) == ("교통정보 제공", False)
    wrong = camera_command(file, "import-its", saved, *purpose, "--category", "motorway")
    assert wrong.returncode == 2 and "--category" in wrong.stderr
