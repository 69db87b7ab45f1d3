"""`haechi score`: the demo's alarms against the truth of its clips."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from control_center.commands.demo import Demo, demo_running
from control_center.demo_score import Alarm, FilmedCamera, Window, load_filmed_camera, score_alarms
from control_center.supervision.camera_progress import wait_for_cameras
from control_center.supervision.demo_accounts import OPERATOR_NAME
from control_center.supervision.demo_city import DEMO_FOLDER
from control_center.supervision.errors import StartError
from control_center.supervision.incident_reader import all_incidents, signed_in
from control_center.supervision.signals import Stopped, run_until_stopped
from control_center.terminal import output, progress, say
from detectors.scenes.truth import TruthError
from detectors.scoring import Score
from streams.process_log import set_up_logging

ALL_LIVE_WITHIN_SECONDS = 120.0
SETTLE_SECONDS = 15.0
LATE_NEWS_SECONDS = 20.0
_TICK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Patience:
    """`settle` before the measurement, so that trackers and backgrounds are warm and what was under way is past;
    `late` after it, because an alarm may be raised after the moment that it says it started at.
    """

    settle: timedelta
    late: timedelta


@dataclass(frozen=True, slots=True)
class Measurement:
    """`least_live` is the lowest number of live cameras seen while it ran."""

    window: Window
    cameras: int
    least_live: int
    incidents: tuple[dict[str, Any], ...]
    score: Score


def score(
    demo: Annotated[float, typer.Option("--demo", min=0.05, max=1440, help="Minutes of the demo to watch.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,
    folder: Annotated[Path, typer.Option(help="Folder with mounts.yaml, cameras.yaml and truth/.")] = DEMO_FOLDER,
    data_dir: Annotated[Path | None, typer.Option(help="Keep the data here instead of a temporary folder.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="The log lines of the processes too.")] = False,
    settle: Annotated[float, typer.Option(min=0, help="Seconds to wait when all cameras are live.")] = SETTLE_SECONDS,
    late: Annotated[float, typer.Option(min=0, help="Seconds to wait for late news.")] = LATE_NEWS_SECONDS,
) -> None:
    """Run the demo on free ports, watch it, and compare its alarms with what truly happens in its clips."""
    set_up_logging("haechi", logging.INFO if verbose else logging.WARNING)
    done: list[Measurement] = []

    async def main() -> None:
        async with AsyncExitStack() as stack:
            kept = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haechi-score-")))
            log_file = None if verbose else kept / "score.log"
            kept.mkdir(parents=True, exist_ok=True)
            city = await stack.enter_async_context(demo_running(folder, kept, "127.0.0.1", 0, log_file))
            patience = Patience(timedelta(seconds=settle), timedelta(seconds=late))
            done.append(await measure(city, folder / "truth", timedelta(minutes=demo), patience))

    try:
        run_until_stopped(main)
    except TruthError as error:
        raise StartError(str(error)) from error
    except Stopped as stopped:
        say(f"{stopped}: stopped before the end, nothing was scored")
        raise typer.Exit(130) from stopped
    progress.print(_table(done[0]))
    if as_json:
        output.print(json.dumps(report(demo, done[0]), ensure_ascii=False), soft_wrap=True)
    total = done[0].score.total
    raise typer.Exit(0 if total.missed == total.false == 0 else 1)


async def measure(city: Demo, truths: Path, duration: timedelta, patience: Patience) -> Measurement:
    """Wait for the cameras, watch for `duration`, and score. Raises StartError, TruthError."""
    cameras = filmed_cameras(city, truths)
    say(f"the truth holds {sum(len(camera.truth.events) for camera in cameras)} events on {len(cameras)} cameras")
    reached = await wait_for_cameras(
        city.installation, ALL_LIVE_WITHIN_SECONDS, lambda now: say(f"{now.live} of {now.total} cameras live")
    )
    if not reached.all_live:
        raise StartError(
            f"only {reached.live} of {reached.total} cameras came up within {ALL_LIVE_WITHIN_SECONDS:.0f} s"
        )
    operator = next(account for account in city.installation.accounts if account.name == OPERATOR_NAME)
    async with signed_in(city.installation.url, operator.name, operator.password) as client:
        since = datetime.now(UTC) + patience.settle
        window = Window(since, since + duration)
        least_live = await _watch(city, client, window, window.until + patience.late)
        incidents = await all_incidents(client)
    alarms = [
        Alarm(one["camera_id"], one["kind"], datetime.fromisoformat(one["started_at"]), one["id"]) for one in incidents
    ]
    return Measurement(window, reached.total, least_live, tuple(incidents), score_alarms(cameras, alarms, window))


def filmed_cameras(city: Demo, truths: Path) -> list[FilmedCamera]:
    """Which clip each camera shows, and when. Raises TruthError, StartError."""
    mounts = {mount["name"]: mount for mount in city.cameras.mounts}
    found = []
    for camera in city.settings.cameras:
        name = urlsplit(camera.main).path.strip("/").split("/")[0]
        if name not in mounts:
            raise StartError(f"cameras.yaml: camera {camera.id} shows no mount of mounts.yaml ({name})")
        mount = mounts[name]
        found.append(
            load_filmed_camera(
                camera.id,
                Path(mount["clip"]),
                city.cameras.started_at,
                mount["duration_seconds"],
                mount["phase_seconds"],
                truths,
            )
        )
    return found


async def _watch(city: Demo, client: httpx.AsyncClient, window: Window, end: datetime) -> int:
    """Until `end`; gives the lowest number of live cameras. Raises StartError."""
    total = least_live = len(city.settings.cameras)
    columns = (TextColumn("watching"), BarColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    with Progress(*columns, console=progress, transient=True) as bar:
        task = bar.add_task("watching", total=(end - datetime.now(UTC)).total_seconds(), said="")
        began = datetime.now(UTC)
        while (now := datetime.now(UTC)) < end:
            if city.cameras.ended.is_set():
                raise StartError("the virtual cameras ended, so the truth's clock is lost; score again")
            status = (await client.get("/api/v1/status")).json()
            if window.holds(now):
                least_live = min(least_live, status["cameras"]["live"])
            said = f"{status['incidents']['total']} incidents, {status['cameras']['live']} of {total} live"
            bar.update(task, completed=(now - began).total_seconds(), said=said)
            await asyncio.sleep(_TICK_SECONDS)
    return least_live


def report(minutes: float, done: Measurement) -> dict[str, Any]:
    """What `--json` prints."""
    total = done.score.total
    said = done.score.as_dict()
    delays = sorted(pair.delay_seconds for pair in done.score.found)
    return {
        "minutes": minutes,
        "cameras": done.cameras,
        "cameras_live_least": done.least_live,
        "since": done.window.since.isoformat(),
        "until": done.window.until.isoformat(),
        "families": said["families"],
        "kinds": said["kinds"],
        "truth": total.truth,
        "found": total.found,
        "missed": total.missed,
        "false": total.false,
        "score": total.score,
        "incidents": len(done.incidents),
        "delay_seconds": {"median": round(median(delays), 2), "max": round(delays[-1], 2)} if delays else None,
        "missed_events": said["missed"],
        "false_alarms": said["false"],
    }


def _table(done: Measurement) -> Table:
    table = Table("family", "truth", "found", "missed", "false", title=f"{done.cameras} cameras")
    for family, tally in done.score.families.items():
        table.add_row(family, *map(str, (tally.truth, tally.found, tally.missed, tally.false)))
    total = done.score.total
    table.add_section()
    table.add_row("all", *map(str, (total.truth, total.found, total.missed, total.false)))
    return table
