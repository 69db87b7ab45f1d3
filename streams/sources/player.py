"""One source being played: opened, demuxed, and sent up at the pace of its time stamps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing as closed_after
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from streams.errors import BadAnswer, ConnectFailed, Disconnected, PlayedToItsEnd, StreamError
from streams.sources import hls, link, media
from streams.sources.link import Kind, Open, Opened
from streams.sources.media import Media, Picture
from streams.sources.web import Closed, Web

log = logging.getLogger(__name__)

MAX_CLIP_BYTES = 64 * 1024 * 1024
_JUMP_90K = 10 * 90_000
_LATE_SECONDS = 0.2
_STAMPS = 1 << 32


class Pace:
    """Lets pictures go when they are due. What comes late moves the plan: from then on there is more in hand."""

    def __init__(self, closing: Event) -> None:
        self._closing = closing
        self._start = 0.0
        self._first_90k = self._last_90k = 0
        self._has_begun = False

    def wait(self, decode_90k: int) -> None:
        """Until `decode_90k` is due. Raises Closed."""
        now = time.monotonic()
        if not (self._has_begun and 0 <= decode_90k - self._last_90k <= _JUMP_90K):
            self._has_begun, self._start, self._first_90k = True, now, decode_90k
        self._last_90k = decode_90k
        due = self._start + (decode_90k - self._first_90k) / 90_000
        if now - due > _LATE_SECONDS:
            self._start += now - due
        if self._closing.wait(max(0.0, due - now)):
            raise Closed


class Player(Thread):
    """Plays `order` until it ends, or until `stop`; the last record it sends is ENDED. `send` may wait."""

    def __init__(self, order: Open, send: Callable[[bytes], None], on_end: Callable[[int], None]) -> None:
        super().__init__(name=f"source {order.number}", daemon=True)
        self._order = order
        self._send = send
        self._on_end = on_end
        self._closing = Event()
        self._pace = Pace(self._closing)
        self._opened: Opened | None = None
        self._noted = ""

    def stop(self) -> None:
        """Ends within the time-out of a request."""
        self._closing.set()

    def run(self) -> None:
        try:
            self._play()
            error: StreamError = PlayedToItsEnd("it is over")
        except Closed:
            error = PlayedToItsEnd("it was closed")
        except StreamError as found:
            error = found
        except Exception as fault:
            log.exception("source %d: internal fault", self._order.number)
            error = Disconnected(f"internal fault: {type(fault).__name__}")
        finally:
            self._on_end(self._order.number)
        self._send(link.encode(Kind.ENDED, link.ended_of(self._order.number, error)))

    def _play(self) -> None:
        """To its end. Raises StreamError, Closed."""
        order = self._order
        if order.url.startswith("file:"):
            path = allowed_file(order.url, order.files_folder)
            try:
                with path.open("rb") as file:
                    self._play_piece(file, 0.0)
            except OSError as error:
                raise ConnectFailed(f"the file cannot be read ({error.strerror}); check its path and rights") from error
        else:
            with closed_after(
                Web(order.url, order.username, order.password, order.answer_seconds, self._closing)
            ) as web:
                first = web.fetch(order.url, MAX_CLIP_BYTES)
                if not hls.is_playlist(first.content):
                    self._play_piece(BytesIO(first.content), 0.0)
                    return
                feed = hls.HlsFeed(web, first, self._closing, self._note)
                with closed_after(_ahead(feed.segments())) as segments:
                    self._play_segments(segments, feed.target_seconds)

    def _play_segments(self, segments: Iterator[bytes], target_seconds: float) -> None:
        try:
            for content in segments:
                try:
                    self._play_piece(BytesIO(content), target_seconds)
                except BadAnswer as error:
                    if self._opened is None:
                        raise
                    self._note(f"a segment of its playlist cannot be played: {error.reason}")
        finally:
            self._closing.set()  # who fetches ahead waits no longer

    def _play_piece(self, file: BinaryIO, piece_seconds: float) -> None:
        """A whole file or a segment. Raises StreamError, Closed."""
        last: Picture | None = None
        with media.opened(file) as piece:
            for picture in piece.pictures:
                if last is None:
                    self._tell(piece, piece_seconds)
                self._pace.wait(picture.decode_90k)
                self._send(link.encode_unit(self._order.number, picture.pts_90k % _STAMPS, picture.nal_units))
                last = picture
        if last is None:
            raise BadAnswer("the video holds no picture")
        if not piece_seconds:
            self._pace.wait(last.decode_90k + last.duration_90k)

    def _tell(self, piece: Media, piece_seconds: float) -> None:
        """That it plays; once."""
        if self._opened is None:
            self._opened = Opened(
                number=self._order.number, codec=piece.codec, piece_seconds=piece_seconds, others=piece.others
            )
            self._send(link.encode(Kind.OPENED, self._opened))
        elif self._opened.codec != piece.codec:
            raise Disconnected(f"its codec changed from {self._opened.codec} to {piece.codec}")
        self._note("")

    def _note(self, text: str) -> None:
        if text != self._noted:
            self._noted = text
            self._send(link.encode_note(self._order.number, text))


def allowed_file(url: str, folder: str | None) -> Path:
    """The path of a `file://` URL inside `folder`, links followed. Raises ConnectFailed."""
    if folder is None:
        raise ConnectFailed("files are not allowed as cameras; set `sources.files_folder` to the folder they stand in")
    path, inside = Path(unquote(urlsplit(url).path)).resolve(), Path(folder).resolve()
    if not path.is_relative_to(inside):
        raise ConnectFailed("the file stands outside the folder that `sources.files_folder` names")
    if not path.is_file():
        raise ConnectFailed("there is no such file; check the path of the URL")
    return path


def _ahead(pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same, each fetched while the one before is played; so there is one in hand, never more."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = pool.submit(next, pieces, None)
            yield piece
