"""An H.264 or H.265 clip in memory, as packets ready to be sent. One clip serves any number of mounts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from streams.virtual.codec import CODECS, ClipCodec, split_annex_b, split_lengths
from streams.virtual.packetizer import PacketTemplate, packetize

_CLOCK_RATE = 90_000


class ClipError(Exception):
    """A file cannot be served as a clip; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`pts_90k` from the clip's first picture; `send_90k` is when a live camera could have sent it (>= pts_90k)."""

    pts_90k: int
    send_90k: int
    is_key: bool
    packets: PacketTemplate


@dataclass(frozen=True, slots=True)
class Clip:
    """Pictures in decode order; the first is a key frame. `parameter_sets` are those of the first picture."""

    path: Path
    codec: ClipCodec
    pictures: tuple[Picture, ...]
    duration_90k: int
    parameter_sets: tuple[bytes, ...]
    width: int
    height: int
    frames_per_second: float

    @property
    def duration_seconds(self) -> float:
        """Length of a loop."""
        return self.duration_90k / _CLOCK_RATE

    def format_parameters(self) -> str:
        """The `a=fmtp` value of SDP."""
        return self.codec.format_parameters(self.parameter_sets)


@dataclass(frozen=True, slots=True)
class _Sample:
    pts_90k: int
    duration_90k: int
    is_key: bool
    nal_units: list[bytes]
    parameter_sets: tuple[bytes, ...]


def load_clip(path: Path) -> Clip:
    """Read the first video track of `path` (any container PyAV can demux). Blocking. Raises ClipError."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ClipError(f"{path}: has no video track")
            stream = container.streams.video[0]
            codec = CODECS.get(stream.codec_context.name)
            if codec is None:
                raise ClipError(f"{path}: codec is {stream.codec_context.name}, must be h264 or hevc")
            samples = _read_samples(container, stream, codec, path)
            width, height = stream.codec_context.width, stream.codec_context.height
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{path}: cannot be read: {error}") from error
    return _assemble(path, codec, samples, width, height)


def _read_samples(
    container: av.container.InputContainer, stream: av.VideoStream, codec: ClipCodec, path: Path
) -> list[_Sample]:
    length_size, configured = codec.configuration(bytes(stream.codec_context.extradata or b""))
    in_force: dict[tuple[int, int], bytes] = {}
    _remember(in_force, configured, codec)
    samples: list[_Sample] = []
    for packet in container.demux(stream):
        if packet.size == 0 or packet.pts is None:
            continue
        data = bytes(packet)
        found = split_lengths(data, length_size) if length_size else split_annex_b(data)
        _remember(in_force, found, codec)
        kept = [nal_unit for nal_unit in found if codec.nal_type(nal_unit) not in codec.left_out]
        if not kept or not (samples or packet.is_keyframe):
            continue
        ticks = (packet.time_base or stream.time_base or Fraction(1, _CLOCK_RATE)) * _CLOCK_RATE
        sets = tuple(in_force[key] for key in sorted(in_force))
        duration = round((packet.duration or 0) * ticks)
        samples.append(_Sample(round(packet.pts * ticks), duration, bool(packet.is_keyframe), kept, sets))
    types = {codec.nal_type(nal_unit) for nal_unit in samples[0].parameter_sets} if samples else set()
    if not types.issuperset(codec.parameter_types):
        raise ClipError(f"{path}: has no key frame with parameter sets")
    return samples


def _assemble(path: Path, codec: ClipCodec, samples: list[_Sample], width: int, height: int) -> Clip:
    """Decode times are not taken from the file (Matroska has none): the nth picture goes at the nth pts, delayed."""
    in_order = sorted(sample.pts_90k for sample in samples)
    first, span = in_order[0], in_order[-1] - in_order[0]
    reorder_delay = max(sample.pts_90k - pts for sample, pts in zip(samples, in_order, strict=True))
    last = max(samples, key=lambda sample: sample.pts_90k)
    last_duration = last.duration_90k or (span // (len(samples) - 1) if len(samples) > 1 else _CLOCK_RATE // 10)
    pictures = tuple(
        Picture(
            sample.pts_90k - first,
            pts + reorder_delay - first,
            sample.is_key,
            packetize(codec, sample.nal_units, sample.parameter_sets if sample.is_key else ()),
        )
        for sample, pts in zip(samples, in_order, strict=True)
    )
    duration = span + last_duration
    rate = len(samples) * _CLOCK_RATE / duration
    return Clip(path, codec, pictures, duration, samples[0].parameter_sets, width, height, rate)


def _remember(in_force: dict[tuple[int, int], bytes], nal_units: list[bytes], codec: ClipCodec) -> None:
    """Keep the newest parameter sets, by type and identity."""
    for nal_unit in nal_units:
        kind = codec.nal_type(nal_unit)
        if kind in codec.parameter_types and len(nal_unit) > 1:
            in_force[kind, codec.set_identity(nal_unit)] = nal_unit
