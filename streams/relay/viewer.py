"""One viewer of a stream: what waits to be sent to it, when it is too slow, and what its feedback asks for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from streams.access_unit import AccessUnit
from streams.relay.bandwidth import LinkEstimate
from streams.relay.pacer import Bucket, Pacer
from streams.relay.packetizer import PAYLOAD_BYTES, PacketizedUnit
from streams.relay.rtcp import parse_feedback
from streams.relay.rtp_sender import RtpSender
from streams.relay.timeline import Timeline

if TYPE_CHECKING:
    from streams.relay.feed import Feed

log = logging.getLogger(__name__)

MOST_WAITING_BYTES = 2 * 1024 * 1024
_RESTART_NS = 1_000_000_000
_LOSSY = 0.25
_LOSSY_REPORTS = 3
_MOST_FILLER_PACKETS = 64
_BURST_SECONDS = 0.5
_AGAIN_SECONDS = 0.025
_LEAST_PACE = 1.2  # of what the stream needs; slower is never live


@dataclass(slots=True)
class ViewerCounters:
    """`drops`: times it fell back to the next key frame; `skipped_units`: units it did not get, damaged ones too.

    `switches`: times it went over to another stream.
    """

    units: int = 0
    skipped_units: int = 0
    drops: int = 0
    nacks: int = 0
    plis: int = 0
    switches: int = 0


class _Waiting(NamedTuple):
    packets: PacketizedUnit
    timestamp: int


class Viewer:
    """Takes units from its feed, paces them out. Holds references to shared packets, MOST_WAITING_BYTES at most."""

    def __init__(self, sender: RtpSender, tag_bytes: int, pacer: Pacer, on_bye: Callable[[], None]) -> None:
        self.sender = sender
        self.counters = ViewerCounters()
        self.feed: Feed | None = None
        self.next_feed: Feed | None = None
        self.heard_ns = time.monotonic_ns()
        self.link = LinkEstimate(sender.sequence, self.heard_ns)
        self.filler_bits = 0.0
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
        self._most_waiting = MOST_WAITING_BYTES
        self._again: asyncio.TimerHandle | None = None
        self._filled_ns = 0
        self._filler_bytes = 0.0

    def begin(self, feed: Feed, starter: Feed) -> int:
        """Begin with the kept GOP of `starter`, then go on with `feed`. How many pictures are sent at once."""
        self.feed = starter
        starter.add(self)
        units = starter.start_units()
        if units:
            self.burst(units, starter)
        self.wait_for(feed)
        return len(units)

    def change(self, feed: Feed, *, at_once: bool = False) -> None:
        """Go over to `feed`: with its kept GOP where that is there and soon sent, else at its next key frame.

        The present stream goes on until then; `at_once`: it does not, the way carries it no longer.
        """
        if feed is self.feed:
            self.wait_for(feed)
            return
        now_ns = time.monotonic_ns()
        units = feed.start_units()
        seconds = self.link.seconds_for(sum(packets.payload_bytes for _, packets in units), now_ns)
        if units and seconds <= max(_BURST_SECONDS, feed.seconds_to_key_frame(now_ns) if at_once else 0.0):
            self._go_over(feed)
            self.burst(units, feed)
        elif at_once:
            self._drop_waiting()
            self.sender.forget()
            self._go_over(feed)
        else:
            self.wait_for(feed)

    def wait_for(self, feed: Feed) -> None:
        """Go over to `feed` at its next key frame; none other is waited for."""
        wanted = feed if feed is not self.feed else None
        if self.next_feed is not None and self.next_feed is not wanted:
            self.next_feed.remove(self)
        self.next_feed = wanted
        if wanted is not None:
            wanted.add(self)

    def burst(self, units: Sequence[tuple[AccessUnit, PacketizedUnit]], feed: Feed) -> None:
        """Send a GOP from its key frame on, squeezed in time, so that the last one is live."""
        self._drop_waiting()
        self.sender.forget()
        self._report_when_empty = True
        if self.link.is_narrow(time.monotonic_ns()):
            carried = max(self.link.bits, feed.bits_per_second(time.monotonic_ns()) * _LEAST_PACE) / 8
            self._bucket.limit(carried)
            burst_bytes = sum(packets.payload_bytes for _, packets in units)
            self._most_waiting = min(MOST_WAITING_BYTES, burst_bytes + int(carried))
        stamps = self._timeline.squeezed([unit for unit, _ in units], feed)
        for (_, packets), stamp in zip(units, stamps, strict=True):
            self._push(packets, stamp)
        self._needs_key = False

    def take(self, unit: AccessUnit, packets: Callable[[], PacketizedUnit], *, may_start: bool, feed: Feed) -> None:
        """A live unit. `packets` makes or finds its packets; `may_start`: an undamaged IDR picture."""
        if feed is not self.feed:
            if feed is not self.next_feed or not may_start:
                return
            self._go_over(feed)
        if unit.is_damaged or (self._needs_key and not may_start):
            self._needs_key = True
            self.counters.skipped_units += 1
            return
        if self._waiting_bytes > self._most_waiting:
            self.drop_to_key_frame()
            self.counters.skipped_units += 1
            return
        self._needs_key = False
        self._push(self._filled(packets(), unit.received_ns), self._timeline.live(unit, feed))

    def drain(self, now_ns: int) -> bool:
        """Send what the bucket allows. True when more waits."""
        bucket, sender = self._bucket, self.sender
        bucket.fill(now_ns)
        while self._waiting:
            packets, timestamp = self._waiting[0]
            layout = packets.layout(self._tag_bytes, sender.extension_bytes)
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
            if self._most_waiting < MOST_WAITING_BYTES:
                self._restarted_ns = now_ns  # what asked for a key frame before this one was through asks no more
            self._unlimit()
            self.report()
        return False

    def drop_to_key_frame(self) -> None:
        """Too slow: forget what waits, go on at the next key frame."""
        self.counters.drops += 1
        self.counters.skipped_units += max(0, len(self._waiting) - (self._next_run > 0))
        self._drop_waiting()
        self._unlimit()
        self._needs_key = True

    def wait_for_key_frame(self) -> None:
        """What comes next does not go on from what came."""
        self._needs_key = True

    def report(self) -> None:
        """Send a sender report, once there is something to report about."""
        if self.sender.counters.packets:
            self.sender.send_report(self._timeline.at(time.monotonic_ns()))

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
            if self.sender.repeat(feedback.lost):
                self._repeat_again(feedback.lost)
            if self._waiting:
                self._bucket.slow_down()
        if feedback.estimate is not None:
            self.link.receiver_says(feedback.estimate, self.heard_ns)
        if feedback.fraction_lost is not None:
            sent = self.sender.counters
            packet_bytes = sent.bytes / max(1, sent.packets)
            self.link.receiver_got(feedback.highest, feedback.missing, packet_bytes, self.heard_ns)
            self._judge_loss(feedback.fraction_lost)
        if feedback.wants_key:
            self.counters.plis += 1
            self._restart()
        if feedback.is_bye:
            self._on_bye()

    def end(self) -> None:
        """Say good-bye and leave pacer and feed."""
        if self._again is not None:
            self._again.cancel()
        self._waiting.clear()
        self._pacer.forget(self)
        if self.feed is not None:
            self.feed.remove(self)
        if self.next_feed is not None:
            self.next_feed.remove(self)
        self.sender.send_goodbye()

    def _repeat_again(self, lost: tuple[int, ...]) -> None:
        """Once more, soon: a repeat that is lost too is asked for only a round trip and more later, and that is seen.

        Not on a narrow way, which is not lossy but full.
        """
        if self._again is not None or self.link.is_narrow(self.heard_ns):
            return

        def again() -> None:
            self._again = None
            self.sender.repeat(lost)

        self._again = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, again)

    def _restart(self) -> None:
        """Send the kept GOP again, at most once a second and not while one is being sent."""
        now_ns = time.monotonic_ns()
        if self.feed is None or self._report_when_empty or now_ns - self._restarted_ns < _RESTART_NS:
            return
        self._restarted_ns = now_ns
        units = self.feed.start_units()
        seconds = self.link.seconds_for(sum(packets.payload_bytes for _, packets in units), now_ns)
        if units and seconds <= max(_BURST_SECONDS, self.feed.seconds_to_key_frame(now_ns)):
            self.burst(units, self.feed)
        else:
            self._needs_key = True

    def _filled(self, packets: PacketizedUnit, received_ns: int) -> PacketizedUnit:
        """With filler behind, while more is tried than the stream has."""
        if not self.filler_bits:
            self._filled_ns = 0
            return packets
        if self._filled_ns:
            self._filler_bytes += self.filler_bits / 8 * (received_ns - self._filled_ns) / 1e9
        self._filled_ns = received_ns
        self._filler_bytes -= packets.payload_bytes
        count = min(_MOST_FILLER_PACKETS, max(0, int(self._filler_bytes / PAYLOAD_BYTES)))
        self._filler_bytes = min(self._filler_bytes - count * PAYLOAD_BYTES, float(PAYLOAD_BYTES))
        return packets.with_filler(count) if count else packets

    def _judge_loss(self, fraction_lost: float) -> None:
        if fraction_lost == 0:
            self._lossy_reports = 0
            self._bucket.speed_up()
        elif fraction_lost >= _LOSSY:
            self._lossy_reports += 1
            if self._lossy_reports >= _LOSSY_REPORTS:
                self._lossy_reports = 0
                self.drop_to_key_frame()

    def _go_over(self, feed: Feed) -> None:
        if self.feed is not None:
            self.feed.remove(self)
        if self.next_feed is not None and self.next_feed is not feed:
            self.next_feed.remove(self)
        self.feed, self.next_feed = feed, None
        self.filler_bits = 0.0
        feed.add(self)
        self._needs_key = True
        self.counters.switches += 1

    def _push(self, packets: PacketizedUnit, timestamp: int) -> None:
        if packets.payloads:
            self._waiting.append(_Waiting(packets, timestamp))
            self._waiting_bytes += packets.payload_bytes
            self._pacer.ready(self)

    def _unlimit(self) -> None:
        self._bucket.limit(None)
        self._most_waiting = MOST_WAITING_BYTES

    def _drop_waiting(self) -> None:
        """Forget what waits, but finish a unit that is half sent."""
        begun = self._waiting[0] if self._waiting and self._next_run else None
        self._waiting.clear()
        self._waiting_bytes = 0
        if begun is not None:
            self._waiting.append(begun)
            self._waiting_bytes = begun.packets.payload_bytes
