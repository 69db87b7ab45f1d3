"""Virtual cameras: H.264 clips served over RTSP in real time."""

from streams.virtual.clip import ClipError
from streams.virtual.server import VirtualCameraServer
from streams.virtual.settings import Faults, Mount, VirtualCameraSettings
from streams.virtual.timeline import LoopTimeline

__all__ = ["ClipError", "Faults", "LoopTimeline", "Mount", "VirtualCameraServer", "VirtualCameraSettings"]
