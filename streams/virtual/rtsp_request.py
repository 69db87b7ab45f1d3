"""RTSP 1.0 requests out of a byte stream, and responses into one (RFC 2326)."""

from __future__ import annotations

from dataclasses import dataclass

MAX_HEADER_BYTES = 16_384
MAX_BODY_BYTES = 65_536

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class BadRequest(Exception):
    """What the client sent is not RTSP; the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class Request:
    """Header names are in lower case."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """`headers` without CSeq and Content-Length, which the connection adds."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def encode(self, sequence: str) -> bytes:
        """As it goes out; `sequence` is the request's CSeq."""
        lines = [f"RTSP/1.0 {self.status} {REASONS[self.status]}", f"CSeq: {sequence}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


class RequestParser:
    """Feed it bytes; it gives whole requests and counts interleaved data (the client's RTCP), which it drops."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.interleaved_count = 0

    def feed(self, data: bytes) -> list[Request]:
        """Requests that are whole now. Raises BadRequest."""
        self._buffer += data
        requests: list[Request] = []
        while self._buffer:
            if self._buffer[0] == 0x24:
                if not self._drop_interleaved():
                    break
                continue
            request = self._take_request()
            if request is None:
                break
            requests.append(request)
        return requests

    def _drop_interleaved(self) -> bool:
        if len(self._buffer) < 4:
            return False
        size = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < size:
            return False
        del self._buffer[:size]
        self.interleaved_count += 1
        return True

    def _take_request(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise BadRequest(f"no end of header within {MAX_HEADER_BYTES} bytes")
            return None
        first, *lines = self._buffer[:end].decode("utf-8", "replace").lstrip("\r\n").split("\r\n")
        parts = first.split(" ")
        if len(parts) != 3 or not parts[2].startswith("RTSP/1."):
            raise BadRequest(f"not a request line: {first[:80]!r}")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            raise BadRequest(f"Content-Length {length[:20]!r}")
        total = end + 4 + int(length)
        if len(self._buffer) < total:
            return None
        body = bytes(self._buffer[end + 4 : total])
        del self._buffer[:total]
        return Request(parts[0], parts[1], headers, body)


@dataclass(frozen=True, slots=True)
class Interleaved:
    """RTP over the RTSP connection: `channel`, RTCP on the next one."""

    channel: int


@dataclass(frozen=True, slots=True)
class ClientPorts:
    """RTP over UDP, to these ports of the client."""

    rtp: int
    rtcp: int


def transport_offers(transport: str) -> list[Interleaved | ClientPorts]:
    """What a Transport header offers of what this server can do, in the client's order."""
    found: list[Interleaved | ClientPorts] = []
    for offer in transport.split(","):
        profile, *fields = (field.strip() for field in offer.split(";"))
        pairs = (field.partition("=") for field in fields)
        values = {name.lower(): value for name, _, value in pairs}
        if profile.upper() == "RTP/AVP/TCP":
            first = values.get("interleaved", "0").partition("-")[0]
            if first.isdecimal() and int(first) <= 254:
                found.append(Interleaved(int(first)))
        elif profile.upper() in ("RTP/AVP", "RTP/AVP/UDP") and "multicast" not in values:
            low, _, high = values.get("client_port", "").partition("-")
            ports = (int(low), int(high or int(low) + 1)) if low.isdecimal() and (high or "0").isdecimal() else ()
            if ports and all(0 < port < 65_536 for port in ports):
                found.append(ClientPorts(*ports))
    return found
