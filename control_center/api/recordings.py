"""Recorded pictures: they come from the worker that has the camera, whose playback process reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import httpx
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime
from starlette.types import Receive, Scope, Send

from control_center.accounts import SignedIn, sign_in_id
from control_center.api.authorization import requires, token_of
from control_center.api.cameras import refuse_never_registered
from control_center.api.deps import CameraId, CurrentActor, CurrentCenter, CurrentPerson
from control_center.api.problems import Problem
from control_center.api.removed_cameras import worker_with_recordings
from control_center.api.whep import WitnessedRoute, known_incident
from control_center.center import Center
from control_center.ledger import Entry
from control_center.playback_tokens import OpenedRange, TokenRefused
from control_center.reach import RecordingSight
from control_center.recording_views import DaysView, DayView, RangeView, RecordingsView
from control_center.rights import Right


class _WitnessedRoute(WitnessedRoute):
    """Here it is all GET."""

    witnessed_methods = frozenset({"GET"})


router = APIRouter(prefix="/api/v1/cameras/{camera_id}/recordings", tags=["recordings"], route_class=_WitnessedRoute)

# Hovering over a day shows a hundred small pictures; one look in so long is one row (ADR 0087).
THUMBNAIL_SECONDS = 600.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORWARDED = ("content-type", "content-length", "content-disposition", "haechi-taken-at")
_KEPT = {"Cache-Control": "private, max-age=300", "Vary": "Cookie"}

Begin = Annotated[AwareDatetime, Query(alias="from", description="RFC 3339 with its offset")]
End = Annotated[AwareDatetime, Query(alias="to", description="RFC 3339 with its offset; later than `from`")]
IncidentQuery = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")]
SegmentId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Token = Annotated[str, Query(max_length=200)]
Number = Annotated[int, Query(ge=0, lt=2**31)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A range that the caller may see."""

    begin: datetime
    end: datetime
    sight: RecordingSight

    @property
    def query(self) -> dict[str, str | int]:
        return {"from": _microseconds(self.begin), "to": _microseconds(self.end)}


def _media(kind: str, description: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {}}, "description": description}}


@router.get("")
@requires(Right.VIEW_RECORDINGS)
async def list_recordings(
    camera_id: CameraId, center: CurrentCenter, person: CurrentPerson, begin: Begin, end: End
) -> RecordingsView:
    """What is recorded between `from` and `to` (32 days at most): unbroken runs, gaps between them.

    503 while the worker of the camera is away. A desk is shown what its incident opens. Also of a camera that was
    removed, here and below.
    """
    sight = await _sight(center, person, camera_id)
    begin = max(begin, sight.earliest or begin)
    if begin >= end:
        raise _invalid("`from` must be before `to`")
    answer = await _ask(center, camera_id, "", _Asked(begin, end, sight).query)
    ranges = [
        RangeView(
            start=_time(one["started_us"]),
            end=_time(one["ended_us"]),
            duration_seconds=(one["ended_us"] - one["started_us"]) / 1e6,
            **{name: one[name] for name in ("codec", "width", "height")},
        )
        for one in answer.json()["ranges"]
    ]
    return RecordingsView(camera_id=camera_id, ranges=ranges, earliest=sight.earliest)


@router.get("/days")
@requires(Right.VIEW_RECORDINGS)
async def list_recorded_days(camera_id: CameraId, center: CurrentCenter, person: CurrentPerson) -> DaysView:
    """Which days have recordings."""
    sight = await _sight(center, person, camera_id)
    zone = ZoneInfo(center.settings.center.time_zone)
    answer = await _ask(center, camera_id, "/days", {"zone": zone.key})
    first = "" if sight.earliest is None else sight.earliest.astimezone(zone).date().isoformat()
    days = [DayView(**one) for one in answer.json()["days"] if one["day"] >= first]
    return DaysView(camera_id=camera_id, time_zone=zone.key, days=days)


@router.get("/index.m3u8", response_class=Response, responses=_media("application/vnd.apple.mpegurl", "HLS playlist"))
@requires(Right.VIEW_RECORDINGS)
async def open_recording(
    camera_id: CameraId,
    request: Request,
    center: CurrentCenter,
    person: CurrentPerson,
    actor: CurrentActor,
    begin: Begin,
    end: End,
    reason: Annotated[str, Query(max_length=200)] = "",
    incident: IncidentQuery = None,
) -> Response:
    """Open a range (25 hours at most) to be played: HLS, fragmented MP4, as stored.

    Each opening is a row of the ledger, with its incident or reason; its addresses are good for two hours. Ranges up
    to an hour are listed in short parts, longer ones file by file.
    """
    asked = await _asked(center, person, camera_id, begin, end)
    incident = asked.sight.incident_id or await known_incident(center, incident)
    query = asked.query
    opened = OpenedRange(int(query["from"]), int(query["to"]))
    token = center.playback_tokens.give(camera_id, sign_in_id(token_of(request) or ""), opened)
    answer = await _ask(center, camera_id, "/index.m3u8", query | {"token": token})
    told = reason or ("" if incident else "no incident")
    await center.ledger.record(
        Entry(actor, "playback.opened", camera_id, incident, reason=told, details=_details(asked))
    )
    return Response(answer.content, media_type="application/vnd.apple.mpegurl")


@router.get("/init/{segment_id}", response_class=Response, responses=_media("video/mp4", "ftyp and moov"))
@requires(Right.VIEW_RECORDINGS)
async def get_recording_initialization(
    camera_id: CameraId,
    segment_id: SegmentId,
    request: Request,
    center: CurrentCenter,
    person: CurrentPerson,
    token: Token = "",
) -> Response:
    """What a decoder needs first; its address comes from the playlist. 410 when that was opened too long ago."""
    await _opened(center, person, camera_id, request, token)
    answer = await _ask(center, camera_id, f"/init/{segment_id}", {})
    return Response(answer.content, media_type="video/mp4", headers=_KEPT)


@router.get("/media/{segment_id}", response_class=StreamingResponse, responses=_media("video/mp4", "Fragments"))
@requires(Right.VIEW_RECORDINGS)
async def get_recording_media(
    camera_id: CameraId,
    segment_id: SegmentId,
    request: Request,
    center: CurrentCenter,
    person: CurrentPerson,
    token: Token = "",
    first: Number = 0,
    last: Number | None = None,
    shift: Annotated[int, Query(gt=-(2**60), lt=2**60)] = 0,
) -> Response:
    """Fragments of a stored file; the address comes from the playlist. 410 when that was opened too long ago."""
    opened = await _opened(center, person, camera_id, request, token)
    query: dict[str, str | int] = {"from": opened.begin_us, "to": opened.end_us, "first": first, "shift": shift}
    if last is not None:
        query["last"] = last
    return await _stream(center, camera_id, f"/media/{segment_id}", query, _KEPT)


@router.get("/clip.mp4", response_class=StreamingResponse, responses=_media("video/mp4", "One MP4 of the range"))
@requires(Right.VIEW_RECORDINGS)
async def export_recording(
    camera_id: CameraId,
    center: CurrentCenter,
    person: CurrentPerson,
    actor: CurrentActor,
    begin: Begin,
    end: End,
    reason: Annotated[str, Query(min_length=1, max_length=500, pattern=r"\S", description="why it is exported")],
    incident: IncidentQuery = None,
) -> Response:
    """A range (25 hours at most) as one MP4, from the key frame at or before `from`. In a gap the picture stands.

    409 where the camera's video changes its format within. Each export is a row of the ledger with its reason.
    """
    asked = await _asked(center, person, camera_id, begin, end)
    incident = asked.sight.incident_id or await known_incident(center, incident)
    clip = await _stream(center, camera_id, "/clip.mp4", asked.query)
    try:
        entry = Entry(actor, "recording.exported", camera_id, incident, reason=reason, details=_details(asked))
        await center.ledger.record(entry)
    except BaseException:
        await clip.worker_answer.aclose()
        raise
    return clip


@router.get("/thumbnail.jpg", response_class=Response, responses=_media("image/jpeg", "320 pixels wide"))
@requires(Right.VIEW_RECORDINGS)
async def get_recording_thumbnail(
    camera_id: CameraId, center: CurrentCenter, person: CurrentPerson, actor: CurrentActor, at: AwareDatetime
) -> Response:
    """The key frame at or before `at`; 404 when nothing is recorded there. One row of the ledger in ten minutes."""
    sight = await _sight(center, person, camera_id)
    if sight.earliest is not None and at < sight.earliest:
        raise _too_early(camera_id, sight.earliest)
    earliest = 0 if sight.earliest is None else _microseconds(sight.earliest)
    answer = await _ask(center, camera_id, "/thumbnail.jpg", {"at": _microseconds(at), "earliest": earliest})
    entry = Entry(actor, "playback.thumbnails", camera_id, sight.incident_id)
    await center.ledger.record_once(entry, THUMBNAIL_SECONDS)
    headers = {"Haechi-Taken-At": answer.headers.get("haechi-taken-at", "")}
    return Response(answer.content, media_type="image/jpeg", headers=headers | _KEPT)


async def _sight(center: Center, person: SignedIn, camera_id: str) -> RecordingSight:
    """Raises Problem (403, 404)."""
    refuse_never_registered(center, camera_id)
    sight = await center.reach.sees_recordings(person, camera_id)
    if not sight.allowed:
        raise Problem(HTTPStatus.FORBIDDEN, f"camera {camera_id}: {sight.reason}", "out-of-reach")
    return sight


async def _asked(center: Center, person: SignedIn, camera_id: str, begin: datetime, end: datetime) -> _Asked:
    """Raises Problem (403, 404, 422)."""
    sight = await _sight(center, person, camera_id)
    if begin >= end:
        raise _invalid("`from` must be before `to`")
    if sight.earliest is not None and begin < sight.earliest:
        raise _too_early(camera_id, sight.earliest)
    return _Asked(begin, end, sight)


async def _opened(center: Center, person: SignedIn, camera_id: str, request: Request, token: str) -> OpenedRange:
    """The range that `token` was given for, if the caller may see it still. Raises Problem (403, 404, 410)."""
    sight = await _sight(center, person, camera_id)
    try:
        opened = center.playback_tokens.read(camera_id, sign_in_id(token_of(request) or ""), token)
    except TokenRefused as error:
        raise Problem(HTTPStatus.GONE, str(error), "playback-expired") from error
    if sight.earliest is not None and opened.begin_us < _microseconds(sight.earliest):
        raise _too_early(camera_id, sight.earliest)
    return opened


class _Relayed(StreamingResponse):
    """What the worker sends, passed on as it comes; the worker's answer is closed however this ends."""

    def __init__(self, worker_answer: httpx.Response, headers: Mapping[str, str]) -> None:
        passed = {name: value for name in _FORWARDED if (value := worker_answer.headers.get(name))}
        super().__init__(worker_answer.aiter_raw(), worker_answer.status_code, passed | dict(headers))
        self.worker_answer = worker_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.worker_answer.aclose()


async def _stream(
    center: Center, camera_id: str, path: str, query: Mapping[str, str | int], headers: Mapping[str, str] | None = None
) -> _Relayed:
    """Raises Problem."""
    return _Relayed(await _open(center, camera_id, path, query), headers or {})


async def _ask(center: Center, camera_id: str, path: str, query: Mapping[str, str | int]) -> httpx.Response:
    """The worker's whole answer. Raises Problem."""
    answer = await _open(center, camera_id, path, query)
    try:
        await answer.aread()
    except httpx.HTTPError as error:
        raise _away(camera_id, f"its worker broke off ({type(error).__name__})") from error
    finally:
        await answer.aclose()
    return answer


async def _open(center: Center, camera_id: str, path: str, query: Mapping[str, str | int]) -> httpx.Response:
    """An answer of 200 whose content is still to come. Raises Problem."""
    worker = await worker_with_recordings(center, camera_id)
    if worker.playback_url is None:
        raise _away(camera_id, f"worker {worker.worker_id} shows no recordings")
    request = center.workers.build_request(
        "GET",
        f"{worker.playback_url}/recordings/{camera_id}{path}",
        params=dict(query),
        headers={"Authorization": f"Bearer {center.worker_token}"},
    )
    try:
        answer = await center.workers.send(request, stream=True)
        if answer.status_code != HTTPStatus.OK:
            await answer.aread()
            await answer.aclose()
            raise _refused(answer)
    except httpx.HTTPError as error:
        raise _away(camera_id, f"worker {worker.worker_id} cannot be reached ({type(error).__name__})") from error
    return answer


def _refused(answer: httpx.Response) -> Problem:
    try:
        body = answer.json()
        kind, detail = str(body["type"]).rpartition(":")[2], str(body["detail"])
    except (ValueError, KeyError, TypeError):
        return Problem(HTTPStatus.BAD_GATEWAY, f"the worker answered {answer.status_code}", "worker-refused")
    return Problem(HTTPStatus(answer.status_code), detail, kind)


def _away(camera_id: str, why: str) -> Problem:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return Problem(status, f"camera {camera_id}: {why}", "no-worker", {"Retry-After": "2"})


def _invalid(detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, "invalid")


def _too_early(camera_id: str, earliest: datetime) -> Problem:
    detail = f"camera {camera_id}: the incident opens recordings from {earliest.isoformat(timespec='seconds')} on"
    return Problem(HTTPStatus.FORBIDDEN, detail, "out-of-reach")


def _details(asked: _Asked) -> dict[str, str | int | bool | list[str] | None]:
    return {
        name: at.astimezone(UTC).isoformat(timespec="milliseconds")
        for name, at in (("from", asked.begin), ("to", asked.end))
    }


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _time(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)
