"""Which stream a viewer gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.relay import StreamWish
from streams.relay.choice import Streams
from streams.relay.errors import RelayError, UnknownCamera
from tests.clips import cached_clip
from tests.live_feed import append_now, load_units

GOP = 15
Fill = Callable[[GopBuffer], None]


def _units(**options: object) -> list[AccessUnit]:
    return load_units(cached_clip(**({"seconds": 2, "gop": GOP, "size": (160, 90)} | options)))


def _good(buffer: GopBuffer) -> None:
    append_now(buffer, _units()[:5])


def _nothing(buffer: GopBuffer) -> None:
    pass


def _stale(buffer: GopBuffer) -> None:
    buffer.append(replace(_units()[0], received_ns=time.monotonic_ns() - 60_000_000_000))


def _between(buffer: GopBuffer) -> None:
    """H.264 whose key frame is gone from the ring, or not there yet."""
    append_now(buffer, _units()[1:5])


def _long(buffer: GopBuffer) -> None:
    first, second = _units()[:2]
    append_now(buffer, [first, replace(second, nal_units=(*second.nal_units, b"\x0c" + b"\xff" * 1_100_000))])


def _h265(buffer: GopBuffer) -> None:
    append_now(buffer, [replace(unit, parameters=replace(unit.parameters, codec="h265")) for unit in _units()[:5]])


def _b_frames(buffer: GopBuffer) -> None:
    append_now(buffer, _units(b_frames=2)[:10])


def _recovery_points(buffer: GopBuffer) -> None:
    append_now(buffer, [replace(_units()[1], is_key=True)])


def _intra_refresh(buffer: GopBuffer) -> None:
    """A minute without a key frame."""
    now_ns = time.monotonic_ns()
    for second in range(60):
        buffer.append(replace(_units()[1], received_ns=now_ns - (59 - second) * 1_000_000_000))


def _streams(main: Fill | None, sub: Fill | None) -> Streams:
    buffers = {}
    for name, fill in (("main", main), ("sub", sub)):
        if fill is not None:
            buffers["cam", name] = GopBuffer()
            fill(buffers["cam", name])
    return Streams(buffers, 1_000_000, lambda feed: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("main", "sub", "wish", "expected"),
    [
        (_good, _good, "main", ("main", "main", "cached-gop", "")),
        (_good, _good, "auto", ("main", "main", "cached-gop", "")),
        (_good, _good, "sub", ("sub", "sub", "cached-gop", "")),
        (_good, None, "sub", ("main", "main", "cached-gop", "")),
        (_between, None, "main", ("main", "main", "next-key-frame", "")),
        (_between, _between, "main", ("main", "main", "next-key-frame", "")),
        (_between, _good, "main", ("main", "sub", "sub-stream", "")),
        (_long, _good, "main", ("main", "sub", "sub-stream", "")),
        (_good, _between, "sub", ("sub", "main", "main-stream", "")),
        (_h265, _good, "main", ("sub", "sub", "sub-stream", "codec-not-relayable")),
        (_b_frames, _good, "auto", ("sub", "sub", "sub-stream", "reordered-frames")),
        (_recovery_points, _good, "main", ("sub", "sub", "sub-stream", "no-idr")),
        (_intra_refresh, _good, "main", ("sub", "sub", "sub-stream", "no-idr")),
        (_h265, _between, "main", ("sub", "sub", "sub-stream", "codec-not-relayable")),
        (_h265, _good, "sub", ("sub", "sub", "cached-gop", "")),
        (_good, _h265, "sub", ("main", "main", "main-stream", "codec-not-relayable")),
        (_nothing, _good, "main", ("main", "sub", "sub-stream", "no-picture-yet")),
        (_stale, _good, "main", ("main", "sub", "sub-stream", "no-picture-yet")),
        (_stale, _between, "auto", ("main", "sub", "sub-stream", "no-picture-yet")),
    ],
)
def test_a_viewer_gets_what_it_asked_for_or_the_other_stream_and_is_told_why(
    main: Fill, sub: Fill | None, wish: StreamWish, expected: tuple[str, str, str, str]
) -> None:
    choice = _streams(main, sub).choose("cam", wish)
    assert choice.feed.name == f"cam/{choice.stream}"
    assert (choice.stream, choice.starter.name.partition("/")[2], choice.start, choice.why) == expected


@pytest.mark.parametrize(
    ("main", "sub", "wish", "kind"),
    [
        (_h265, None, "main", "codec-not-relayable"),
        (_h265, None, "sub", "codec-not-relayable"),
        (_b_frames, None, "auto", "reordered-frames"),
        (_b_frames, _h265, "main", "reordered-frames"),
        (_intra_refresh, None, "main", "no-idr"),
        (_recovery_points, _b_frames, "main", "no-idr"),
        (_nothing, None, "main", "no-picture-yet"),
        (_h265, _stale, "main", "no-picture-yet"),
    ],
)
def test_where_no_stream_will_do_it_is_said_of_each_and_what_may_pass_comes_first(
    main: Fill, sub: Fill | None, wish: StreamWish, kind: str
) -> None:
    with pytest.raises(RelayError) as refused:
        _streams(main, sub).choose("cam", wish)
    assert refused.value.kind == kind
    assert "cam/main" in refused.value.detail and ("cam/sub" in refused.value.detail) == (sub is not None)


def test_a_stream_that_was_awaited_in_vain_is_left_out_until_it_has_a_key_frame() -> None:
    streams = _streams(_between, _good)
    assert streams.choose("cam", "main").stream == "main"
    main = streams.feed_of("cam", "main")
    assert main is not None
    streams.remember_keyless(main)
    assert (streams.choose("cam", "main").stream, streams.choose("cam", "main").why) == ("sub", "no-idr")
    append_now(main.buffer, _units()[GOP : GOP + 1])
    assert (streams.choose("cam", "main").stream, streams.choose("cam", "main").why) == ("main", "")


def test_an_unknown_camera_and_one_whose_streams_have_ended_are_unknown() -> None:
    streams = _streams(_good, _good)
    with pytest.raises(UnknownCamera):
        streams.choose("other", "auto")
    for name in ("main", "sub"):
        feed = streams.feed_of("cam", name)  # type: ignore[arg-type]
        assert feed is not None
        feed.buffer.close()
    with pytest.raises(UnknownCamera):
        streams.choose("cam", "auto")
    assert streams.feed_of("cam", "main") is None
