"""A viewer and a worker between whose networks there is no way but a TURN server (coturn, network namespaces)."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import TurnSettings
from streams.ice_servers import IceServer, IceServers
from tests.browser import chromium
from tests.clips import make_clip
from tests.coturn import turn_server, until_bound
from tests.namespaces import TURN, TURN_AT_VIEWER, WORKER, Networks, inside, two_networks
from tests.requirements import ROOT, need_program

SECRET = "shared-between-haechi-and-coturn"
FRAMES = 20


@pytest.fixture(scope="module")
def networks() -> Iterator[Networks]:
    with two_networks() as names:
        yield names


@pytest.fixture
async def worker(networks: Networks, tmp_path: Path) -> AsyncIterator[Path]:
    """The Unix socket of a worker in its network."""
    clip = make_clip(tmp_path / "clip.mp4", 2, 15, (320, 180), 15, 200_000, "baseline")
    path = tmp_path / "worker.sock"
    command = inside(networks.worker, sys.executable, "-m", "tests.netns_worker", str(path), str(clip), WORKER)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        async with asyncio.timeout(60):
            while not path.exists():
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield path
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


@pytest.fixture
async def signalling(networks: Networks, worker: Path) -> AsyncIterator[str]:
    """The worker's API as the viewer's network reaches it; media has no such way."""
    command = inside(networks.turn, sys.executable, "-m", "tests.netns_forwarder", TURN_AT_VIEWER, "8080", str(worker))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        await until_bound(8080, inside(networks.turn))
        yield f"http://{TURN_AT_VIEWER}:8080/"
    finally:
        process.terminate()
        await process.wait()


def issued(transport: str, secret: str = SECRET) -> tuple[IceServer, ...]:
    """What the center gives a browser for the TURN server over `transport`."""
    url = f"turn:{TURN.listening}:{TURN.port}?transport={transport}"
    return IceServers(TurnSettings.model_validate({"urls": [url], "secret": secret})).issue()


async def watch(
    networks: Networks, socket: Path, transport: str, secret: str = SECRET, seconds: float = 60
) -> dict[str, Any]:
    """What a viewer in its network sees, that knows the TURN server; it waits `seconds` for each frame."""
    servers = [
        {"url": one.url, "username": one.username, "credential": one.credential} for one in issued(transport, secret)
    ]
    task = {"socket": str(socket), "servers": servers, "frames": FRAMES, "seconds": seconds}
    process = await asyncio.create_subprocess_exec(
        *inside(networks.viewer, sys.executable, "-m", "tests.netns_viewer"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(task).encode())
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(output)
    return found


@pytest.mark.parametrize(("transport", "options"), [("udp", ("--no-tcp",)), ("tcp", ("--no-udp",))])
async def test_a_picture_goes_through_turn_where_there_is_no_other_way(
    networks: Networks, worker: Path, tmp_path: Path, transport: str, options: tuple[str, ...]
) -> None:
    async with turn_server(tmp_path, SECRET, TURN, *options, inside=inside(networks.turn)) as log:
        seen = await watch(networks, worker, transport)
        assert seen == {"frames": FRAMES, "local": "relay", "remote": "host"}
        assert "ALLOCATE processed, success" in log.read_text()


async def test_a_real_browser_plays_through_turn_over_tcp(
    networks: Networks, worker: Path, tmp_path: Path, signalling: str
) -> None:
    program = need_program("chromium", "chromium-browser", "google-chrome")
    launcher = tmp_path / "chromium-there"
    launcher.write_text(f'#!/bin/sh\nexec {" ".join(inside(networks.viewer, program))} "$@"\n')
    launcher.chmod(0o755)
    (server,) = issued("tcp")
    async with (
        turn_server(tmp_path, SECRET, TURN, "--no-udp", inside=inside(networks.turn)),
        chromium(path=str(launcher)) as browser,
    ):
        page = await browser.new_page()
        await page.goto(signalling)
        await page.evaluate(_PLAY, [server.url, server.username, server.credential])
        played = "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 20"
        await page.wait_for_function(played, timeout=90_000)
        assert await page.evaluate(_PAIR) == ["relay", "tcp", WORKER]


_PLAY = """async ([urls, username, credential]) => {
    const peer = (window.peer = new RTCPeerConnection({ iceServers: [{ urls, username, credential }] }));
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = ({ track }) => (document.querySelector("video").srcObject = new MediaStream([track]));
    await peer.setLocalDescription();
    const headers = { "Content-Type": "application/sdp" };
    const answer = await fetch("/whep/cam", { method: "POST", headers, body: peer.localDescription.sdp });
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
}"""
_PAIR = """async () => {
    const stats = await window.peer.getStats();
    const transport = [...stats.values()].find(one => one.type === "transport");
    const pair = stats.get(transport.selectedCandidatePairId);
    const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
    return [local.candidateType, local.relayProtocol, remote.address];
}"""


async def test_no_way_leads_past_the_turn_server(networks: Networks) -> None:
    reach = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(({WORKER!r}, 9))"
    process = await asyncio.create_subprocess_exec(
        *inside(networks.viewer, sys.executable, "-c", reach), stderr=asyncio.subprocess.PIPE
    )
    _, error = await process.communicate()
    assert "Network is unreachable" in error.decode()


async def test_credentials_of_another_secret_are_refused_and_there_is_no_picture(
    networks: Networks, worker: Path, tmp_path: Path
) -> None:
    async with turn_server(tmp_path, SECRET, TURN, inside=inside(networks.turn)) as log:
        seen = await watch(networks, worker, "udp", secret="another-secret-of-somebody", seconds=2)
        assert seen["frames"] == 0 and "local" not in seen
        told = log.read_text()
    assert re.search(r"user <\d+:\w+>: .*error 401", told), told
    assert "ALLOCATE processed, success" not in told
