"""Why a viewer cannot be served. Each error knows its HTTP status and the name clients can tell it by (RFC 9457)."""

from __future__ import annotations

from typing import ClassVar


class RelayError(Exception):
    """A WHEP request that is refused. `detail` is for people; `kind` and `status` are for programs."""

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "relay-error"
    title: ClassVar[str] = "The relay failed"
    retry_after_seconds: ClassVar[int | None] = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class UnknownCamera(RelayError):
    status, kind, title = 404, "unknown-camera", "No such camera or stream"


class UnknownSession(RelayError):
    status, kind, title = 404, "unknown-session", "No such session, or it has ended"


class BadOffer(RelayError):
    """The SDP, or a candidate, cannot be understood."""

    status, kind, title = 400, "bad-offer", "The offer cannot be understood"


class NoCommonCodec(RelayError):
    """The offer is sound, but holds nothing we can answer with."""

    status, kind, title = 406, "no-common-codec", "The offer holds no video we can send"


class WrongContentType(RelayError):
    status, kind, title = 415, "wrong-content-type", "Wrong content type"

    def __init__(self, wanted: str, given: str) -> None:
        super().__init__(f"send {wanted}, not {given or 'nothing'}")
        self.wanted = wanted


class BadLayer(RelayError):
    status, kind, title = 422, "bad-layer", "There is no such layer"


class TooLarge(RelayError):
    status, kind, title = 413, "too-large", "The request is too large"


class PreconditionRequired(RelayError):
    """A PATCH without `If-Match` (RFC 9725, 4.3.1; RFC 6585)."""

    status, kind, title = 428, "if-match-required", "If-Match must name the ICE session"


class StaleSession(RelayError):
    """`If-Match` names another ICE session (RFC 9725, 4.3.1)."""

    status, kind, title = 412, "stale-ice-session", "The ICE session is another one"


class RestartNotSupported(RelayError):
    """What a session with trickle ICE but without restarts must answer (RFC 9725, 4.3.1). It goes on as it was."""

    status, kind, title = 422, "ice-restart-not-supported", "ICE restart is not supported; open a new session"


class NotRelayable(RelayError):
    """WebRTC cannot carry this stream as it is."""

    status, kind, title = 409, "not-relayable", "The stream cannot be sent to browsers"


class CodecNotRelayable(NotRelayable):
    kind, title = "codec-not-relayable", "The codec cannot be sent to browsers"


class ReorderedFrames(NotRelayable):
    kind, title = "reordered-frames", "The stream has reordered pictures (B frames)"


class NoInstantRefresh(NotRelayable):
    """Key frames are recovery points or there are none; a browser starts at an IDR picture only."""

    kind, title = "no-idr", "The stream has no IDR pictures"


class NoPictureYet(RelayError):
    """409 with `Retry-After`, as WHEP has it for a stream that nobody publishes now."""

    status, kind, title, retry_after_seconds = 409, "no-picture-yet", "No picture yet", 2


class RelayFull(RelayError):
    status, kind, title, retry_after_seconds = 503, "relay-full", "No room for another viewer", 5


class NoMediaAddress(RelayError):
    """What is wrong with this machine or its settings; the same for every viewer until it is mended."""

    status, kind, title, retry_after_seconds = 503, "no-media-address", "The worker has no address for pictures", 30
