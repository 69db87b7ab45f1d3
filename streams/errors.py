"""What can go wrong between a camera and its GOP buffer. Every error says what happened and how to mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/@\s]*@")


def redact(text: str, *secrets: str | None) -> str:
    """`text` without user names and passwords in URLs and without any of `secrets`."""
    text = _USERINFO.sub(r"\1", text)
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error happened: the connection (`local → remote`), and the packet where one is to blame.

    `packet` counts the RTP packets of the connection from 0.
    """

    camera_id: str | None = None
    stream: str | None = None
    connection: str | None = None
    packet: int | None = None
    ssrc: int | None = None
    sequence: int | None = None

    def __str__(self) -> str:
        known = (
            ("camera", self.camera_id),
            ("stream", self.stream),
            ("connection", self.connection),
            ("packet", self.packet),
            ("ssrc", None if self.ssrc is None else f"{self.ssrc:08x}"),
            ("sequence", self.sequence),
        )
        return ", ".join(f"{name} {value}" for name, value in known if value is not None)


class StreamError(Exception):
    """A stream cannot be had. `reason` is for people: what happened and how to mend it, without credentials.

    `said` are the camera's own words in it, in which it may repeat a password; `hide` takes that out.
    """

    def __init__(self, reason: str, place: Place | None = None, said: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place or Place()
        self.said = said

    def hide(self, *secrets: str | None) -> None:
        """Take `secrets` out of the camera's words, before anybody reads them."""
        if self.said:
            self.reason = self.reason.replace(self.said, redact(self.said, *secrets))
            self.args = (self.reason,)

    def __str__(self) -> str:
        place = str(self.place)
        return f"{self.reason} ({place})" if place else self.reason


class ConnectFailed(StreamError):
    """No TCP or TLS connection."""


class NoAnswer(StreamError):
    """The camera is connected but does not answer a request in time."""


class BadAnswer(StreamError):
    """The camera's answer or description cannot be understood."""


class RequestRefused(StreamError):
    """The camera answered a request with an error. `status` is the RTSP status code."""

    def __init__(self, reason: str, status: int, place: Place | None = None, said: str = "") -> None:
        super().__init__(reason, place, said)
        self.status = status


class WrongCredentials(RequestRefused):
    """The camera wants a user name and password, or refuses those it got."""


class NotVideo(StreamError):
    """The description holds no H.264 or H.265 video. `offered` says what it holds."""

    def __init__(self, offered: str, place: Place | None = None) -> None:
        super().__init__(
            f"stream is not video: only {offered} offered; use the URL of an H.264 or H.265 video stream",
            place,
            offered,
        )
        self.offered = offered


class Disconnected(StreamError):
    """The connection ended while it was in use."""


class Redirected(Disconnected):
    """The camera sends its clients to `location`, a URL without credentials."""

    def __init__(self, location: str, place: Place | None = None) -> None:
        super().__init__(f"camera moved the session to {location}", place, location)
        self.location = location


class Stalled(StreamError):
    """No decodable access unit came for too long."""


class PlayedToItsEnd(StreamError):
    """A file, or a playlist that ends, is over; it may be played again."""


class MalformedNal(ValueError):
    """A NAL unit, parameter set or RTP payload does not follow its standard."""
