"""No input of a camera crashes a parser: typed errors at most, and bounded state."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.codecs.h264 import H264Syntax
from streams.codecs.h265 import H265Syntax
from streams.codecs.syntax import NalKind
from streams.errors import MalformedNal, StreamError
from streams.rtsp.address import control_urls, parse_address
from streams.rtsp.auth import Authenticator
from streams.rtsp.message import parse_message
from streams.rtsp.rtcp import parse_rtcp
from streams.rtsp.scanner import scan_in_python
from streams.rtsp.sdp import parse_video
from tests.rtp import (
    B_SLICE,
    IDR,
    LATER_SLICE,
    P_SLICE,
    PPS,
    PPS_265,
    SPS,
    SPS_265,
    VPS_265,
    Camera,
    Receiver,
    interleaved,
    packet,
)

EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAL_UNITS = st.sampled_from((SPS, PPS, IDR, P_SLICE, B_SLICE, LATER_SLICE, VPS_265, SPS_265, PPS_265))


@st.composite
def torn(draw: st.DrawFn, sound: bytes) -> bytes:
    """`sound` with bytes changed, cut and put in."""
    data = bytearray(sound)
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(data)))
        if draw(st.booleans()):
            data[at : at + 1] = draw(st.binary(max_size=3))
        else:
            del data[at : at + draw(st.integers(0, 40))]
    return bytes(data)


@st.composite
def interleaved_streams(draw: st.DrawFn) -> bytes:
    """Frames of pictures, with faults of every kind."""
    camera = Camera(sequence=draw(st.sampled_from((0, 65_530))))
    camera.codec = draw(st.sampled_from(("h264", "h265")))
    pieces = [camera.proven()]
    for nal_units in draw(st.lists(st.lists(NAL_UNITS, min_size=1, max_size=3), max_size=6)):
        frames = camera.packets(*nal_units, markers=draw(st.sampled_from(("last", "never", "each"))))
        pieces += [frame for frame in frames if draw(st.integers(0, 9))]
        camera.stamp = (camera.stamp + draw(st.sampled_from((0, 1, -9_000, 2**31)))) % 2**32
        if not draw(st.integers(0, 4)):
            pieces.append(interleaved(packet(draw(st.binary(max_size=50)), draw(st.integers(0, 65_535)))))
        if not draw(st.integers(0, 4)):
            pieces.append(draw(st.binary(max_size=50)))
    return draw(torn(b"".join(pieces)))


def receive(data: bytes, codec: str, read_size: int) -> None:
    receiver, by_python = (
        Receiver("h265" if codec == "h265" else "h264", scan=scan) for scan in (None, scan_in_python)
    )
    receiver.feed(data, read_size)
    by_python.feed(data, read_size)
    assert receiver.outcome == by_python.outcome
    if receiver.connection.lost.done():
        error = receiver.connection.lost.result()
        assert "internal fault" not in error.reason
    assert len(receiver.connection._left) < 1024 * 1024
    for unit in receiver.units:
        assert unit.nal_units and unit.pts_90k >= 0
        assert unit.parameters.width > 0


@EXAMPLES
@given(data=interleaved_streams(), codec=st.sampled_from(("h264", "h265")), read_size=st.integers(0, 40))
def test_any_stream_of_frames(data: bytes, codec: str, read_size: int) -> None:
    async def run() -> None:
        receive(data, codec, read_size)

    asyncio.run(run())


@EXAMPLES
@given(data=st.binary(max_size=400), codec=st.sampled_from(("h264", "h265")), read_size=st.integers(0, 40))
def test_any_bytes(data: bytes, codec: str, read_size: int) -> None:
    async def run() -> None:
        receive(b"$" + data, codec, read_size)
        receive(data, codec, read_size)

    asyncio.run(run())


@EXAMPLES
@given(st.one_of(st.binary(max_size=120), NAL_UNITS.flatmap(torn)))
def test_any_nal_unit(nal: bytes) -> None:
    for syntax in (H264Syntax(), H265Syntax()):
        if len(nal) < syntax.header_bytes:
            continue
        syntax.starts_picture(nal)
        syntax.is_key((nal,))
        syntax.refreshes_gradually((nal,))
        syntax.is_reference(nal)
        syntax.needs_earlier_gop(nal)
        if syntax.kind(nal) is NalKind.PARAMETERS:
            with contextlib.suppress(MalformedNal):
                syntax.parameter_key(nal)
                syntax.picture_size(nal)


SDP = (
    b"v=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n"
    b"a=fmtp:96 sprop-vps=QAEMAf//;sprop-max-don-diff=1\r\na=control:trackID=1\r\n"
)


@EXAMPLES
@given(st.one_of(st.binary(max_size=300), torn(SDP)))
def test_any_description(body: bytes) -> None:
    with contextlib.suppress(StreamError):
        parse_video(body)


MESSAGE = (
    b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nContent-Length: 4\r\n"
    b'WWW-Authenticate: Digest realm="a", nonce="b", qop="auth", algorithm=SHA-256\r\n\r\nbody'
)
CHUNKED = b"RTSP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


@EXAMPLES
@given(st.one_of(st.binary(max_size=300), torn(MESSAGE), torn(CHUNKED)))
def test_any_message(data: bytes) -> None:
    with contextlib.suppress(StreamError):
        parsed = parse_message(memoryview(data), 0, len(data))
        if parsed is not None:
            message, end = parsed
            assert 0 < end <= len(data)
            authenticator = Authenticator("user", "password")
            if authenticator.accept(message.all_headers("www-authenticate")):
                assert "password" not in (authenticator.header("PLAY", "rtsp://x") or "")


@EXAMPLES
@given(st.binary(max_size=100))
def test_any_control_packet(data: bytes) -> None:
    parse_rtcp(memoryview(data))


@EXAMPLES
@given(st.text("rtsp:/[]@.#?%1a ", max_size=20), st.text("rtsp:/[]@.#?%1a ", max_size=20))
def test_any_address_and_control(url: str, control: str) -> None:
    with contextlib.suppress(StreamError):
        parse_address(url)
    with contextlib.suppress(StreamError):
        assert control_urls("rtsp://camera/x/", "rtsp://camera/x", control)
