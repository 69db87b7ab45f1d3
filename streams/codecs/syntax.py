"""What joining access units asks of a codec, and how a codec is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Protocol

from streams.access_unit import Codec


class NalKind(IntEnum):
    """What a NAL unit means to an access unit."""

    SLICE = 0
    PARAMETERS = 1
    SEI = 2
    NEEDLESS = 3  # delimiters, filler data, end of sequence: left out
    UNKNOWN = 4  # reserved and unspecified types: left out


class NalSyntax(Protocol):
    """Reads the headers of one codec's NAL units (without start code). `kinds` is indexed by NAL unit type."""

    @property
    def codec(self) -> Codec: ...

    @property
    def header_bytes(self) -> int: ...

    def kind(self, nal: bytes) -> NalKind: ...

    def starts_picture(self, nal: bytes) -> bool:
        """Whether the slice `nal` is the first of its picture."""

    def is_key(self, nal_units: Iterable[bytes]) -> bool:
        """Whether decoding may start at this access unit."""

    def refreshes_gradually(self, nal_units: Iterable[bytes]) -> bool:
        """Whether a periodic intra refresh starts here, which is no key frame."""

    def is_reference(self, nal: bytes) -> bool:
        """Whether other pictures may depend on the slice `nal`."""

    def needs_earlier_gop(self, nal: bytes) -> bool:
        """Whether the slice `nal` cannot be decoded when decoding started at the last key frame (RASL)."""

    def parameter_key(self, nal: bytes) -> tuple[int, int]:
        """(NAL unit type, id) of a parameter set: one with the same key replaces it. Raises MalformedNal."""

    def required_types(self) -> tuple[int, ...]:
        """NAL unit types of the parameter sets without which nothing can be decoded."""

    def picture_size(self, parameter_set: bytes) -> tuple[int, int] | None:
        """(width, height) of a sequence parameter set, None for other sets. Raises MalformedNal."""
