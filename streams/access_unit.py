"""One coded picture and what is needed to decode it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Codec = Literal["h264", "h265"]


@dataclass(frozen=True, slots=True)
class CodecParameters:
    """What a decoder or a file header needs before the first access unit.

    `parameter_sets` are NAL units without start code: SPS, PPS (H.264), VPS, SPS, PPS (H.265).
    """

    codec: Codec
    parameter_sets: tuple[bytes, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture, as NAL units without start codes or lengths: slices and SEI messages.

    Parameter sets stand in `parameters` only; delimiters and filler data are left out.
    `pts_90k` is the RTP time stamp unwrapped (it never wraps; a new run may start anywhere). Without B frames it
    grows from unit to unit of a run, whatever the camera's clock does; with them it steps back a little.
    `received_ns` is `time.monotonic_ns()` at its last packet. `parameters` are those in force, the same
    object for every unit until they change. `run` numbers the RTSP session it came in: a change of run is a
    discontinuity. `is_key`: decoding may start here. `is_reference`: other pictures may depend on it.
    `is_damaged`: packets were lost before or in it since the last key frame.
    """

    nal_units: tuple[bytes, ...]
    pts_90k: int
    received_ns: int
    is_key: bool
    parameters: CodecParameters
    run: int = 0
    is_reference: bool = True
    is_damaged: bool = False

    @property
    def size(self) -> int:
        """Bytes of all NAL units."""
        return sum(map(len, self.nal_units))

    def annex_b(self) -> bytes:
        """The picture as a decoder takes it: start codes between, parameter sets before a key frame."""
        start = b"\x00\x00\x00\x01"
        nal_units = (*self.parameters.parameter_sets, *self.nal_units) if self.is_key else self.nal_units
        return start + start.join(nal_units)
