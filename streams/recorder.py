"""Copies a stream's access units into segments. Nothing is decoded, no sound is kept."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from streams import fmp4
from streams.access_unit import AccessUnit, CodecParameters
from streams.errors import MalformedNal
from streams.gop_buffer import GopBuffer
from streams.recording_store import RecordingError, RecordingStore
from streams.segment_writer import Segment

logger = logging.getLogger(__name__)

_MAX_FRAGMENT_BYTES = 16 * 1024 * 1024
_IDLE_SECONDS = 1.0
_KEYLESS_SEGMENTS = 10
_RETRY_NS = 10_000_000_000
_FINISH_NS = 30_000_000_000  # the longest wait for a key frame to end before
_JUMP_90K = 60 * fmp4.TIME_SCALE


@dataclass(slots=True)
class RecorderCounts:
    """Since the start."""

    units: int = 0
    bytes: int = 0
    fragments: int = 0
    segments: int = 0


class Recorder:
    """Records one camera's main stream into `store`; `run` may be called again and again, one at a time.

    It listens to the buffer instead of being woken for every picture, keeps the fragment that is growing (2 s), and
    hands it to the store whole. A fragment ends at a key frame or after `fragment_seconds`, a segment at the first
    key frame after `segment_seconds`, and at a change of run or of parameter sets. What the store refuses is lost up
    to the next key frame, and counted.
    """

    def __init__(self, camera_id: str, buffer: GopBuffer, store: RecordingStore) -> None:
        self.camera_id = camera_id
        self.counts = RecorderCounts()
        self._buffer = buffer
        self._store = store
        self._fragment_90k = round(store.settings.fragment_seconds * fmp4.TIME_SCALE)
        self._segment_90k = round(store.settings.segment_seconds * fmp4.TIME_SCALE) - self._fragment_90k // 2
        self._ended = asyncio.Event()
        self._is_over = False
        self._finish_ns: int | None = None
        self._error: Exception | None = None
        self._units: list[AccessUnit] = []
        self._byte_count = 0
        self._is_reordered = False
        self._latest_pts = -1
        self._cut_pts = -1  # a unit at or after this is looked at: the fragment may end, or nothing is open
        self._run = -1
        self._parameters: CodecParameters | None = None
        self._segment: Segment | None = None
        self._header = b""
        self._sequence = 0
        self._reorder_90k = 0
        self._base_pts = 0
        self._end_pts = 0
        self._lost_from_pts: int | None = None
        self._lost_seconds = 0.0
        self._last_received_ns = 0
        self._retry_ns = 0
        self._fault = ""

    @property
    def fault(self) -> str:
        """Why pictures are being lost now, for people; empty while all is well."""
        return self._fault

    @property
    def lost_seconds(self) -> float:
        """What was to be recorded and was not: the disk was too slow, full or broken."""
        return self._lost_seconds + self._store.lost_seconds(self.camera_id)

    async def run(self, since_ns: int | None = None) -> None:
        """Record until the buffer is closed, `finish` was heard or this is cancelled; fragment and segment then end.

        Begins with the newest key frame that the buffer holds, or with the last one that came before `since_ns`
        (monotonic); what an earlier run recorded is not recorded again. Raises RecordingError when the store's thread
        is gone.
        """
        self._ended.clear()
        self._is_over, self._finish_ns, self._error = False, None, None
        buffer = self._buffer
        for unit in buffer.current_gop() if since_ns is None else buffer.units_since(since_ns):
            if (unit.run, unit.pts_90k) > (self._run, self._latest_pts):
                self._take(0, unit)
        stop_listening = self._buffer.listen(self._take)
        stop_ticking = self._store.every_tick(self._tick)
        try:
            await self._ended.wait()
        finally:
            stop_listening()
            stop_ticking()
            self._end_fragment(None)
            self._end_segment()
            self._lose_until(self._end_pts)
        if self._error is not None:
            raise self._error

    def finish(self) -> None:
        """Let the run end before the next key frame, so that the next one goes on without a gap or an overlap."""
        if self._finish_ns is None:
            self._finish_ns = time.monotonic_ns()

    def go_on(self) -> None:
        """Forget `finish`, where the run has not ended yet."""
        self._finish_ns = None

    def _take(self, _index: int, unit: AccessUnit) -> None:
        """Called in the loop for every picture of every camera: keep it lean."""
        pts = unit.pts_90k
        if unit.is_key or pts >= self._cut_pts or unit.run != self._run:
            if self._is_over:
                return
            self._turn(unit)
            if self._segment is None:
                return
        if pts > self._latest_pts:
            self._latest_pts = pts
        else:
            self._is_reordered = True
        self._units.append(unit)
        self._byte_count += unit.size
        if self._byte_count > _MAX_FRAGMENT_BYTES:
            self._cut_pts = -1

    def _turn(self, unit: AccessUnit) -> None:
        """End the fragment, and the segment, where `unit` asks for it; begin what is missing."""
        pts = unit.pts_90k
        step = pts - self._latest_pts
        is_overdue = False
        is_other_run = unit.run != self._run or abs(step) > _JUMP_90K or (unit.is_key and step <= 0)
        if self._units:
            if not (unit.is_key or is_other_run or pts > self._latest_pts):
                return  # a B frame: it belongs to a picture in this fragment
            self._end_fragment(None if is_other_run else pts)
        if self._segment is not None:
            length = pts - self._base_pts
            is_other = unit.parameters is not self._parameters and unit.parameters != self._parameters
            is_over = length >= self._segment_90k and unit.is_key
            is_overdue = length >= _KEYLESS_SEGMENTS * self._segment_90k  # the next one starts without a key frame
            if is_other_run or (unit.is_key and is_other) or is_over or is_overdue:
                self._end_segment()
        if self._finish_ns is not None and (unit.is_key or is_other_run):
            self._end()
            return
        if is_other_run:
            if self._lost_from_pts is not None:
                self._lose_until(self._end_pts)
                self._lost_from_pts = pts
            self._run = unit.run
            self._latest_pts = pts - 1
        if self._segment is None and (unit.is_key or is_overdue) and unit.received_ns >= self._retry_ns:
            self._begin_segment(unit)
        if self._segment is None:
            self._cut_pts = -1
            self._latest_pts = self._end_pts = max(pts, self._latest_pts)
        else:
            self._cut_pts = pts + self._fragment_90k

    def _begin_segment(self, unit: AccessUnit) -> None:
        if unit.parameters is not self._parameters:
            try:
                self._header = fmp4.initialization(unit.parameters)
            except MalformedNal as error:
                logger.warning("camera %s cannot be recorded: its parameter sets: %s", self.camera_id, error)
                return
            self._parameters = unit.parameters
        self._lose_until(unit.pts_90k)
        self._segment = Segment(self.camera_id, self._store.clock.utc_ns(unit.received_ns))
        self._sequence = self._reorder_90k = 0
        self._base_pts = self._end_pts = unit.pts_90k
        self.counts.segments += 1

    def _end_fragment(self, next_pts: int | None) -> None:
        """Hand the fragment to the store. `next_pts` is when the picture after it is shown, None when unknown."""
        units, segment = self._units, self._segment
        if not units or segment is None:
            return
        first_pts = units[0].pts_90k
        if next_pts is None:
            span = self._latest_pts - first_pts
            next_pts = self._latest_pts + (span // (len(units) - 1) if len(units) > 1 else fmp4.TIME_SCALE // 10)
        reorder_90k = None
        if self._is_reordered or self._reorder_90k:
            first_pts = min(unit.pts_90k for unit in units)
            reorder_90k = self._reorder_90k
        header = b""
        if self._sequence == 0:
            header, self._base_pts = self._header, first_pts
            if self._is_reordered:
                self._reorder_90k = reorder_90k = fmp4.reordering(units)
                header = fmp4.initialization(units[0].parameters, reorder_90k)
        self._sequence += 1
        data = fmp4.fragment(
            units,
            sequence=self._sequence,
            base_pts_90k=self._base_pts,
            end_pts_90k=next_pts,
            reorder_90k=reorder_90k,
            utc_ns=self._store.clock.utc_ns(units[0].received_ns),
        )
        self._units, self._byte_count, self._is_reordered = [], 0, False
        self._end_pts = next_pts
        self._last_received_ns = units[-1].received_ns
        self._hand_over(segment, header + data if header else data, len(units), first_pts)

    def _hand_over(self, segment: Segment, data: bytes, unit_count: int, first_pts: int) -> None:
        end_seconds = (self._end_pts - self._base_pts) / fmp4.TIME_SCALE
        seconds = (self._end_pts - first_pts) / fmp4.TIME_SCALE
        if segment.failed:
            self._retry_ns = self._last_received_ns + _RETRY_NS
        try:
            taken = not segment.failed and self._store.append(segment, data, end_seconds, seconds)
        except RecordingError as error:
            self._error = error
            self._ended.set()
            taken = False
        if taken:
            if self._sequence > 1:  # the one before was taken, and nothing is known against it
                self._fault = ""
            self.counts.units += unit_count
            self.counts.bytes += len(data)
            self.counts.fragments += 1
            return
        self._fault = segment.failure or str(self._error or "the disk is too slow: more waits for it than is allowed")
        self._lost_from_pts = first_pts
        self._end_segment()

    def _end(self) -> None:
        self._end_fragment(None)
        self._end_segment()
        self._is_over = True
        self._ended.set()

    def _end_segment(self) -> None:
        segment, self._segment = self._segment, None
        self._cut_pts = -1
        if segment is not None:
            self._store.close_segment(segment)

    def _lose_until(self, pts: int) -> None:
        """What was being lost, if anything, ends at `pts`."""
        if self._lost_from_pts is not None:
            self._lost_seconds += max(pts - self._lost_from_pts, 0) / fmp4.TIME_SCALE
            self._lost_from_pts = None

    def _tick(self, now_ns: int) -> None:
        """A camera that stopped sending: its last pictures go to the disk, later its segment is closed."""
        if self._units:
            if now_ns - self._units[0].received_ns > (self._fragment_90k / fmp4.TIME_SCALE + _IDLE_SECONDS) * 1e9:
                self._end_fragment(None)
        elif self._segment is not None and now_ns - self._last_received_ns > self._segment_90k / fmp4.TIME_SCALE * 1e9:
            self._end_segment()
        if self._finish_ns is not None and now_ns - self._finish_ns > _FINISH_NS:
            self._end()
        if self._buffer.closed:
            self._ended.set()
