"""Where a viewer can start in a GOP buffer, and why not."""

from __future__ import annotations

import time

from streams.access_unit import AccessUnit
from streams.codecs.bits import BitReader, unescape
from streams.errors import MalformedNal
from streams.gop_buffer import GopBuffer
from streams.relay.errors import CodecNotRelayable, NoInstantRefresh, NoPictureYet, ReorderedFrames
from streams.relay.packetizer import has_idr

MOST_BURST_BYTES = 1_000_000
STALE_SECONDS = 10.0
_KEYLESS_SECONDS = 30.0
_B_SLICES = (1, 6)


def is_start(unit: AccessUnit) -> bool:
    """Whether a browser can start at `unit`."""
    return unit.is_key and not unit.is_damaged and has_idr(unit)


def is_reordered(previous: AccessUnit, unit: AccessUnit) -> bool:
    """Whether `unit` is a B picture shown before the one decoded before it (H.264, 7.4.3).

    Time alone does not tell: clocks of cameras step back, too.
    """
    return unit.pts_90k < previous.pts_90k and unit.run == previous.run and _is_b_picture(unit)


def plan_start(buffer: GopBuffer, max_bytes: int) -> list[tuple[int, AccessUnit]]:
    """Key frame and reference frames of the current GOP with their indices, up to a damaged one.

    Empty when there is no key frame kept, the GOP is longer than `max_bytes`, or another run has begun without one.
    """
    key = buffer.last_key_index
    if key is None:
        return []
    plan: list[tuple[int, AccessUnit]] = []
    size = 0
    for index in range(key, buffer.next_index):
        unit = buffer.get(index)
        if unit is None or unit.is_damaged or (not plan and not is_start(unit)):
            break
        if plan and unit.run != plan[0][1].run:
            return []
        if unit.is_reference:
            plan.append((index, unit))
            size += unit.size
        if size > max_bytes:
            return []
    return plan


def refuse_unless_relayable(name: str, buffer: GopBuffer) -> None:
    """Raise why a browser cannot have this stream now: NoPictureYet or a NotRelayable."""
    newest = buffer.get(buffer.next_index - 1)
    if newest is None:
        raise NoPictureYet(f"{name}: no picture has come from the camera yet")
    age_seconds = (time.monotonic_ns() - newest.received_ns) / 1e9
    if age_seconds > STALE_SECONDS:
        raise NoPictureYet(f"{name}: the last picture came {age_seconds:.0f} s ago; the camera is being reconnected")
    if newest.parameters.codec != "h264":
        raise CodecNotRelayable(
            f"{name} is {newest.parameters.codec.upper()}; set the camera (or its sub stream) to H.264"
        )
    _refuse_gop(name, buffer)


def _refuse_gop(name: str, buffer: GopBuffer) -> None:
    key = buffer.last_key_index
    if key is None:
        oldest, newest = buffer.get(buffer.first_index), buffer.get(buffer.next_index - 1)
        if oldest and newest and newest.received_ns - oldest.received_ns > _KEYLESS_SECONDS * 1e9:
            raise NoInstantRefresh(f"{name} has sent no key frame for a while; set the camera to one every 2 to 4 s")
        return  # a GOP that outgrew the ring, or gradual refresh: the viewer waits, for a limited time
    first = buffer.get(key)
    if first is not None and not has_idr(first):
        raise NoInstantRefresh(f"{name} has no IDR pictures, only recovery points; set the camera to closed GOPs")
    previous: AccessUnit | None = None
    for index in range(key, buffer.next_index):
        unit = buffer.get(index)
        if unit is not None and previous is not None and is_reordered(previous, unit):
            raise ReorderedFrames(f"{name} has B frames; set the camera to 0 B frames or watch its sub stream")
        previous = unit


def _is_b_picture(unit: AccessUnit) -> bool:
    for nal in unit.nal_units:
        if nal and 1 <= nal[0] & 0x1F <= 2:
            reader = BitReader(unescape(nal[1:17]))
            try:
                reader.unsigned()  # first_mb_in_slice
                return reader.unsigned() in _B_SLICES
            except MalformedNal:
                return False
    return False
