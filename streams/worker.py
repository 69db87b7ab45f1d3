"""The packets process of a stream worker: one shard of cameras from RTSP to disk, to browsers and to analysis.

    python -m streams.worker --config FILE --worker-id w0 --shard 0/1 --center-url http://127.0.0.1:8080

One loop, no Python-bound thread beside it: such a thread would make every datagram of the relay wait for the
interpreter lock. SIGTERM ends it in order: viewers, recordings, RTSP sessions, analysis, events.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvloop
from prometheus_client import CollectorRegistry, ProcessCollector

from config.load import SettingsError, load_settings
from config.settings import Settings
from detectors.event import Event
from streams import worker_http, worker_report
from streams.analysis import Analysis
from streams.camera_faults import CameraFaults
from streams.camera_source import CameraSource
from streams.center_link import CenterLink, HeartbeatAnswer
from streams.connect_budget import ConnectBudget
from streams.event_intake import EventIntake
from streams.fault_pictures import FaultPictures
from streams.ice_servers import IceServers
from streams.outbox import Outbox, OutboxError
from streams.playback.process import PlaybackProcess
from streams.process_log import set_up_logging
from streams.recording_index import RecordingIndexError
from streams.recording_store import RecordingStore
from streams.relay import Relay, whep_routes
from streams.roster import Roster
from streams.running_camera import CameraSite
from streams.shards import Shard
from streams.sources.process import SourceProcess
from streams.supervision import running, supervise
from streams.utc_clock import UtcClock
from streams.worker_folder import FolderError, owned_folder
from streams.worker_metrics import WorkerCollector
from streams.worker_report import WorkerParts

log = logging.getLogger(__name__)

TOKEN_VARIABLE = "HAECHI_WORKER_TOKEN"
DRAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker is told at start. `http_port` 0 takes a free one."""

    settings: Settings
    worker_id: str
    shard: Shard
    center_url: str
    token: str = field(repr=False)
    http_port: int = 0


class Worker:
    """Builds the parts, runs them, and ends them in reverse order. Raises SettingsError."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._settings = options.settings
        self._ice_servers = IceServers(options.settings.turn)
        self._folder = options.settings.data_dir / "workers" / options.worker_id

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set. Raises FolderError, OutboxError, RecordingIndexError, OSError: it cannot start."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(owned_folder(self._folder))
            listening = stack.enter_context(worker_http.listen(self._options.http_port))
            parts = await self._build(stack, f"http://{worker_http.HTTP_HOST}:{listening.getsockname()[1]}")
            await self._start(stack, parts)
            stack.push_async_callback(parts.relay.close)
            await stack.enter_async_context(worker_http.serve(self._app(parts), listening))
            where = f"shard {parts.shard}, {len(parts.roster.cameras)} cameras, API at {parts.base_url}"
            log.info("running (%s)", where)
            await stop.wait()
            log.info("ending")

    async def _build(self, stack: AsyncExitStack, base_url: str) -> WorkerParts:
        """The parts, opened but not yet running."""
        options, settings = self._options, self._settings
        outbox = await stack.enter_async_context(Outbox(self._folder / "outbox.sqlite"))
        center = await stack.enter_async_context(CenterLink(options.center_url, options.worker_id, options.token))
        intake = EventIntake(outbox)
        playback = PlaybackProcess(settings.data_dir, self._folder / "recordings.sqlite", options.token)
        stack.callback(playback.close)
        event_times: dict[str, float] = {}

        def take(event: Event, snapshot_jpeg: bytes) -> None:
            event_times[event.camera_id] = time.monotonic()
            intake.take(event, snapshot_jpeg)

        site = CameraSite(
            ring_max_bytes=settings.workers.ring_max_bytes,
            budget=ConnectBudget(),
            store=await self._store(stack),
            analysis=Analysis(settings.analysis, UtcClock(), outbox, take),
            on_change=center.tell_change,
            event_times=event_times,
            zone=ZoneInfo(settings.center.time_zone),
            sources=SourceProcess(settings.sources),
        )
        roster = Roster(options.shard, site)
        last = await stack.enter_async_context(FaultPictures(site.rings, playback.base_url, options.token))
        return WorkerParts(
            worker_id=options.worker_id,
            shard=str(options.shard),
            base_url=base_url,
            started_at=datetime.now(UTC),
            source=CameraSource(center, self._folder, settings.cameras),
            roster=roster,
            site=site,
            relay=Relay(site.rings, settings.workers, reason_of=site.reason_of),
            outbox=outbox,
            intake=intake,
            center=center,
            playback=playback,
            faults=CameraFaults(settings.faults, roster.cameras, site.analysis, outbox, center.tell_change, last.of),
        )

    async def _start(self, stack: AsyncExitStack, parts: WorkerParts) -> None:
        """Every task of the worker; those started last end first."""
        center, outbox, analysis, roster, source = (
            parts.center,
            parts.outbox,
            parts.analysis,
            parts.roster,
            parts.source,
        )
        events = supervise("events to the center", lambda: center.send_events(outbox))
        await stack.enter_async_context(running(events, supervise("event intake", parts.intake.run)))
        stack.push_async_callback(parts.intake.drain, DRAIN_SECONDS)
        await stack.enter_async_context(running(supervise("analysis", analysis.run)))
        await stack.enter_async_context(running(supervise("HLS and files", parts.site.sources.run)))
        stack.push_async_callback(roster.end)
        await roster.apply(await source.first())

        def take(answer: HeartbeatAnswer) -> None:
            analysis.note_incidents(answer.open_incidents)
            source.note_version(answer.cameras_version)

        heartbeat = supervise("heartbeat", lambda: center.beat(lambda: worker_report.heartbeat(parts), take))
        follow = supervise("cameras of the center", lambda: source.follow(roster.apply))
        playback = supervise("playback", parts.playback.run)
        faults = supervise("camera faults", parts.faults.run)
        await stack.enter_async_context(running(heartbeat, follow, supervise("roster", roster.run), playback, faults))
        if (store := parts.store) is not None:
            told = supervise("deletions to the center", lambda: center.tell_destroyed(store))
            await stack.enter_async_context(running(told))

    async def _store(self, stack: AsyncExitStack) -> RecordingStore | None:
        """Where the main streams are recorded; None when nothing is."""
        if not self._settings.recording.enabled:
            return None
        store = RecordingStore(
            self._settings.data_dir,
            self._settings.recording,
            index_path=self._folder / "recordings.sqlite",
            camera_ids=self._options.shard,
        )
        return await stack.enter_async_context(store)

    def _app(self, parts: WorkerParts) -> Any:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(WorkerCollector(lambda: worker_report.samples(parts)))
        routes = whep_routes(parts.relay, self._ice_servers)
        return worker_http.build_app(routes, self._options.token, lambda: worker_report.status(parts), registry)


async def _run_until_signal(options: WorkerOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Worker(options).run(stop)


def _raise_file_limit() -> None:
    """Every camera and every viewer is a socket."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _options(arguments: argparse.Namespace) -> WorkerOptions:
    """Raises SettingsError, ValueError."""
    token = os.environ.pop(TOKEN_VARIABLE, "")
    if len(token) < 16:
        raise ValueError(f"set {TOKEN_VARIABLE} to the secret shared with the center, at least 16 characters")
    settings = load_settings(arguments.config)
    shard = Shard.parse(arguments.shard)
    return WorkerOptions(settings, arguments.worker_id, shard, arguments.center_url, token, arguments.http_port)


def main() -> int:
    """Exit status 0: ended by SIGTERM; 2: it cannot start, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="streams.worker", description="Packets process of a Haechi stream worker.")
    parser.add_argument("--config", type=Path, required=True, help="settings (YAML)")
    parser.add_argument("--worker-id", required=True, help="name of this worker, as in w0")
    parser.add_argument("--shard", default="0/1", help="which cameras: index/count")
    parser.add_argument("--center-url", required=True, help="where the center listens")
    parser.add_argument("--http-port", type=int, default=0, help="port of the worker's API on loopback; 0: a free one")
    arguments = parser.parse_args()
    set_up_logging(f"worker {arguments.worker_id}")
    try:
        options = _options(arguments)
        _raise_file_limit()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run_until_signal(options))
    except (SettingsError, ValueError, FolderError, OutboxError, RecordingIndexError, OSError) as error:
        log.error("cannot start: %s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
