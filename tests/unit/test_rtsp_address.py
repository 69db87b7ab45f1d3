"""Where to connect, and what a control attribute means."""

from __future__ import annotations

import pytest

from streams.errors import ConnectFailed, redact
from streams.rtsp.address import control_urls, credentials_in, is_same_place, parse_address, without_credentials

BASE = "rtsp://camera:554/live/ch1/"


@pytest.mark.parametrize(
    ("url", "host", "port", "uri"),
    [
        ("rtsp://camera", "camera", 554, "rtsp://camera"),
        ("rtsp://u:p%40@10.0.0.9:8554/a?b=c&d", "10.0.0.9", 8554, "rtsp://10.0.0.9:8554/a?b=c&d"),
        ("rtsps://[fe80::1]/x#y", "fe80::1", 322, "rtsps://[fe80::1]/x"),
    ],
)
def test_an_address_is_taken_apart(url: str, host: str, port: int, uri: str) -> None:
    address = parse_address(url)
    assert (address.host, address.port, address.uri) == (host, port, uri)
    assert address.is_tls == url.startswith("rtsps")


@pytest.mark.parametrize(
    "url", ["", "camera", "http://camera/", "rtsp://", "rtsp://a:99999/", "rtsp://[x/", "rtsp://a/b c"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ConnectFailed, match="no RTSP address"):
        parse_address(url)


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("rtsp://camera:8554/other", True),
        ("rtsps://camera/x", True),
        ("rtsp://elsewhere/x", False),
        ("rtsp://camera.elsewhere/x", False),
        ("nonsense", False),
    ],
)
def test_what_may_be_sent_to_one_url_may_be_sent_to_another(url: str, may: bool) -> None:
    assert is_same_place(url, "rtsp://camera/x") is may
    assert not is_same_place("rtsp://camera/x", "rtsps://camera/x")


def test_credentials_are_taken_out_of_urls() -> None:
    assert credentials_in("rtsp://us%3Aer:p%40ss@camera/x") == ("us:er", "p@ss")
    assert credentials_in("rtsp://camera/x") == (None, None)
    assert without_credentials("rtsp://user:pass@camera:1/x?y") == "rtsp://camera:1/x?y"
    assert redact("see rtsp://user:hunter2@camera/x, hunter2", "hunter2") == "see rtsp://camera/x, ***"


@pytest.mark.parametrize(
    ("base", "control", "first"),
    [
        (BASE, "trackID=1", "rtsp://camera:554/live/ch1/trackID=1"),
        (BASE[:-1], "trackID=1", "rtsp://camera:554/live/ch1/trackID=1"),
        ("rtsp://camera/cam?channel=1&subtype=0", "trackID=0", "rtsp://camera/cam?channel=1&subtype=0/trackID=0"),
        (BASE, "rtsp://u:p@10.0.0.1/x/trackID=1", "rtsp://10.0.0.1/x/trackID=1"),
        (BASE, "/live/ch1/video", "rtsp://camera:554/live/ch1/video"),
        (BASE, "*", BASE),
        (BASE, None, BASE),
    ],
)
def test_the_likeliest_control_url_is_tried_first(base: str, control: str | None, first: str) -> None:
    assert control_urls(base, "rtsp://camera:554/live/ch1", control)[0] == first


def test_a_wrong_content_base_leaves_the_requests_own_url_to_try() -> None:
    urls = control_urls("rtsp://0.0.0.0/nonsense/", "rtsp://camera/live", "trackID=1")
    assert "rtsp://camera/live/trackID=1" in urls
