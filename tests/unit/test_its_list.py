"""The open API of the National Transport Information Center, in the form that its page documents; made by hand."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

import pytest

from config.load import SettingsError
from control_center.register.its_list import ItsList, merged, read_its

URL = "http://cctvsec.example.kr/71/token"
ENTRY = {
    "roadsectionid": "",
    "filecreatetime": "",
    "cctvtype": "1",
    "cctvurl": f"{URL}/playlist.m3u8",
    "cctvresolution": "",
    "coordx": 126.8689758,
    "coordy": 36.99797346,
    "cctvformat": "HLS",
    "cctvname": "[서해안선] 서해대교",
}


def as_json(*entries: Any) -> bytes:
    answer = {"response": {"coordtype": 1, "datacount": len(entries), "data": list(entries)}}
    return json.dumps(answer, ensure_ascii=False).encode()


def as_xml(*entries: dict[str, Any]) -> bytes:
    rows = ["".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in entry.items()) for entry in entries]
    body = "".join(f"<data>{row}</data>" for row in rows)
    text = f"<response><coordtype>1</coordtype><datacount>{len(rows)}</datacount>{body}</response>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def read(content: bytes) -> ItsList:
    return read_its(content, "its", purpose="traffic information", record=False)


@pytest.mark.parametrize("form", [as_json, as_xml])
def test_both_forms_give_the_same_cameras(form: Any) -> None:
    found = read(form(ENTRY, ENTRY | {"cctvname": "[경부선] 양재 & 서초", "cctvtype": "4", "coordx": "127.04;"}))
    first, second = found.cameras
    assert (first.name, first.category, first.purpose, first.record) == (
        "[서해안선] 서해대교",
        "traffic",
        "traffic information",
        False,
    )
    assert first.main == f"{URL}/playlist.m3u8" and first.sub is None
    assert first.position is not None
    assert (first.position.longitude, first.position.latitude) == (126.8689758, 36.99797346)
    assert second.name == "[경부선] 양재 & 서초" and second.position is not None
    assert second.position.longitude == 127.04
    assert found.left_out == ()
    assert found == read(
        as_json(ENTRY, ENTRY | {"cctvname": "[경부선] 양재 & 서초", "cctvtype": "4", "coordx": "127.04"})
    )


def test_the_id_stays_when_the_address_changes_and_is_another_at_another_place() -> None:
    (one,) = read(as_json(ENTRY)).cameras
    (later,) = read(as_json(ENTRY | {"cctvurl": "http://other.example.kr/live.m3u8"})).cameras
    (elsewhere,) = read(as_json(ENTRY | {"coordx": 127.1})).cameras
    assert one.id == later.id != elsewhere.id
    assert one.id.startswith("its-")


def test_what_is_no_live_feed_is_left_out_with_its_reason_and_harms_no_other() -> None:
    others: list[Any] = [
        ENTRY | {"cctvname": "still", "cctvtype": "3"},
        ENTRY | {"cctvname": "file", "cctvtype": 2, "cctvformat": "MP4"},
        ENTRY | {"cctvname": "mp4", "cctvformat": "MP4"},
        ENTRY | {"cctvname": "nowhere", "coordx": ""},
        ENTRY | {"cctvname": "far", "coordx": 999},
        ENTRY | {"cctvname": "secret", "cctvurl": "http://user:pass@cctv.example.kr/live.m3u8"},
        ENTRY | {"cctvname": "ftp", "cctvurl": "ftp://cctv.example.kr/live"},
        ENTRY | {"cctvname": ""},
        "no object",
        ENTRY,
    ]
    found = read(as_json(*others, ENTRY))
    assert [camera.name for camera in found.cameras] == [ENTRY["cctvname"]]
    told = dict(line.split(": ", 1) for line in found.left_out)
    assert len(told) == len(others)
    assert "still picture" in told["entry 1 (still)"]
    assert "video file" in told["entry 2 (file)"]
    assert "MP4" in told["entry 3 (mp4)"]
    assert "coordx" in told["entry 4 (nowhere)"]
    assert "longitude" in told["entry 5 (far)"]
    assert "cctvurl" in told["entry 6 (secret)"] and "pass@" not in told["entry 6 (secret)"]
    assert "there already" in told["entry 11 ([서해안선] 서해대교)"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither JSON nor XML"),
        (b"\xff\xfe{", "neither JSON nor XML"),
        (b"{", "is not JSON"),
        (b'{"header": {"resultCode": 4, "resultMsg": "wrong key"}}', "wrong key"),
        (b"<response><data", "neither JSON nor XML"),
        (b"<response><resultMsg>wrong key</resultMsg></response>", "wrong key"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><response>&b;</response>', "DOCTYPE"),
        (as_json(), "names no camera"),
        (b"[" * 100_000, "neither JSON nor XML"),
        (b'{"response":' * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_answer_of_the_center_is_said(content: bytes, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        read(content)


def test_one_camera_that_comes_without_a_list_is_one() -> None:
    assert len(read(json.dumps({"response": {"data": ENTRY}}).encode()).cameras) == 1


def test_a_camera_of_the_register_keeps_what_people_gave_it() -> None:
    (camera,) = read(as_json(ENTRY)).cameras
    watched = camera.model_copy(update={"purpose": "flooding", "record": True, "main": "http://old.example.kr/a.m3u8"})
    again = merged(camera, watched)
    assert (again.purpose, again.record, again.main) == ("flooding", True, camera.main)
    assert merged(camera, None) is camera
