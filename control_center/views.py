"""What the API shows: the shapes that browsers and scripts rely on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from config.settings import (
    Camera,
    Category,
    DumpingRule,
    FireRule,
    IntrusionRule,
    LoiteringRule,
    ParkingRule,
    Rule,
    Severity,
    StreamName,
)
from control_center.fleet import STREAM_STATES, CameraStatus, Fleet, RecordingState, StreamState
from control_center.incidents.transitions import STATES
from control_center.rights import Desk
from detectors.event import FAMILY, EventKind, FaultKind, RuleKind


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class SessionView(View):
    """Who is signed in, what they may do, until when. `desk` is the liaison desk that they sit at."""

    account_id: str
    name: str
    role: str
    desk: Desk | None
    rights: list[str]
    expires_at: AwareDatetime


class PositionView(View):
    latitude: float
    longitude: float


class RuleView(View):
    kind: RuleKind
    severity: Severity
    seconds: float | None = Field(description="how long it must last: the dwell, the owner gone, or the confirmation")

    @classmethod
    def of(cls, rule: Rule) -> RuleView:
        match rule:
            case LoiteringRule() | ParkingRule():
                seconds = rule.dwell_seconds
            case DumpingRule():
                seconds = rule.owner_gone_seconds
            case IntrusionRule() | FireRule():
                seconds = rule.confirm_seconds
        return cls(kind=rule.kind, severity=rule.severity, seconds=seconds)


class ZoneView(View):
    """`polygon`: x, y as fractions of the picture."""

    name: str
    polygon: list[tuple[float, float]]
    rules: list[RuleView]


class StreamView(View):
    name: StreamName
    state: StreamState
    reason: str
    since: AwareDatetime | None = Field(default=None, description="null while no worker tells")
    next_attempt_at: AwareDatetime | None = Field(default=None, description="when it is tried again; null while it is")


class RecordingStateView(View):
    state: RecordingState = Field(description="failing: pictures that should be stored are being lost")
    reason: str


class CameraStateView(View):
    """Also the data of the live event `camera.state`."""

    id: str
    state: StreamState = Field(description="that of the worst stream")
    reason: str = Field(description="why it is not live; empty when it is")
    streams: list[StreamView]
    blind: bool = Field(description="its rules see nothing now: the camera is lost or its picture is frozen")
    blind_reason: FaultKind | None
    blind_since: AwareDatetime | None
    recording: RecordingStateView | None = Field(default=None, description="null while no worker is heard")

    @classmethod
    def of(cls, status: CameraStatus) -> CameraStateView:
        return cls(
            id=status.camera_id,
            state=status.state,
            reason=status.reason,
            streams=[StreamView(**asdict(stream)) for stream in status.streams],
            blind=status.fault is not None,
            blind_reason=status.fault.kind if status.fault else None,
            blind_since=status.fault.since if status.fault else None,
            recording=RecordingStateView(**status.recording.model_dump()) if status.recording else None,
        )


class CameraView(CameraStateView):
    name: str
    category: Category
    purpose: str
    position: PositionView | None
    record: bool
    enabled: bool = Field(description="false: switched off in the register, neither shown, recorded nor watched")
    zones: list[ZoneView]
    whep_url: str = Field(description="POST an SDP offer here; `?stream=main` (default) or `?stream=sub`")

    @classmethod
    def of_camera(cls, camera: Camera, status: CameraStatus) -> CameraView:
        position = camera.position
        return cls(
            **CameraStateView.of(status).model_dump(),
            name=camera.name,
            category=camera.category,
            purpose=camera.purpose,
            position=PositionView(**position.model_dump()) if position else None,
            record=camera.record,
            enabled=camera.enabled,
            zones=[
                ZoneView(name=zone.name, polygon=list(zone.polygon), rules=[RuleView.of(rule) for rule in zone.rules])
                for zone in camera.zones
            ],
            whep_url=f"/api/v1/cameras/{camera.id}/whep",
        )


class CamerasView(View):
    cameras: list[CameraView]


class CameraCounts(View):
    total: int
    live: int
    connecting: int
    stalled: int
    backing_off: int
    disabled: int


class IncidentStateCounts(View):
    new: int
    acknowledged: int
    dispatched: int
    arrived: int
    closed: int


class IncidentCounts(IncidentStateCounts):
    total: int
    by_kind: dict[EventKind, IncidentStateCounts]


class WorkerView(View):
    answering: bool
    cameras: int
    pid: int | None
    seconds_since_heartbeat: float | None


class WorkerCounts(View):
    total: int
    answering: int
    by_id: dict[str, WorkerView]


class StatusView(View):
    """Also the data of the live event `status` (there without `seconds_since_heartbeat`)."""

    cameras: CameraCounts
    incidents: IncidentCounts
    workers: WorkerCounts

    def comparable(self) -> StatusView:
        """The same without what changes every moment."""
        still = {key: worker.model_copy(update=_NO_AGE) for key, worker in self.workers.by_id.items()}
        return self.model_copy(update={"workers": self.workers.model_copy(update={"by_id": still})})


_NO_AGE = {"seconds_since_heartbeat": None}


class HealthPart(View):
    ok: bool
    detail: str


class HealthView(View):
    status: Literal["ok", "failing"]
    parts: dict[str, HealthPart]


def status_view(fleet: Fleet, counts: list[tuple[str, str, int]]) -> StatusView:
    """The figures; `counts` are (kind, state, number)."""
    states = [status.state for status in fleet.camera_statuses()]
    numbers = {(kind, state): number for kind, state, number in counts}
    workers = fleet.workers()
    return StatusView(
        cameras=CameraCounts(total=len(states), **{state: states.count(state) for state in STREAM_STATES}),
        incidents=IncidentCounts(
            total=sum(numbers.values()),
            **{state: sum(n for (_, s), n in numbers.items() if s == state) for state in STATES},
            by_kind={
                kind: IncidentStateCounts(**{state: numbers.get((kind, state), 0) for state in STATES})
                for kind in FAMILY
            },
        ),
        workers=WorkerCounts(
            total=len(workers),
            answering=sum(worker.is_answering for worker in workers),
            by_id={
                worker.worker_id: WorkerView(
                    answering=worker.is_answering,
                    cameras=worker.camera_count,
                    pid=worker.pid,
                    seconds_since_heartbeat=_rounded(worker.seconds_since_heartbeat),
                )
                for worker in workers
            },
        ),
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
