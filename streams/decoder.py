"""Access units of one camera into frames: libavcodec on one thread, through PyAV.

Every picture is decoded, since others need it; only those that will be looked at are converted to BGR. After an error
nothing is decoded until the next key frame, because what follows would be a picture of something that is not there.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from detectors.frame import Frame, Image
from streams.picture_link import UnitRecord

log = logging.getLogger(__name__)

MAX_FRAME_WIDTH = 1920
_LARGE_PIXELS = 1280 * 720


class Decoder:
    """Decodes the access units of `camera_id`.

    `errors` counts units that could not be decoded, `decode_seconds` is processor time.
    """

    def __init__(self, camera_id: str) -> None:
        self.camera_id = camera_id
        self.units = 0
        self.errors = 0
        self.decode_seconds = 0.0
        self._context: av.VideoCodecContext | None = None
        self._codec = ""
        self._needs_key = True
        self._reformatter = VideoReformatter()

    def decode(self, record: UnitRecord) -> av.VideoFrame | None:
        """Decode one access unit; None while it gives no sound picture (before a key frame, after an error)."""
        if self._needs_key and not record.is_key:
            return None
        started = time.thread_time()
        self.units += 1
        try:
            context = self._open(record)
            packet = av.Packet(record.data)
            packet.pts = packet.dts = record.pts_90k
            frames = context.decode(packet)
        except av.FFmpegError as error:
            self._fail(str(error))
            return None
        finally:
            self.decode_seconds += time.thread_time() - started
        frame = frames[-1] if frames else None
        if frame is not None and frame.is_corrupt:
            self._fail("the picture is corrupt")
            return None
        return frame

    def frame(self, picture: av.VideoFrame, record: UnitRecord) -> Frame:
        """`picture` as BGR, at most MAX_FRAME_WIDTH wide."""
        width, height = picture.width, picture.height
        if width > MAX_FRAME_WIDTH:
            height = round(height * MAX_FRAME_WIDTH / width / 2) * 2
            width = MAX_FRAME_WIDTH
        converted = self._reformatter.reformat(picture, width=width, height=height, format="bgr24")
        image: Image = np.ascontiguousarray(converted.to_ndarray())
        pts_90k = record.pts_90k if picture.pts is None else picture.pts
        captured_at = record.captured_at + timedelta(seconds=(pts_90k - record.pts_90k) / 90_000)  # reordered frames
        return Frame(self.camera_id, image, pts_90k, captured_at)

    def _open(self, record: UnitRecord) -> av.VideoCodecContext:
        """The codec context; a key frame after an error or of another codec gets a fresh one."""
        if self._context is None or (record.is_key and (self._needs_key or record.codec != self._codec)):
            context = av.CodecContext.create(record.codec, "r")
            assert isinstance(context, av.VideoCodecContext)
            context.thread_count = 1
            context.flags |= av.codec.context.Flags.low_delay
            self._context, self._codec = context, record.codec
        self._needs_key = False
        return self._context

    def _fail(self, reason: str) -> None:
        self.errors += 1
        self._needs_key = True
        log.info("camera %s: %s; waiting for its next key frame", self.camera_id, reason)
