"""One key frame as a small JPEG."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext

from streams.access_unit import Codec
from streams.playback.errors import Busy, LibraryUnavailable, NothingRecorded
from streams.playback.layout import Initialization
from streams.playback.library import Library

_AT_ONCE = 2
_WAIT_SECONDS = 10.0
_MOST_KEPT = 512
_WIDTH = 320
_ALARM_WIDTH = 960
_LARGEST_PICTURE = 32 * 1024 * 1024


class Thumbnails:
    """Decodes a few at a time and keeps the last ones (some 10 kB each). Blocking; from several threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def at(self, camera_id: str, at_us: int, earliest_us: int = 0) -> tuple[bytes, int]:
        """JPEG of the key frame at or before `at_us` and when it was taken (µs since 1970).

        Nothing from before `earliest_us` is shown. Raises NothingRecorded, LibraryUnavailable, Busy.
        """
        for segment in self._library.segments(camera_id, at_us, at_us + 1):
            layout = self._library.layout(segment)
            number = layout.key_at(segment.time_90k(at_us))
            if number is None:
                continue
            fragment = layout.fragments[number]
            taken_us = segment.started_us + fragment.time_90k * 1_000_000 // 90_000
            if taken_us < earliest_us:
                continue
            key = (segment.segment_id, fragment.position)
            with self._lock:
                if (kept := self._kept.get(key)) is not None:
                    self._kept.move_to_end(key)
                    return kept, taken_us
            if fragment.first_size > _LARGEST_PICTURE:
                raise LibraryUnavailable("the key frame is too large")
            with segment.path.open("rb") as file:
                data = os.pread(file.fileno(), fragment.first_size, fragment.media_at)
            jpeg = self._jpeg(layout.initialization, data)
            with self._lock:
                self._kept[key] = jpeg
                if len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            return jpeg, taken_us
        raise NothingRecorded(f"camera {camera_id} has no recording at that time")

    def of_key_frame(self, codec: Codec, data: bytes) -> bytes:
        """JPEG, at most 960 pixels wide, of a key frame that is not stored (Annex B, with its parameter sets).

        Raises LibraryUnavailable, Busy.
        """
        return self._made(lambda: _encode(_picture(codec, data, b""), _ALARM_WIDTH))

    def _jpeg(self, initialization: Initialization, data: bytes) -> bytes:
        return self._made(lambda: _encode(_decode(initialization, data), _WIDTH))

    def _made(self, make: Callable[[], bytes]) -> bytes:
        if not self._places.acquire(timeout=_WAIT_SECONDS):
            raise Busy("too many thumbnails are being made; try again")
        try:
            return make()
        except av.error.FFmpegError as error:
            raise LibraryUnavailable(f"the key frame cannot be decoded: {error}") from error
        finally:
            self._places.release()


def _decode(initialization: Initialization, data: bytes) -> av.VideoFrame:
    """Raises FFmpegError, LibraryUnavailable."""
    is_h264 = initialization.codec.startswith("avc1")
    at = initialization.data.find(b"avcC" if is_h264 else b"hvcC")
    size = int.from_bytes(initialization.data[at - 4 : at], "big")
    return _picture("h264" if is_h264 else "h265", data, initialization.data[at + 4 : at - 4 + size])


def _picture(codec: Codec, data: bytes, extradata: bytes) -> av.VideoFrame:
    """Raises FFmpegError, LibraryUnavailable."""
    decoder = VideoCodecContext.create("h264" if codec == "h264" else "hevc", "r")
    if extradata:
        decoder.extradata = extradata
    decoder.thread_count = 1
    for packet in (av.Packet(data), None):
        for frame in decoder.decode(packet):
            return frame
    raise LibraryUnavailable("the key frame shows no picture")


def _encode(frame: av.VideoFrame, most_width: int) -> bytes:
    width = max(min(most_width, frame.width) & ~1, 2)
    height = max(round(frame.height * width / frame.width) & ~1, 2)
    encoder = VideoCodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    small = frame.reformat(width=width, height=height, format="yuvj420p", dst_color_range="JPEG")
    small.pts = 0
    small.time_base = Fraction(1, 25)
    return b"".join(bytes(packet) for one in (small, None) for packet in encoder.encode(one))
