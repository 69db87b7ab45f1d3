"""An event as it arrives from a worker, checked."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from config.settings import Fraction, Identifier, Severity
from detectors.event import FAMILY, EventFamily, EventKind

MAX_SNAPSHOT_BYTES = 2 * 1024 * 1024


class Finding(BaseModel):
    """The fields of detectors.event.Event, its family, and the picture (JPEG, base64)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_id: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    camera_id: Identifier
    kind: EventKind
    family: EventFamily
    zone: Identifier
    severity: Severity
    started_at: AwareDatetime
    raised_at: AwareDatetime
    box: tuple[Fraction, Fraction, Fraction, Fraction]
    score: Annotated[float, Field(ge=0, le=1)]
    label: Annotated[str, Field(min_length=1, max_length=32)]
    track_ids: Annotated[tuple[int, ...], Field(max_length=64)] = ()
    dwell_seconds: Annotated[float | None, Field(ge=0)] = None
    snapshot_jpeg: Annotated[str | None, Field(max_length=MAX_SNAPSHOT_BYTES * 4 // 3 + 4, repr=False)] = None

    @field_validator("snapshot_jpeg")
    @classmethod
    def _is_jpeg(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                head = base64.b64decode(value[:16], validate=True)
            except binascii.Error as error:
                raise ValueError("is not base64") from error
            if not head.startswith(b"\xff\xd8\xff"):
                raise ValueError("is not a JPEG")
        return value

    @model_validator(mode="after")
    def _family_fits(self) -> Finding:
        if FAMILY[self.kind] != self.family:
            raise ValueError(f"family of {self.kind} is {FAMILY[self.kind]}, not {self.family}")
        return self

    def snapshot(self) -> bytes | None:
        """The JPEG, or None without one or when its base64 is broken past the head."""
        if self.snapshot_jpeg is None:
            return None
        try:
            return base64.b64decode(self.snapshot_jpeg, validate=True)
        except binascii.Error:
            return None
