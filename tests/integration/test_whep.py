"""WHEP as its draft says (draft-ietf-wish-whep-03, RFC 9725), and the addresses that its answers name."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aioice.ice import get_host_addresses

from config.settings import TurnSettings, WorkerSettings
from streams.access_unit import AccessUnit
from streams.gop_buffer import GopBuffer
from streams.ice_servers import IceServers
from streams.relay import Relay
from tests.browser import chromium, serve
from tests.clips import make_clip
from tests.light_receivers import gathering_only
from tests.live_feed import LiveFeed, append_now, load_units
from tests.whep_client import WhepClient

FPS = 15
OFFER = (Path(__file__).parents[1] / "media" / "offers" / "chromium-156.sdp").read_text()
SDP = {"content-type": "application/sdp"}
FRAGMENT = {"content-type": "application/trickle-ice-sdpfrag"}
CANDIDATES = "a=ice-ufrag:pm1N\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
RESTART = "a=ice-ufrag:nEw1\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\na=mid:0\r\n"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[AccessUnit]]:
    folder = tmp_path_factory.mktemp("clips")
    large = make_clip(folder / "large.mp4", 2, FPS, (320, 180), FPS, 200_000, "baseline")
    small = make_clip(folder / "small.mp4", 2, FPS, (160, 90), FPS, 60_000, "baseline")
    return {path.stem: load_units(path) for path in (large, small)}


@asynccontextmanager
async def opened(clips: dict[str, list[AccessUnit]], **settings: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a worker whose camera has pictures."""
    buffer = GopBuffer()
    append_now(buffer, clips["large"][:5])
    relay = Relay({("cam", "main"): buffer}, WorkerSettings.model_validate(settings))
    async with serve(relay) as base, httpx.AsyncClient(base_url=base) as http:
        yield http
        await relay.close()


async def open_session(http: httpx.AsyncClient) -> httpx.Response:
    answer = await http.post("/whep/cam", content=OFFER, headers=SDP)
    assert answer.status_code == 201, answer.text
    return answer


def kind(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:haechi:problem:")


async def test_an_opened_session_says_where_it_is_and_what_it_takes(clips: dict[str, list[AccessUnit]]) -> None:
    async with opened(clips) as http:
        answer = await open_session(http)
        location = answer.headers["location"]
        assert re.fullmatch(r"/whep/cam/[\w-]{20,}", location)
        assert re.fullmatch(r'"[^"]+"', answer.headers["etag"]), "a strong entity tag"
        assert answer.headers["content-type"].startswith("application/sdp")
        assert answer.headers["accept-patch"] == "application/trickle-ice-sdpfrag"
        assert answer.headers["link"] == f'<{location}/layer>; rel="urn:ietf:params:whep:ext:core:layer"'
        assert "a=rtcp-mux-only\r\n" in answer.text and "a=ice-options:trickle\r\n" in answer.text
        for path, accepts in (("/whep/cam", "accept-post"), (location, "accept-patch")):
            options = await http.options(path)
            assert (options.status_code, bool(options.headers[accepts])) == (200, True)
        for method in ("GET", "HEAD", "PUT", "POST"):
            assert (await http.request(method, location)).status_code == 405, method


async def test_candidates_are_added_with_the_tag_of_the_session_only(clips: dict[str, list[AccessUnit]]) -> None:
    async with opened(clips) as http:
        answer = await open_session(http)
        location, etag = answer.headers["location"], answer.headers["etag"]

        async def patch(content: str, if_match: str | None = etag) -> httpx.Response:
            return await http.patch(
                location, content=content, headers=FRAGMENT | ({"if-match": if_match} if if_match else {})
            )

        added = await patch(CANDIDATES)
        assert (added.status_code, added.content, "etag" in added.headers) == (204, b"", False)
        assert (await patch(CANDIDATES, f'"other", {etag}')).status_code == 204
        assert kind(await patch(CANDIDATES, None)) == (428, "if-match-required")
        assert kind(await patch(CANDIDATES, '"other"')) == (412, "stale-ice-session")
        # what cannot be used is passed over, what cannot be read is refused
        for useless in ("name.local 9 typ host", "camera.example 9 typ host", "224.0.0.1 9 typ host"):
            assert (await patch(CANDIDATES.replace("127.0.0.1 9 typ host", useless))).status_code == 204
        assert (await patch(CANDIDATES.replace(" udp ", " tcp "))).status_code == 204
        for broken in ("a=candidate:nonsense", "hello", "a=candidate:1 1 udp x 127.0.0.1 9 typ host"):
            assert kind(await patch(broken)) == (400, "bad-offer")
        wrong = await http.patch(location, content=CANDIDATES, headers=SDP | {"if-match": etag})
        assert kind(wrong) == (415, "wrong-content-type")
        assert wrong.headers["accept-patch"] == "application/trickle-ice-sdpfrag"


async def test_an_ice_restart_is_refused_and_the_session_goes_on(clips: dict[str, list[AccessUnit]]) -> None:
    async with opened(clips) as http:
        answer = await open_session(http)
        location, etag = answer.headers["location"], answer.headers["etag"]
        for if_match in ("*", '"*"', etag):
            restart = await http.patch(location, content=RESTART, headers=FRAGMENT | {"if-match": if_match})
            assert kind(restart) == (422, "ice-restart-not-supported")
        added = await http.patch(location, content=CANDIDATES, headers=FRAGMENT | {"if-match": etag})
        assert added.status_code == 204


async def test_a_session_is_deleted_once_whatever_tag_is_given(clips: dict[str, list[AccessUnit]]) -> None:
    async with opened(clips) as http:
        location = (await open_session(http)).headers["location"]
        assert kind(await http.delete(location.replace("/cam/", "/other/"))) == (404, "unknown-session")
        assert (await http.delete(location, headers={"if-match": '"other"'})).status_code == 200
        async with asyncio.timeout(30):
            while (await http.delete(location)).status_code != 404:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        patched = await http.patch(location, content=CANDIDATES, headers=FRAGMENT | {"if-match": "*"})
        assert kind(patched) == (404, "unknown-session")


async def test_a_camera_without_pictures_is_a_conflict_that_says_when_to_come_back() -> None:
    relay = Relay({("cam", "main"): GopBuffer()}, WorkerSettings())
    async with serve(relay) as base, httpx.AsyncClient(base_url=base) as http:
        answer = await http.post("/whep/cam", content=OFFER, headers=SDP)
        assert kind(answer) == (409, "no-picture-yet")
        assert int(answer.headers["retry-after"]) > 0
        await relay.close()


# The layer extension


async def test_a_viewer_changes_between_main_and_sub_without_a_new_session(clips: dict[str, list[AccessUnit]]) -> None:
    main, sub = GopBuffer(), GopBuffer()
    relay = Relay({("cam", "main"): main, ("cam", "sub"): sub}, WorkerSettings())
    async with serve(relay) as base, LiveFeed(main, clips["large"], FPS), LiveFeed(sub, clips["small"], FPS):
        async with WhepClient(f"{base}/whep/cam?stream=main") as client, httpx.AsyncClient() as http:
            assert (await client.frame()).width == 320
            for wish, width in (("sub", 160), ("main", 320)):
                chosen = await http.post(f"{client.location}/layer", json={"encodingId": wish, "mediaId": "0"})
                assert chosen.status_code == 204
                async with asyncio.timeout(60):
                    while (await client.frame()).width != width:
                        pass
            assert relay.session_count == 1
        await relay.close()


async def test_a_layer_that_cannot_be_had_is_refused_and_the_picture_stays(clips: dict[str, list[AccessUnit]]) -> None:
    main = GopBuffer()
    relay = Relay({("cam", "main"): main}, WorkerSettings())
    async with serve(relay) as base, LiveFeed(main, clips["large"], FPS):
        async with WhepClient(f"{base}/whep/cam?stream=auto") as client, httpx.AsyncClient() as http:
            await client.frame()
            layer = f"{client.location}/layer"
            for body in ("{", "[]", "3", '{"encodingId": "third"}', '{"encodingId": ["main"]}', '{"rid": "hd"}'):
                answer = await http.post(layer, content=body, headers={"content-type": "application/json"})
                assert kind(answer) == (422, "bad-layer"), body
            assert kind(await http.post(layer, content="{}", headers=SDP)) == (415, "wrong-content-type")
            assert kind(await http.post(f"{base}/whep/cam/none/layer", json={})) == (404, "unknown-session")
            await client.frame()
        await relay.close()


# Addresses


async def test_each_answer_brings_turn_credentials_of_its_own(clips: dict[str, list[AccessUnit]]) -> None:
    buffer = GopBuffer()
    append_now(buffer, clips["large"][:5])
    relay = Relay({("cam", "main"): buffer}, WorkerSettings())
    urls = ("turn:turn.example:3478", "turn:turn.example:3478?transport=tcp")
    turn = IceServers(TurnSettings.model_validate({"urls": urls, "secret": "0123456789abcdef"}))
    async with serve(relay, turn) as base, httpx.AsyncClient(base_url=base) as http:
        links = [(await open_session(http)).headers.get_list("link") for _ in range(2)]
        await relay.close()
    for _, first, second in links:
        form = r'<(.+)>; rel="ice-server"; username="(\d+:\w+)"; credential="([\w+/=]+)"; credential-type="password"'
        matches = [re.fullmatch(form, link) for link in (first, second)]
        assert [match and match[1] for match in matches] == list(urls)
    assert links[0][1] != links[1][1]
    assert not any("0123456789abcdef" in link for answer in links for link in answer)


async def test_an_address_that_is_not_ours_is_advertised_while_every_address_is_bound(
    clips: dict[str, list[AccessUnit]],
) -> None:
    async with opened(clips, media_host=["203.0.113.7", "2001:db8::7"]) as http:
        answer = (await open_session(http)).text
    hosts = re.findall(r"a=candidate:\S+ 1 udp (\d+) (\S+) \d+ typ host", answer)
    assert [host for _, host in hosts] == ["203.0.113.7", "2001:db8::7"]
    assert int(hosts[0][0]) > int(hosts[1][0]), "the first of the list is preferred"


@pytest.mark.parametrize(
    "media_host",
    ["localhost", "::1", ["127.0.0.1", "::1"], ["203.0.113.7", "::1"]],
    ids=["name", "ipv6", "both", "elsewhere"],
)
async def test_media_goes_over_the_addresses_that_are_set(
    clips: dict[str, list[AccessUnit]], media_host: str | list[str]
) -> None:
    buffer = GopBuffer()
    relay = Relay({("cam", "main"): buffer}, WorkerSettings.model_validate({"media_host": media_host}))
    async with serve(relay) as base, LiveFeed(buffer, clips["large"], FPS):
        with gathering_only("127.0.0.1", "::1"):
            async with WhepClient(f"{base}/whep/cam") as client:
                await client.frame()
        await relay.close()


async def test_a_real_browser_takes_the_family_that_leads_to_the_worker(clips: dict[str, list[AccessUnit]]) -> None:
    if not get_host_addresses(use_ipv4=False, use_ipv6=True):
        pytest.skip("needs an IPv6 address besides ::1: a browser offers no other candidate")
    buffer = GopBuffer()
    relay = Relay({("cam", "main"): buffer}, WorkerSettings(media_host=("203.0.113.7", "::1")))
    async with chromium() as browser, serve(relay) as base, LiveFeed(buffer, clips["large"], FPS):
        page = await browser.new_page()
        await page.goto(base)
        number = await page.evaluate("open", "/whep/cam")
        shown = await page.evaluate("number => shown(number, 10, 90_000)", number)
        assert len(shown) >= 10
        assert await page.evaluate(_REMOTE_ADDRESS, number) == "::1"
        await relay.close()


_REMOTE_ADDRESS = """async number => {
    const stats = await players[number].pc.getStats();
    const transport = [...stats.values()].find(one => one.type === "transport");
    return stats.get(stats.get(transport.selectedCandidatePairId).remoteCandidateId).address;
}"""


async def test_both_families_share_one_port_range(clips: dict[str, list[AccessUnit]]) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:  # on both families
        probe.bind(("::", 0))
        port = probe.getsockname()[1]
    async with opened(clips, media_host=["127.0.0.1", "::1"], udp_ports=[port, port]) as http:
        answer = (await open_session(http)).text
        assert f" 127.0.0.1 {port} typ host" in answer and f" ::1 {port} typ host" in answer
        full = await http.post("/whep/cam", content=OFFER, headers=SDP)
        assert kind(full) == (503, "relay-full")
        assert "workers.udp_ports" in full.json()["detail"]


async def test_a_media_host_without_an_address_is_told_to_whoever_asks(clips: dict[str, list[AccessUnit]]) -> None:
    name = "x" * 64  # longer than a label may be: no resolver is asked
    async with opened(clips, media_host=name) as http:
        answer = await http.post("/whep/cam", content=OFFER, headers=SDP)
        assert kind(answer) == (503, "no-media-address")
        assert f"workers.media_host '{name}' has no address" in answer.json()["detail"]
