"""One viewer of a stream: what waits to be sent to it, when it is too slow, and what its feedback asks for."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from streams.access_unit import AccessUnit
from streams.relay.pacer import Bucket, Pacer
from streams.relay.packetizer import PacketizedUnit
from streams.relay.rtcp import Feedback, parse_feedback
from streams.relay.rtp_sender import RtpSender
from streams.relay.timeline import Timeline

if TYPE_CHECKING:
    from streams.relay.feed import Feed

log = logging.getLogger(__name__)

MOST_WAITING_BYTES = 2 * 1024 * 1024
_RESTART_NS = 1_000_000_000
_LOSSY = 0.25
_LOSSY_REPORTS = 3


@dataclass(slots=True)
class ViewerCounters:
    """`drops`: times it fell back to the next key frame; `skipped_units`: units it did not get, damaged ones too."""

    units: int = 0
    skipped_units: int = 0
    drops: int = 0
    nacks: int = 0
    plis: int = 0


class _Waiting(NamedTuple):
    packets: PacketizedUnit
    timestamp: int


class Viewer:
    """Takes units from its feed, paces them out. Holds references to shared packets, MOST_WAITING_BYTES at most."""

    def __init__(self, sender: RtpSender, tag_bytes: int, pacer: Pacer, on_bye: Callable[[], None]) -> None:
        self.sender = sender
        self.counters = ViewerCounters()
        self.feed: Feed | None = None
        self.heard_ns = time.monotonic_ns()
        self._tag_bytes = tag_bytes
        self._pacer = pacer
        self._on_bye = on_bye
        self._timeline = Timeline()
        self._bucket = Bucket()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._next_run = 0
        self._needs_key = True
        self._restarted_ns = 0
        self._lossy_reports = 0
        self._report_when_empty = True

    def burst(self, units: Sequence[tuple[AccessUnit, PacketizedUnit]], feed: Feed) -> None:
        """Send a GOP from its key frame on, squeezed in time, so that the last one is live."""
        self._drop_waiting()
        self._report_when_empty = True
        stamps = self._timeline.squeezed([unit for unit, _ in units], feed)
        for (_, packets), stamp in zip(units, stamps, strict=True):
            self._push(packets, stamp)
        self._needs_key = False

    def take(self, unit: AccessUnit, packets: Callable[[], PacketizedUnit], *, may_start: bool, feed: Feed) -> None:
        """A live unit. `packets` makes or finds its packets; `may_start`: an undamaged IDR picture."""
        if feed is not self.feed:
            if not may_start:
                return
            self._change_to(feed)
        if unit.is_damaged or (self._needs_key and not may_start):
            self._needs_key = True
            self.counters.skipped_units += 1
            return
        if self._waiting_bytes > MOST_WAITING_BYTES:
            self.drop_to_key_frame()
            self.counters.skipped_units += 1
            return
        self._needs_key = False
        self._push(packets(), self._timeline.live(unit, feed))

    def drain(self, now_ns: int) -> bool:
        """Send what the bucket allows. True when more waits."""
        bucket, sender = self._bucket, self.sender
        bucket.fill(now_ns)
        while self._waiting:
            packets, timestamp = self._waiting[0]
            layout = packets.layout(self._tag_bytes)
            if self._next_run == 0:
                sender.begin_unit(layout, timestamp)
            for run in layout.runs[self._next_run :]:
                if bucket.bytes <= 0:
                    return True
                if not sender.send_run(run):
                    self._next_run = 0
                    self._waiting.popleft()
                    self._waiting_bytes -= packets.payload_bytes
                    self.drop_to_key_frame()
                    return False
                bucket.bytes -= run.byte_count
                self._next_run += 1
            self._next_run = 0
            self._waiting.popleft()
            self._waiting_bytes -= packets.payload_bytes
            self.counters.units += 1
        if self._report_when_empty:
            self._report_when_empty = False
            self.report(now_ns)
        return False

    def drop_to_key_frame(self) -> None:
        """Too slow: forget what waits, go on at the next key frame."""
        self.counters.drops += 1
        self.counters.skipped_units += max(0, len(self._waiting) - (self._next_run > 0))
        self._drop_waiting()
        self._needs_key = True

    def wait_for_key_frame(self) -> None:
        """What comes next does not go on from what came."""
        self._needs_key = True

    def report(self, now_ns: int) -> None:
        """Send a sender report, once there is something to report about."""
        if self.sender.counters.packets:
            self.sender.send_report(self._timeline.at(now_ns))

    def receive_rtcp(self, data: bytes) -> None:
        """Feedback from the browser."""
        self.heard_ns = time.monotonic_ns()
        try:
            feedback = parse_feedback(data, self.sender.ssrc)
        except ValueError as error:
            log.debug("RTCP passed over: %s", error)
            return
        if feedback.lost:
            self.counters.nacks += len(feedback.lost)
            self.sender.repeat(feedback.lost)
            if self._waiting:
                self._bucket.slow_down()
        if feedback.fraction_lost is not None:
            self._judge_loss(feedback)
        if feedback.wants_key:
            self.counters.plis += 1
            self._restart()
        if feedback.is_bye:
            self._on_bye()

    def end(self) -> None:
        """Say good-bye and leave pacer and feed."""
        self._waiting.clear()
        self._pacer.forget(self)
        if self.feed is not None:
            self.feed.remove(self)
        self.sender.send_goodbye()

    def _restart(self) -> None:
        """Send the kept GOP again, at most once a second and not while one is being sent."""
        now_ns = time.monotonic_ns()
        if self.feed is None or self._report_when_empty or now_ns - self._restarted_ns < _RESTART_NS:
            return
        self._restarted_ns = now_ns
        units = self.feed.start_units()
        if units:
            self.burst(units, self.feed)
        else:
            self._needs_key = True

    def _judge_loss(self, feedback: Feedback) -> None:
        assert feedback.fraction_lost is not None
        if feedback.fraction_lost == 0:
            self._lossy_reports = 0
            self._bucket.speed_up()
        elif feedback.fraction_lost >= _LOSSY:
            self._lossy_reports += 1
            if self._lossy_reports >= _LOSSY_REPORTS:
                self._lossy_reports = 0
                self.drop_to_key_frame()

    def _change_to(self, feed: Feed) -> None:
        if self.feed is not None:
            self.feed.remove(self)
        self.feed = feed
        self._needs_key = True

    def _push(self, packets: PacketizedUnit, timestamp: int) -> None:
        if packets.payloads:
            self._waiting.append(_Waiting(packets, timestamp))
            self._waiting_bytes += packets.payload_bytes
            self._pacer.ready(self)

    def _drop_waiting(self) -> None:
        """Forget what waits, but finish a unit that is half sent."""
        begun = self._waiting[0] if self._waiting and self._next_run else None
        self._waiting.clear()
        self._waiting_bytes = 0
        if begun is not None:
            self._waiting.append(begun)
            self._waiting_bytes = begun.packets.payload_bytes
