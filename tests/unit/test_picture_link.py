"""Records between the packets and the pictures process."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from config.settings import AnalysisSettings, Camera
from detectors.event import Event
from streams import picture_link
from streams.access_unit import AccessUnit, CodecParameters
from streams.picture_link import CameraStats, Flag, Hello, Kind, PictureStats, RecordParser, WatchOrder
from streams.picture_process import PictureLimits, Window
from streams.records import LinkError, record

PARAMETERS = CodecParameters("h265", (b"\x40vps", b"\x42sps", b"\x44pps"), 640, 360)
KEY = AccessUnit((b"\x26one", b"\x26two"), 123_456_789_012, 5, True, PARAMETERS)
EVENT = Event(
    event_id="0123456789abcdef",
    camera_id="gate",
    kind="dumping",
    zone="yard",
    severity="caution",
    started_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    raised_at=datetime(2026, 1, 2, 3, 4, 15, tzinfo=UTC),
    box=(0.1, 0.2, 0.3, 0.4),
    score=0.75,
    label="bag",
    track_ids=(4, 7),
    dwell_seconds=10.0,
)


def only(record: bytes) -> tuple[Kind, bytes]:
    records = list(RecordParser().feed(record))
    assert len(records) == 1
    return records[0]


def test_an_access_unit_arrives_as_it_was_sent() -> None:
    kind, body = only(picture_link.encode_unit(7, KEY, 1_767_323_045_678_901))
    unit = picture_link.decode_unit(body)
    assert kind is Kind.UNIT
    assert (unit.camera_index, unit.flags) == (7, Flag.KEY | Flag.H265)
    assert (unit.pts_90k, unit.received_ns) == (KEY.pts_90k, KEY.received_ns)
    assert unit.captured_at == datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    assert (unit.data, unit.codec, unit.is_key) == (KEY.annex_b(), "hevc", True)


def test_an_event_arrives_with_its_picture() -> None:
    kind, body = only(picture_link.encode_event(EVENT, b"\xff\xd8jpeg"))
    assert kind is Kind.EVENT
    assert picture_link.decode_event(body) == (EVENT, b"\xff\xd8jpeg")


def test_figures_arrive() -> None:
    stats = PictureStats(pid=12, pace=0.5, cameras=(CameraStats(0, units=3), CameraStats(1, is_active=True)))
    kind, body = only(picture_link.encode_stats(stats))
    assert (kind, picture_link.decode_stats(body)) == (Kind.STATS, stats)


def test_the_pictures_process_is_told_no_password() -> None:
    camera = Camera(
        id="gate",
        name="정문",
        purpose="x",
        main="rtsp://10.0.0.1/x",
        username="viewer",
        password=SecretStr("camera-secret"),
    )
    order = WatchOrder(camera_index=65_535, camera=camera, recent_events=(EVENT,))
    hello = picture_link.encode_hello(Hello(analysis=AnalysisSettings(), cameras=(order,)))
    watch = picture_link.encode_watch(order)
    for one in (hello, watch):
        assert b"camera-secret" not in one and b"viewer" not in one
    for found in (picture_link.decode_hello(only(hello)[1]).cameras[0], picture_link.decode_watch(only(watch)[1])):
        assert (found.camera_index, found.camera.name, found.recent_events) == (65_535, "정문", (EVENT,))


def test_the_end_of_watching_arrives() -> None:
    kind, body = only(picture_link.encode_unwatch(513))
    assert (kind, picture_link.decode_unwatch(body)) == (Kind.UNWATCH, 513)


@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(1, 50))
def test_records_are_the_same_however_the_stream_is_cut(bodies: list[bytes], size: int) -> None:
    stream = b"".join(record(Kind.UNIT, body) for body in bodies)
    parser = RecordParser()
    found = [body for i in range(0, len(stream), size) for _, body in parser.feed(stream[i : i + size])]
    assert found == bodies


def test_a_record_larger_than_allowed_is_refused_before_it_is_held() -> None:
    with pytest.raises(LinkError, match="at most 100"):
        list(RecordParser(max_record_bytes=100).feed(b"\x00\x00\x00\x65\x02"))


def test_a_record_of_unknown_kind_is_refused() -> None:
    with pytest.raises(LinkError, match="unknown kind 99"):
        list(RecordParser().feed(b"\x00\x00\x00\x01\x63"))


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (picture_link.decode_unit, b"short"),
        (picture_link.decode_event, b"\x00"),
        (picture_link.decode_event, b"\x00\x00\x00\x02{}"),
        (picture_link.decode_hello, b"{}"),
        (picture_link.decode_stats, b"[]"),
        (picture_link.decode_credit, b"1"),
        (picture_link.decode_attention, b'{"a": 1}'),
        (picture_link.decode_watch, b'{"camera_index": 70000}'),
        (picture_link.decode_unwatch, b"123"),
    ],
)
def test_a_body_that_does_not_fit_is_a_link_error(decode: object, body: bytes) -> None:
    assert callable(decode)
    with pytest.raises(LinkError):
        decode(body)


def test_the_window_is_bounded_in_bytes_by_camera_and_in_age() -> None:
    window = Window(PictureLimits(max_bytes=1000, max_seconds=3.0), cameras=10)
    assert window.has_room(0, 5000, 0.0), "a unit larger than the window goes alone"
    window.sent(0, 200, 0.0)
    assert not window.has_room(0, 51, 0.0), "a quarter of the window for one camera"
    assert window.has_room(1, 250, 0.0)
    window.sent(1, 250, 0.0)
    assert not window.has_room(2, 551, 0.0), "the whole window"
    assert window.has_room(2, 200, 3.0) and not window.has_room(2, 200, 3.1), "the oldest is too old"
    window.consumed(2)
    assert window.byte_count == 0 and window.has_room(2, 200, 100.0)
    with pytest.raises(LinkError, match="credit for 1 units while 0"):
        window.consumed(1)
