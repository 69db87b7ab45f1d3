"""NAL units of one run to access units: boundaries, parameter sets, key frames, damage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, cast

from streams.access_unit import AccessUnit, CodecParameters
from streams.codecs.syntax import NalKind, NalSyntax
from streams.errors import MalformedNal
from streams.rtsp.scanner import compiled
from streams.rtsp.timeline import Timeline

MAX_UNIT_BYTES = 8 * 1024 * 1024
_MAX_PARAMETER_SETS = 64
_MAX_PARAMETER_BYTES = 16 * 1024
_MAX_NAL_UNITS = 1024
_PROOFS = 2


def _access_unit_in_python(nal_units: list[bytes], *values: Any) -> AccessUnit:
    return AccessUnit(tuple(nal_units), *values)


# (NAL units, the other fields of an AccessUnit in their order); the compiled one is not seen by the garbage collector
new_access_unit: Callable[[list[bytes], int, int, bool, CodecParameters, int, bool, bool], AccessUnit] = (
    _access_unit_in_python
    if compiled is None
    else partial(cast(Any, compiled.access_unit), AccessUnit, AccessUnit.__slots__)
)


class Marker(Enum):
    """What the RTP marker bit of this camera is worth."""

    UNPROVEN = 0
    ENDS_UNIT = 1
    LIES = 2


@dataclass(slots=True)
class AssemblerCounts:
    """Since the start of the run. `units` were handed on; `before_key` came before the first key frame and
    `needs_earlier_gop` are RASL pictures: neither can be decoded, and they are dropped."""

    units: int = 0
    key_frames: int = 0
    damaged_units: int = 0
    before_key: int = 0
    needs_earlier_gop: int = 0
    malformed: int = 0
    reordered: int = 0


class AccessUnitAssembler:
    """Joins the NAL units of one run.

    A unit ends where the time stamp changes, or at the marker bit once the camera has shown that it sets it once a
    picture and on the last packet. NAL units without a slice (parameter sets, SEI) wait for the next picture.
    Parameter sets, delimiters and filler data are not handed on: the sets are in `AccessUnit.parameters`.
    A gap discards the unit and marks those that follow as damaged until the next key frame. Nothing is handed on
    before the first key frame.
    """

    def __init__(
        self,
        syntax: NalSyntax,
        on_unit: Callable[[AccessUnit], None],
        parameter_sets: Iterable[bytes] = (),
        run: int = 0,
    ) -> None:
        self.counts = AssemblerCounts()
        self.timeline = Timeline()
        self.marker = Marker.UNPROVEN
        self.parameters: CodecParameters | None = None
        self.refreshes_gradually = False
        self.last_unit_ns = 0
        self._syntax = syntax
        self._on_unit = on_unit
        self._run = run
        self._sets: dict[tuple[int, int], bytes] = {}
        self._sets_changed = False
        self._nal_units: list[bytes] = []
        self._byte_count = 0
        self._has_slice = False
        self._stamp = -1
        self._flushed_stamp = -1
        self._markers = 0
        self._proofs = 0
        self._damaged = False
        self._has_key = False
        self._broken = False  # slices are dropped until one starts a picture
        self._after_open_key = False  # decoding started at the last key frame, RASL pictures lack their references
        for nal in parameter_sets:
            self._add_parameters(nal)

    def start_packet(self, stamp: int) -> None:
        """A packet with time stamp `stamp` begins; ends the unit when it belongs to another picture."""
        if stamp == self._stamp:
            return
        if self._has_slice:
            if self.marker is Marker.UNPROVEN:
                self._weigh_marker()
            self._flush()
        self._stamp = stamp
        self._markers = 0

    def add(self, nal: bytes) -> None:
        """Take a whole NAL unit of the packet."""
        syntax = self._syntax
        if len(nal) < syntax.header_bytes:
            self.counts.malformed += 1
            return
        kind = syntax.kind(nal)
        if kind is NalKind.SLICE:
            if not self._has_slice and not syntax.starts_picture(nal):
                self._refuse_slice()
                return
            if self._broken and not syntax.starts_picture(nal):
                return
            self._broken = False
            self._has_slice = True
        elif kind is NalKind.PARAMETERS:
            self._add_parameters(nal)
            return
        elif kind is not NalKind.SEI:
            return
        self._nal_units.append(nal)
        self._byte_count += len(nal)
        if self._byte_count > MAX_UNIT_BYTES or len(self._nal_units) > _MAX_NAL_UNITS:
            self.counts.malformed += 1
            self.gap()

    def end_packet(self, marked: bool) -> None:
        """The packet ended; `marked` is its marker bit."""
        if not self._has_slice:
            return
        if not marked:
            if self._markers:
                self._markers = 2  # packets after the marker: it lies
        elif self.marker is Marker.ENDS_UNIT:
            self._flush()
        else:
            self._markers += 1

    def gap(self) -> None:
        """Packets were lost: the unit is discarded, those after it are damaged until the next key frame."""
        self._damaged = self._broken = True
        if self._has_slice:
            self.counts.damaged_units += 1
        self._clear()

    def _clear(self) -> None:
        self._nal_units = []
        self._byte_count = 0
        self._has_slice = False

    def _weigh_marker(self) -> None:
        if self._markers == 1:
            self._proofs += 1
            if self._proofs >= _PROOFS:
                self.marker = Marker.ENDS_UNIT
        elif self._markers:
            self.marker = Marker.LIES
        else:
            self._proofs = 0

    def _refuse_slice(self) -> None:
        """A picture whose first slice is not there: lost, or handed on already because of a marker that lied."""
        if self._stamp == self._flushed_stamp and self.marker is Marker.ENDS_UNIT:
            self.marker = Marker.LIES
            self.counts.damaged_units += 1
        self.gap()

    def _add_parameters(self, nal: bytes) -> None:
        try:
            key = self._syntax.parameter_key(nal)
            if self._sets.get(key) == nal:
                return
            self._syntax.picture_size(nal)
        except MalformedNal:
            self.counts.malformed += 1
            return
        if len(nal) > _MAX_PARAMETER_BYTES or (key not in self._sets and len(self._sets) >= _MAX_PARAMETER_SETS):
            self.counts.malformed += 1
            return
        self._sets.pop(key, None)
        self._sets[key] = nal
        self._sets_changed = True

    def _renew_parameters(self) -> None:
        """Make `parameters` of the sets known, in the order VPS, SPS, PPS; they stay None while one is missing."""
        self._sets_changed = False
        types = {nal_type for nal_type, _ in self._sets}
        if not types.issuperset(self._syntax.required_types()):
            return
        sizes = [size for nal in self._sets.values() if (size := self._syntax.picture_size(nal))]
        width, height = sizes[-1]
        ordered = tuple(self._sets[key] for key in sorted(self._sets))
        self.parameters = CodecParameters(self._syntax.codec, ordered, width, height)

    def _flush(self) -> None:
        """Hand the unit on."""
        nal_units = self._nal_units
        self._clear()
        self.last_unit_ns = time.monotonic_ns()
        self._flushed_stamp = self._stamp
        if self._sets_changed:
            self._renew_parameters()
        parameters = self.parameters
        is_key = parameters is not None and self._syntax.is_key(nal_units)
        if not is_key and (self._after_open_key or not self._has_key) and self._drops(nal_units):
            return
        assert parameters is not None  # a key frame came, so there are some
        counts = self.counts
        if is_key:
            self._after_open_key = self._damaged or not self._has_key
            self._has_key = True
            self._damaged = False
            counts.key_frames += 1
        timeline = self.timeline
        latest = timeline.latest
        pts = timeline.unwrap(self._stamp, is_key=is_key)
        if pts < latest:
            counts.reordered += 1
        counts.units += 1
        counts.damaged_units += self._damaged
        is_reference = is_key or any(map(self._syntax.is_reference, nal_units))
        self._on_unit(
            new_access_unit(
                nal_units, pts, self.last_unit_ns, is_key, parameters, self._run, is_reference, self._damaged
            )
        )

    def _drops(self, nal_units: list[bytes]) -> bool:
        """Whether this unit, no key frame, can be of no use."""
        if not self._has_key:
            self.counts.before_key += 1
            self.refreshes_gradually = self.refreshes_gradually or self._syntax.refreshes_gradually(nal_units)
            return True
        if self._after_open_key and any(map(self._syntax.needs_earlier_gop, nal_units)):
            self.counts.needs_earlier_gop += 1
            return True
        return False
