"""What is fuzzed: each target takes any bytes, raises AssertionError or an untyped error where a parser fails.

Targets must be called in a running event loop (connections make futures). The typed errors of the parsers are the
only ones that a target swallows. Targets that read streams end with sound pictures, which must come through, and
compare what the forms of the scanner make of the input.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

from streams.access_unit import CodecParameters
from streams.camera_list import CameraListError
from streams.camera_list import parse as parse_camera_list
from streams.codecs.h264 import H264Syntax
from streams.codecs.h265 import H265Syntax
from streams.codecs.syntax import NalKind
from streams.errors import MalformedNal, Place, StreamError
from streams.fmp4 import initialization
from streams.recording_index import SegmentRow
from streams.recovery import _recover_row, scan_segment
from streams.rtsp.address import control_urls, credentials_in, parse_address, without_credentials
from streams.rtsp.auth import Authenticator
from streams.rtsp.connection import RtspConnection
from streams.rtsp.message import Message, parse_message
from streams.rtsp.rtcp import parse_rtcp
from streams.rtsp.scanner import Scan, scan, scan_in_python
from streams.rtsp.sdp import parse_video
from tests.fuzz.list_targets import PASSWORD, camera_yaml, its_list, playlist, reorder
from tests.rtp import IDR, PPS_265, SPS_265, VPS_265, Camera, Receiver, interleaved

Target = Callable[[bytes], None]

IDR_265 = b"\x26\x01\x80" + bytes(range(1, 120))
_BASE = "rtsp://camera/main"
_READ_SIZES = (0, 1, 7, 60, 1400, 4096)
_SPLIT_BYTES = 600
_LEAST_FOLLOWING, _MOST_FOLLOWING = 2_000, 1_200_000
_MAX_LEFT = 1024 * 1024
_MAX_SET_BYTES = 16 * 1024  # larger ones never get to the recorder
_MAX_HELD = 9 * 1024 * 1024


def h264_stream(data: bytes) -> None:
    """The first byte chooses the size of the reads, the rest is what the camera sends after PLAY."""
    _stream(data[1:], "h264", _read_size(data))


def h265_stream(data: bytes) -> None:
    """As `h264_stream`."""
    _stream(data[1:], "h265", _read_size(data))


def h264_packets(data: bytes) -> None:
    """RTP packets, each behind its length in 16 bits: the framing is sound, whatever the packets are."""
    _stream(_framed(data), "h264", 0)


def h265_packets(data: bytes) -> None:
    """As `h264_packets`."""
    _stream(_framed(data), "h265", 0)


def handshake(data: bytes) -> None:
    """The first byte chooses the size of the reads, the rest is what comes before PLAY was answered."""
    connection = RtspConnection(Place())
    answered: list[Message] = []
    connection._answered = answered.append  # type: ignore[method-assign]
    _feed(connection, data[1:], _read_size(data))
    if connection.lost.done():
        assert isinstance(connection.lost.result(), StreamError)
        assert "internal fault" not in connection.lost.result().reason
    assert len(connection._left) <= _MAX_LEFT
    for message in answered:
        _use(message)


def message(data: bytes) -> None:
    """Messages one behind the other, each used as the client uses an answer."""
    pos = 0
    with contextlib.suppress(StreamError):
        while (parsed := parse_message(memoryview(data), pos, len(data))) is not None:
            found, end = parsed
            assert pos < end <= len(data)
            _use(found)
            pos = end


def sdp(data: bytes) -> None:
    """A description, its control URLs and its parameter sets."""
    with contextlib.suppress(StreamError):
        media = parse_video(data)
        assert all(media.parameter_sets)
        for uri in control_urls(_BASE, _BASE, media.control):
            assert PASSWORD not in without_credentials(uri)
        for nal in media.parameter_sets:
            _nal_unit(nal)


def challenge(data: bytes) -> None:
    """WWW-Authenticate headers, one a line."""
    _authenticate(data.decode("utf-8", "replace").split("\n"))


def url(data: bytes) -> None:
    """A URL: of a camera's definition, of a redirect, of a control attribute."""
    text = data.decode("utf-8", "replace")
    credentials_in(text)
    without_credentials(text)
    with contextlib.suppress(StreamError):
        address = parse_address(text)
        assert address.host and 0 <= address.port < 65_536
        assert parse_address(address.uri).host == address.host
    with contextlib.suppress(StreamError):
        control_urls(_BASE, _BASE, text)
    with contextlib.suppress(StreamError):
        control_urls(text, _BASE, "trackID=0")


def rtcp(data: bytes) -> None:
    """A compound packet."""
    assert len(parse_rtcp(memoryview(data))) <= len(data)


def nal(data: bytes) -> None:
    """A NAL unit of either codec."""
    _nal_unit(data)


def recording(data: bytes) -> None:
    """A segment whose writer died: the scan says what is sound, recovery cuts the rest, a second scan agrees."""
    path = _recordings() / "recordings" / "gate" / "2026" / "03" / "01" / "120000.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    found = scan_segment(path)
    assert 0 <= found.good_bytes <= found.file_bytes == len(data)
    started_at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    relative = str(path.relative_to(_recordings()))
    row = SegmentRow("a", "gate", relative, started_at, started_at, 0.0, 0, None, "open")
    rows = list(_recover_row(_recordings(), row))
    assert len(rows) == 1 and rows[0].state == "recovered"
    kept = path.read_bytes()
    assert data.startswith(kept) and rows[0].byte_count == len(kept)
    again = scan_segment(path)
    assert (again.fragment_count, again.good_bytes) == (found.fragment_count, found.good_bytes)


def cameras(data: bytes) -> None:
    """A worker's list of cameras."""
    with contextlib.suppress(CameraListError):
        for fault in parse_camera_list(data, "kept").faults:
            assert PASSWORD not in fault.reason


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        target.__name__: target
        for target in (
            h264_stream,
            h265_stream,
            h264_packets,
            h265_packets,
            handshake,
            message,
            sdp,
            challenge,
            url,
            rtcp,
            nal,
            recording,
            cameras,
            playlist,
            reorder,
            camera_yaml,
            its_list,
        )
    }
)


# --- reading


def _read_size(data: bytes) -> int:
    return _READ_SIZES[data[0] % len(_READ_SIZES)] if data else 0


def _framed(data: bytes) -> bytes:
    frames, pos = [], 0
    while pos + 2 <= len(data):
        size = int.from_bytes(data[pos : pos + 2], "big")
        frames.append(interleaved(data[pos + 2 : pos + 2 + size]))
        pos += 2 + size
    return b"".join(frames)


def _feed(connection: RtspConnection, data: bytes, read_size: int) -> None:
    """Small reads for the first part, large ones for the rest: what is split matters, not how often."""
    pos = 0
    while pos < len(data):
        step = read_size if read_size and pos < _SPLIT_BYTES else 65_536
        part = data[pos : pos + step]
        connection.get_buffer(-1)[: len(part)] = part
        connection.buffer_updated(len(part))
        pos += len(part)


def _stream(data: bytes, codec: str, read_size: int) -> None:
    receiver = _read(data, codec, read_size, scan)
    if scan is not scan_in_python:
        assert receiver.outcome == _read(data, codec, read_size, scan_in_python).outcome
    connection, assembler, rtp = receiver.connection, receiver.assembler, receiver.rtp
    assert len(connection._left) <= _MAX_LEFT
    assert len(rtp._depacketizer.fragment) <= _MAX_HELD and assembler._byte_count <= _MAX_HELD
    for unit in receiver.units:
        assert unit.nal_units and unit.pts_90k >= 0 and unit.parameters.width > 0
    if connection.lost.done():
        assert "internal fault" not in connection.lost.result().reason
        return
    _must_still_see(receiver, codec)


def _read(data: bytes, codec: str, read_size: int, scan: Scan) -> Receiver:
    receiver = Receiver("h264", scan=scan)
    if codec == "h265":
        receiver = Receiver("h265", (VPS_265, SPS_265, PPS_265), scan=scan)
    receiver.connection.on_control = _control
    _feed(receiver.connection, data, read_size)
    return receiver


def _control(packet: memoryview) -> None:
    parse_rtcp(packet)


def _must_still_see(receiver: Receiver, codec: str) -> None:
    """Sound pictures of the same source come through, behind whatever length a torn frame or message promised."""
    rtp = receiver.rtp
    source = (rtp.ssrc if rtp.ssrc >= 0 else 0xC0FFEE).to_bytes(4, "big")
    camera = Camera(sequence=rtp._next_sequence + 1000 & 0xFFFF, stamp=rtp.last_stamp + 90_000)
    camera.codec = codec
    key = IDR if codec == "h264" else IDR_265
    fed, size = 0, _LEAST_FOLLOWING
    while fed < _MOST_FOLLOWING:
        seen = len(receiver.units)
        part = b"".join(_from_source(frame, source) for _ in range(3) for frame in camera.packets(key))
        part *= 1 + size // len(part) if fed else 1
        _feed(receiver.connection, part, 0)
        if len(receiver.units) > seen or receiver.connection.lost.done():
            return
        fed, size = fed + len(part), size * 4
    raise AssertionError(f"blind for {fed} bytes of sound pictures")


def _from_source(frame: bytes, source: bytes) -> bytes:
    return frame[:12] + source + frame[16:]


# --- using what was parsed


def _use(message: Message) -> None:
    assert message.sequence >= -1
    _authenticate(message.all_headers("www-authenticate"))
    with contextlib.suppress(StreamError):
        parse_address(message.header("location") or "")
    with contextlib.suppress(StreamError):
        control_urls(message.header("content-base") or "", _BASE, None)
    if message.body:
        sdp(message.body)


def _authenticate(headers: list[str]) -> None:
    authenticator = Authenticator("user", PASSWORD)
    if authenticator.accept(headers):
        assert PASSWORD not in (authenticator.header("PLAY", _BASE) or "")


def _nal_unit(data: bytes) -> None:
    for syntax in (H264Syntax(), H265Syntax()):
        if len(data) < syntax.header_bytes:
            continue
        syntax.starts_picture(data)
        syntax.is_key((data,))
        syntax.refreshes_gradually((data,))
        syntax.is_reference(data)
        syntax.needs_earlier_gop(data)
        if syntax.kind(data) is NalKind.PARAMETERS and len(data) <= _MAX_SET_BYTES:
            with contextlib.suppress(MalformedNal):
                syntax.parameter_key(data)
                size = syntax.picture_size(data)
                if size is not None:
                    initialization(CodecParameters(syntax.codec, _sets(syntax.codec, data), *size))


def _sets(codec: str, sps: bytes) -> tuple[bytes, ...]:
    return (sps, b"\x68\xce\x0f\xc8") if codec == "h264" else (VPS_265, sps, PPS_265)


@cache
def _recordings() -> Path:
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="haechi-fuzz-", dir=memory if os.access(memory, os.W_OK) else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
