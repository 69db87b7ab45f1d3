"""Session descriptions as cameras write them."""

from __future__ import annotations

import base64

import pytest

from streams.errors import BadAnswer, NotVideo, StreamError
from streams.rtsp.sdp import parse_video
from tests.rtp import PPS, PPS_265, SPS, SPS_265, VPS_265

HIKVISION = f"""v=0
o=- 1109162014219182 1109162014219192 IN IP4 x.y.z.w
s=Media Presentation
e=NONE
b=AS:5100
t=0 0
a=control:rtsp://10.0.0.64:554/Streaming/Channels/101/
m=video 0 RTP/AVP 96
c=IN IP4 0.0.0.0
b=AS:5000
a=recvonly
a=x-dimensions:1920,1080
a=control:rtsp://10.0.0.64:554/Streaming/Channels/101/trackID=1
a=rtpmap:96 H264/90000
a=fmtp:96 profile-level-id=420029; packetization-mode=1; \
sprop-parameter-sets={base64.b64encode(SPS).decode()},{base64.b64encode(PPS).decode()}
m=audio 0 RTP/AVP 8
a=control:rtsp://10.0.0.64:554/Streaming/Channels/101/trackID=2
a=rtpmap:8 PCMA/8000
m=application 0 RTP/AVP 107
a=rtpmap:107 vnd.onvif.metadata/90000
"""

H265 = f"""v=0
s=Session streamed with GStreamer
a=control:*
m=audio 0 RTP/AVP 0
m=video 0 RTP/AVP 97
a=rtpmap:97 H265/90000
a=framerate:15
a=fmtp:97 sprop-vps={base64.b64encode(VPS_265).decode()};sprop-sps={base64.b64encode(SPS_265).decode()};\
sprop-pps={base64.b64encode(PPS_265).decode()};sprop-max-don-diff=0
a=control:stream=1
"""


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_video_is_found_and_the_rest_is_named(line_end: str) -> None:
    media = parse_video(HIKVISION.replace("\n", line_end).encode())
    assert (media.codec, media.payload_type) == ("h264", 96)
    assert media.control == "rtsp://10.0.0.64:554/Streaming/Channels/101/trackID=1"
    assert media.session_control == "rtsp://10.0.0.64:554/Streaming/Channels/101/"
    assert media.parameter_sets == (SPS, PPS)
    assert media.others == ("audio/PCMA", "application/vnd.onvif.metadata")


def test_h265_brings_its_three_parameter_sets() -> None:
    media = parse_video(H265.encode())
    assert (media.codec, media.payload_type, media.control) == ("h265", 97, "stream=1")
    assert media.parameter_sets == (VPS_265, SPS_265, PPS_265)
    assert not media.has_order_numbers
    assert parse_video(H265.replace("don-diff=0", "don-diff=2").encode()).has_order_numbers


def test_parameter_sets_with_start_codes_zeros_or_nonsense_are_taken_as_far_as_they_go() -> None:
    prefixed = base64.b64encode(b"\x00\x00\x00\x01" + SPS + b"\x00\x00").decode().rstrip("=")
    text = f"m=video 0 RTP/AVP 96\na=rtpmap:96 h264/90000\na=fmtp:96 sprop-parameter-sets={prefixed},,%%%,Zg\n"
    assert parse_video(text.encode()).parameter_sets == (SPS, b"f")


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("m=audio 0 RTP/AVP 8\n", "audio/PCMA"),
        (
            "m=video 0 RTP/AVP 26\nm=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/16000\n",
            "video/JPEG, audio/MPEG4-GENERIC",
        ),
        ("m=application 0 RTP/AVP 107\na=rtpmap:107 H264/90000\n", "application/H264"),
    ],
)
def test_a_description_without_video_says_what_there_is(text: str, offered: str) -> None:
    with pytest.raises(NotVideo) as raised:
        parse_video(text.encode())
    assert raised.value.offered == offered
    assert raised.value.reason.startswith(f"stream is not video: only {offered} offered")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\x00", b"v=0\r\ns=nothing\r\n"])
def test_what_is_no_description_is_told(body: bytes) -> None:
    with pytest.raises(BadAnswer, match="lists no media"):
        parse_video(body)


def test_encrypted_and_interleaved_video_is_refused_with_the_mend() -> None:
    with pytest.raises(StreamError, match="SRTP"):
        parse_video(b"m=video 0 RTP/SAVP 96\na=rtpmap:96 H264/90000\n")
    with pytest.raises(StreamError, match="packetization-mode 2"):
        parse_video(b"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=2\n")
