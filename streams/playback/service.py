"""The routes of the playback process. Times are µs since 1970 UTC; every request shows the worker token.

Who may see what is for the center to decide; it tells with each request which range was opened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from streams.access_unit import Codec
from streams.playback import media
from streams.playback.errors import Busy, PlaybackError, RangeRefused
from streams.playback.library import Library
from streams.playback.playlist import fragments_between, iso, playlist
from streams.playback.thumbnail import Thumbnails
from streams.worker_http import RequireToken

MAX_RANGE_US = 25 * 3_600_000_000  # the longest day there is
MAX_LIST_US = 32 * 86_400_000_000
MAX_CLIPS = 4
MAX_KEY_FRAME = 16 * 1024 * 1024
_HLS = "application/vnd.apple.mpegurl"


class _Clips:
    """How many clips are being sent."""

    def __init__(self) -> None:
        self.sending = 0


class _ClipResponse(StreamingResponse):
    """Gives its place back when it has ended, whoever ended it."""

    def __init__(self, content: Iterator[bytes], clips: _Clips, headers: dict[str, str]) -> None:
        super().__init__(content, media_type="video/mp4", headers=headers)
        self._clips = clips

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._clips.sending -= 1


class _Service:
    def __init__(self, library: Library) -> None:
        self._library = library
        self._thumbnails = Thumbnails(library)
        self._clips = _Clips()

    def routes(self) -> list[Route]:
        at = "/recordings/{camera_id}"
        return [
            Route(at, self.ranges),
            Route(f"{at}/days", self.days),
            Route(f"{at}/index.m3u8", self.index),
            Route(f"{at}/init/{{segment_id}}", self.initialization),
            Route(f"{at}/media/{{segment_id}}", self.media),
            Route(f"{at}/clip.mp4", self.clip),
            Route(f"{at}/thumbnail.jpg", self.thumbnail),
            Route("/key-frame", self.key_frame, methods=["POST"]),
        ]

    def ranges(self, request: Request) -> Response:
        found = self._library.ranges(_camera(request), *_range(request, MAX_LIST_US))
        return JSONResponse({"ranges": [asdict(one) for one in found]})

    def days(self, request: Request) -> Response:
        try:
            zone = ZoneInfo(request.query_params.get("zone", "UTC"))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise RangeRefused(f"zone: {error}") from error
        return JSONResponse({"days": [asdict(one) for one in self._library.days(_camera(request), zone)]})

    def index(self, request: Request) -> Response:
        begin_us, end_us = _range(request, MAX_RANGE_US)
        text = playlist(self._library, _camera(request), begin_us, end_us, request.query_params.get("token", ""))
        return Response(text, media_type=_HLS)

    def initialization(self, request: Request) -> Response:
        segment = self._library.segment(_camera(request), request.path_params["segment_id"])
        return Response(self._library.initialization(segment).data, media_type="video/mp4")

    def media(self, request: Request) -> Response:
        segment = self._library.segment(_camera(request), request.path_params["segment_id"])
        layout = self._library.layout(segment)
        begin_us, end_us = _range(request, MAX_RANGE_US)
        bounds = fragments_between(segment, layout, begin_us, end_us)
        first, last = _number(request, "first", 0), _number(request, "last", len(layout.fragments) - 1)
        if bounds is None or not bounds[0] <= first <= last < len(layout.fragments) or first >= bounds[1]:
            raise RangeRefused("these fragments are not of the opened range")
        fragments = layout.fragments[first : last + 1]
        content = media.shifted(segment.path, fragments, _number(request, "shift", 0), first + 1)
        headers = {"Content-Length": str(media.byte_count(fragments))}
        return StreamingResponse(content, media_type="video/mp4", headers=headers)

    async def clip(self, request: Request) -> Response:
        begin_us, end_us = _range(request, MAX_RANGE_US)
        if self._clips.sending >= MAX_CLIPS:
            raise Busy(f"{MAX_CLIPS} clips are being exported from this worker; try again when one is done")
        camera_id = _camera(request)
        self._clips.sending += 1
        try:
            content = await run_in_threadpool(media.clip, self._library, camera_id, begin_us, end_us)
            name = f"{camera_id}_{iso(begin_us)[:19].replace(':', '').replace('-', '')}Z.mp4"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return _ClipResponse(content, self._clips, headers)
        except BaseException:
            self._clips.sending -= 1
            raise

    def thumbnail(self, request: Request) -> Response:
        at_us, earliest_us = _number(request, "at", -1), _number(request, "earliest", 0)
        jpeg, taken_us = self._thumbnails.at(_camera(request), at_us, earliest_us)
        return Response(jpeg, media_type="image/jpeg", headers={"Haechi-Taken-At": iso(taken_us)})

    async def key_frame(self, request: Request) -> Response:
        """A key frame (Annex B) of the packets process, which decodes nothing, as JPEG."""
        codec = request.query_params.get("codec")
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > MAX_KEY_FRAME:
                raise RangeRefused(f"the key frame may have {MAX_KEY_FRAME} bytes")
        if codec not in {"h264", "h265"}:
            raise RangeRefused("codec: must be h264 or h265")
        name: Codec = "h264" if codec == "h264" else "h265"
        jpeg = await run_in_threadpool(self._thumbnails.of_key_frame, name, bytes(data))
        return Response(jpeg, media_type="image/jpeg")


def playback_app(library: Library, token: str) -> Starlette:
    """The whole application."""
    handlers: dict[type[Exception] | int, Callable[[Request, Exception], Response]] = {PlaybackError: _told}
    return Starlette(
        routes=_Service(library).routes(),
        middleware=[Middleware(RequireToken, token=token)],
        exception_handlers=handlers,
    )


def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, PlaybackError)
    body = {"type": f"urn:haechi:problem:{error.kind}", "status": error.status, "detail": str(error)}
    return Response(json.dumps(body, ensure_ascii=False), error.status, media_type="application/problem+json")


def _camera(request: Request) -> str:
    camera_id: str = request.path_params["camera_id"]
    return camera_id


def _number(request: Request, name: str, default: int) -> int:
    """Raises RangeRefused."""
    try:
        value = int(request.query_params.get(name, default))
    except ValueError as error:
        raise RangeRefused(f"{name}: must be a whole number") from error
    if abs(value) >= 1 << 62:
        raise RangeRefused(f"{name}: too large")
    return value


def _range(request: Request, longest_us: int) -> tuple[int, int]:
    """`from` and `to`. Raises RangeRefused."""
    begin_us, end_us = _number(request, "from", -1), _number(request, "to", -1)
    if not 0 <= begin_us < end_us:
        raise RangeRefused("`from` must be before `to`")
    if end_us - begin_us > longest_us:
        raise RangeRefused(f"the range may span {longest_us // 3_600_000_000} hours")
    return begin_us, end_us
