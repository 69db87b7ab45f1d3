"""Transport headers as cameras write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rtsp.transport_header import ChosenTransport, parse_transport


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", ChosenTransport("udp")),
        ("RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=1", ChosenTransport("tcp", (4, 5))),
        ("RTP/AVP/TCP;interleaved=7", ChosenTransport("tcp", (7, 8))),
        ("RTP/AVP;unicast;interleaved=2-3", ChosenTransport("tcp", (2, 3))),
        ("RTP/AVP;unicast;client_port=4-5;server_port=6970-6971", ChosenTransport("udp", (0, 1), (6970, 6971))),
        ("RTP/AVP/UDP;server_port=6970", ChosenTransport("udp", (0, 1), (6970, 6971))),
        ("rtp/avp; Source = 192.0.2.1 ;SERVER_PORT=1-2", ChosenTransport("udp", (0, 1), (1, 2), "192.0.2.1")),
        ("RTP/AVP;source=camera.example;server_port=99999999999999-1", ChosenTransport("udp")),
    ],
)
def test_what_is_said_is_taken_and_the_rest_is_as_offered(header: str, chosen: ChosenTransport) -> None:
    assert parse_transport(header, "udp") == chosen


@given(st.text(max_size=200))
def test_any_text_is_some_transport(header: str) -> None:
    parse_transport(header, "tcp")
