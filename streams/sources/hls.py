"""HLS playlists (RFC 8216) of unencrypted MPEG-TS and fMP4 segments, live and ended ones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from urllib.parse import urljoin

from streams.errors import BadAnswer, StreamError
from streams.sources.web import Fetched, Web

MAX_PLAYLIST_BYTES = 1024 * 1024
MAX_SEGMENT_BYTES = 16 * 1024 * 1024
_MAX_SEGMENTS = 20_000
_FROM_THE_END = 3  # RFC 8216, 6.3.3: not closer to the end of a live playlist
_LATE_TARGETS = 1.5
_ATTRIBUTE = re.compile(r'(?:^|,)\s*([A-Z0-9-]+)=("[^"]*"|[^",]*)')


@dataclass(frozen=True, slots=True)
class Segment:
    """`map_url` is where its initialization section stands, None for MPEG-TS."""

    sequence: int
    url: str
    map_url: str | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """`variants` are (bits per second, URL) of a master playlist, which has no segments."""

    target_seconds: float
    segments: tuple[Segment, ...]
    has_ended: bool
    variants: tuple[tuple[int, str], ...]


def is_playlist(content: bytes) -> bool:
    return content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"#EXTM3U")


def parse(content: bytes, url: str) -> Playlist:
    """Raises BadAnswer for what this client cannot play."""
    target, sequence, map_url, has_ended = 10.0, 0, None, False
    segments: list[Segment] = []
    variants: list[tuple[int, str]] = []
    bandwidth: int | None = None
    for line in content.decode("utf-8", errors="replace").splitlines():
        line = line.strip()
        tag, _, value = line.partition(":")
        _refuse_unreadable(tag, value)
        if tag == "#EXT-X-TARGETDURATION":
            target = min(max(float(_number(value)), 0.5), 60.0)
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            sequence = _number(value)
        elif tag == "#EXT-X-STREAM-INF":
            bandwidth = _number(_attributes(value).get("BANDWIDTH", "0"))
        elif tag == "#EXT-X-MAP":
            map_url = _map_url(value, url)
        elif tag == "#EXT-X-ENDLIST":
            has_ended = True
        elif line and not line.startswith("#"):
            if bandwidth is not None:
                variants.append((bandwidth, _joined(url, line)))
                bandwidth = None
            elif len(segments) < _MAX_SEGMENTS:
                segments.append(Segment(sequence + len(segments), _joined(url, line), map_url))
    return Playlist(target, tuple(segments), has_ended, tuple(variants))


def _refuse_unreadable(tag: str, value: str) -> None:
    if tag == "#EXT-X-KEY" and _attributes(value).get("METHOD", "NONE") != "NONE":
        raise BadAnswer("the playlist's segments are encrypted, which Haechi does not read; ask for an open one")
    if tag == "#EXT-X-BYTERANGE":
        raise BadAnswer("the playlist cuts its segments out of one file, which Haechi does not read")


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def _map_url(text: str, url: str) -> str:
    attributes = _attributes(text)
    if "BYTERANGE" in attributes or "URI" not in attributes:
        raise BadAnswer("the playlist's initialization section is not a file of its own, which Haechi does not read")
    return _joined(url, attributes["URI"])


def _joined(base: str, address: str) -> str:
    """Raises BadAnswer."""
    try:
        return urljoin(base, address)
    except ValueError as error:
        raise BadAnswer("an address in the playlist is none; check the server") from error


def _number(text: str) -> int:
    digits = text.strip().partition(".")[0]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise BadAnswer(f"the playlist says {text.strip()[:20]!r} where a number belongs")
    return int(digits)


class HlsFeed:
    """The segments of a playlist, for ever where it is live.

    A live one begins three segments before its end, and again there when it was overtaken. `note` is told why it is
    quiet, and the empty text when a segment came. What goes wrong after the first segment is noted and tried again.
    """

    def __init__(self, web: Web, first: Fetched, closing: Event, note: Callable[[str], None]) -> None:
        self._web = web
        self._closing = closing
        self._note = note
        self._maps: dict[str, bytes] = {}
        self._url = first.url
        self._playlist = parse(first.content, first.url)
        if self._playlist.variants:
            self._url = max(self._playlist.variants)[1]
            self._playlist = self._reloaded()
        if not self._playlist.segments and self._playlist.has_ended:
            raise BadAnswer("the playlist is empty; check the URL")
        self.target_seconds = self._playlist.target_seconds

    def segments(self) -> Iterator[bytes]:
        """Raises StreamError only before the first one, and Closed."""
        following, grown_at, has_any = self._start(), time.monotonic(), False
        while not self._closing.is_set():
            playlist = self._playlist
            for segment in playlist.segments:
                if segment.sequence < following:
                    continue
                following, grown_at = segment.sequence + 1, time.monotonic()
                content = self._fetched(segment, may_fail=has_any)
                if content is not None:
                    has_any = True
                    yield content
            if playlist.has_ended:
                return
            quiet = time.monotonic() - grown_at
            if quiet > _LATE_TARGETS * playlist.target_seconds:
                self._note(f"its playlist has not grown for {quiet:.0f} s; the server or its camera stands still")
            self._closing.wait(playlist.target_seconds / 2)
            self._reload()
            following = self._caught_up(following)

    def _start(self) -> int:
        segments = self._playlist.segments
        if not segments:
            return 0
        return segments[0 if self._playlist.has_ended else -min(_FROM_THE_END, len(segments))].sequence

    def _caught_up(self, following: int) -> int:
        """Where to go on: anew when the server counts from the start again, or has already dropped what follows."""
        segments = self._playlist.segments
        if segments and not segments[0].sequence <= following <= segments[-1].sequence + 1:
            return self._start()
        return following

    def _fetched(self, segment: Segment, *, may_fail: bool) -> bytes | None:
        try:
            content = self._web.fetch(segment.url, MAX_SEGMENT_BYTES).content
            if segment.map_url is None:
                return content
            if segment.map_url not in self._maps:
                self._maps = {segment.map_url: self._web.fetch(segment.map_url, MAX_SEGMENT_BYTES).content}
            return self._maps[segment.map_url] + content
        except StreamError as error:
            if not may_fail and segment is self._playlist.segments[-1]:
                raise
            self._note(f"segment {segment.sequence} of its playlist is missing: {error.reason}")
            return None

    def _reload(self) -> None:
        try:
            self._playlist = self._reloaded()
        except StreamError as error:
            self._note(f"its playlist cannot be read again: {error.reason}")

    def _reloaded(self) -> Playlist:
        fetched = self._web.fetch(self._url, MAX_PLAYLIST_BYTES)
        if not is_playlist(fetched.content):
            raise BadAnswer("it is no playlist")
        playlist = parse(fetched.content, fetched.url)
        if playlist.variants:
            raise BadAnswer("the playlist leads to a list of playlists again")
        return playlist
