"""Lists of cameras as YAML: what is read, what is refused and how, what is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from pydantic import SecretStr

from config.load import SettingsError, read_cameras
from config.settings import Camera
from control_center.database import RegisteredCamera
from control_center.register.definition import camera_of, changed_fields, digest_of, fill, whole
from control_center.register.yaml_form import to_yaml
from tests.camera_definitions import camera_lists, cameras

GATE = "- {id: gate, name: Gate, purpose: p, main: 'rtsp://h/x'%s}\n"


def refused(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_cameras(text, "list")
    return caught.value


@given(camera_lists())
def test_what_is_written_with_passwords_is_read_back_the_same(listed: list[Camera]) -> None:
    assert read_cameras(to_yaml(listed, with_passwords=True), "list") == tuple(listed)


@given(camera_lists())
def test_what_is_written_without_passwords_lacks_only_them(listed: list[Camera]) -> None:
    without = tuple(camera.model_copy(update={"password": None}) for camera in listed)
    assert read_cameras(to_yaml(listed, with_passwords=False), "list") == without


@given(cameras())
def test_a_row_of_the_register_gives_the_camera_back(camera: Camera) -> None:
    row = RegisteredCamera(id=camera.id)
    fill(row, camera)
    assert camera_of(row) == camera


@given(cameras())
def test_a_changed_field_is_named_and_changes_the_digest(camera: Camera) -> None:
    changed = camera.model_copy(update={"record": not camera.record, "password": SecretStr("another-one-than-any")})
    assert changed_fields(camera, changed) == ["password", "record"]
    assert changed_fields(camera, camera.model_copy()) == []
    assert digest_of(changed) != digest_of(camera) == digest_of(camera.model_copy())


def test_the_digest_of_a_definition_stays_from_version_to_version() -> None:
    """Another one would make every start after an upgrade take the file over, and undo what people changed."""
    zones = [{"name": "z", "rules": [{"kind": "parking", "dwell_seconds": 60}, {"kind": "fire"}]}]
    fields = {"id": "gate", "name": "정문", "purpose": "p", "main": "rtsp://h/x", "password": "pw", "zones": zones}
    camera = Camera.model_validate(fields)
    assert digest_of(camera) == "bda09d335c560c990f89f96d3ddec2a6e229045314c143ec8d2379b0fd473753"
    assert digest_of(Camera.model_validate(whole(camera))) == digest_of(camera)
    other = Camera.model_validate(
        {**fields, "zones": [{**zones[0], "rules": [{"kind": "fire"}, {"kind": "intrusion"}]}]}
    )
    assert digest_of(other) != digest_of(camera)


def test_a_whole_settings_file_can_be_imported() -> None:
    text = "data_dir: elsewhere\ncenter: {port: nonsense}\ncameras:\n" + GATE % ""
    assert [camera.id for camera in read_cameras(text, "list")] == ["gate"]


def test_a_fault_names_index_id_field_line_and_mend() -> None:
    error = refused("cameras:\n" + GATE % "" + GATE.replace("gate", "yard").replace("rtsp", "ftp") % ", puropse: q")
    assert [(fault.field, fault.camera, fault.line) for fault in error.faults] == [
        ("cameras[1].main", "yard", 3),
        ("cameras[1].puropse", "yard", 3),
    ]
    assert "must look like rtsp://" in error.faults[0].message
    assert error.faults[1].message == "is not a known field; did you mean `purpose`?"
    assert str(error).splitlines()[0].startswith("list:3: cameras[1].main (camera yard): must look like")


@pytest.mark.parametrize("purpose", ["''", "'  '", "null", '"\\n"'])
def test_no_purpose_no_camera(purpose: str) -> None:
    error = refused("cameras:\n" + GATE.replace("purpose: p", f"purpose: {purpose}") % "")
    assert [fault.field for fault in error.faults] == ["cameras[0].purpose"]
    assert [fault.field for fault in refused("cameras: [{id: a, name: b, main: 'rtsp://h/x'}]").faults] == [
        "cameras[0].purpose"
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "*hunter2",
        "!hunter2 x",
        "&hunter2 &hunter2",
        "%hunter2",
        "@hunter2",
        "`hunter2",
        "{hunter2",
        "[hunter2",
        "|hunter2",
    ],
)
def test_a_password_that_is_no_yaml_is_refused_without_being_said(secret: str) -> None:
    assert "hunter2" not in str(refused("cameras:\n- id: gate\n  password: " + secret + "\n  name: [\n"))


@pytest.mark.parametrize("password", ["[hunter2]", "{hunter2: 1}", '"hunter2\\n"', '"hunter2\\0"'])
def test_a_password_of_a_wrong_kind_is_refused_without_being_said(password: str) -> None:
    error = refused("cameras:\n" + GATE % f", password: {password}")
    assert error.faults[0].field.startswith("cameras[0].password") and "hunter2" not in error.faults[0].message


def test_a_password_of_digits_says_its_mend() -> None:
    assert refused("cameras:\n" + GATE % ", password: 12345").faults[0].message == "must be text; put it in quotes"


@pytest.mark.parametrize("field", ["name", "purpose", "username", "main"])
def test_a_line_break_in_a_field_is_refused(field: str) -> None:
    fields = {"name": "n", "purpose": "p", "username": "u", "main": "rtsp://h/x"}
    fields[field] += "\\r\\nX"
    error = refused("cameras: [{id: a, " + ", ".join(f'{key}: "{value}"' for key, value in fields.items()) + "}]")
    assert error.faults[0].field == f"cameras[0].{field}" and "control characters" in error.faults[0].message


@pytest.mark.parametrize("value", [".inf", ".nan", "-.inf"])
def test_a_time_without_end_is_refused(value: str) -> None:
    error = refused("cameras:\n" + GATE % f", zones: [{{name: z, rules: [{{kind: parking, dwell_seconds: {value}}}]}}]")
    assert error.faults[0].field == "cameras[0].zones[0].rules[0].dwell_seconds"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 200_000, "nested too deeply"),
        ("- " * 200_000, "nested too deeply"),
        ("&a [*a]", "repeats its own parts"),
        ("a: &a [1,1,1,1,1,1,1,1]\n" + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 8)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ), "repeats its own parts"),
        ("at: 2026-13-45", "date or number"),
        ("\x01", "is not YAML"),
        ("", "must be a mapping"),
        ("cameras: gate", "cameras: must be a list"),
        ("data_dir: x", "cameras: is missing"),
    ],
    ids=["brackets", "dashes", "itself", "bomb", "date", "control", "empty", "word", "none"],
)  # fmt: skip
def test_what_is_no_list_is_refused_in_a_word(text: str, said: str) -> None:
    assert said in str(refused(text))


def test_an_anchor_that_saves_writing_is_taken() -> None:
    text = "cameras:\n- &gate {id: gate, name: Gate, purpose: p, main: 'rtsp://h/x'}\n- {<<: *gate, id: yard}\n"
    assert [camera.id for camera in read_cameras(text, "list")] == ["gate", "yard"]


def test_a_password_is_not_in_what_python_shows_of_a_camera() -> None:
    camera = Camera(id="a", name="a", purpose="p", main="rtsp://h/x", password=SecretStr("hunter2"))
    assert "hunter2" not in repr(camera) + str(camera)
