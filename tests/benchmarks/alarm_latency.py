"""From an event that a worker raised to the browser: the live news, and the alarm painted in the console.

`python -m tests.benchmarks.alarm_latency --json --alarms 60`: the last line is one JSON object, times in ms.

A whole `haechi run` with live cameras, watched and recorded. Events are handed to a second worker's own intake, as the
pictures process hands over what its rules raise: intake, outbox on disk, link to the center, incident in the database,
live news. The clock starts at `raised_at`, set as the event is handed over. It stops at `live` when a signed-in client
has read `incident.created` from the live news, at `console` when headless Chromium has painted the alarm in the
rail. Every event has its picture and opens an incident of its own; the older ones are closed meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import httpx
import uvloop

from detectors.event import Event, EventKind
from streams.center_link import CenterLink
from streams.event_intake import EventIntake
from streams.outbox import Outbox
from streams.virtual import Mount, VirtualCameraServer
from tests.benchmarks.first_picture import percentile
from tests.browser import chromium
from tests.city import OPERATOR, PASSWORD, City, running_city, wait_for
from tests.clips import cached_clip, draw_picture
from tests.requirements import ROOT

if TYPE_CHECKING:
    from playwright.async_api import Page

MOST_OPEN = 4
KINDS: tuple[EventKind, ...] = ("intrusion", "dumping", "fire")
# The moment after the next frame was painted: the first callback comes before it, the second after it.
WATCH_THE_RAIL = """() => {
  window.paintedAt = {};
  const look = () => {
    for (const alarm of document.querySelectorAll("li[data-incident]")) {
      const box = alarm.getBoundingClientRect();
      const id = alarm.dataset.incident;
      if (id in window.paintedAt || !box.height || box.bottom > window.innerHeight) continue;
      window.paintedAt[id] = null;
      requestAnimationFrame(() => requestAnimationFrame(() => { window.paintedAt[id] = Date.now(); }));
    }
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
}"""


@dataclass(slots=True)
class News:
    """When `incident.created` came, by the time at which its event was raised; and the incident's id."""

    at: dict[float, float] = field(default_factory=dict)
    ids: dict[float, str] = field(default_factory=dict)

    @asynccontextmanager
    async def listening(self, client: httpx.AsyncClient) -> AsyncIterator[None]:
        ready = asyncio.Event()
        task = asyncio.create_task(self._listen(client, ready))
        try:
            await asyncio.wait_for(ready.wait(), 60)
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _listen(self, client: httpx.AsyncClient, ready: asyncio.Event) -> None:
        async with client.stream("GET", "/api/v1/live", timeout=None) as answer:
            name = ""
            async for line in answer.aiter_lines():
                key, _, value = line.partition(": ")
                if key == "event":
                    name = value
                elif key == "data" and name == "ready":
                    ready.set()
                elif key == "data" and name == "incident.created":
                    now, incident = time.time(), json.loads(value)
                    raised = datetime.fromisoformat(incident["raised_at"]).timestamp()
                    self.at[raised], self.ids[raised] = now, incident["id"]


def raised_now(number: int, cameras: int) -> Event:
    """An event that joins no other: its zone is its own."""
    now = datetime.now(UTC)
    return Event(
        event_id=uuid.uuid4().hex,
        camera_id=f"c{number % cameras}",
        kind=KINDS[number % len(KINDS)],
        zone=f"zone-{number}",
        severity="serious",
        started_at=now,
        raised_at=now,
        box=(0.3, 0.3, 0.5, 0.8),
        score=0.9,
        label="person",
    )


@asynccontextmanager
async def city_with_cameras(folder: Path, count: int) -> AsyncIterator[City]:
    """`haechi run`, all cameras live."""
    main = cached_clip(seconds=8, size=(1280, 720), gop=60, bitrate=1_500_000)
    sub = cached_clip(seconds=8, size=(640, 360), gop=60, bitrate=300_000)
    mounts = [Mount(name=f"c{n}", main=main, sub=sub, phase_seconds=n * 0.9) for n in range(count)]
    async with VirtualCameraServer(mounts) as server:
        rules = [{"name": "all", "rules": [{"kind": "intrusion"}]}]
        cameras = [
            {"id": name, "name": f"Camera {name}", "purpose": "crime prevention", "zones": rules}
            | {"main": server.url(name, "main"), "sub": server.url(name, "sub")}
            for name in (mount.name for mount in mounts)
        ]
        async with running_city(folder, {"cameras": cameras}) as city:
            await city.wait_live(count)
            yield city


@asynccontextmanager
async def second_worker(city: City, folder: Path) -> AsyncIterator[EventIntake]:
    """The way of an event out of a worker, in this process."""
    # The token of this run is known to its processes alone.
    environment = Path(f"/proc/{await city.packets_pid()}/environ").read_bytes().decode().split("\0")
    token = dict(pair.split("=", 1) for pair in environment if "=" in pair)["HAECHI_WORKER_TOKEN"]
    async with Outbox(folder / "outbox.sqlite") as outbox, CenterLink(city.url, "w1", token) as link:
        intake = EventIntake(outbox)
        tasks = [asyncio.create_task(intake.run()), asyncio.create_task(link.send_events(outbox))]
        try:
            yield intake
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


@asynccontextmanager
async def console(city: City) -> AsyncIterator[Page]:
    """The operator's console in Chromium, its wall playing."""
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080}, locale="ko-KR")
        await page.goto(city.url)
        await page.fill("input[name=account]", OPERATOR)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_selector("haechi-player[data-state=playing]", timeout=60_000)
        await page.evaluate(WATCH_THE_RAIL)
        yield page


async def run(alarms: int, cameras: int) -> dict[str, Any]:
    """Raise `alarms` events one after another, at random moments, and wait for each at both ends."""
    if not (ROOT / "operator_ui" / "dist" / "index.html").exists():
        raise SystemExit("build the operator UI first: make")
    _, jpeg = cv2.imencode(".jpg", draw_picture(3, (640, 360)))
    news, raised = News(), list[float]()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        city = await stack.enter_async_context(city_with_cameras(folder, cameras))
        intake = await stack.enter_async_context(second_worker(city, folder))
        page = await stack.enter_async_context(console(city))
        await stack.enter_async_context(news.listening(city.client))
        for number in range(-1, alarms):  # the first warms everything up and does not count
            event = raised_now(number + 1, cameras)
            intake.take(event, jpeg.tobytes())
            moment = event.raised_at.timestamp()
            await _painted(page, news, moment)
            if number >= 0:
                raised.append(moment)
            if number >= MOST_OPEN:
                await _close(city, news.ids[raised[number - MOST_OPEN]])
            await asyncio.sleep(random.uniform(0.1, 1.0))
        painted = await page.evaluate("window.paintedAt")
    live = [(news.at[moment] - moment) * 1000 for moment in raised]
    seen = [painted[news.ids[moment]] - moment * 1000 for moment in raised]
    return {
        "benchmark": "alarm_latency",
        "alarms": len(raised),
        "cameras": cameras,
        "snapshot_bytes": len(jpeg),
        "live": _summary(live),
        "console": _summary(seen),
        "load_average": round(os.getloadavg()[0], 1),
    }


async def _painted(page: Page, news: News, moment: float) -> None:
    async def is_painted() -> bool:
        return moment in news.ids and bool(await page.evaluate("id => window.paintedAt[id]", news.ids[moment]))

    await wait_for(is_painted, f"the alarm of {moment} in the console")


async def _close(city: City, incident_id: str) -> None:
    answer = await city.client.post(f"/api/v1/incidents/{incident_id}/close", json={"verdict": "unsure", "note": ""})
    answer.raise_for_status()


def _summary(milliseconds: list[float]) -> dict[str, float | None]:
    return {
        f"{name}_ms": percentile(milliseconds, percent) for name, percent in {"p50": 50, "p95": 95, "max": 100}.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--alarms", type=int, default=60)
    parser.add_argument("--cameras", type=int, default=4)
    arguments = parser.parse_args()
    result = uvloop.run(run(arguments.alarms, arguments.cameras))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:18} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
