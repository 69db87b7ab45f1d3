"""A clip played for ever on a mount's clock: the same packets, at the same time, for all its viewers."""

from __future__ import annotations

import random
import struct
from bisect import bisect_left
from typing import Protocol

from streams.virtual.clip import Clip, Picture
from streams.virtual.packetizer import PacketTemplate
from streams.virtual.settings import Faults, Pacing

_CLOCK_RATE = 90_000
_SPREAD = 0.5
_SPREAD_MAX_SECONDS = 0.1
_BEHIND_MAX_SECONDS = 5.0
_REPORT_SECONDS = 5.0
_NTP_EPOCH_SECONDS = 2_208_988_800
_SENDER_REPORT = struct.Struct(">BBHBBHIIIIII")


class Viewer(Protocol):
    """Where packets go. `channel` is its even interleaved channel number."""

    channel: int

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Take framed packets, never wait."""


class LiveStream:
    """One stream of a mount.

    `epoch` is the monotonic time of media time 0, `epoch_utc_ns` the same in UTC. `duration_90k` is the length of
    the mount's loop, which may differ a little from the clip's. RTP time goes on over the seam, sequence numbers
    are those of what was sent. It costs nothing while nobody watches. Times are `time.monotonic()` seconds.
    """

    def __init__(
        self, clip: Clip, duration_90k: int, epoch: float, epoch_utc_ns: int, pacing: Pacing, faults: Faults
    ) -> None:
        self.faults = faults
        self.packets_sent = 0
        self.pictures_sent = 0
        self._duration_90k = duration_90k
        self._take_clip(clip)
        self._epoch = epoch
        self._epoch_utc_ns = epoch_utc_ns
        self._paced = pacing == "paced"
        self._octets_sent = 0
        self._viewers: list[Viewer] = []
        self._joining: list[Viewer] = []
        self._scheduled = False
        self._loop_number = 0
        self._picture_index = 0
        self._data: memoryview | None = None
        self._next_clip: Clip | None = None
        self._offsets: tuple[int, ...] = ()
        self._packet_index = 0
        self._packet_seconds = 0.0
        self._due = 0.0
        self._report_due = 0.0
        self._choose_numbers()

    @property
    def viewer_count(self) -> int:
        """Viewers that play or will with the next picture."""
        return len(self._viewers) + len(self._joining)

    @property
    def described_clip(self) -> Clip:
        """What a new viewer will see."""
        return self._next_clip or self.clip

    def join(self, viewer: Viewer, now: float) -> tuple[int, int, float | None]:
        """Send to `viewer` from the next picture on.

        Gives the next sequence number, that picture's RTP timestamp, and when `run` must be called,
        None when that is already arranged.
        """
        if not self._scheduled:
            self._seek(now)
        self._joining.append(viewer)
        remaining = len(self._offsets) - 1 - self._packet_index if self._data is not None else 0
        answer = (self._sequence + remaining) & 0xFFFF, self._timestamp(self._upcoming_picture())
        first_call = None if self._scheduled else self._due
        self._scheduled = True
        return *answer, first_call

    def leave(self, viewer: Viewer) -> None:
        """Send no more to `viewer`."""
        for viewers in (self._viewers, self._joining):
            if viewer in viewers:
                viewers.remove(viewer)

    def restart(self) -> None:
        """As after a reboot: no viewers, another SSRC, other first numbers."""
        self._viewers.clear()
        self._joining.clear()
        self._choose_numbers()

    def change_clip(self, clip: Clip, now: float) -> None:
        """Play `clip` in the same place from its next key frame on; source and numbers go on."""
        if self._data is not None:
            self._next_clip = clip  # once the picture is out
            return
        self._next_clip = None
        self._take_clip(clip)
        self._seek(now)
        while not self._pictures[self._picture_index].is_key:
            self._next_picture()
        self._due = self._picture_due()

    def run(self, now: float) -> float | None:
        """Send what is due; when to call again, None when nobody watches any more."""
        if now - self._due > _BEHIND_MAX_SECONDS:
            self._seek(now)
        while self._due <= now:
            if self._data is None:
                if not self._viewers and not self._joining:
                    self._scheduled = False
                    return None
                self._begin_picture(now)
            self._send_due(now)
        return self._due

    def _take_clip(self, clip: Clip) -> None:
        self.clip = clip
        self._pictures = [picture for picture in clip.pictures if picture.pts_90k < self._duration_90k]
        self._send_times = [picture.send_90k for picture in self._pictures]

    def _choose_numbers(self) -> None:
        self.ssrc = random.getrandbits(32)
        self._timestamp_base = random.getrandbits(32)
        self._sequence = random.getrandbits(15)

    def _next_picture(self) -> None:
        self._picture_index += 1
        if self._picture_index == len(self._pictures):
            self._picture_index = 0
            self._loop_number += 1

    def _seek(self, now: float) -> None:
        """Stand before the first picture that is due after `now`."""
        media_90k = round((now - self._epoch) * _CLOCK_RATE)
        self._loop_number = (media_90k - self._send_times[0]) // self._duration_90k
        within = media_90k - self._loop_number * self._duration_90k
        self._picture_index = bisect_left(self._send_times, within)
        if self._picture_index == len(self._pictures):
            self._picture_index = 0
            self._loop_number += 1
        self._data = None
        self._due = self._picture_due()

    def _picture_due(self) -> float:
        media_90k = self._loop_number * self._duration_90k + self._send_times[self._picture_index]
        return self._epoch + media_90k / _CLOCK_RATE

    def _upcoming_picture(self) -> tuple[int, Picture]:
        if self._data is None:
            return self._loop_number, self._pictures[self._picture_index]
        following = self._picture_index + 1
        if following < len(self._pictures):
            return self._loop_number, self._pictures[following]
        return self._loop_number + 1, self._pictures[0]

    def _timestamp(self, where: tuple[int, Picture]) -> int:
        loop_number, picture = where
        media_90k = loop_number * self._duration_90k + picture.pts_90k
        return (self._timestamp_base + self._offset_90k() + media_90k) & 0xFFFFFFFF

    def _offset_90k(self) -> int:
        return round(self.faults.clock_offset_seconds * _CLOCK_RATE)

    def _begin_picture(self, now: float) -> None:
        picture = self._pictures[self._picture_index]
        if self._joining:
            self._viewers.extend(self._joining)
            self._joining.clear()
            self._report_due = now
        count = picture.packets.packet_count
        if self.faults.stall:
            self._data, self._offsets = memoryview(b""), (0,)
        else:
            if now >= self._report_due:
                self._send_report(now)
            timestamp = self._timestamp((self._loop_number, picture))
            data = picture.packets.patched(self._sequence, timestamp, self.ssrc)
            self._offsets = picture.packets.offsets
            self._sequence = (self._sequence + count) & 0xFFFF
            if self.faults.drop:
                data, self._offsets = _thin(data, picture.packets, self.faults.drop)
            self._data = memoryview(data)
            self.pictures_sent += 1
            self.packets_sent += len(self._offsets) - 1
            self._octets_sent += self._offsets[-1] - 16 * (len(self._offsets) - 1)
        self._packet_index = 0
        self._packet_seconds = 0.0
        if self._paced and count > 1:
            interval = self._seconds_to_next_picture()
            self._packet_seconds = min(interval * _SPREAD, _SPREAD_MAX_SECONDS) / count

    def _seconds_to_next_picture(self) -> float:
        times, index = self._send_times, self._picture_index
        if index + 1 < len(times):
            return (times[index + 1] - times[index]) / _CLOCK_RATE
        return max(times[0] + self._duration_90k - times[index], 0) / _CLOCK_RATE

    def _send_due(self, now: float) -> None:
        """Send the packets of the current picture that are due, and set when the next are."""
        assert self._data is not None
        count = len(self._offsets) - 1
        first, last = self._packet_index, count
        if self._packet_seconds:
            last = min(first + 1 + int((now - self._due) / self._packet_seconds), count)
        if last > first:
            data = self._data[self._offsets[first] : self._offsets[last]]
            for viewer in tuple(self._viewers):
                viewer.send(data if viewer.channel == 0 else _on_channel(data, viewer.channel))
        if last < count:
            self._due += (last - first) * self._packet_seconds
            self._packet_index = last
            return
        self._data = None
        self._next_picture()
        self._due = self._picture_due()
        if self._next_clip is not None:
            self.change_clip(self._next_clip, now)

    def _send_report(self, now: float) -> None:
        """Sender report: this UTC is this RTP time (RFC 3550, 6.4.1)."""
        self._report_due = now + _REPORT_SECONDS
        utc_ns = self._epoch_utc_ns + round((now - self._epoch + self.faults.clock_offset_seconds) * 1e9)
        seconds = (utc_ns // 1_000_000_000 + _NTP_EPOCH_SECONDS) & 0xFFFFFFFF
        fraction = ((utc_ns % 1_000_000_000) << 32) // 1_000_000_000
        media_90k = round((now - self._epoch) * _CLOCK_RATE)
        timestamp = (self._timestamp_base + self._offset_90k() + media_90k) & 0xFFFFFFFF
        octets = self._octets_sent & 0xFFFFFFFF
        packets = self.packets_sent & 0xFFFFFFFF
        for viewer in tuple(self._viewers):
            header = (0x24, viewer.channel + 1, 28, 0x80, 200, 6)
            viewer.send(_SENDER_REPORT.pack(*header, self.ssrc, seconds, fraction, timestamp, packets, octets))


def _thin(data: bytearray, packets: PacketTemplate, share: float) -> tuple[bytearray, tuple[int, ...]]:
    """Leave out `share` of the packets at random; what is left and its offsets."""
    kept = bytearray()
    offsets = [0]
    for start, end in zip(packets.offsets, packets.offsets[1:], strict=False):
        if random.random() >= share:
            kept += data[start:end]
            offsets.append(len(kept))
    return kept, tuple(offsets)


def _on_channel(data: memoryview, channel: int) -> bytearray:
    """A copy for a viewer whose interleaved channel is not 0."""
    copy = bytearray(data)
    position = 0
    while position < len(copy):
        copy[position + 1] = channel
        position += 4 + int.from_bytes(copy[position + 2 : position + 4], "big")
    return copy
