"""Clips and segments to coded pictures, through PyAV: demuxed, never decoded for their pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import av

from streams.access_unit import Codec
from streams.errors import BadAnswer, NotVideo
from streams.virtual.codec import CODECS, split_annex_b, split_lengths

_FORMATS = "mov,mpegts,matroska,avi,flv"  # none of them opens further files
_TICKS = 90_000
_CODECS: dict[str, Codec] = {"h264": "h264", "hevc": "h265"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One packet of the container. `decode_90k` is when a decoder wants it, in the order of the file."""

    decode_90k: int
    pts_90k: int
    duration_90k: int
    nal_units: list[bytes]


@dataclass(frozen=True, slots=True)
class Media:
    """An open container. `pictures` can be read once; it raises BadAnswer where the file breaks off."""

    codec: Codec
    others: tuple[str, ...]
    pictures: Iterator[Picture]


@contextmanager
def opened(file: BinaryIO) -> Iterator[Media]:
    """The first video track of `file`. Raises BadAnswer for what is no clip, NotVideo without H.264 or H.265 in it."""
    try:
        container = av.open(file, "r", options={"format_whitelist": _FORMATS})
    except (av.FFmpegError, ValueError) as error:
        raise BadAnswer("it holds neither a playlist nor a video; check the URL") from error
    with container:
        names = [stream.codec_context.name if stream.codec_context else stream.type for stream in container.streams]
        videos = [stream for stream in container.streams.video if stream.codec_context.name in CODECS]
        if not videos:
            raise NotVideo(", ".join(sorted(set(names))) or "nothing")
        video = videos[0]
        others = tuple(name for index, name in enumerate(names) if index != video.index)
        yield Media(_CODECS[video.codec_context.name], others, _pictures(container, video))


def _pictures(container: av.container.InputContainer, video: av.VideoStream) -> Iterator[Picture]:
    codec = CODECS[video.codec_context.name]
    try:
        length_size, sets = codec.configuration(bytes(video.codec_context.extradata or b""))
        for packet in container.demux(video):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or stamp is None:
                continue
            ticks = (packet.time_base or Fraction(1, _TICKS)) * _TICKS
            found = split_lengths(bytes(packet), length_size) if length_size else split_annex_b(bytes(packet))
            decode = packet.dts if packet.dts is not None else stamp
            yield Picture(
                round(decode * ticks), round(stamp * ticks), round((packet.duration or 0) * ticks), sets + found
            )
            sets = []
    except (av.FFmpegError, IndexError) as error:
        raise BadAnswer("the video breaks off or is damaged") from error
