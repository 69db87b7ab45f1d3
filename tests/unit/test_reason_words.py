"""What workers say of a camera that is not live is known to the pages, which say it in Korean."""

from __future__ import annotations

import json

import pytest

from control_center.fleet import SWITCHED_OFF
from streams import running_camera
from streams.errors import NotVideo, Redirected
from streams.rtsp.reasons import how_to_mend, why_not_connected, why_quiet, why_unauthorized, why_undecodable
from tests.requirements import ROOT

KNOWN = [part for part, _ in json.loads((ROOT / "operator_ui/src/city/reasons.json").read_text(encoding="utf-8"))]
SAID = [
    "no answer from 192.0.2.1:554 within 5 s; check address, power and network",
    "camera closed the connection",
    why_not_connected(ConnectionRefusedError(111, "refused"), "192.0.2.1:554"),
    why_not_connected(OSError(113, "No route to host"), "192.0.2.1:554"),
    *(mend for status in (403, 404, 453, 461, 500, 503) if (mend := how_to_mend(status, "/main"))),
    why_unauthorized(True),
    why_unauthorized(False),
    why_quiet(None, over_udp=True),
    why_quiet(None, over_udp=False),
    why_undecodable(None),
    str(NotVideo("audio")),
    str(Redirected("rtsp://192.0.2.2/")),
    SWITCHED_OFF,
    running_camera.SWITCHED_OFF,
]


@pytest.mark.parametrize("said", SAID)
def test_the_pages_know_what_workers_say(said: str) -> None:
    assert [part for part in KNOWN if part in said]
