"""The relay's offers and answers, with the offer of a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription

from streams.relay.errors import BadOffer, NoCommonCodec
from streams.relay.sdp import AnswerTransport, Extensions, choose_format, parse_candidates, parse_offer, write_answer

CHROMIUM = (Path(__file__).parents[1] / "media" / "offers" / "chromium-156.sdp").read_text()
OURS = AnswerTransport("user", "p" * 22, ("1 1 udp 2130706431 127.0.0.1 5000 typ host",), ("sha-256", "AA:BB"))


def _answer(sdp: str, profile: int = 0x64) -> SessionDescription:
    offer = parse_offer(sdp)
    h264 = choose_format(offer, profile)
    text = write_answer(offer, h264, OURS, ssrc=7, stream_id="cam", session_id=1)
    return SessionDescription.parse(text)


def test_the_offer_of_chromium_is_understood() -> None:
    offer = parse_offer(CHROMIUM)
    assert [h264.payload_type for h264 in offer.formats] == [102, 108, 116, 41]
    assert {"nack", "nack pli"} <= offer.formats[0].feedback
    assert (offer.video, [section.kind for section in offer.sections]) == (0, ["video", "audio"])
    assert offer.transport.ice_user == "pm1N"
    assert offer.transport.we_are_dtls_server
    assert len(offer.transport.candidates) == 2
    assert offer.transport.fingerprints[0][0] == "sha-256"


@pytest.mark.parametrize(("camera", "chosen"), [(0x42, 102), (0x4D, 116), (0x64, 116), (0, 116)])
def test_the_offered_format_nearest_to_the_cameras_profile_is_chosen(camera: int, chosen: int) -> None:
    assert choose_format(parse_offer(CHROMIUM), camera).payload_type == chosen


def test_a_high_profile_camera_is_answered_with_baseline_where_nothing_else_is_offered() -> None:
    only = "\r\n".join(line for line in CHROMIUM.splitlines() if "4d001f" not in line and "f4001f" not in line)
    assert choose_format(parse_offer(only), 0x64).profile_level_id in ("42001f", "42e01f")


def test_the_answer_sends_video_and_rejects_audio() -> None:
    answer = _answer(CHROMIUM)
    video, audio = answer.media
    assert (video.direction, video.fmt, video.rtcp_mux) == ("sendonly", [116], True)
    assert video.dtls is not None and video.dtls.role == "server"
    assert [c.port for c in video.ice_candidates] == [5000]
    assert (audio.kind, audio.port) == ("audio", 0)
    assert [str(group) for group in answer.group] == ["BUNDLE 0"]


def test_the_second_video_section_is_answered_when_the_first_only_sends() -> None:
    head, _, rest = CHROMIUM.partition("m=video")
    video, _, audio = rest.partition("m=audio")
    section = "m=video" + video
    sending = section.replace("a=recvonly", "a=sendonly").replace("a=mid:0", "a=mid:5")
    answer = _answer(head + sending + section + "m=audio" + audio)
    assert [media.port for media in answer.media] == [0, 9, 0]
    assert answer.media[1].rtp.muxId == "0"


def test_transport_attributes_of_the_session_stand_in_for_missing_ones_of_the_section() -> None:
    lines = CHROMIUM.splitlines()
    moved = [line for line in lines if line.startswith(("a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup"))]
    first = lines.index(next(line for line in lines if line.startswith("m=")))
    offer = "\r\n".join(lines[:first] + moved[:4] + [line for line in lines[first:] if line not in moved])
    assert parse_offer(offer).transport.ice_user == "pm1N"


@pytest.mark.parametrize(
    ("sdp", "error", "says"),
    [
        ("", BadOffer, "v=0"),
        ("hello", BadOffer, "v=0"),
        ("v=0\r\ns=-\r\n", BadOffer, "0 media sections"),
        ("v=0\r\nm=nonsense\r\n", BadOffer, "media line"),
        ("v=0\r\n" + "x" * 70_000, BadOffer, "longer than"),
        ("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", NoCommonCodec, "no video section"),
        (CHROMIUM.replace("packetization-mode=1", "packetization-mode=0"), NoCommonCodec, "mode 1"),
        (CHROMIUM.replace("H264/", "AV1X/"), NoCommonCodec, "no H.264"),
        (CHROMIUM.replace("a=rtcp-mux\n", "").replace("a=rtcp-mux\r\n", ""), BadOffer, "rtcp-mux"),
        (CHROMIUM.replace("a=ice-pwd", "a=x-pwd"), BadOffer, "ice-pwd"),
        (CHROMIUM.replace("a=fingerprint", "a=x-print"), BadOffer, "fingerprint"),
        (CHROMIUM.replace("fingerprint:sha-256", "fingerprint:md5"), BadOffer, "sha-256"),
    ],
)
def test_an_offer_that_cannot_be_answered_is_refused_with_the_reason(
    sdp: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        parse_offer(sdp)


def test_candidates_are_read_from_a_trickle_fragment() -> None:
    fragment = "a=ice-ufrag:pm1N\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.9 1000 typ host\r\na=end-of-candidates\r\n"
    assert parse_candidates(fragment) == ("1 1 udp 1 192.0.2.9 1000 typ host",)


def _answered(sdp: str) -> str:
    offer = parse_offer(sdp)
    return write_answer(offer, choose_format(offer, 0x64), OURS, ssrc=7, stream_id="cam", session_id=1)


def test_feedback_and_header_extensions_are_answered_with_the_numbers_of_the_offer() -> None:
    answer = _answered(CHROMIUM)
    assert re.findall(r"a=rtcp-fb:116 (.+)\r\n", answer) == ["goog-remb", "ccm fir", "nack", "nack pli"]
    assert dict(re.findall(r"a=extmap:(\d+) \S+[/:]([a-z-]+)\r\n", answer)) == {
        "2": "abs-send-time",
        "5": "playout-delay",
        "9": "mid",
    }
    assert parse_offer(CHROMIUM).extensions == Extensions(abs_send_time=2, playout_delay=5, mid=9)
    assert parse_offer(CHROMIUM).mid == "0"


def test_what_is_not_offered_is_not_answered() -> None:
    bare = re.sub(r"a=(extmap|rtcp-fb):.*\r?\n", "", CHROMIUM)
    answer = _answered(bare)
    assert "extmap" not in answer
    assert "rtcp-fb" not in answer
    assert parse_offer(bare).extensions == Extensions()


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("a=extmap:14 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", 14),
        ("a=extmap:14/recvonly http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", 14),
        ("a=extmap:14 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time with=attributes", 14),
        ("a=extmap:14/sendonly http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", None),
        ("a=extmap:14/inactive http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", None),
        ("a=extmap:15 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", None),
        ("a=extmap:0 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", None),
        ("a=extmap:x http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", None),
        ("a=extmap:14", None),
    ],
)
def test_an_extension_is_taken_when_the_browser_would_receive_it_with_a_one_byte_header(
    line: str, number: int | None
) -> None:
    assert parse_offer(CHROMIUM.replace("a=recvonly", f"{line}\r\na=recvonly", 1)).extensions.abs_capture_time == number


def test_a_mid_that_fits_no_one_byte_header_goes_without_its_extension() -> None:
    assert parse_offer(CHROMIUM.replace("a=mid:0", "a=mid:" + "m" * 17)).extensions.mid is None
    assert parse_offer(CHROMIUM.replace("a=mid:0", "a=mid:" + "m" * 16)).extensions.mid == 9
