"""Cameras that come and go while the detector is at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from config.settings import AnalysisSettings, Camera, IntrusionRule, Zone
from detectors.detections import Detections
from detectors.frame import Image
from streams.access_unit import AccessUnit
from streams.picture_link import Flag, Hello, UnitRecord, WatchOrder
from streams.picture_watch import DetectorThread, PictureWatch
from tests.live_feed import load_units
from tests.requirements import ROOT

CLIP = ROOT / "config/demo/clips/school_gate_sub.mp4"


class HeldDetector:
    """A detector that finds nothing, and that only when it may."""

    def __init__(self) -> None:
        self.may_find = threading.Event()
        self.is_asked = threading.Event()

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        self.is_asked.set()
        self.may_find.wait(30)
        return [Detections.empty() for _ in images]


def order(index: int, camera_id: str) -> WatchOrder:
    zone = Zone(name="yard", rules=(IntrusionRule(),))
    camera = Camera(id=camera_id, name="x", purpose="x", main="rtsp://127.0.0.1/x", zones=(zone,))
    return WatchOrder(camera_index=index, camera=camera)


class Player:
    """Sends a clip's access units to a camera until something is so."""

    def __init__(self, pictures: PictureWatch) -> None:
        self.pictures = pictures
        self.units: list[AccessUnit] = load_units(CLIP)
        self.sent = 0

    def until(self, condition: Callable[[], bool], *indexes: int) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            unit = self.units[self.sent % len(self.units)]
            flags = Flag.KEY if unit.is_key else Flag(0)
            for index in indexes:
                record = UnitRecord(index, flags, self.sent * 9000, time.monotonic_ns(), 0, unit.annex_b())
                self.pictures.take_unit(record)
            self.pictures.advance(time.monotonic())
            self.sent += 1
            time.sleep(0.002)


def test_a_camera_that_goes_while_the_detector_has_its_picture_leaves_nothing_behind() -> None:
    detector = HeldDetector()
    with DetectorThread(detector) as thread:
        pictures = PictureWatch(
            Hello(analysis=AnalysisSettings(), cameras=(order(0, "gone"), order(1, "kept"))), thread
        )
        player = Player(pictures)
        player.until(detector.is_asked.is_set, 0, 1)
        decoded = pictures.stats().decode_seconds
        pictures.unwatch(0)
        pictures.unwatch(0)
        pictures.watch(order(2, "gone"))  # again, as another
        player.until(lambda: not player.sent % 20, 0, 1, 2)
        detector.may_find.set()

        def concluded() -> dict[int, int]:
            return {one.camera_index: one.frames_concluded for one in pictures.stats().cameras}

        player.sent += -player.sent % len(player.units)  # a key frame is next
        player.until(lambda: concluded().keys() == {1, 2} and all(concluded().values()), 0, 1, 2)
        assert pictures.stats().decode_seconds >= decoded, "totals never shrink"
        pictures.unwatch(1)
        pictures.unwatch(2)
        player.until(lambda: not player.sent % 50, 0, 1, 2)
        assert not pictures.stats().cameras and not pictures.take_events()
