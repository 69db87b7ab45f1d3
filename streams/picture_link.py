"""What travels between the packets and the pictures process of a worker, over one socketpair.

A record is `!IB` (bytes that follow the length, kind) and a body. Down go HELLO (JSON), UNIT (`!HBqqq`: camera
index, flags, pts_90k, arrival in ns of the machine's monotonic clock, arrival in µs since 1970 UTC; then the access
unit as Annex B), WATCH (JSON: a camera to watch from now on, or another definition of one that is watched), UNWATCH
(`!H`: the index of a camera that is watched no more) and ATTENTION (JSON list of camera ids with an open incident).
Up come EVENT (`!I` JSON length, the event as JSON, then the snapshot as JPEG), STATS (JSON), CREDIT (`!I`, UNIT
records consumed since the last CREDIT) and FAULT (text: why it ends).

A camera keeps its index for as long as it is watched. Records are in order, so nothing in flight is taken for another
camera's; and an index is not given again before all others have been.

Credit bounds the link: the packets side counts what is not yet consumed and never waits.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, IntFlag
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from config.settings import AnalysisSettings, Camera
from detectors.event import Event
from streams import records
from streams.access_unit import AccessUnit
from streams.records import LinkError, record

CAMERA_INDEXES = 1 << 16
_UNIT = struct.Struct("!HBqqq")
_COUNT = struct.Struct("!I")
_INDEX = struct.Struct("!H")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(IntEnum):
    HELLO = 1
    UNIT = 2
    ATTENTION = 3
    WATCH = 4
    UNWATCH = 5
    EVENT = 16
    STATS = 17
    CREDIT = 18
    FAULT = 19


class Flag(IntFlag):
    KEY = 1
    H265 = 2


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One access unit on its way to the decoder. `data` is Annex B, with parameter sets before a key frame.

    `received_ns` is monotonic, to tell its age; `captured_us` is UTC, to tell people when.
    """

    camera_index: int
    flags: Flag
    pts_90k: int
    received_ns: int
    captured_us: int
    data: bytes

    @property
    def is_key(self) -> bool:
        return bool(self.flags & Flag.KEY)

    @property
    def codec(self) -> str:
        """Name of its decoder in FFmpeg's words."""
        return "hevc" if self.flags & Flag.H265 else "h264"

    @property
    def captured_at(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.captured_us)


class WatchOrder(BaseModel):
    """A camera to watch, and what was raised at it before. `camera` holds no user name or password.

    The newest of `recent_events` is the last.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera_index: Annotated[int, Field(ge=0, lt=CAMERA_INDEXES)]
    camera: Camera
    recent_events: tuple[Event, ...] = ()


class Hello(BaseModel):
    """First record down: what the pictures process is to watch when it starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    analysis: AnalysisSettings
    cameras: tuple[WatchOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraStats:
    """Running totals of one camera since the pictures process started; seconds of work, not of media.

    `still_seconds` (of media) and `picture_changes` are streams.freeze_watch.FreezeWatch's.
    """

    camera_index: int
    units: int = 0
    decode_seconds: float = 0.0
    decode_errors: int = 0
    frames_looked_at: int = 0
    frames_concluded: int = 0
    frames_shed: int = 0
    crops: int = 0
    is_active: bool = False
    still_seconds: float = 0.0
    picture_changes: int = 0


@dataclass(frozen=True, slots=True)
class PictureStats:
    """Running totals of a pictures process, once a second.

    `pace` (0..1] is the share of `analysis.frames_per_second` it now affords, `lag_seconds` how far it is behind
    the cameras, `resident_bytes` its memory.
    """

    pid: int
    decode_seconds: float = 0.0
    look_seconds: float = 0.0
    inference_seconds: float = 0.0
    inference_batches: int = 0
    lag_seconds: float = 0.0
    pace: float = 1.0
    resident_bytes: int = 0
    events: int = 0
    cameras: tuple[CameraStats, ...] = ()


_EVENT = TypeAdapter(Event)
_STATS = TypeAdapter(PictureStats)


def encode_unit(camera_index: int, unit: AccessUnit, captured_us: int) -> bytes:
    flags = (Flag.KEY if unit.is_key else 0) | (Flag.H265 if unit.parameters.codec == "h265" else 0)
    return record(
        Kind.UNIT, _UNIT.pack(camera_index, flags, unit.pts_90k, unit.received_ns, captured_us), unit.annex_b()
    )


def decode_unit(body: bytes) -> UnitRecord:
    """Raises LinkError."""
    if len(body) < _UNIT.size:
        raise LinkError(f"UNIT record of {len(body)} bytes is cut short")
    camera_index, flags, pts_90k, received_ns, captured_us = _UNIT.unpack_from(body)
    return UnitRecord(camera_index, Flag(flags), pts_90k, received_ns, captured_us, body[_UNIT.size :])


_SECRETS = {"camera": {"username", "password"}}


def encode_hello(hello: Hello) -> bytes:
    return record(Kind.HELLO, hello.model_dump_json(exclude={"cameras": {"__all__": _SECRETS}}).encode())


def decode_hello(body: bytes) -> Hello:
    """Raises LinkError."""
    try:
        return Hello.model_validate_json(body)
    except ValidationError as error:
        raise LinkError(f"HELLO record does not fit: {error}") from error


def encode_watch(order: WatchOrder) -> bytes:
    return record(Kind.WATCH, order.model_dump_json(exclude=_SECRETS).encode())


def decode_watch(body: bytes) -> WatchOrder:
    """Raises LinkError."""
    try:
        return WatchOrder.model_validate_json(body)
    except ValidationError as error:
        raise LinkError(f"WATCH record does not fit: {error}") from error


def encode_unwatch(camera_index: int) -> bytes:
    return record(Kind.UNWATCH, _INDEX.pack(camera_index))


def decode_unwatch(body: bytes) -> int:
    """The camera's index. Raises LinkError."""
    if len(body) != _INDEX.size:
        raise LinkError(f"UNWATCH record of {len(body)} bytes")
    camera_index: int = _INDEX.unpack(body)[0]
    return camera_index


def encode_attention(camera_ids: frozenset[str]) -> bytes:
    return record(Kind.ATTENTION, json.dumps(sorted(camera_ids)).encode())


def decode_attention(body: bytes) -> frozenset[str]:
    """Raises LinkError."""
    try:
        return frozenset(TypeAdapter(list[str]).validate_json(body))
    except ValidationError as error:
        raise LinkError(f"ATTENTION record does not fit: {error}") from error


def encode_event(event: Event, snapshot_jpeg: bytes) -> bytes:
    fields = _EVENT.dump_json(event)
    return record(Kind.EVENT, _COUNT.pack(len(fields)), fields, snapshot_jpeg)


def decode_event(body: bytes) -> tuple[Event, bytes]:
    """The event and its snapshot (JPEG, may be empty). Raises LinkError."""
    if len(body) < _COUNT.size:
        raise LinkError(f"EVENT record of {len(body)} bytes is cut short")
    end = _COUNT.size + _COUNT.unpack_from(body)[0]
    return event_from_json(body[_COUNT.size : end]), body[end:]


def event_to_json(event: Event) -> str:
    return _EVENT.dump_json(event).decode()


def event_from_json(text: str | bytes) -> Event:
    """Raises LinkError."""
    try:
        return _EVENT.validate_json(text)
    except ValidationError as error:
        raise LinkError(f"event does not fit: {error}") from error


def encode_stats(stats: PictureStats) -> bytes:
    return record(Kind.STATS, json.dumps(asdict(stats)).encode())


def decode_stats(body: bytes) -> PictureStats:
    """Raises LinkError."""
    try:
        return _STATS.validate_json(body)
    except ValidationError as error:
        raise LinkError(f"STATS record does not fit: {error}") from error


def encode_credit(units: int) -> bytes:
    return record(Kind.CREDIT, _COUNT.pack(units))


def decode_credit(body: bytes) -> int:
    """Raises LinkError."""
    if len(body) != _COUNT.size:
        raise LinkError(f"CREDIT record of {len(body)} bytes")
    count: int = _COUNT.unpack(body)[0]
    return count


def encode_fault(reason: str) -> bytes:
    return record(Kind.FAULT, reason.encode())


def decode_fault(body: bytes) -> str:
    return body.decode(errors="replace")


class RecordParser(records.RecordParser[Kind]):
    """Of this link."""

    def __init__(self, max_record_bytes: int = records.MAX_RECORD_BYTES) -> None:
        super().__init__(Kind, max_record_bytes)
