"""What the pictures process does with access units: when to look, whose turn the detector is, what it concluded."""

from __future__ import annotations

import os
import resource
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import TracebackType

import av
import cv2

from config.settings import Camera
from detectors.analyzer import CameraAnalyzer
from detectors.crops import cut, gather
from detectors.detections import Detections
from detectors.detector import Detector
from detectors.event import Event
from detectors.frame import Frame, Image
from detectors.look import Crop, Look
from streams.analysis_pace import FrameSchedule, MediaTime, Pace
from streams.decoder import Decoder
from streams.freeze_watch import FreezeWatch
from streams.inference_queue import FairQueue
from streams.picture_link import CameraStats, Hello, PictureStats, UnitRecord, WatchOrder

STALE_SECONDS = 2.0
"""A frame this old is decoded, because others need it, but not looked at."""
ACTIVE_SECONDS = 5.0
_BATCH_SECONDS = 0.25
_MAX_BATCH_CROPS = 8
_MAX_LOOK_CROPS = 4
_WAITING_BYTES = 256 * 1024 * 1024
_SNAPSHOT_QUALITIES = (85, 60, 30)
_MAX_SNAPSHOT_BYTES = 1_500_000  # the center takes 2 MiB

INCIDENT_WEIGHT = 8.0
"""An incident is open at the camera."""
_PRIORITY_WEIGHTS = (1.0, 2.0, 3.0, 5.0)
"""By the priority of a crop: round robin, something followed, something new that moves, an alarm hangs on it."""


class DetectorThread:
    """Runs a detector on one thread, one batch at a time; `fileno()` becomes readable when a batch is done."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="detector")
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __enter__(self) -> DetectorThread:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(cancel_futures=True)
        os.close(self._wake)

    def fileno(self) -> int:
        return self._wake

    def start(self, images: Sequence[Image]) -> Future[tuple[list[Detections], float]]:
        """Detections of each image, and the seconds it took."""
        future = self._executor.submit(self._detect, images)
        future.add_done_callback(lambda _: os.eventfd_write(self._wake, 1))
        return future

    def take_wake(self) -> None:
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            pass

    def _detect(self, images: Sequence[Image]) -> tuple[list[Detections], float]:
        started = time.perf_counter()
        return self._detector.detect(images), time.perf_counter() - started


@dataclass(slots=True)
class _Watched:
    """One camera's running state."""

    index: int
    camera: Camera
    decoder: Decoder
    recent_events: Sequence[Event]
    freeze: FreezeWatch = field(default_factory=FreezeWatch)
    analyzer: CameraAnalyzer | None = None
    frame_size: tuple[int, int] = (0, 0)
    schedule: FrameSchedule = field(default_factory=FrameSchedule)
    media_time: MediaTime = field(default_factory=MediaTime)
    is_detecting: bool = False
    next_picture: tuple[av.VideoFrame, UnitRecord] | None = None
    active_until: float = 0.0
    looked_at: int = 0
    concluded: int = 0
    shed: int = 0
    crops: int = 0


@dataclass(frozen=True, slots=True)
class _Turn:
    """A look that waits for the detector, and what it belongs to (a new analyzer follows a change of size)."""

    watched: _Watched
    analyzer: CameraAnalyzer
    look: Look


class PictureWatch:
    """All cameras of a pictures process. Not thread safe: one loop calls it."""

    def __init__(self, hello: Hello, thread: DetectorThread) -> None:
        self.incident_cameras: frozenset[str] = frozenset()
        self._settings = hello.analysis
        self._thread = thread
        self._cameras: dict[int, _Watched] = {}
        self._past_decode_seconds = 0.0
        self._queue: FairQueue[_Turn] = FairQueue(_WAITING_BYTES)
        self._batch: list[_Turn] = []
        self._running: Future[tuple[list[Detections], float]] | None = None
        self._may_infer_at = 0.0
        self._crop_seconds = 0.05
        self._events: deque[tuple[Event, bytes]] = deque()
        self._pace = Pace()
        self._stats = PictureStats(pid=os.getpid())
        for order in hello.cameras:
            self.watch(order)

    def watch(self, order: WatchOrder) -> None:
        """Watch a camera from now on; one that is watched goes on with another definition.

        Then its decoder, tracks and background stay, and the clocks of rules that are the same.
        """
        watched = self._cameras.get(order.camera_index)
        if watched is None:
            decoder = Decoder(order.camera.id)
            self._cameras[order.camera_index] = _Watched(order.camera_index, order.camera, decoder, order.recent_events)
            return
        is_rearmed = watched.camera.zones != order.camera.zones
        watched.camera, watched.recent_events = order.camera, order.recent_events
        if watched.analyzer is not None and is_rearmed:
            watched.analyzer.rearm(order.camera, order.recent_events)

    def unwatch(self, camera_index: int) -> None:
        """The camera is gone; what the detector still finds for it is dropped."""
        watched = self._cameras.pop(camera_index, None)
        if watched is not None:
            self._queue.forget(watched.camera.id)
            self._past_decode_seconds += watched.decoder.decode_seconds
            watched.analyzer = watched.next_picture = None

    def wait_seconds(self, now: float) -> float:
        """How long nothing needs doing unless the link or the detector wakes us."""
        if self._queue and self._running is None:
            return min(1.0, max(0.0, self._may_infer_at - now))
        return 1.0

    def take_unit(self, record: UnitRecord) -> None:
        """Decode an access unit and look at the picture when one is due."""
        watched = self._cameras.get(record.camera_index)
        if watched is None:
            return
        record = replace(record, pts_90k=watched.media_time.continuous(record.pts_90k, record.received_ns))
        picture = watched.decoder.decode(record)
        if picture is None:
            return
        watched.freeze.take(picture, (record.pts_90k if picture.pts is None else picture.pts) / 90_000)
        age = (time.monotonic_ns() - record.received_ns) / 1e9
        self._pace.observe(age)
        rate = self._settings.frames_per_second * self._pace.share
        if age <= STALE_SECONDS and watched.schedule.is_due(
            record.pts_90k if picture.pts is None else picture.pts, rate
        ):
            self._look(watched, picture, record)

    def advance(self, now: float) -> None:
        """Take what the detector found and give it the next batch. `now` is time.monotonic()."""
        if self._running is not None and self._running.done():
            self._thread.take_wake()
            self._finish_batch(self._running)
            self._running = None
        if self._running is None and self._queue and now >= self._may_infer_at:
            self._start_batch()

    def take_events(self) -> list[tuple[Event, bytes]]:
        """Events raised since the last call, each with its snapshot (JPEG)."""
        events = list(self._events)
        self._events.clear()
        return events

    def stats(self) -> PictureStats:
        """Running totals; also lets the pace follow the lag, so call it about once a second."""
        self._pace.adapt()
        now = time.monotonic()
        cameras = self._cameras.values()
        return replace(
            self._stats,
            decode_seconds=sum((one.decoder.decode_seconds for one in cameras), self._past_decode_seconds),
            lag_seconds=round(self._pace.lag_seconds, 3),
            pace=round(self._pace.share, 3),
            resident_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            cameras=tuple(_camera_stats(watched, now) for watched in cameras),
        )

    def _look(self, watched: _Watched, picture: av.VideoFrame, record: UnitRecord) -> None:
        """Look at a picture; while the detector has the one before, it waits and a newer one takes its place."""
        if watched.is_detecting:
            watched.shed += watched.next_picture is not None
            watched.next_picture = (picture, record)
            return
        overtaken = self._queue.drop(watched.camera.id)
        if overtaken is not None:
            self._shed(overtaken)
        started = time.perf_counter()
        frame = watched.decoder.frame(picture, record)
        analyzer = self._analyzer(watched, frame)
        look = analyzer.look(frame)
        if overtaken is not None and overtaken.analyzer is analyzer:
            look = look.keeping(_with_missed(look.crops, overtaken.look.crops))
        watched.looked_at += 1
        self._stats = replace(self._stats, look_seconds=self._stats.look_seconds + time.perf_counter() - started)
        if look.crops:
            self._enqueue(_Turn(watched, analyzer, look))
        else:
            self._conclude(_Turn(watched, analyzer, look), Detections.empty())

    def _shed(self, turn: _Turn) -> None:
        """The detector had no time for this look: the rules see that time passes and that nobody looked."""
        turn.watched.shed += 1
        self._conclude(replace(turn, look=turn.look.keeping(())), Detections.empty())

    def _analyzer(self, watched: _Watched, frame: Frame) -> CameraAnalyzer:
        """The camera's analyzer; a new one when the size of its frames has changed."""
        height, width = frame.image.shape[:2]
        if watched.analyzer is None or watched.frame_size != (width, height):
            watched.analyzer = CameraAnalyzer(watched.camera, width, height)
            watched.frame_size = (width, height)
            watched.analyzer.resume(watched.recent_events)
        return watched.analyzer

    def _enqueue(self, turn: _Turn) -> None:
        camera_id = turn.watched.camera.id
        turn.watched.active_until = time.monotonic() + ACTIVE_SECONDS
        weight = _PRIORITY_WEIGHTS[min(max(crop.priority for crop in turn.look.crops), 3)]
        if camera_id in self.incident_cameras:
            weight = INCIDENT_WEIGHT
        size = turn.look.frame.image.nbytes
        for _, lost in self._queue.put(camera_id, turn, crops=len(turn.look.crops), weight=weight, size=size):
            self._shed(lost)

    def _start_batch(self) -> None:
        max_crops = max(1, min(_MAX_BATCH_CROPS, int(_BATCH_SECONDS / self._crop_seconds)))
        self._batch = [turn for _, turn in self._queue.take(max_crops)]
        for turn in self._batch:
            turn.watched.is_detecting = True
        images = [cut(turn.look.frame, crop) for turn in self._batch for crop in turn.look.crops]
        self._running = self._thread.start(images)

    def _finish_batch(self, done: Future[tuple[list[Detections], float]]) -> None:
        found, seconds = done.result()
        self._crop_seconds += 0.2 * (seconds / len(found) - self._crop_seconds)
        share = self._settings.inference_share
        self._may_infer_at = time.monotonic() + seconds * (1 / share - 1)
        self._stats = replace(
            self._stats,
            inference_seconds=self._stats.inference_seconds + seconds,
            inference_batches=self._stats.inference_batches + 1,
        )
        start = 0
        for turn in self._batch:
            per_crop = found[start : start + len(turn.look.crops)]
            start += len(per_crop)
            watched = turn.watched
            watched.crops += len(per_crop)
            watched.is_detecting = False
            self._conclude(turn, gather(turn.look, per_crop))
            if watched.next_picture is not None:
                picture, watched.next_picture = watched.next_picture, None
                self._look(watched, *picture)

    def _conclude(self, turn: _Turn, detections: Detections) -> None:
        watched = turn.watched
        if turn.analyzer is not watched.analyzer:
            return
        watched.concluded += 1
        for event in turn.analyzer.conclude(turn.look, detections):
            self._stats = replace(self._stats, events=self._stats.events + 1)
            self._events.append((event, _jpeg(turn.look.frame.image)))


def _camera_stats(watched: _Watched, now: float) -> CameraStats:
    return CameraStats(
        camera_index=watched.index,
        units=watched.decoder.units,
        decode_seconds=watched.decoder.decode_seconds,
        decode_errors=watched.decoder.errors,
        frames_looked_at=watched.looked_at,
        frames_concluded=watched.concluded,
        frames_shed=watched.shed,
        crops=watched.crops,
        is_active=now < watched.active_until,
        still_seconds=round(watched.freeze.still_seconds, 1),
        picture_changes=watched.freeze.changes,
    )


def _with_missed(crops: Sequence[Crop], missed: Sequence[Crop]) -> list[Crop]:
    """`crops` and, of an overtaken look, those the new one does not cover: who asked for them does not ask again."""
    wanted = list(crops)
    for crop in missed:
        x1, y1, x2, y2 = crop.box
        if not any(o[0] <= x1 and o[1] <= y1 and x2 <= o[2] and y2 <= o[3] for o in (other.box for other in wanted)):
            wanted.append(crop)
    return sorted(wanted, key=lambda crop: -crop.priority)[:_MAX_LOOK_CROPS]


def _jpeg(image: Image) -> bytes:
    """The picture as the alarm list shows it; the box travels beside it, so that the evidence stays unmarked."""
    for quality in _SNAPSHOT_QUALITIES:
        encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if encoded and len(data) <= _MAX_SNAPSHOT_BYTES:
            return data.tobytes()
    return b""
