"""What a request for recorded pictures can be answered with, other than pictures."""

from __future__ import annotations


class PlaybackError(Exception):
    """`status` and `kind` as in RFC 9457; the text is for people."""

    status = 500
    kind = "playback"


class NothingRecorded(PlaybackError):
    """There is nothing at that time."""

    status = 404
    kind = "nothing-recorded"


class RangeRefused(PlaybackError):
    """The range cannot be served as it was asked for; the text says what can."""

    status = 422
    kind = "invalid"


class ParametersChange(PlaybackError):
    """One file cannot hold the range: the pictures change their format in it."""

    status = 409
    kind = "parameters-change"


class LibraryUnavailable(PlaybackError):
    """The index or a file cannot be read now."""

    status = 503
    kind = "recordings-unavailable"


class Busy(PlaybackError):
    """As many as are served at a time are being served."""

    status = 503
    kind = "playback-busy"
