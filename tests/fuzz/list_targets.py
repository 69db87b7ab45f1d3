"""What is fuzzed besides RTSP: playlists, datagrams out of order, lists of cameras that a person brings.

As in `tests.fuzz.targets`: any bytes in; AssertionError or an untyped error where a parser fails.
"""

from __future__ import annotations

import contextlib
import struct

from config.load import SettingsError, read_cameras
from control_center.register.its_list import read_its
from streams.errors import StreamError
from streams.rtsp.reorder_window import ReorderWindow
from streams.sources.hls import is_playlist, parse

PASSWORD = "hunter2-secret"
_MOST_SEGMENTS = 20_000
_MOST_HELD, _MOST_HELD_BYTES = 64, 8 * 1024
_BEHIND = 1_000
_STEP = struct.Struct(">BHB")


def playlist(data: bytes) -> None:
    """An HLS playlist, as the server of a traffic authority may send it."""
    is_playlist(data)
    with contextlib.suppress(StreamError):
        found = parse(data, "https://cctv.example.kr/live/playlist.m3u8?token=7")
        assert 0.5 <= found.target_seconds <= 60 and len(found.segments) <= _MOST_SEGMENTS
        sequences = [segment.sequence for segment in found.segments]
        assert sequences == sorted(set(sequences))


def reorder(data: bytes) -> None:
    """Steps of four bytes: what happens, a sequence number, and the size, source and soundness of its packet.

    Nothing is made up, lost or delivered twice; what is delivered never steps back a little; what is held is bounded.
    """
    delivered: list[bytes] = []
    window = ReorderWindow(delivered.append, max_packets=_MOST_HELD, max_bytes=_MOST_HELD_BYTES)
    pushed: list[bytes] = []
    now = 0.0
    for what, number, form in _STEP.iter_unpack(data[: len(data) // _STEP.size * _STEP.size]):
        now += (what >> 3) / 100
        if what & 7 == 6:
            window.expire(now)
            assert window.deadline is None or window.deadline > now
        elif what & 7 == 7:
            window.flush()
        else:
            pushed.append(_frame(number, form, len(pushed)))
            window.push(pushed[-1], now)
        assert len(window.held) <= _MOST_HELD and window._held_bytes <= _MOST_HELD_BYTES
        assert window._held_bytes == sum(len(frame) for _, frame in window.held.values())
    window.flush()
    assert not window.held and window._held_bytes == 0 and window.deadline is None
    assert len(delivered) + window.late == len(pushed)
    assert len(set(delivered)) == len(delivered) and set(delivered) <= set(pushed)
    _in_order([frame for frame in delivered if len(frame) >= 20 and frame[4] >> 6 == 2])


def camera_yaml(data: bytes) -> None:
    """A `cameras` list in YAML or JSON, as imported on the page and on the command line."""
    try:
        cameras = read_cameras(data.decode("utf-8", "replace"), "import")
    except SettingsError as error:
        assert str(error)
        for fault in error.faults:  # a camera's id may be any word, so its own is told
            assert PASSWORD not in fault.message + fault.field and len(fault.camera) <= 63
    else:
        assert len({camera.id for camera in cameras}) == len(cameras)


def its_list(data: bytes) -> None:
    """The open API of the National Transport Information Center, JSON or XML."""
    with contextlib.suppress(SettingsError):
        found = read_its(data, "its", purpose="traffic", record=False)
        assert len({camera.id for camera in found.cameras}) == len(found.cameras)
        assert all("://" in camera.main and camera.position for camera in found.cameras)


def _frame(number: int, form: int, unique: int) -> bytes:
    """An interleaved frame of RTP; a few are none, and some are of another source."""
    flags = 0x40 if form & 15 == 15 else 0x80
    source = 2 if form & 0x70 == 0x70 else 1
    body = struct.pack(">BBHIII", flags, 96, number, 0, source, unique) + bytes((form & 3) * 100)
    if form & 15 == 14:
        body = body[:8] + struct.pack(">I", unique)[1:]
    return b"$\x00" + len(body).to_bytes(2, "big") + body


def _in_order(frames: list[bytes]) -> None:
    """From packet to packet of a source the number grows, or it is a new beginning, which is far away."""
    last: tuple[int, int] | None = None
    for frame in frames:
        number, source = struct.unpack_from(">6xH4xI", frame)
        if last is not None and last[1] == source:
            assert 0 < number - last[0] & 0xFFFF <= 0x1_0000 - _BEHIND
        last = number, source
