"""How often a live picture freezes on a bad line: 5 % loss and 50 ms delay, both ways, in headless Chromium.

`python -m tests.benchmarks.loss --json [--seconds 60]`: `haechi run` with one camera (1080p15, 2 Mbit/s, GOP 4 s) and
the console's own player, whose UDP goes through a proxy in user space; beside it, by turns, the same clip in the same
player over the same proxy from a plain aiortc sender (encoded packets passed through, aiortc's own RTP and RTCP). A
freeze is what WebRTC's statistics call one: no new picture for three times the usual interval or the interval plus
150 ms. Frames are watched on the page, so that a player which connects anew is counted as what it shows. The last line
is one JSON object: `freeze_s_per_minute`, `aiortc_freeze_s_per_minute`, and how many freezes, frames and losses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from streams.gop_buffer import GopBuffer
from tests.benchmarks.first_picture import FPS, Clips, make_clips, measured_city, prepare
from tests.impaired_path import ImpairedPath, Impairment, impaired_paths, lead_through, without_candidates
from tests.live_feed import LiveFeed, load_units
from tests.people import room
from tests.relay_senders import LiveTrack

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

LOSS, DELAY_SECONDS = 0.05, 0.05
SETTLE_SECONDS = 3.0

_WATCH = """
([camera, step, settle, length]) => new Promise((resolve) => {
  const player = document.createElement("haechi-player");
  for (const [name, value] of Object.entries({ camera, stream: "main" })) player.setAttribute(name, value);
  player.style.cssText = "position:fixed;left:0;top:50px;width:1200px;height:675px;z-index:9998;background:#000";
  document.body.append(player);
  const found = { frozen_ms: 0, freezes: 0, frames: 0, longest_ms: 0, sessions: 0 };
  const watched = new WeakSet();
  let began = 0, last = 0;
  const gap = (now) => {
    const length = now - last;
    if (length > Math.max(3 * step, step + 150)) {
      found.frozen_ms += length;
      found.freezes += 1;
      found.longest_ms = Math.max(found.longest_ms, length);
    }
  };
  const timer = setInterval(() => {
    const now = performance.now();
    for (const video of player.querySelectorAll("video")) {
      if (watched.has(video)) continue;
      watched.add(video);
      found.sessions += 1;
      const onFrame = () => {
        const at = performance.now();
        began ||= at + settle;
        if (at > began) {
          if (last) gap(at);
          last = at;
          found.frames += 1;
        }
        video.requestVideoFrameCallback(onFrame);
      };
      video.requestVideoFrameCallback(onFrame);
    }
    if (began && now > began + length) {
      gap(now);
      clearInterval(timer);
      player.remove();
      resolve(found);
    }
  }, 20);
})
"""


class PlainSender:
    """Answers offers as somebody would who takes aiortc and encoded pictures; PLI brings nothing, as with all such."""

    def __init__(self, buffer: GopBuffer) -> None:
        self._buffer = buffer
        self._peers: list[RTCPeerConnection] = []

    async def answer(self, offer: str) -> str:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peers.append(peer)
        peer.addTrack(LiveTrack(self._buffer))
        codecs = RTCRtpSender.getCapabilities("video").codecs
        wanted = [codec for codec in codecs if codec.name in {"H264", "rtx"}]
        peer.getTransceivers()[0].setCodecPreferences(wanted)
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return cast(str, peer.localDescription.sdp)

    async def close(self) -> None:
        for peer in self._peers:
            await peer.close()


async def watch(page: Page, camera: str, seconds: float) -> dict[str, float]:
    """Freezes of `camera` in `seconds`, after it has settled."""
    arguments = [camera, 1000 / FPS, SETTLE_SECONDS * 1000, seconds * 1000]
    found: dict[str, float] = await asyncio.wait_for(page.evaluate(_WATCH, arguments), seconds + 60)
    return found


async def run(seconds: float, runs: int, loss: float, delay_seconds: float) -> dict[str, Any]:
    """Both senders by turns, each `seconds` in all."""
    impairment = Impairment(loss, delay_seconds)
    totals: dict[str, Counter[str]] = {"": Counter(), "aiortc_": Counter()}
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as name:
        clips = make_clips(Path(name))
        async with AsyncExitStack() as stack:
            make = await stack.enter_async_context(impaired_paths())
            page = await _page(stack, Path(name), clips)
            paths: list[ImpairedPath] = []
            buffer = GopBuffer()
            await stack.enter_async_context(LiveFeed(buffer, load_units(clips.main), FPS))
            plain = PlainSender(buffer)
            stack.push_async_callback(plain.close)
            await _lead(page, impairment, make, paths, plain)
            for _ in range(runs):
                for prefix, camera in (("", "c0"), ("aiortc_", "plain")):
                    paths.clear()
                    totals[prefix].update(await watch(page, camera, seconds / runs))
                    totals[prefix]["lost"] += sum(path.lost for path in paths)
                    totals[prefix]["passed"] += sum(path.passed for path in paths)
    result: dict[str, Any] = {
        "benchmark": "loss",
        "loss": loss,
        "delay_ms": round(delay_seconds * 1000),
        "seconds": seconds,
        "load_average": load,
        "load_average_after": round(os.getloadavg()[0], 1),
    }
    for prefix, total in totals.items():
        result[f"{prefix}freeze_s_per_minute"] = round(total["frozen_ms"] / 1000 / seconds * 60, 2)
        for what in ("freezes", "frames", "sessions", "lost", "passed"):
            result[f"{prefix}{what}"] = total[what]
    return result


async def _page(stack: AsyncExitStack, folder: Path, clips: Clips) -> Page:
    city, _ = await stack.enter_async_context(measured_city(folder / "city", clips, 0))
    people = await stack.enter_async_context(room(city, "en"))
    page = await people.sit("operator", (1280, 800))
    await page.goto(f"{city.url}/playback")
    await page.wait_for_selector("[data-testid=account]")
    await prepare(page)
    return page


async def _lead(
    page: Page,
    impairment: Impairment,
    make: Callable[[Impairment], Awaitable[ImpairedPath]],
    paths: list[ImpairedPath],
    plain: PlainSender,
) -> None:
    """Every session of `page` goes over a path of its own; those of the camera `plain` to the plain sender."""

    async def through_a_path(route: Route) -> None:
        path = await make(impairment)
        paths.append(path)
        if "/plain/" not in route.request.url:
            await lead_through(route, path)
            return
        answer = await plain.answer(without_candidates(route.request.post_data or ""))
        headers = {"content-type": "application/sdp", "location": "/api/v1/cameras/plain/whep/0"}
        await route.fulfill(status=201, headers=headers, body=path.lead_through(answer))

    async def end(route: Route) -> None:
        await route.fulfill(status=200)

    await page.route("**/whep?*", through_a_path)
    await page.route("**/plain/whep/0", end)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--seconds", type=float, default=120.0, help="watched of each sender, in all")
    parser.add_argument("--runs", type=int, default=2, help="turns of each")
    parser.add_argument("--loss", type=float, default=LOSS)
    parser.add_argument("--delay-ms", type=float, default=DELAY_SECONDS * 1000, help="one way")
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.seconds, arguments.runs, arguments.loss, arguments.delay_ms / 1000))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:26} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
