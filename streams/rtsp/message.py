"""RTSP 1.0 messages as bytes (RFC 2326, 4 to 7), tolerant of what cameras really send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streams.errors import BadAnswer

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 256 * 1024
_MAX_CHUNKS = 1024
_USUAL_HEAD_BYTES = 2048
USER_AGENT = "haechi"


@dataclass(frozen=True, slots=True)
class Message:
    """A response (`status` > 0) or a request of the server (`status` 0, `first_line` tells which).

    `headers` are (lower-case name, value) in the order they came.
    """

    first_line: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """First value of header `name` (lower case)."""
        return next((value for found, value in self.headers if found == name), None)

    def all_headers(self, name: str) -> list[str]:
        """Every value of header `name` (lower case)."""
        return [value for found, value in self.headers if found == name]

    @property
    def sequence(self) -> int:
        """CSeq, -1 without one."""
        value = (self.header("cseq") or "").strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1


def format_request(method: str, uri: str, sequence: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request without body. Raises BadAnswer when a camera's words would break out of their line."""
    lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {sequence}", f"User-Agent: {USER_AGENT}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if any("\r" in line or "\n" in line for line in lines):
        raise BadAnswer("camera sent a name with a line break in it")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def parse_message(buffer: memoryview, pos: int, end: int) -> tuple[Message, int] | None:
    """The message at `pos` and where it ends; None when it is not whole yet. Raises BadAnswer."""
    for size in (_USUAL_HEAD_BYTES, MAX_HEAD_BYTES):  # copying the largest for each of many small ones takes seconds
        data = bytes(buffer[pos : min(end, pos + size)])
        head_end, body_start = _end_of_head(data)
        if head_end >= 0:
            break
    if head_end < 0:
        if len(data) >= MAX_HEAD_BYTES:
            raise BadAnswer("camera sent an endless RTSP header")
        return None
    lines = data[:head_end].decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    headers = tuple(_headers(lines[1:]))
    first_line = lines[0].strip()
    rest_start = pos + body_start
    message = Message(first_line, _status(first_line), headers, b"")
    if "chunked" in (message.header("transfer-encoding") or "").lower():
        chunked = _chunked_body(bytes(buffer[rest_start:end]))
        if chunked is None:
            return None
        body, size = chunked
    else:
        size = _content_length(message)
        if rest_start + size > end:
            return None
        body = bytes(buffer[rest_start : rest_start + size])
    return Message(first_line, message.status, headers, body), rest_start + size


def _end_of_head(data: bytes) -> tuple[int, int]:
    """Where the header ends and the body starts; line ends may be bare line feeds. (-1, -1) when not there yet."""
    ends = [(at, at + len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := data.find(mark)) >= 0]
    return min(ends, default=(-1, -1))


def _status(first_line: str) -> int:
    if not first_line.upper().startswith("RTSP/"):
        return 0
    words = first_line.split(None, 2)
    if len(words) < 2 or not (words[1].isascii() and words[1].isdigit() and len(words[1]) == 3):
        said = repr(first_line[:60])
        raise BadAnswer(f"camera's answer starts with {said}, which is no RTSP status line", said=said)
    return int(words[1])


def _headers(lines: list[str]) -> Iterable[tuple[str, str]]:
    name, value = "", ""
    for line in lines:
        if line[:1] in (" ", "\t") and name:  # a header folded over two lines
            value += " " + line.strip()
            continue
        if name:
            yield name, value
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
    if name:
        yield name, value


def _content_length(message: Message) -> int:
    value = message.header("content-length") or "0"
    if not (value.isascii() and value.isdigit()) or len(value) > 9 or int(value) > MAX_BODY_BYTES:
        said = repr(value[:20])
        raise BadAnswer(f"camera's answer has the Content-Length {said}", said=said)
    return int(value)


def _chunked_body(data: bytes) -> tuple[bytes, int] | None:
    """Body and its size on the wire (RFC 9112, 7.1); some cameras' HTTP stacks do this in RTSP too."""
    body, pos = b"", 0
    for _ in range(_MAX_CHUNKS):
        line_end = data.find(b"\r\n", pos)
        if line_end < 0:
            _check_size(data)
            return None
        try:
            size = int(data[pos:line_end].split(b";")[0], 16)
        except ValueError as error:
            raise BadAnswer("camera's chunked answer is malformed") from error
        if not 0 <= size <= MAX_BODY_BYTES - len(body):
            raise BadAnswer("camera's chunked answer is too long")
        pos = line_end + 2 + size + 2
        if pos > len(data):
            _check_size(data)
            return None
        if size == 0:
            return body, pos
        body += data[line_end + 2 : line_end + 2 + size]
    raise BadAnswer("camera's chunked answer comes in too many chunks")


def _check_size(data: bytes) -> None:
    if len(data) > 2 * MAX_BODY_BYTES:
        raise BadAnswer("camera's chunked answer is too long")
