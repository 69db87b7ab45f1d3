"""What a worker says of itself: heartbeat, status and metrics, all read from the same parts at the time of asking."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from streams.analysis import Analysis
from streams.camera_faults import CameraFaults
from streams.camera_source import CameraSource
from streams.center_link import CenterLink
from streams.event_intake import EventIntake
from streams.outbox import Outbox
from streams.picture_process import PictureProcess
from streams.playback.process import PlaybackProcess
from streams.recording_store import RecordingStore
from streams.relay import Relay, StreamKey
from streams.roster import Roster
from streams.rtsp import scanner
from streams.running_camera import CameraSite, RunningCamera
from streams.stream_status import StreamState
from streams.worker_metrics import Sample, counters

_STATES: tuple[StreamState, ...] = ("connecting", "live", "stalled", "backing_off", "disabled")


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """The running parts of a worker, as its reports read them."""

    worker_id: str
    shard: str
    base_url: str
    started_at: datetime
    source: CameraSource
    roster: Roster
    site: CameraSite
    relay: Relay
    outbox: Outbox
    intake: EventIntake
    center: CenterLink
    playback: PlaybackProcess
    faults: CameraFaults

    @property
    def analysis(self) -> Analysis:
        return self.site.analysis

    @property
    def store(self) -> RecordingStore | None:
        return self.site.store


def heartbeat(parts: WorkerParts) -> dict[str, Any]:
    """What the center is told every two seconds."""
    cameras: dict[str, dict[str, Any]] = {
        camera_id: {
            name: {"state": state, "reason": reason[:500], **_times(parts, (camera_id, name))}
            for name, (state, reason) in camera.states().items()
        }
        for camera_id, camera in parts.roster.cameras.items()
    }
    for camera_id, reason in parts.roster.unusable().items():
        told = f"the worker cannot use its definition ({reason[:400]}); change it, or update the worker"
        cameras[camera_id] = {"main": {"state": "backing_off", "reason": told[:500]}}
    recordings = {camera_id: camera.recording() for camera_id, camera in parts.roster.cameras.items()}
    return {
        "base_url": parts.base_url,
        "playback_url": parts.playback.base_url,
        "recordings": {name: {"state": state, "reason": reason[:500]} for name, (state, reason) in recordings.items()},
        "pid": os.getpid(),
        "cameras": cameras,
        "counters": counters(_worker_samples(parts)),
        "viewers": [asdict(session) for session in parts.relay.open_sessions()],
        "faults": {
            camera_id: {"kind": fault.kind, "since": fault.started_at.isoformat()}
            for camera_id, fault in parts.faults.blind().items()
        },
    }


def _times(parts: WorkerParts, key: StreamKey) -> dict[str, str]:
    """Since when a stream is as it is, and when it is tried next."""
    stream = parts.site.streams.get(key)
    if stream is None:
        return {}
    next_at = stream.next_attempt_at
    return {"since": stream.since.isoformat()} | ({"next_attempt_at": next_at.isoformat()} if next_at else {})


def status(parts: WorkerParts) -> dict[str, Any]:
    """Everything, for an engineer. Holds dataclasses and times; no password and no URL of a camera."""
    gates, watched, viewers = parts.analysis.gates(), parts.analysis.camera_stats(), parts.relay.viewer_counts()
    current, blind = parts.source.current, parts.faults.blind()
    cameras: dict[str, dict[str, Any]] = {}
    for camera_id, camera in parts.roster.cameras.items():
        recorder = parts.site.recorders.get(camera_id)
        recorded = {**asdict(recorder.counts), "lost_seconds": recorder.lost_seconds} if recorder is not None else None
        cameras[camera_id] = {
            "streams": _streams(parts, camera, viewers),
            "recorder": recorded,
            "recording": dict(zip(("state", "reason"), camera.recording(), strict=True)),
            "watched": camera.watched,
            "gate": gates.get(camera_id),
            "analysis": watched.get(camera_id),
            "fault": blind.get(camera_id),
        }
    return {
        "worker_id": parts.worker_id,
        "shard": parts.shard,
        "pid": os.getpid(),
        "started_at": parts.started_at,
        "scanner": scanner.FORM,
        "camera_list": {
            "source": current.source,
            "version": current.version,
            "fault": parts.source.fault,
            "faults": parts.roster.faults,
        },
        "cameras": cameras,
        "recording": parts.store.status() if parts.store else None,
        "incident_cameras": sorted(parts.analysis.incident_cameras),
        "pictures": _pictures(parts.analysis.process),
        "playback": {"pid": parts.playback.pid, "starts": parts.playback.starts},
        "outbox": parts.outbox.status,
        "intake": parts.intake.status,
        "center": parts.center.status,
        "relay": parts.relay.counters(),
    }


def _streams(parts: WorkerParts, camera: RunningCamera, viewers: Mapping[StreamKey, int]) -> dict[str, Any]:
    streams: dict[str, Any] = {}
    for name, (state, reason) in camera.states().items():
        key = (camera.camera_id, name)
        stream = parts.site.streams.get(key)
        if stream is None:
            streams[name] = {"state": state, "reason": reason}
            continue
        buffer = stream.buffer
        ring = {"bytes": buffer.byte_count, "units": buffer.next_index - buffer.first_index}
        streams[name] = {**asdict(stream.status()), "ring": ring, "viewers": viewers.get(key, 0)}
    return streams


def _pictures(process: PictureProcess) -> dict[str, Any]:
    names = ("state", "fault", "pid", "starts", "unconsumed_bytes", "stats")
    return {name: getattr(process, name) for name in names}


def samples(parts: WorkerParts) -> Iterator[Sample]:
    """Every figure of the worker: some twenty for each camera."""
    yield from _worker_samples(parts)
    yield Sample(
        "loop_tasks", "Tasks of the worker's loop; grows with cameras and viewers only", len(asyncio.all_tasks())
    )
    yield from _stream_samples(parts)
    yield from _recorder_samples(parts)
    yield from _analysis_samples(parts)


def _worker_samples(parts: WorkerParts) -> Iterator[Sample]:
    """Those of the whole worker; cheap, however many cameras it has."""
    yield from _relay_samples(parts)
    yield from _store_samples(parts)
    yield from _picture_samples(parts)
    yield from _event_samples(parts)
    is_compiled = float(scanner.FORM == "compiled")
    yield Sample("scanner_compiled", "1: packets are read by the compiled scanner; 0: by the slower one", is_compiled)


def _stream_samples(parts: WorkerParts) -> Iterator[Sample]:
    for (camera_id, name), count in parts.relay.viewer_counts().items():
        labels = (("camera", camera_id), ("stream", name))
        yield Sample("stream_viewers", "Viewers connected to a stream", count, labels)
    yield Sample("streams_connecting", "Attempts to connect that run now", parts.site.budget.running)
    for (camera_id, name), stream in parts.site.streams.items():
        labels = (("camera", camera_id), ("stream", name))
        one = stream.status()
        counts = one.counts
        for state in _STATES:
            own = (*labels, ("state", state))
            yield Sample("stream_state", "1 for the state the stream is in", float(one.state == state), own)
        if one.reason:
            why = (*labels, ("reason", one.reason))
            yield Sample("stream_reason", "1 with why the stream is not live, or what is wrong with it", 1.0, why)
        yield Sample("stream_attempts", "Connections tried", counts.attempts, labels, True)
        yield Sample("stream_access_units", "Pictures received", counts.access_units, labels, True)
        yield Sample("stream_bytes", "Bytes of RTP received", counts.bytes, labels, True)
        yield Sample("stream_lost_packets", "RTP packets that are missing", counts.lost_packets, labels, True)
        yield Sample("stream_damaged_units", "Pictures with packets missing", counts.damaged_units, labels, True)
        yield Sample("stream_sessions", "RTSP sessions that played", counts.sessions, labels, True)
        yield Sample("ring_bytes", "Bytes in the ring of pictures", stream.buffer.byte_count, labels)


def _recorder_samples(parts: WorkerParts) -> Iterator[Sample]:
    for camera_id, recorder in parts.site.recorders.items():
        labels = (("camera", camera_id),)
        counts = recorder.counts
        yield Sample("recorder_bytes", "Bytes recorded", counts.bytes, labels, True)
        yield Sample("recorder_units", "Pictures recorded", counts.units, labels, True)
        yield Sample("recorder_segments", "Segments begun", counts.segments, labels, True)
        yield Sample("recorder_lost_seconds", "Seconds not recorded", recorder.lost_seconds, labels, True)
        yield Sample(
            "recorder_failing", "1 while pictures to be recorded are lost", float(bool(recorder.fault)), labels
        )


def _store_samples(parts: WorkerParts) -> Iterator[Sample]:
    if parts.store is not None:
        store = parts.store.status()
        yield Sample("recorder_queued_bytes", "Bytes that wait for the disk", store.queued_bytes)
        yield Sample("recorder_errors", "Failed writes of recordings", store.errors, is_counter=True)
        for reason in ("days", "bytes", "space"):
            count = store.destroyed_segments.get(reason, 0)
            yield Sample("segments_destroyed", "Files that retention deleted", count, (("reason", reason),), True)


def _relay_samples(parts: WorkerParts) -> Iterator[Sample]:
    yield Sample("relay_open_sessions", "Sessions that connect or are connected", parts.relay.session_count)
    for what, value in parts.relay.counters().items():
        if what == "viewers":
            yield Sample("viewers", "Viewers connected", value)
        else:
            yield Sample(f"relay_{what}", f"Relay: {what.replace('_', ' ')}", value, is_counter=True)


def _analysis_samples(parts: WorkerParts) -> Iterator[Sample]:
    for camera_id, gate in parts.analysis.gates().items():
        labels = (("camera", camera_id),)
        yield Sample("gate_open", "1: every picture is decoded; 0: key frames alone", float(gate.is_open), labels)
        yield Sample("gate_sent_units", "Pictures sent to the decoder", gate.sent, labels, True)
        yield Sample("gate_shed_units", "Pictures shed as the decoder was behind", gate.shed, labels, True)
        yield Sample("gate_skipped_units", "Pictures not wanted by the gate", gate.skipped, labels, True)
    for camera_id, one in parts.analysis.camera_stats().items():
        labels = (("camera", camera_id),)
        yield Sample("analysis_frames", "Frames analysed", one.frames_concluded, labels, True)
        yield Sample("analysis_shed_frames", "Frames the detector had no time for", one.frames_shed, labels, True)
        yield Sample("analysis_crops", "Crops the detector saw", one.crops, labels, True)
        yield Sample("decode_errors", "Pictures that could not be decoded", one.decode_errors, labels, True)


def _picture_samples(parts: WorkerParts) -> Iterator[Sample]:
    process = parts.analysis.process
    yield Sample("pictures_up", "1 while the pictures process runs", float(process.state == "running"))
    yield Sample("pictures_starts", "Times the pictures process was started", process.starts, is_counter=True)
    yield Sample("pictures_unconsumed_bytes", "Bytes the pictures process has yet to consume", process.unconsumed_bytes)
    yield Sample(
        "decode_budget_used", "Seconds of decoding a second that the gates let through", parts.analysis.keeper.cost
    )
    stats = process.stats
    if stats is None:
        return
    yield Sample("decode_seconds", "Seconds of decoding", stats.decode_seconds, is_counter=True)
    yield Sample("look_seconds", "Seconds of looking for motion", stats.look_seconds, is_counter=True)
    yield Sample("inference_seconds", "Seconds the detector ran", stats.inference_seconds, is_counter=True)
    yield Sample("inference_batches", "Batches the detector ran", stats.inference_batches, is_counter=True)
    yield Sample("analysis_lag_seconds", "How late pictures were decoded in the last second", stats.lag_seconds)
    yield Sample("analysis_pace", "Share of the wanted analysis rate that is afforded", stats.pace)


def _event_samples(parts: WorkerParts) -> Iterator[Sample]:
    outbox, intake, center = parts.outbox.status, parts.intake.status, parts.center.status
    yield Sample("outbox_depth", "Events that wait for the center", outbox.depth)
    yield Sample("outbox_stored", "Events written to disk", outbox.stored, is_counter=True)
    yield Sample("outbox_accepted", "Events the center has taken", outbox.accepted, is_counter=True)
    yield Sample("outbox_refused", "Events the center will never take", outbox.refused_by_center, is_counter=True)
    yield Sample("outbox_snapshots_dropped", "Events stored without picture", outbox.snapshots_dropped, is_counter=True)
    yield Sample("events_lost", "Events that could not be stored", intake.lost, is_counter=True)
    yield Sample("heartbeats_lost", "Heartbeats the center did not take", center.heartbeats_lost, is_counter=True)
