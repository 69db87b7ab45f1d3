"""An event as it arrives from a worker, checked."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from config.settings import Identifier, Severity
from detectors.event import FAMILY, EventFamily, EventKind

MAX_SNAPSHOT_BYTES = 2 * 1024 * 1024


def _into_unit(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0


def _first_tracks(value: Sequence[int]) -> Sequence[int]:
    return value[:64]


Fraction = Annotated[float, AfterValidator(_into_unit)]


class Finding(BaseModel):
    """The fields of detectors.event.Event, its family, and the picture (JPEG, base64).

    An event that is refused is an alarm that nobody sees, so what can be mended is: a box that leans out of the
    picture is cut, a score is brought into 0..1, a broken picture is left out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    camera_id: Identifier
    kind: EventKind
    family: EventFamily
    zone: Identifier
    severity: Severity
    started_at: AwareDatetime
    raised_at: AwareDatetime
    box: tuple[Fraction, Fraction, Fraction, Fraction]
    score: Fraction
    label: Annotated[str, Field(min_length=1, max_length=32)]
    track_ids: Annotated[tuple[int, ...], BeforeValidator(_first_tracks)] = ()
    dwell_seconds: float | None = None
    ended_at: AwareDatetime | None = None
    snapshot_jpeg: Annotated[str | None, Field(repr=False)] = None

    @model_validator(mode="after")
    def _family_fits(self) -> Finding:
        if FAMILY[self.kind] != self.family:
            raise ValueError(f"family of {self.kind} is {FAMILY[self.kind]}, not {self.family}")
        return self

    @property
    def is_recovery(self) -> bool:
        """It takes a camera's fault back that was told before."""
        return self.family == "fault" and self.ended_at is not None

    def snapshot(self) -> bytes | None:
        """The JPEG, or None without one or when it is none."""
        if self.snapshot_jpeg is None or len(self.snapshot_jpeg) > MAX_SNAPSHOT_BYTES * 4 // 3 + 4:
            return None
        try:
            jpeg = base64.b64decode(self.snapshot_jpeg, validate=True)
        except (binascii.Error, ValueError):
            return None
        return jpeg if jpeg.startswith(b"\xff\xd8\xff") else None
