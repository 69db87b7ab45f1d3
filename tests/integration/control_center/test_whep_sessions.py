"""A live picture's session through the center, with a real relay behind it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from config.settings import TurnSettings, WorkerSettings
from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.ice_servers import IceServers
from streams.relay import Relay
from tests.browser import serve
from tests.clips import make_clip
from tests.integration.control_center.conftest import NAME, PASSWORD, RunningCenter, heartbeat, serving, settings_in
from tests.live_feed import append_now, load_units
from tests.requirements import ROOT

WHEP = "/api/v1/cameras/gate/whep"
OFFER = {
    "content": (ROOT / "tests" / "media" / "offers" / "chromium-156.sdp").read_text(),
    "headers": {"Content-Type": "application/sdp"},
}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
CANDIDATES = "a=ice-ufrag:pm1N\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
SECRET = "a-secret-that-coturn-shares"
TURN = TurnSettings.model_validate(
    {"urls": ["turn:turn.example", "turn:turn.example?transport=tcp"], "secret": SECRET, "credential_seconds": 600}
)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> list[AccessUnit]:
    return load_units(make_clip(tmp_path_factory.mktemp("clips") / "a.mp4", 1, 15, (160, 90), 15, 60_000, "baseline"))


@asynccontextmanager
async def with_worker(center: RunningCenter, units: list[AccessUnit]) -> AsyncIterator[Relay]:
    """A worker that has the camera `gate`, main and sub."""
    main, sub = GopBuffer(), GopBuffer()
    append_now(main, units[:5])
    append_now(sub, units[:5])
    relay = Relay({("gate", "main"): main, ("gate", "sub"): sub}, WorkerSettings())
    async with serve(relay, IceServers(TURN)) as base:
        beat = heartbeat(gate_main=("live", ""), gate_sub=("live", "")) | {"base_url": base}
        async with center.worker() as worker:
            assert (await worker.post("/internal/v1/workers/w0/heartbeat", json=beat)).status_code == 200
        yield relay
        await relay.close()


def kind(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:haechi:problem:")


async def test_what_whep_says_of_a_session_holds_through_the_center(
    sqlite_center: RunningCenter, units: list[AccessUnit]
) -> None:
    async with with_worker(sqlite_center, units) as relay, sqlite_center.signed_in() as client:
        opened = await client.post(WHEP, params={"stream": "auto"}, **OFFER)
        assert opened.status_code == 201, opened.text
        location, tag = opened.headers["location"], {"If-Match": opened.headers["etag"]}
        links = opened.headers["link"].split(", ")
        assert links[0] == f'<{location}/layer>; rel="urn:ietf:params:whep:ext:core:layer"'
        assert [link.partition(";")[0] for link in links[1:]] == [f"<{url}>" for url in TURN.urls]
        assert opened.headers["accept-patch"] == FRAGMENT["Content-Type"]
        assert (await client.patch(location, content=CANDIDATES, headers=FRAGMENT | tag)).status_code == 204
        assert kind(await client.patch(location, content=CANDIDATES, headers=FRAGMENT)) == (428, "if-match-required")
        stale = await client.patch(location, content=CANDIDATES, headers=FRAGMENT | {"If-Match": '"x"'})
        assert kind(stale) == (412, "stale-ice-session")
        restart = CANDIDATES.replace("pm1N", "nEw1")
        answer = await client.patch(location, content=restart, headers=FRAGMENT | {"If-Match": "*"})
        assert kind(answer) == (422, "ice-restart-not-supported")
        wrong = await client.post(WHEP, content="v=0", headers={"Content-Type": "text/plain"})
        assert (*kind(wrong), wrong.headers["accept-post"]) == (415, "wrong-content-type", "application/sdp")
        assert kind(await client.post(WHEP, content="nonsense", headers=OFFER["headers"])) == (400, "bad-offer")
        other = str(OFFER["content"]).replace("H264", "H265")
        assert kind(await client.post(WHEP, content=other, headers=OFFER["headers"])) == (406, "no-common-codec")
        assert kind(await client.get(location))[0] == 405
        assert (await client.delete(location, headers={"If-Match": '"x"'})).status_code == 200
        assert relay.session_count <= 1


async def test_a_layer_is_chosen_through_the_center_with_the_right_to_the_picture(
    sqlite_center: RunningCenter, units: list[AccessUnit]
) -> None:
    async with with_worker(sqlite_center, units) as relay, sqlite_center.signed_in() as client:
        location = (await client.post(WHEP, **OFFER)).headers["location"]
        session = relay.session("gate", location.rpartition("/")[2])
        assert session.stream_key == ("gate", "main")
        assert (await client.post(f"{location}/layer", json={"encodingId": "sub"})).status_code == 204
        assert session.stream_key == ("gate", "sub")
        assert kind(await client.post(f"{location}/layer", json={"encodingId": "third"})) == (422, "bad-layer")
        assert kind(await client.post(f"{WHEP}/none/layer", json={})) == (404, "unknown-session")
        async with sqlite_center.client() as nobody:
            assert kind(await nobody.post(f"{location}/layer", json={"encodingId": "main"})) == (401, "not-signed-in")
        assert session.stream_key == ("gate", "sub")


async def test_anyone_may_ask_what_whep_takes_but_no_other_site_is_let_in(sqlite_center: RunningCenter) -> None:
    preflight = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    async with sqlite_center.client() as client:
        for path, header in ((WHEP, "accept-post"), (f"{WHEP}/session", "accept-patch")):
            answer = await client.options(path, headers=preflight)
            assert answer.status_code == 200
            assert answer.headers[header] in {"application/sdp", FRAGMENT["Content-Type"]}
            assert "access-control-allow-origin" not in answer.headers


async def test_a_player_without_cookies_signs_in_with_a_bearer_token(
    sqlite_center: RunningCenter, units: list[AccessUnit]
) -> None:
    async with with_worker(sqlite_center, units), sqlite_center.signed_in() as browser:
        token = next(iter(browser.cookies.values()))
        async with sqlite_center.client(headers={"Authorization": f"Bearer {token}"}) as player:
            location = (await player.post(WHEP, **OFFER)).headers["location"]
            assert (await player.delete(location)).status_code == 200
            assert (await browser.delete("/api/v1/session")).status_code == 204
            refused = await player.post(WHEP, **OFFER)
        assert kind(refused) == (401, "not-signed-in")
        assert refused.headers["www-authenticate"] == "Bearer"
        async with sqlite_center.client(headers={"Authorization": "Bearer worker-token"}) as stranger:
            assert kind(await stranger.post(WHEP, **OFFER)) == (401, "not-signed-in")


async def test_turn_credentials_expire_and_are_those_that_coturn_computes(tmp_path: Path) -> None:
    settings = settings_in(tmp_path).model_copy(update={"turn": TURN})
    before = time.time()
    async with serving(settings) as center, center.signed_in() as client:
        answer = (await client.get("/api/v1/ice-servers")).json()
        again = (await client.get("/api/v1/ice-servers")).json()
        async with center.client() as nobody:
            assert (await nobody.get("/api/v1/ice-servers")).status_code == 401
    (server,) = answer["ice_servers"]
    assert server["urls"] == list(TURN.urls)
    assert again["ice_servers"][0]["username"] != server["username"]
    until, _, word = server["username"].partition(":")
    assert before + 599 <= int(until) <= time.time() + 600
    assert NAME not in word and PASSWORD not in str(answer) and SECRET not in str(answer)
    # RFC 2104 over the user name, as in coturn's README.turnserver, --use-auth-secret
    expected = hmac.new(SECRET.encode(), server["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(server["credential"]) == expected
    expires_at = datetime.fromisoformat(answer["expires_at"])
    assert abs(expires_at - datetime.fromtimestamp(int(until), UTC)) < timedelta(seconds=2)


async def test_without_turn_servers_in_the_settings_there_are_none(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client:
        assert (await client.get("/api/v1/ice-servers")).json()["ice_servers"] == []
