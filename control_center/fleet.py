"""Which worker has which camera, and how each camera's streams do. Kept in memory: workers tell it every 2 s."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from config.settings import Camera, Identifier, StreamName
from detectors.event import FaultKind

StreamState = Literal["connecting", "live", "stalled", "backing_off", "disabled"]
RecordingState = Literal["recording", "waiting", "failing", "off"]
STREAM_STATES: tuple[StreamState, ...] = ("live", "connecting", "stalled", "backing_off", "disabled")
# A camera is as well as its worst stream. `disabled` is a decision, so any trouble stands before it.
_FROM_WORST: tuple[StreamState, ...] = ("backing_off", "stalled", "connecting", "disabled", "live")

SWITCHED_OFF = "switched off in the camera register"
SILENT_AFTER_SECONDS = 6.0
FORGOTTEN_AFTER_SECONDS = 600.0


class StreamReport(BaseModel):
    """State of one stream as its worker sees it; `reason` says why it is not live. Older workers tell no times."""

    model_config = ConfigDict(frozen=True)

    state: StreamState
    reason: Annotated[str, Field(max_length=500)] = ""
    since: AwareDatetime | None = None
    next_attempt_at: AwareDatetime | None = None

    @field_validator("reason", mode="before")
    @classmethod
    def _none_is_empty(cls, value: object) -> object:
        return "" if value is None else value


class FaultReport(BaseModel):
    """A camera's rules are blind since then, because of this fault."""

    model_config = ConfigDict(frozen=True)

    kind: FaultKind
    since: AwareDatetime


class RecordingReport(BaseModel):
    """How a camera's recording does: `failing` when pictures that should be stored are lost."""

    model_config = ConfigDict(frozen=True)

    state: RecordingState
    reason: Annotated[str, Field(max_length=500)] = ""


class ViewerReport(BaseModel):
    """A live picture that is open at a worker; `viewer` is whom the center named when it was opened."""

    model_config = ConfigDict(frozen=True)

    camera_id: Annotated[str, Field(max_length=63)]
    session_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
    viewer: Annotated[str, Field(max_length=200)]


class Heartbeat(BaseModel):
    """What a worker tells: where its HTTP API and its recordings are, how its cameras do, who watches them, and its
    counters (Prometheus names).
    """

    model_config = ConfigDict(frozen=True)

    base_url: str
    playback_url: str | None = None
    pid: Annotated[int, Field(gt=0)]
    cameras: Annotated[dict[Identifier, dict[StreamName, StreamReport]], Field(max_length=4096)] = {}
    recordings: Annotated[dict[Identifier, RecordingReport], Field(max_length=4096)] = {}
    counters: Annotated[dict[str, float], Field(max_length=1024)] = {}
    viewers: Annotated[list[ViewerReport], Field(max_length=10_000)] = []
    faults: Annotated[dict[Identifier, FaultReport], Field(max_length=4096)] = {}

    @field_validator("base_url", "playback_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must look like http://host:port")
        return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class StreamStatus:
    name: StreamName
    state: StreamState
    reason: str
    since: datetime | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """`state` and `reason` are those of the worst required stream. `worker_id` is None until a worker has it.

    `fault`: why its rules are blind, as the worker said last; None while they are not.
    `recording` is what its worker said of it last, None while none is heard.
    """

    camera_id: str
    state: StreamState
    reason: str
    streams: tuple[StreamStatus, ...]
    worker_id: str | None
    fault: FaultReport | None = None
    recording: RecordingReport | None = None


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """`seconds_since_heartbeat` is None for an expected worker that never reported."""

    worker_id: str
    is_answering: bool
    seconds_since_heartbeat: float | None
    pid: int | None
    camera_count: int
    base_url: str | None = None
    playback_url: str | None = None
    counters: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Record:
    heartbeat: Heartbeat
    heard_at: float


class Fleet:
    """`clock` gives monotonic seconds. `expected` are the workers that this installation started."""

    def __init__(
        self,
        cameras: Iterable[Camera],
        expected: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cameras: dict[str, Camera] = {camera.id: camera for camera in cameras}
        self._expected = tuple(expected)
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._published = {status.camera_id: status for status in self.camera_statuses()}

    def set_cameras(self, cameras: Iterable[Camera]) -> None:
        """The register changed; what it did to the cameras' states is told by the next `changes`."""
        self.cameras = {camera.id: camera for camera in cameras}
        self._published = {key: status for key, status in self._published.items() if key in self.cameras}

    def hear(self, worker_id: str, heartbeat: Heartbeat) -> list[CameraStatus]:
        """Take a heartbeat; gives the cameras whose state it changed."""
        self._records[worker_id] = _Record(heartbeat, self._clock())
        return self.changes()

    def changes(self) -> list[CameraStatus]:
        """Cameras that changed since the last call, by a heartbeat or by the silence of their worker."""
        oldest = self._clock() - FORGOTTEN_AFTER_SECONDS
        self._records = {
            worker_id: record
            for worker_id, record in self._records.items()
            if record.heard_at > oldest or worker_id in self._expected
        }
        changed = [status for status in self.camera_statuses() if self._published.get(status.camera_id) != status]
        self._published.update({status.camera_id: status for status in changed})
        return changed

    def camera_statuses(self) -> list[CameraStatus]:
        owners = self._owners()
        return [self._status(camera, owners.get(camera.id)) for camera in self.cameras.values()]

    def camera_status(self, camera_id: str) -> CameraStatus:
        """Raises KeyError for a camera that is not in the register."""
        return self._status(self.cameras[camera_id], self._owners().get(camera_id))

    def worker_of(self, camera_id: str) -> WorkerStatus | None:
        """The worker that reported this camera last."""
        worker_id = self._owners().get(camera_id)
        return None if worker_id is None else self._worker(worker_id)

    def workers(self) -> list[WorkerStatus]:
        return [self._worker(worker_id) for worker_id in sorted({*self._expected, *self._records})]

    def _owners(self) -> dict[str, str]:
        owners: dict[str, str] = {}
        for worker_id, record in sorted(self._records.items(), key=lambda item: item[1].heard_at):
            owners.update(dict.fromkeys(record.heartbeat.cameras, worker_id))
        return owners

    def _worker(self, worker_id: str) -> WorkerStatus:
        record = self._records.get(worker_id)
        if record is None:
            return WorkerStatus(worker_id, False, None, None, 0)
        silence = self._clock() - record.heard_at
        return WorkerStatus(
            worker_id,
            silence <= SILENT_AFTER_SECONDS,
            silence,
            record.heartbeat.pid,
            len(record.heartbeat.cameras),
            record.heartbeat.base_url,
            record.heartbeat.playback_url,
            dict(record.heartbeat.counters),
        )

    def _status(self, camera: Camera, worker_id: str | None) -> CameraStatus:
        names: tuple[StreamName, ...] = ("main", "sub") if camera.sub else ("main",)
        if camera.enabled:
            streams = tuple(self._stream(camera.id, name, worker_id) for name in names)
        else:
            streams = tuple(StreamStatus(name, "disabled", SWITCHED_OFF) for name in names)
        worst = min(streams, key=lambda stream: _FROM_WORST.index(stream.state))
        fault = self._records[worker_id].heartbeat.faults.get(camera.id) if worker_id and camera.enabled else None
        recording = self._recording(camera, worker_id)
        return CameraStatus(camera.id, worst.state, worst.reason, streams, worker_id, fault, recording)

    def _recording(self, camera: Camera, worker_id: str | None) -> RecordingReport | None:
        record = self._records.get(worker_id or "")
        if record is None or self._clock() - record.heard_at > SILENT_AFTER_SECONDS:
            return None
        return record.heartbeat.recordings.get(camera.id)

    def _stream(self, camera_id: str, name: StreamName, worker_id: str | None) -> StreamStatus:
        if worker_id is None:
            return StreamStatus(name, "connecting", "no worker has this camera yet")
        record = self._records[worker_id]
        if self._clock() - record.heard_at > SILENT_AFTER_SECONDS:
            return StreamStatus(name, "connecting", f"worker {worker_id} not answering")
        report = record.heartbeat.cameras[camera_id].get(name)
        if report is None:
            return StreamStatus(name, "connecting", f"worker {worker_id} has not opened this stream yet")
        return StreamStatus(name, report.state, report.reason, report.since, report.next_attempt_at)
