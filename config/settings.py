"""Settings of a Haechi installation, as they stand in its YAML file.

Every model is frozen and refuses unknown fields. Coordinates in a picture are fractions of its width and
height (0..1, origin top left), so that a zone holds for the main and the sub stream alike.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Category = Literal[
    "road_crime_prevention",  # 도로방범
    "traffic",  # 교통
    "disaster",  # 재난
    "school_zone",  # 스쿨존
    "neighbourhood_crime_prevention",  # 생활방범
    "illegal_parking",  # 불법주정차
    "park_safety",  # 공원안전
    "forest_fire_watch",  # 산불감시
    "underpass",  # 지하보차도
]
CATEGORIES: tuple[Category, ...] = get_args(Category)
Severity = Literal["attention", "caution", "alert", "serious"]
StreamName = Literal["main", "sub"]
Transport = Literal["tcp", "udp", "auto"]


_HOST = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
# Control characters, and halves of characters of UTF-16 as JSON can write them, which cannot be stored.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _without_control_characters(value: str) -> str:
    if _UNWANTED.search(value):
        raise ValueError("must not hold control characters such as a line break")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return _without_control_characters(value)


def _stream_url(value: str) -> str:
    _without_control_characters(value)
    try:
        parts = urlsplit(value)
        if parts.scheme == "file":
            is_one = parts.netloc in {"", "localhost"} and parts.path.startswith("/") and not parts.path.endswith("/")
        else:
            is_one = parts.scheme in {"rtsp", "rtsps", "http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError(
            "must look like rtsp://host[:port]/path, https://host[:port]/playlist.m3u8 or file:///folder/clip.mp4"
        )
    if parts.username or parts.password:
        raise ValueError("must not hold a user name or password; use the camera's `username` and `password` fields")
    return value


_TURN_URL = re.compile(r"turns?:(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?")


def _turn_url(value: str) -> str:
    if not _TURN_URL.fullmatch(value):
        raise ValueError("must look like turn:host[:port], turn:host?transport=tcp or turns:host:5349?transport=tcp")
    return value


StreamUrl = Annotated[str, AfterValidator(_stream_url)]
Label = Annotated[str, AfterValidator(_not_blank)]
Line = Annotated[str, AfterValidator(_without_control_characters)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Fraction, Fraction]


class Position(Section):
    """WGS 84 (EPSG:4326), degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class IntrusionRule(Section):
    """A person's whole body is inside the zone."""

    kind: Literal["intrusion"] = "intrusion"
    severity: Severity = "alert"
    confirm_seconds: Annotated[float, Field(ge=0, le=10)] = 0.5


class LoiteringRule(Section):
    """A person stays in the zone for `dwell_seconds` (street default 60 s, KISA test 10 s)."""

    kind: Literal["loitering"] = "loitering"
    severity: Severity = "attention"
    dwell_seconds: Annotated[float, Field(gt=0)] = 60.0


class DumpingRule(Section):
    """A thing is left in the zone and its owner has been gone for `owner_gone_seconds`."""

    kind: Literal["dumping"] = "dumping"
    severity: Severity = "caution"
    owner_gone_seconds: Annotated[float, Field(gt=0)] = 10.0


class ParkingRule(Section):
    """A vehicle stands in the zone for `dwell_seconds` (5 to 20 min by city; 1 min at strict places)."""

    kind: Literal["parking"] = "parking"
    severity: Severity = "attention"
    dwell_seconds: Annotated[float, Field(gt=0)] = 300.0


class FireRule(Section):
    """Flame or smoke inside the zone, seen for `confirm_seconds`, flickering or growing as fire does."""

    kind: Literal["fire"] = "fire"
    severity: Severity = "serious"
    confirm_seconds: Annotated[float, Field(gt=0)] = 3.0


Rule = Annotated[IntrusionRule | LoiteringRule | DumpingRule | ParkingRule | FireRule, Field(discriminator="kind")]


class Zone(Section):
    """A polygon in the picture and the rules that hold in it. No polygon means the whole picture."""

    name: Identifier
    polygon: tuple[Point, ...] = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    rules: tuple[Rule, ...]

    @field_validator("polygon")
    @classmethod
    def _has_area(cls, polygon: tuple[Point, ...]) -> tuple[Point, ...]:
        if len(polygon) < 3:
            raise ValueError("needs at least three points")
        return polygon


RecordingMode = Literal["continuous", "on_event", "off"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
TimeOfDay = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", description="HH:MM, city's time")]
KeepDays = Annotated[float, Field(gt=0, le=36_500, description="older recordings are deleted, unless held")]
KeepBytes = Annotated[int, Field(ge=1_000_000, description="most bytes of one camera's recordings; the oldest go")]


class RecordingHours(Section):
    """From `start` until `end` on these days; where `end` is not after `start`, until `end` on the day after."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEKDAYS
    start: TimeOfDay
    end: TimeOfDay
    mode: RecordingMode


class CameraRecording(Section):
    """How a camera is recorded: as the first of `hours` that fits says, else as `mode` does.

    `on_event`: while an incident of the camera is open and `post_event_seconds` longer, or after an event, from
    `pre_event_seconds` before it (as far as the ring reaches back). `keep_days` and `keep_bytes`: else as for all.
    """

    mode: RecordingMode = "continuous"
    hours: tuple[RecordingHours, ...] = ()
    pre_event_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    post_event_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    keep_days: KeepDays | None = None
    keep_bytes: KeepBytes | None = None


class Camera(Section):
    """A device. `main` is recorded and shown large; `sub`, where there is one, is watched and shown small."""

    id: Identifier
    name: Annotated[Label, Field(min_length=1, max_length=120)]
    category: Category = "neighbourhood_crime_prevention"
    purpose: Annotated[
        Label, Field(min_length=1, max_length=500, description="lawful purpose; without one no live picture")
    ]
    position: Position | None = None
    main: StreamUrl
    sub: StreamUrl | None = None
    username: Line | None = None
    password: SecretStr | None = None
    transport: Annotated[
        Transport,
        Field(
            description="how RTP comes: tcp or udp first, the other where the camera refuses (461); auto: udp, "
            "and tcp where no packet arrives"
        ),
    ] = "tcp"
    record: Annotated[bool, Field(description="false: never recorded, whatever `recording` says")] = True
    recording: CameraRecording = CameraRecording()
    enabled: Annotated[bool, Field(description="false: neither opened, recorded nor watched, until it is true")] = True
    zones: tuple[Zone, ...] = ()

    @field_validator("password")
    @classmethod
    def _password_is_one_line(cls, password: SecretStr | None) -> SecretStr | None:
        if password is not None:
            _without_control_characters(password.get_secret_value())
        return password

    @model_validator(mode="after")
    def _zone_names_differ(self) -> Camera:
        names = [zone.name for zone in self.zones]
        if len(set(names)) != len(names):
            raise ValueError("zone names must differ within a camera")
        return self

    def url(self, stream: StreamName) -> str:
        """URL of `stream`; a camera without a sub stream gives its main one for both."""
        return self.sub if stream == "sub" and self.sub else self.main


class CenterSettings(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    database_url: Annotated[str | None, Field(description="SQLAlchemy URL; default is SQLite in data_dir")] = None
    time_zone: Annotated[str, Field(description="IANA name; the day of the figures begins at its midnight")] = (
        "Asia/Seoul"
    )

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("must be an IANA name that this machine knows, such as Asia/Seoul") from error
        return name


class DeskSettings(Section):
    """What a liaison desk sees of an incident that was dispatched to it."""

    radius_meters: Annotated[float, Field(gt=0, le=20_000)] = 500.0
    max_cameras: Annotated[int, Field(ge=1, le=64)] = 12
    grant_hours: Annotated[float, Field(gt=0, le=168)] = 12.0


class WorkerSettings(Section):
    count: Annotated[int, Field(ge=1, le=256)] | Literal["auto"] = "auto"
    media_host: Annotated[
        str | tuple[str, ...],
        Field(
            description="address the browsers reach for WebRTC media; a list where there is one of IPv4 and one of IPv6"
        ),
    ] = "127.0.0.1"
    udp_ports: Annotated[tuple[int, int] | None, Field(description="fixed range of WebRTC media ports")] = None
    ring_max_bytes: Annotated[int, Field(ge=262_144)] = 8 * 1024 * 1024

    @field_validator("media_host")
    @classmethod
    def _are_addresses(cls, host: str | tuple[str, ...]) -> str | tuple[str, ...]:
        hosts = (host,) if isinstance(host, str) else host
        if {"", "0.0.0.0", "::"} & set(hosts):
            raise ValueError("name the one address that browsers reach this machine by, not all of them")
        if not 1 <= len(hosts) <= 4 or len(set(hosts)) < len(hosts):
            raise ValueError("name one address, or a list of up to four that differ")
        if wrong := next((one for one in hosts if not _HOST.fullmatch(one)), None):
            raise ValueError(f"{wrong!r} is no address or host name; write it without port, brackets or spaces")
        return host

    @property
    def media_hosts(self) -> tuple[str, ...]:
        """`media_host` as a list."""
        return (self.media_host,) if isinstance(self.media_host, str) else self.media_host

    @field_validator("udp_ports")
    @classmethod
    def _is_a_range(cls, ports: tuple[int, int] | None) -> tuple[int, int] | None:
        if ports is not None and not 1024 <= ports[0] <= ports[1] <= 65535:
            raise ValueError("must be [first, last] with 1024 ≤ first ≤ last ≤ 65535")
        return ports


class TurnSettings(Section):
    """TURN servers that the browsers are told of, for those that no direct way leads to.

    The secret is the one of coturn's `static-auth-secret`: it stands here, in a file, or in an environment variable.
    """

    urls: Annotated[tuple[Annotated[str, AfterValidator(_turn_url)], ...], Field(max_length=8)] = ()
    secret: SecretStr | None = None
    secret_file: Annotated[Path | None, Field(description="file whose first line is the secret")] = None
    secret_variable: Annotated[str | None, Field(description="environment variable that holds the secret")] = None
    credential_seconds: Annotated[
        int, Field(ge=60, le=86_400, description="how long a browser may begin to use what it was given")
    ] = 3600

    @model_validator(mode="after")
    def _has_one_secret(self) -> TurnSettings:
        given = [place for place in (self.secret, self.secret_file, self.secret_variable) if place is not None]
        if len(given) != bool(self.urls):
            raise ValueError(
                "give one of `secret`, `secret_file` and `secret_variable`"
                if self.urls
                else "has a secret but no `urls`"
            )
        return self


class RecordingSettings(Section):
    """`keep_days` and `keep_bytes` hold for each camera that says nothing else."""

    enabled: bool = True
    segment_seconds: Annotated[float, Field(ge=4, le=600)] = 60.0
    fragment_seconds: Annotated[float, Field(ge=0.5, le=10)] = 1.0
    sync_seconds: Annotated[float, Field(ge=0.5, le=60)] = 10.0
    keep_days: KeepDays = 30.0
    keep_bytes: KeepBytes | None = None
    keep_real_days: Annotated[
        float,
        Field(
            ge=0,
            le=36_500,
            description="the recording of an incident that a person judged real is held so long after it was closed; "
            "0: it is kept like any other",
        ),
    ] = 90.0
    keep_free_bytes: Annotated[
        int, Field(ge=0, description="room left on the disk; with less, the oldest recordings of all cameras go")
    ] = 2 * 1024**3


class AnalysisSettings(Section):
    """What the pictures process may spend. `frames_per_second` is the most a camera's rules get.

    `decode_share` is how much of one core decoding may take; over it, quiet cameras are decoded at key frames only.
    `inference_share` is the share of time the detector may run.
    """

    frames_per_second: Annotated[float, Field(gt=0, le=30)] = 5.0
    inference_threads: Annotated[int, Field(ge=1, le=64)] = 1
    inference_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    decode_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    model: Annotated[Path | None, Field(description="ONNX model; default is the shipped one")] = None


class FaultSettings(Section):
    """When a camera counts as faulty: its rules are blind, and somebody is told."""

    lost_seconds: Annotated[float, Field(ge=2, le=3600, description="without a live picture that rules could see")] = (
        30.0
    )
    frozen_seconds: Annotated[float, Field(ge=5, le=86_400, description="key frames come, all with one picture")] = 60.0


class SourceSettings(Section):
    """What besides RTSP may be a camera."""

    files_folder: Annotated[
        Path | None,
        Field(description="folder whose clips may be cameras, by file:// URLs; default is that no file may be one"),
    ] = None


class Settings(Section):
    """The whole file."""

    data_dir: Path = Path("data")
    center: CenterSettings = CenterSettings()
    desks: DeskSettings = DeskSettings()
    workers: WorkerSettings = WorkerSettings()
    turn: TurnSettings = TurnSettings()
    sources: SourceSettings = SourceSettings()
    recording: RecordingSettings = RecordingSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    faults: FaultSettings = FaultSettings()
    cameras: tuple[Camera, ...] = ()

    @field_validator("cameras")
    @classmethod
    def _camera_ids_differ(cls, cameras: tuple[Camera, ...]) -> tuple[Camera, ...]:
        return _with_ids_of_their_own(cameras)


class CameraList(Section):
    """The part of the file that is imported into the camera register and exported from it."""

    cameras: tuple[Camera, ...]

    @field_validator("cameras")
    @classmethod
    def _camera_ids_differ(cls, cameras: tuple[Camera, ...]) -> tuple[Camera, ...]:
        return _with_ids_of_their_own(cameras)


def _with_ids_of_their_own(cameras: tuple[Camera, ...]) -> tuple[Camera, ...]:
    seen: set[str] = set()
    for camera in cameras:
        if camera.id in seen:
            raise ValueError(f"camera id {camera.id!r} stands twice; give each camera its own id")
        seen.add(camera.id)
    return cameras
