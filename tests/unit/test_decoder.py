"""Access units into frames, sound ones only."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from detectors.frame import Frame
from streams.access_unit import AccessUnit
from streams.decoder import MAX_FRAME_WIDTH, Decoder
from streams.picture_link import Flag, UnitRecord
from tests.clips import cached_clip
from tests.live_feed import load_units

GOP = 30
BASE = datetime(2026, 1, 1, tzinfo=UTC)


def records(**clip: object) -> list[UnitRecord]:
    return [record(unit) for unit in load_units(cached_clip(**clip))]


def record(unit: AccessUnit) -> UnitRecord:
    captured_us = int(BASE.timestamp()) * 1_000_000 + unit.pts_90k * 100 // 9
    return UnitRecord(0, Flag.KEY if unit.is_key else Flag(0), unit.pts_90k, 0, captured_us, unit.annex_b())


def decode(units: list[UnitRecord]) -> tuple[Decoder, list[Frame | None]]:
    decoder = Decoder("gate")
    frames = []
    for unit in units:
        picture = decoder.decode(unit)
        frames.append(None if picture is None else decoder.frame(picture, unit))
    return decoder, frames


def changed(unit: UnitRecord, data: bytes) -> UnitRecord:
    return replace(unit, data=data)


def noise(size: int) -> bytes:
    return random.Random(3).randbytes(size)


DAMAGES = {
    "garbled": lambda data: data[:40] + noise(100) + data[140:],
    "cut short": lambda data: data[: len(data) // 2],
    "noise": lambda data: noise(500),
    "empty": lambda data: b"",
}


def test_every_picture_comes_at_once_with_its_own_times() -> None:
    units = records(seconds=4, fps=15, gop=GOP)
    decoder, frames = decode(units)
    assert decoder.errors == 0 and len(frames) == 60
    for unit, frame in zip(units, frames, strict=True):
        assert frame is not None and frame.pts_90k == unit.pts_90k
        assert frame.image.shape == (360, 640, 3) and frame.image.dtype == np.uint8
        assert abs(frame.captured_at - BASE - timedelta(seconds=unit.pts_90k / 90_000)) < timedelta(milliseconds=1)


@pytest.mark.parametrize("damage", DAMAGES)
def test_after_a_damaged_unit_only_sound_pictures_come_from_the_next_key_frame_on(damage: str) -> None:
    units = records(seconds=6, fps=15, gop=GOP)
    _, sound = decode(units)
    at = GOP + 10
    units[at] = changed(units[at], DAMAGES[damage](units[at].data))
    decoder, frames = decode(units)
    assert decoder.errors == 1
    assert all(frame is None for frame in frames[at : 2 * GOP])
    for index in [*range(at), *range(2 * GOP, 3 * GOP)]:
        frame, expected = frames[index], sound[index]
        assert frame is not None and expected is not None and np.array_equal(frame.image, expected.image)


def test_nothing_is_decoded_before_the_first_key_frame() -> None:
    _, frames = decode(records(seconds=4, fps=15, gop=GOP)[5:])
    assert all(frame is None for frame in frames[: GOP - 5]) and frames[GOP - 5] is not None


def test_key_frames_alone_are_decoded_at_once() -> None:
    _, frames = decode([unit for unit in records(seconds=4, fps=15, gop=GOP) if unit.is_key])
    assert len(frames) == 2 and all(frame is not None for frame in frames)


def test_a_camera_may_change_the_size_of_its_picture() -> None:
    small = records(seconds=2, fps=15, gop=15, size=(320, 180))
    decoder, frames = decode(records(seconds=4, fps=15, gop=GOP) + small)
    assert decoder.errors == 0
    assert frames[-1] is not None and frames[-1].image.shape == (180, 320, 3)


def test_reordered_pictures_come_in_order_with_the_times_they_were_taken() -> None:
    units = records(seconds=4, fps=15, gop=GOP, b_frames=2)
    _, frames = decode(units)
    times = [frame.pts_90k for frame in frames if frame is not None]
    assert times == sorted(times) and len(times) > 50
    shifts = {frame.captured_at - BASE - timedelta(seconds=frame.pts_90k / 90_000) for frame in frames if frame}
    assert max(shifts) - min(shifts) < timedelta(milliseconds=1)


def test_a_very_wide_picture_is_made_smaller() -> None:
    _, frames = decode(records(seconds=0.2, fps=10, gop=2, size=(2560, 1440)))
    assert frames[0] is not None and frames[0].image.shape == (1080, MAX_FRAME_WIDTH, 3)
