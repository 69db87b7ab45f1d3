"""One virtual camera as the server runs it: its clock, its streams, what is wrong with it now."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from streams.virtual.clip import Clip, ClipError
from streams.virtual.live_stream import LiveStream
from streams.virtual.settings import Faults, Mount
from streams.virtual.timeline import LoopTimeline

_DURATION_TOLERANCE_90K = 45_000

MakeStream = Callable[[Clip, int, Faults], LiveStream]
"""Of a clip, the length of the mount's loop (90 kHz) and the faults."""


class MountedCamera:
    """Raises ClipError for clips that do not go together."""

    def __init__(
        self, mount: Mount, timeline: LoopTimeline, clips: Mapping[Path, Clip], make_stream: MakeStream
    ) -> None:
        self.mount = mount
        self.timeline = timeline
        self.faults = mount.faults
        self.away_until = 0.0
        self._make_stream = make_stream
        self._main = clips[mount.main.resolve()]
        self._duration_90k = self._main.duration_90k
        self._changed = self._equally_long(clips, mount.changed)
        sub = self._equally_long(clips, mount.sub)
        self._check(self.faults)
        self.streams = {"main": self._made(self._wanted(self.faults))}
        if sub is not None:
            self.streams["sub"] = self._made(sub)

    @property
    def is_silent(self) -> bool:
        """It answers nobody, at the moment."""
        return self.faults.half_open or self.is_away

    @property
    def is_away(self) -> bool:
        """It reboots."""
        return time.monotonic() < self.away_until

    def set_faults(self, faults: Faults) -> None:
        """Raises ClipError for `changed` where there is no such clip."""
        self._check(faults)
        at_once = self.faults.changed != faults.changed and "now" in (self.faults.changed, faults.changed)
        self.faults = faults
        wanted = self._wanted(faults)
        if at_once:
            self.streams["main"].change_clip(wanted, time.monotonic())
        elif self.streams["main"].clip is not wanted:
            self.streams["main"] = self._made(wanted)
        for stream in self.streams.values():
            stream.faults = faults

    def reboot(self, seconds: float) -> None:
        """Be away; then come back with other SSRCs and numbers, and no sessions."""
        self.away_until = time.monotonic() + seconds
        for stream in self.streams.values():
            stream.restart()

    def _wanted(self, faults: Faults) -> Clip:
        return self._main if faults.changed == "no" or self._changed is None else self._changed

    def _made(self, clip: Clip) -> LiveStream:
        return self._make_stream(clip, self._duration_90k, self.faults)

    def _check(self, faults: Faults) -> None:
        if faults.changed != "no" and self._changed is None:
            raise ClipError(f"mount {self.mount.name}: has no `changed` clip to play")

    def _equally_long(self, clips: Mapping[Path, Clip], path: Path | None) -> Clip | None:
        if path is None:
            return None
        clip = clips[path.resolve()]
        if abs(clip.duration_90k - self._duration_90k) > _DURATION_TOLERANCE_90K:
            lengths = f"{clip.duration_seconds:.2f} s, {self.mount.main} {self._main.duration_seconds:.2f} s"
            raise ClipError(f"mount {self.mount.name}: sub and main must last equally long: {path} {lengths}")
        return clip
