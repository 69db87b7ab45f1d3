"""What travels between the packets process and its child that reads sources, in the records of `streams.records`.

Down go OPEN (JSON: a source to play, with a number of its own) and CLOSE (`!I`: its number). Up come OPENED (JSON),
UNIT (`!IQ`: number, pts_90k; then `!I` length and bytes of each NAL unit), NOTE (`!I`, text: why it is quiet; empty:
all is well), ENDED (JSON: the last record of its number) and ALIVE.

The child sends as the packets process reads, and reads its sources as fast as they are played: nothing queues.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streams.access_unit import Codec
from streams.errors import (
    BadAnswer,
    ConnectFailed,
    Disconnected,
    NoAnswer,
    Place,
    PlayedToItsEnd,
    RequestRefused,
    StreamError,
    WrongCredentials,
)
from streams.records import LinkError, record

_NUMBER = struct.Struct("!I")
_UNIT = struct.Struct("!IQ")

ErrorKind = Literal["connect", "no_answer", "bad_answer", "refused", "credentials", "disconnected", "end"]
_ERRORS: dict[ErrorKind, type[StreamError]] = {
    "connect": ConnectFailed,
    "no_answer": NoAnswer,
    "bad_answer": BadAnswer,
    "disconnected": Disconnected,
    "end": PlayedToItsEnd,
}


class Kind(IntEnum):
    OPEN = 1
    CLOSE = 2
    OPENED = 16
    UNIT = 17
    NOTE = 18
    ENDED = 19
    ALIVE = 20


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[int, Field(ge=0, lt=1 << 32)]


_AnyMessage = TypeVar("_AnyMessage", bound=_Message)


class Open(_Message):
    """A source to play. `files_folder`: where `file://` may lead, None: nowhere."""

    url: str
    username: str | None = None
    password: str | None = Field(default=None, repr=False)
    answer_seconds: float = 5.0
    files_folder: str | None = None


class Opened(_Message):
    """It plays. `piece_seconds` is the length of a playlist's segments, 0 for what comes picture by picture."""

    codec: Codec
    piece_seconds: float = 0.0
    others: tuple[str, ...] = ()


class Ended(_Message):
    """It plays no more. `status` is that of HTTP, 0 for none."""

    kind: ErrorKind
    reason: str
    status: int = 0


def encode(kind: Kind, message: BaseModel) -> bytes:
    return record(kind, message.model_dump_json().encode())


def decode_open(body: bytes) -> Open:
    """Raises LinkError."""
    return _decode(Open, body)


def decode_opened(body: bytes) -> Opened:
    """Raises LinkError."""
    return _decode(Opened, body)


def decode_ended(body: bytes) -> Ended:
    """Raises LinkError."""
    return _decode(Ended, body)


def _decode(model: type[_AnyMessage], body: bytes) -> _AnyMessage:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise LinkError(f"{model.__name__} record does not fit: {faults[0]['msg']}") from None


def encode_close(number: int) -> bytes:
    return record(Kind.CLOSE, _NUMBER.pack(number))


def decode_number(body: bytes) -> int:
    """The number that a CLOSE, UNIT or NOTE record begins with. Raises LinkError."""
    if len(body) < _NUMBER.size:
        raise LinkError(f"record of {len(body)} bytes is cut short")
    number: int = _NUMBER.unpack_from(body)[0]
    return number


def encode_unit(number: int, pts_90k: int, nal_units: Iterable[bytes]) -> bytes:
    parts = [_UNIT.pack(number, pts_90k)]
    for nal in nal_units:
        parts += (_NUMBER.pack(len(nal)), nal)
    return record(Kind.UNIT, *parts)


def decode_unit(body: bytes) -> tuple[int, list[bytes]]:
    """(pts_90k, NAL units). Raises LinkError."""
    if len(body) < _UNIT.size:
        raise LinkError(f"UNIT record of {len(body)} bytes is cut short")
    nal_units: list[bytes] = []
    position = _UNIT.size
    while position < len(body):
        start = position + _NUMBER.size
        if start > len(body):
            raise LinkError("UNIT record ends within a length")
        position = start + _NUMBER.unpack_from(body, position)[0]
        if position > len(body):
            raise LinkError("UNIT record ends within a NAL unit")
        nal_units.append(body[start:position])
    return _UNIT.unpack_from(body)[1], nal_units


def encode_note(number: int, text: str) -> bytes:
    return record(Kind.NOTE, _NUMBER.pack(number), text.encode())


def decode_note(body: bytes) -> str:
    return body[_NUMBER.size :].decode(errors="replace")


def encode_alive() -> bytes:
    return record(Kind.ALIVE)


def ended_of(number: int, error: StreamError) -> Ended:
    """`error` on its way up."""
    if isinstance(error, RequestRefused):
        kind: ErrorKind = "credentials" if isinstance(error, WrongCredentials) else "refused"
        return Ended(number=number, kind=kind, reason=error.reason, status=error.status)
    known = [name for name, one in _ERRORS.items() if isinstance(error, one)]
    return Ended(number=number, kind=known[0] if known else "bad_answer", reason=error.reason)


def error_of(ended: Ended, place: Place) -> StreamError:
    """What went up, as it was raised; NotVideo arrives as BadAnswer."""
    if ended.kind == "credentials":
        return WrongCredentials(ended.reason, ended.status, place)
    if ended.kind == "refused":
        return RequestRefused(ended.reason, ended.status, place)
    return _ERRORS[ended.kind](ended.reason, place)
