"""One RTSP connection: requests out; answers and interleaved frames in, from one stream of bytes (RFC 2326, 10.12).

All connections of a thread read into the same large buffer, which stays in the processor's cache; what is left over
of a read (part of a frame) is kept by the connection and put back in front of the next one.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from struct import Struct
from typing import Protocol, cast

from streams.errors import BadAnswer, Disconnected, NoAnswer, Place, Redirected, StreamError
from streams.rtsp.address import without_credentials
from streams.rtsp.message import MAX_BODY_BYTES, Message, format_request, parse_message

logger = logging.getLogger(__name__)

_READ_BYTES = 256 * 1024
_SCRATCH_BYTES = 1024 * 1024
_MAX_LEFT_BYTES = _SCRATCH_BYTES - _READ_BYTES
_FRAME = Struct(">BBH")
_DOLLAR = 0x24
_REQUESTS = (b"OPTIONS ", b"ANNOUNCE ", b"GET_PARAMETER ", b"SET_PARAMETER ", b"TEARDOWN ", b"REDIRECT ", b"PAUSE ")
_STARTS = (b"RTSP/", *_REQUESTS)
_BETWEEN = b"\r\n\x00 "
_LOOK_BYTES = 16  # of an interleaved frame, to tell whether it is one
_MAX_PENDING = 16
_MAX_UNSENT_BYTES = 64 * 1024

_thread = threading.local()


def shared_buffer() -> memoryview:
    """The buffer all connections of this thread read into; what is left in it holds for no longer than a read."""
    view = getattr(_thread, "scratch", None)
    if view is None:
        view = _thread.scratch = memoryview(bytearray(_SCRATCH_BYTES))
    return cast(memoryview, view)


class VideoChannel(Protocol):
    """Takes the frames of one channel. See `streams.rtsp.receiver.RtpReceiver`."""

    channel: int
    payload_type: int
    ssrc: int

    def feed(self, buffer: memoryview, pos: int, end: int) -> int: ...


class RtspConnection(asyncio.BufferedProtocol):
    """`video` and `on_control` (RTCP packets of the channel after it) may be set once SETUP was answered.

    `lost` is done when the connection ended; its result is the reason, in which `secrets` never stand.
    """

    def __init__(self, place: Place, secrets: tuple[str, ...] = ()) -> None:
        self.place = place
        self.video: VideoChannel | None = None
        self.on_control: Callable[[memoryview], None] = lambda packet: None
        self.control_channel = -1
        self.lost: asyncio.Future[StreamError] = asyncio.get_running_loop().create_future()
        self.resynchronisations = 0
        self.skipped_bytes = 0
        self.transport: asyncio.Transport | None = None
        self._sequence = 0
        self._pending: dict[int, asyncio.Future[Message]] = {}
        self._given_up: deque[int] = deque(maxlen=_MAX_PENDING)
        self._secrets = secrets
        self._left = b""
        self._scratch = shared_buffer()
        self._in_junk = False

    # --- asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        left = self._left
        start = len(left)
        if start:
            self._scratch[:start] = left
        return self._scratch[start : start + _READ_BYTES]

    def buffer_updated(self, nbytes: int) -> None:
        if self.lost.done():
            return
        end = len(self._left) + nbytes
        try:
            done = self._consume(self._scratch, end)
            if end - done > _MAX_LEFT_BYTES:
                raise BadAnswer("camera sends something that is neither RTSP nor RTP")
        except StreamError as error:
            self.fail(error)
            return
        except Exception:  # a consumer's fault must not stop the sweep that reads all cameras
            logger.exception("internal fault while reading (%s)", self.place)
            self.fail(StreamError("internal fault while reading the stream", self.place))
            return
        self._left = bytes(self._scratch[done:end]) if done < end else b""

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        reason = "camera closed the connection" if exc is None else f"connection to the camera broke: {exc}"
        self._end(Disconnected(reason, self.place))

    # --- requests

    async def request(
        self, method: str, uri: str, headers: Iterable[tuple[str, str]] = (), *, timeout_seconds: float
    ) -> Message:
        """Send and wait for the answer. Raises NoAnswer, Disconnected, BadAnswer."""
        if self.lost.done():
            raise self.lost.result()
        self._sequence += 1
        sequence = self._sequence
        data = format_request(method, uri, sequence, headers)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        if len(self._pending) >= _MAX_PENDING:
            raise NoAnswer(f"camera left {_MAX_PENDING} requests without an answer", self.place)
        self._pending[sequence] = answer
        try:
            self._write(data)
            async with asyncio.timeout(timeout_seconds):
                return await answer
        except TimeoutError:
            self._given_up.append(sequence)
            raise NoAnswer(f"no answer to {method} within {timeout_seconds:g} s", self.place) from None
        finally:
            self._pending.pop(sequence, None)

    def fail(self, error: StreamError) -> None:
        """End the connection at once, because of `error`."""
        self._end(error)
        self.abort()

    def abort(self) -> None:
        """Drop the transport."""
        if self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """End the connection."""
        self._end(Disconnected("connection closed by this side", self.place))
        if self.transport is not None:
            self.transport.close()

    def _write(self, data: bytes) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            self.fail(Disconnected("camera does not read what it is sent", self.place))
            return
        self.transport.write(data)

    def _end(self, error: StreamError) -> None:
        if not self.lost.done():
            error.hide(*self._secrets)
            if error.place == Place():
                error.place = self.place
            self.lost.set_result(error)
        self._left = b""
        self.video = None
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(error)

    # --- bytes in

    def _consume(self, buffer: memoryview, end: int) -> int:
        """Take what is whole in `buffer[:end]`; returns where it stopped."""
        pos = 0
        while pos < end:
            if self._in_junk:
                pos = self._seek(buffer, pos, end)
                if self._in_junk:
                    break
            video = self.video
            if video is not None:
                pos = video.feed(buffer, pos, end)
                if pos >= end:
                    break
            if buffer[pos] != _DOLLAR:
                after = self._text(buffer, pos, end)
            elif pos + 4 > end:
                break
            else:
                after = self._frame(buffer, pos, end)
            if after == pos:
                break
            pos = after
        return min(pos, end)

    def _frame(self, buffer: memoryview, pos: int, end: int) -> int:
        """An interleaved frame that is not video, or not whole."""
        _, channel, length = _FRAME.unpack_from(buffer, pos)
        after = pos + 4 + int(length)
        if after > end:
            return pos
        if channel == self.control_channel and self.video is not None:
            self.on_control(buffer[pos + 4 : after])
        return after

    def _text(self, buffer: memoryview, pos: int, end: int) -> int:
        """A message or junk."""
        if buffer[pos] in _BETWEEN:
            return pos + 1
        head = bytes(buffer[pos : min(end, pos + 16)])
        if not head.startswith(_STARTS):
            if len(head) < 16 and any(start.startswith(head) for start in _STARTS):
                return pos
            return self._lose_sync(pos)
        parsed = parse_message(buffer, pos, end)
        if parsed is None:
            return pos
        message, after = parsed
        if message.status:
            self._answered(message)
        else:
            self._asked(message)
        return after

    def _answered(self, message: Message) -> None:
        """Some cameras leave CSeq out, count it from 0, or repeat the one before when they refuse."""
        sequence = message.sequence
        answer = self._pending.get(sequence)
        if answer is None and len(self._pending) == 1 and sequence not in self._given_up:
            (answer,) = self._pending.values()
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _asked(self, message: Message) -> None:
        """The server sent a request."""
        method = message.first_line.split(" ", 1)[0]
        known = method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "REDIRECT")
        status = "200 OK" if known else "501 Not Implemented"
        self._write(f"RTSP/1.0 {status}\r\nCSeq: {max(message.sequence, 0)}\r\n\r\n".encode("ascii"))
        location = message.header("location")
        if method == "REDIRECT" and location:
            self.fail(Redirected(without_credentials(location.strip()), self.place))
        elif method in ("TEARDOWN", "REDIRECT"):
            self.fail(Disconnected(f"camera ended the session ({method})", self.place))

    def _lose_sync(self, pos: int) -> int:
        """Junk at `pos`."""
        if self.video is None:
            raise BadAnswer("camera's answer is not RTSP; check host and port of the URL", self.place)
        self._in_junk = True
        self.resynchronisations += 1
        self.skipped_bytes += 1
        return pos + 1

    def _seek(self, buffer: memoryview, pos: int, end: int) -> int:
        """Where in the junk a frame or an answer may start; still in junk when too little of it is there to tell."""
        data = bytes(buffer[pos:end])
        video = self.video
        at = len(data)
        if video is not None:
            at = -1
            starts = _starts_of_frames(video.channel, self.control_channel, video.payload_type)
            while (found := starts.search(data, at + 1)) is not None:
                at = found.start()
                is_start = self._is_start(data, at, video)
                if is_start is not False:
                    self._in_junk = is_start is None
                    break
            else:
                tail = max(at + 1, len(data) - _LOOK_BYTES + 1)
                at = next((spot for spot in range(tail, len(data)) if data[spot] in b"$R"), len(data))
        self.skipped_bytes += at
        return pos + at

    def _is_start(self, data: bytes, at: int, video: VideoChannel) -> bool | None:
        """Whether what looks like a start at `at` is one of this session; None: more is needed to tell.

        A frame of another source counts when the next frame follows it: the source known may itself be junk.
        """
        if data[at] != _DOLLAR:
            return True
        if at + _LOOK_BYTES > len(data):
            return None
        length = data[at + 2] << 8 | data[at + 3]
        if data[at + 1] == self.control_channel:
            return length >= 8
        if length <= 12:
            return False
        if video.ssrc < 0 or int.from_bytes(data[at + 12 : at + 16], "big") == video.ssrc:
            return True
        after = at + 4 + length
        if after + 2 > len(data):
            return None
        return data[after] == _DOLLAR and data[after + 1] in (video.channel, self.control_channel)


@lru_cache(64)
def _starts_of_frames(channel: int, control_channel: int, payload_type: int) -> re.Pattern[bytes]:
    """Six bytes that a frame of video or RTCP may begin with, or the beginning of an answer."""

    def byte(*values: int) -> bytes:
        return b"[%s]" % b"".join(b"\\x%02x" % value for value in values)

    video = byte(channel) + rb"..[\x80-\xbf]" + byte(payload_type, payload_type | 0x80)
    control = byte(control_channel & 0xFF) + rb"..[\x80-\xbf][\xc8-\xcf]"
    return re.compile(rb"RTSP/|\$(?:" + video + b"|" + control + b")", re.DOTALL)


assert MAX_BODY_BYTES * 2 < _MAX_LEFT_BYTES
