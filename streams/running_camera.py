"""One camera of a worker, from its definition to its end: its streams, its recording, its analysis."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from config.settings import Camera, StreamName
from streams.analysis import Analysis
from streams.connect_budget import ConnectBudget
from streams.gop_buffer import GopBuffer
from streams.recorder import Recorder
from streams.recording_plan import mode_at
from streams.recording_store import RecordingStore
from streams.relay import StreamKey
from streams.sources.process import SourceProcess
from streams.stream import Stream
from streams.stream_status import StreamState
from streams.supervision import running, supervise

log = logging.getLogger(__name__)

SWITCHED_OFF = "switched off in the camera register"
SUB_PATIENCE_SECONDS = 30.0

RecordingState = Literal["recording", "waiting", "failing", "off"]
Part = Literal["main", "sub", "recording", "analysis"]
_PARTS: tuple[Part, ...] = ("main", "sub", "recording", "analysis")  # each needs only what stands before it


@dataclass(frozen=True, slots=True)
class CameraSite:
    """What the cameras of a worker share, and where they put what others read: streams, rings, recorders.

    `budget` bounds how often, and how many at the same time, streams connect; `on_change` is called when a stream's
    state changes. `store` is None where nothing is recorded. `event_times` (monotonic seconds by camera) open recording
    on event, the hours of recording are those of `zone`. `sources` opens
    what is not RTSP.
    """

    ring_max_bytes: int
    budget: ConnectBudget
    store: RecordingStore | None
    analysis: Analysis
    on_change: Callable[[], None]
    sources: SourceProcess
    streams: dict[StreamKey, Stream] = field(default_factory=dict)
    rings: dict[StreamKey, GopBuffer] = field(default_factory=dict)
    recorders: dict[str, Recorder] = field(default_factory=dict)
    event_times: dict[str, float] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Seoul"))

    def reason_of(self, key: StreamKey) -> str:
        """Why a stream is in the state it is in; empty while it is live."""
        stream = self.streams.get(key)
        return stream.reason if stream is not None else ""


@dataclass(frozen=True, slots=True)
class Sight:
    """`is_live`: a stream that its rules can watch is live; without rules the main stream. `reason`: why not."""

    is_live: bool
    reason: str


class RunningCamera:
    """`become` is its whole life: from nothing, from one definition to another, and to nothing.

    Each part runs as long as it is wanted; what did not change is not touched. A part's end waits until it has ended:
    the segment is handed over, the session torn down. `definition` is None before the start and after the end.
    """

    def __init__(self, camera_id: str, site: CameraSite) -> None:
        self.camera_id = camera_id
        self.definition: Camera | None = None
        self.watched: StreamName | None = None
        self._site = site
        self._parts: dict[Part, AsyncExitStack] = {}
        self._turn = asyncio.Lock()
        self._sub_live_at = 0.0
        self._to_record = asyncio.Event()
        self._record_since_ns: int | None = None
        self._occasion_at = -math.inf

    async def become(self, camera: Camera | None) -> None:
        """Run as `camera` says, None: not at all."""
        async with self._turn:
            wanted = self._wanted(camera)
            for part in reversed(_PARTS):
                if part in self._parts and part not in wanted:
                    await self._parts.pop(part).aclose()
            before, self.definition = self.definition, camera
            if camera is None:
                return
            for part in _PARTS:
                if part in wanted:
                    await self._go_on(part, before, camera)
            self.look_at_the_clock()

    def is_to_switch(self) -> bool:
        """Whether analysis should go to the main stream, as the sub stream is long away, or back. Ask every second."""
        return "analysis" in self._parts and self._to_watch(time.monotonic()) != self.watched

    async def switch(self) -> None:
        """Let analysis go on with the stream it should."""
        async with self._turn:
            camera = self.definition
            if camera is not None and self.is_to_switch():
                name = self._to_watch(time.monotonic())
                log.info("camera %s: analysis goes on with its %s stream", self.camera_id, name)
                await self._watch(camera, name)

    def look_at_the_clock(self) -> None:
        """Begin or end recording as the mode of the hour, events and incidents say. To be called every second."""
        camera, recorder = self.definition, self._site.recorders.get(self.camera_id)
        if camera is None or "recording" not in self._parts:
            return
        since_ns = self._recorded_since(camera, time.monotonic())
        if since_ns is None:
            self._to_record.clear()
            if recorder is not None:
                recorder.finish()
        else:
            self._record_since_ns = since_ns or None
            self._to_record.set()
            if recorder is not None:
                recorder.go_on()

    def recording(self) -> tuple[RecordingState, str]:
        """How the recording does, and why, for people."""
        camera, recorder = self.definition, self._site.recorders.get(self.camera_id)
        if camera is None or recorder is None or "recording" not in self._parts:
            return "off", ""
        if recorder.fault:
            return "failing", recorder.fault
        mode = mode_at(camera.recording, datetime.now(UTC), self._site.zone)
        if not self._to_record.is_set():
            return ("off", "by its hours") if mode == "off" else ("waiting", "for an event")
        main = self._site.streams.get((self.camera_id, "main"))
        if main is None or main.state != "live":
            return "waiting", "for its stream"
        return "recording", ""

    def states(self) -> dict[StreamName, tuple[StreamState, str]]:
        """State and reason of each stream that its definition names."""
        camera = self.definition
        if camera is None:
            return {}
        names: tuple[StreamName, ...] = ("main", "sub") if camera.sub else ("main",)
        if not camera.enabled:
            return dict.fromkeys(names, ("disabled", SWITCHED_OFF))
        streams = [(name, self._site.streams.get((self.camera_id, name))) for name in names]
        return {name: (stream.state, stream.reason) for name, stream in streams if stream is not None}

    @property
    def is_watched(self) -> bool:
        """Whether analysis watches it, or is to."""
        camera = self.definition
        return camera is not None and "analysis" in self._wanted(camera)

    def sight(self) -> Sight | None:
        """Whether it sees; None while that is not to be said: switched off, or no stream has had its first try."""
        camera = self.definition
        if camera is None or not camera.enabled:
            return None
        names: tuple[StreamName, ...] = ("main", "sub") if camera.sub and "analysis" in self._parts else ("main",)
        found = [self._site.streams.get((self.camera_id, name)) for name in names]
        streams = [stream for stream in found if stream is not None and stream.attempts > 0]
        if not streams:
            return None
        return Sight(any(stream.state == "live" for stream in streams), streams[0].reason)

    def _wanted(self, camera: Camera | None) -> frozenset[Part]:
        if camera is None or not camera.enabled:
            return frozenset()
        parts: set[Part] = {"main"}
        if camera.sub:
            parts.add("sub")
        if camera.record and self._site.store is not None:
            parts.add("recording")
        if any(zone.rules for zone in camera.zones):
            parts.add("analysis")
        return frozenset(parts)

    async def _go_on(self, part: Part, before: Camera | None, camera: Camera) -> None:
        """Start a part, or let it know what changed."""
        if part not in self._parts:
            async with AsyncExitStack() as stack:
                await self._start(part, camera, stack)
                self._parts[part] = stack.pop_all()
        elif part == "main" or part == "sub":
            self._site.streams[self.camera_id, part].change(camera)
        elif part == "analysis":
            name = self._to_watch(time.monotonic())
            if name != self.watched or before is None or before.zones != camera.zones:
                await self._watch(camera, name)

    async def _start(self, part: Part, camera: Camera, stack: AsyncExitStack) -> None:
        if part == "main" or part == "sub":
            await self._open(part, camera, stack)
        elif part == "recording":
            stack.callback(self._site.recorders.pop, self.camera_id, None)
            recording = supervise(f"recording of camera {self.camera_id}", self._record)
            self._to_record.clear()
            await stack.enter_async_context(running(recording))
        else:
            self._sub_live_at = time.monotonic()
            stack.callback(self._unwatch)
            await self._watch(camera, "sub" if camera.sub else "main")

    async def _open(self, name: StreamName, camera: Camera, stack: AsyncExitStack) -> None:
        """Open a stream; when it ends, its viewers end first."""
        site, key = self._site, (self.camera_id, name)
        stream = Stream(
            camera,
            name,
            budget=site.budget,
            ring_max_bytes=site.ring_max_bytes,
            on_change=lambda _: site.on_change(),
            sources=site.sources,
        )
        await stack.enter_async_context(running(supervise(f"camera {self.camera_id} {name}", stream.run)))
        site.streams[key], site.rings[key] = stream, stream.buffer

        def close() -> None:
            del site.streams[key], site.rings[key]
            stream.buffer.close()

        stack.callback(close)

    async def _record(self) -> None:
        store, buffer = self._site.store, self._site.rings[self.camera_id, "main"]
        assert store is not None
        recorder = Recorder(self.camera_id, buffer, store)
        self._site.recorders[self.camera_id] = recorder
        while not buffer.closed:
            await self._to_record.wait()
            await recorder.run(self._record_since_ns)

    def _recorded_since(self, camera: Camera, now: float) -> int | None:
        """From when on pictures are wanted (monotonic ns), 0: from the newest key frame on; None: not at all."""
        wanted = camera.recording
        mode = mode_at(wanted, datetime.now(UTC), self._site.zone)
        if mode != "on_event":
            return 0 if mode == "continuous" else None
        if self.camera_id in self._site.analysis.incident_cameras:
            self._occasion_at = now
        latest = max(self._occasion_at, self._site.event_times.get(self.camera_id, -math.inf))
        if now - latest >= wanted.post_event_seconds:
            return None
        return round((latest - wanted.pre_event_seconds) * 1e9)

    async def _watch(self, camera: Camera, name: StreamName) -> None:
        self.watched = name
        await self._site.analysis.watch(camera, self._site.rings[self.camera_id, name])

    def _unwatch(self) -> None:
        self.watched = None
        self._site.analysis.unwatch(self.camera_id)

    def _to_watch(self, now: float) -> StreamName:
        """The sub stream; the main one where there is none, or while it is live and the other has long been away."""
        main = self._site.streams[self.camera_id, "main"]
        sub = self._site.streams.get((self.camera_id, "sub"))
        if sub is None:
            return "main"
        if sub.state == "live":
            self._sub_live_at = now
            return "sub"
        if self.watched == "sub" and now - self._sub_live_at < SUB_PATIENCE_SECONDS:
            return "sub"
        return "main" if main.state == "live" else self.watched or "sub"
