"""Parameter sets and SEI as real encoders write them."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from streams.codecs.bits import BitReader, unescape
from streams.codecs.h264 import H264Syntax, recovery_frames
from streams.codecs.h265 import H265Syntax
from streams.codecs.syntax import NalKind, NalSyntax
from streams.errors import MalformedNal
from tests.rtp import PPS, PPS_265, SPS, SPS_265, SPS_1080, VPS_265


def encoded(codec: str, size: tuple[int, int], pixels: str = "yuv420p", **options: str) -> list[bytes]:
    """NAL units of three pictures."""
    context = av.CodecContext.create(codec, "w")
    context.width, context.height = size
    context.pix_fmt = pixels
    context.time_base = Fraction(1, 15)
    context.options = {"x265-params": "log-level=none", **options}
    stream = b""
    for number in range(3):
        frame = av.VideoFrame.from_ndarray(np.zeros((size[1], size[0], 3), np.uint8), format="bgr24")
        frame.pts = number
        stream += b"".join(bytes(part) for part in context.encode(frame.reformat(format=pixels)))
    stream += b"".join(bytes(part) for part in context.encode(None))
    return [nal for piece in stream.split(b"\x00\x00\x01") if (nal := piece.rstrip(b"\x00"))]


def size_in(nal_units: list[bytes], syntax: NalSyntax) -> tuple[int, int]:
    sizes = [
        size
        for nal in nal_units
        if syntax.kind(nal) is NalKind.PARAMETERS and (size := syntax.picture_size(nal)) is not None
    ]
    return sizes[0]


@pytest.mark.parametrize(
    ("size", "pixels", "options"),
    [
        ((640, 360), "yuv420p", {}),
        ((1920, 1080), "yuv420p", {"profile": "baseline"}),
        ((322, 182), "yuv420p", {"x264-params": "bframes=3"}),
        ((720, 576), "yuv420p", {"x264-params": "interlaced=1"}),
        ((640, 358), "yuv422p", {"profile": "high422"}),
        ((638, 358), "yuv444p", {"profile": "high444", "x264-params": "cqm=jvt"}),
    ],
)
def test_the_size_of_h264_is_that_of_the_encoder(size: tuple[int, int], pixels: str, options: dict[str, str]) -> None:
    assert size_in(encoded("libx264", size, pixels, **options), H264Syntax()) == size


@pytest.mark.parametrize(
    ("size", "pixels"), [((640, 360), "yuv420p"), ((322, 182), "yuv420p"), ((638, 358), "yuv444p")]
)
def test_the_size_of_h265_is_that_of_the_encoder(size: tuple[int, int], pixels: str) -> None:
    nal_units = encoded("libx265", size, pixels)
    syntax = H265Syntax()
    assert size_in(nal_units, syntax) == size
    assert syntax.is_key([nal for nal in nal_units if syntax.kind(nal) is NalKind.SLICE][:1])


def test_parameter_sets_are_told_apart_by_type_and_id() -> None:
    syntax, syntax_265 = H264Syntax(), H265Syntax()
    assert [syntax.parameter_key(nal) for nal in (SPS, SPS_1080, PPS)] == [(7, 0), (7, 0), (8, 0)]
    assert [syntax_265.parameter_key(nal) for nal in (VPS_265, SPS_265, PPS_265)] == [(32, 0), (33, 0), (34, 0)]


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_torn_sequence_parameter_set_is_malformed(cut: int) -> None:
    with pytest.raises(MalformedNal):
        H264Syntax().picture_size(SPS[:cut])


def test_recovery_points_are_found_behind_other_messages() -> None:
    long_message = b"\x05\xff\x02" + bytes(range(1, 256)) + b"\x00\x00"
    assert recovery_frames(b"\x06" + long_message + b"\x06\x01\xc4\x80") == 0
    escaped = b"\x06\x01\x03\x00\x00\x03\x01\x06\x01\xc4\x80"
    assert recovery_frames(escaped) == 0
    assert recovery_frames(b"\x06\x06\x01\x2c\x80") == 4
    assert recovery_frames(b"\x06" + long_message + b"\x80") is None
    assert recovery_frames(b"\x06\x06") is None
    assert recovery_frames(b"\x06" + b"\xff" * 50) is None


def test_key_frames_of_open_gops_are_known_by_their_recovery_points() -> None:
    nal_units = encoded(
        "libx264", (320, 180), **{"x264-params": "open-gop=1:keyint=2:min-keyint=1:bframes=1:b-adapt=0"}
    )
    assert [recovery_frames(nal) for nal in nal_units if nal[0] & 0x1F == 6].count(0) == 1


def test_bits_are_read_as_the_standard_says() -> None:
    reader = BitReader(bytes((0b10100110, 0b01000010, 0b10010000)))
    assert [reader.unsigned() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert reader.signed() == 2
    assert unescape(b"\x00\x00\x03\x01\x00\x00\x03") == b"\x00\x00\x01\x00\x00"
    with pytest.raises(MalformedNal):
        BitReader(b"\x00" * 8).unsigned()
