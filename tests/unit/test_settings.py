"""A settings file is read whole or refused with the file, the line, the field and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import schema
from config.load import SettingsError, load_settings, turn_secret
from config.settings import TurnSettings, WorkerSettings
from tests.requirements import ROOT

CAMERA = """\
cameras:
  - id: gate
    name: Gate
    purpose: crime prevention
    main: rtsp://192.0.2.1/main
"""


def refusal(folder: Path, text: str) -> str:
    file = folder / "haechi.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    return str(caught.value).replace(str(folder), "")


@pytest.mark.parametrize("file", sorted((ROOT / "config" / "examples").glob("*.yaml")), ids=lambda file: file.name)
def test_the_shipped_examples_load(file: Path) -> None:
    assert load_settings(file).cameras


def test_the_shipped_schema_is_that_of_the_settings() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.settings_schema(), "run: python -m config.schema"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CAMERA + "    zoness: []\n", "/haechi.yaml:6: cameras[0].zoness (camera gate): is not a known field; did you"),
        (CAMERA.replace("    name: Gate\n", ""), "/haechi.yaml:2: cameras[0].name (camera gate): is missing; add it"),
        (CAMERA.replace("rtsp://", "ftp://"), "/haechi.yaml:5: cameras[0].main (camera gate): must look like rtsp://"),
        (CAMERA.replace("192", "u:secret@192"), "use the camera's `username` and `password` fields"),
        (CAMERA + CAMERA[9:], "camera id 'gate' stands twice"),
        (
            "center: {port: 99999}\n" + CAMERA,
            "/haechi.yaml:1: center.port: Input should be less than",
        ),
        (CAMERA + "    zones: [{name: z, rules: [{kind: parkin}]}]\n", "cameras[0].zones[0].rules[0] (camera gate)"),
        (CAMERA + "    zones: [{name: z, polygon: [[0, 0], [1, 1]], rules: []}]\n", "needs at least three points"),
        ("workers: {media_host: 0.0.0.0}\n", "workers.media_host: name the one address"),
        ("workers: {media_host: ['::1', '::']}\n", "workers.media_host: name the one address"),
        ("workers: {media_host: ['::1', '::1']}\n", "workers.media_host: name one address, or a list"),
        ("workers: {media_host: 'http://a'}\n", "workers.media_host: 'http://a' is no address or host name"),
        ("workers: {media_host: '[::1]'}\n", "workers.media_host: '[::1]' is no address or host name"),
        ("workers: {udp_ports: [50100, 50000]}\n", "workers.udp_ports: must be [first, last]"),
        ("turn: {urls: ['turn.example'], secret: s}\n", "turn.urls[0]: must look like turn:host[:port]"),
        ("turn: {urls: ['turn:a'], secret: s, secret_file: f}\n", "turn: give one of `secret`, `secret_file`"),
        ("turn: {urls: ['turn:a']}\n", "turn: give one of `secret`, `secret_file`"),
        ("turn: {secret: s}\n", "turn: has a secret but no `urls`"),
        ("cameras: [\n", "/haechi.yaml:2: is not YAML"),
        ("just words", "must be a mapping"),
        ("", "must be a mapping"),
    ],
)
def test_a_fault_names_file_line_field_and_mend(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in refusal(tmp_path, text)


def test_a_refused_url_does_not_repeat_its_password(tmp_path: Path) -> None:
    assert "secret" not in refusal(tmp_path, CAMERA.replace("192", "u:secret@192"))


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = CAMERA.replace("name: Gate", "nam: Gate") + "    record: perhaps\n"
    assert len(refusal(tmp_path, text).splitlines()) == 3


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "none.yaml")


def test_a_file_that_is_not_text_is_said(tmp_path: Path) -> None:
    file = tmp_path / "haechi.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(file)


@given(st.text(max_size=200))
def test_any_text_is_settings_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(text, encoding="utf-8", errors="replace")
    try:
        load_settings(file)
    except SettingsError:
        pass


@pytest.mark.parametrize("url", ["turn:10.0.0.1", "turn:[2001:db8::1]:3478?transport=tcp", "turns:t.example:5349"])
def test_a_turn_secret_is_in_the_settings_in_a_file_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    secret = "0123456789abcdef"
    (tmp_path / "secret").write_text(f"{secret}\nthe second line is not read\n")
    monkeypatch.setenv("TURN_SECRET", f" {secret}\n")
    for place in ({"secret": secret}, {"secret_file": tmp_path / "secret"}, {"secret_variable": "TURN_SECRET"}):
        turn = TurnSettings.model_validate({"urls": [url], **place})
        assert turn_secret(turn) == secret
        assert secret not in repr(turn)


def test_a_turn_secret_that_is_missing_or_short_is_refused_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("hunter2\n")
    places = {
        "turn.secret:": {"secret": "hunter2"},
        "turn.secret_file": {"secret_file": tmp_path / "short"},
        "cannot be read": {"secret_file": tmp_path / "none"},
        "turn.secret_variable TURN_NOWHERE": {"secret_variable": "TURN_NOWHERE"},
    }
    for says, place in places.items():
        with pytest.raises(SettingsError, match=says) as caught:
            turn_secret(TurnSettings.model_validate({"urls": ["turn:a"], **place}))
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "::1", "localhost", "cctv-1.city.example"])
def test_a_media_host_is_an_address_or_a_name(host: str) -> None:
    assert WorkerSettings(media_host=host).media_hosts == (host,)
