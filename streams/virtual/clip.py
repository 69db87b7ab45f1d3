"""An H.264 clip in memory, as packets ready to be sent. One clip serves any number of mounts."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from streams.virtual.packetizer import PacketTemplate, packetize

_CLOCK_RATE = 90_000
_SPS, _PPS, _DELIMITER, _FILLER = 7, 8, 9, 12


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
    """Pictures in decode order; the first is a key frame. `parameter_sets` are SPS and PPS of the first picture."""

    path: Path
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
        """The `a=fmtp` value of SDP (RFC 6184, 8.2.1)."""
        profile = self.parameter_sets[0][1:4].hex()
        sets = ",".join(b64encode(nal_unit).decode() for nal_unit in self.parameter_sets)
        return f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}"


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
            if stream.codec_context.name != "h264":
                raise ClipError(f"{path}: codec is {stream.codec_context.name}, must be h264")
            samples = _read_samples(container, stream, path)
            width, height = stream.codec_context.width, stream.codec_context.height
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{path}: cannot be read: {error}") from error
    return _assemble(path, samples, width, height)


def _read_samples(container: av.container.InputContainer, stream: av.VideoStream, path: Path) -> list[_Sample]:
    extradata = bytes(stream.codec_context.extradata or b"")
    length_size = (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" else 0
    in_force: dict[tuple[int, int], bytes] = {}
    for nal_unit in _configuration_nal_units(extradata) if length_size else _split_annex_b(extradata):
        _remember(in_force, nal_unit)
    samples: list[_Sample] = []
    for packet in container.demux(stream):
        if packet.size == 0 or packet.pts is None:
            continue
        data = bytes(packet)
        found = _split_lengths(data, length_size) if length_size else _split_annex_b(data)
        for nal_unit in found:
            _remember(in_force, nal_unit)
        kept = [nal_unit for nal_unit in found if nal_unit[0] & 0x1F not in (_SPS, _PPS, _DELIMITER, _FILLER)]
        if not kept or not (samples or packet.is_keyframe):
            continue
        ticks = (packet.time_base or stream.time_base or Fraction(1, _CLOCK_RATE)) * _CLOCK_RATE
        sets = tuple(in_force[key] for key in sorted(in_force))
        duration = round((packet.duration or 0) * ticks)
        samples.append(_Sample(round(packet.pts * ticks), duration, bool(packet.is_keyframe), kept, sets))
    if not samples or not any(nal_unit[0] & 0x1F == _SPS for nal_unit in samples[0].parameter_sets):
        raise ClipError(f"{path}: has no key frame with parameter sets")
    return samples


def _assemble(path: Path, samples: list[_Sample], width: int, height: int) -> Clip:
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
            packetize(sample.nal_units, sample.parameter_sets if sample.is_key else ()),
        )
        for sample, pts in zip(samples, in_order, strict=True)
    )
    duration = span + last_duration
    rate = len(samples) * _CLOCK_RATE / duration
    return Clip(path, pictures, duration, samples[0].parameter_sets, width, height, rate)


def _remember(in_force: dict[tuple[int, int], bytes], nal_unit: bytes) -> None:
    """Keep parameter sets by kind; a second PPS of the same kind is told apart by its first payload byte."""
    kind = nal_unit[0] & 0x1F
    if kind in (_SPS, _PPS) and len(nal_unit) > 1:
        in_force[kind, _first_exp_golomb(nal_unit) if kind == _PPS else 0] = nal_unit


def _first_exp_golomb(nal_unit: bytes) -> int:
    """pic_parameter_set_id, the first ue(v) of a PPS."""
    bits = int.from_bytes(nal_unit[1:6].ljust(5, b"\0"), "big")
    zeros = 40 - bits.bit_length()
    return (bits >> max(40 - 2 * zeros - 1, 0)) - 1


def _configuration_nal_units(extradata: bytes) -> list[bytes]:
    """SPS and PPS out of an avcC record (ISO/IEC 14496-15, 5.3.3.1)."""
    found: list[bytes] = []
    position = 5
    for mask in (0x1F, 0xFF):
        count = extradata[position] & mask
        position += 1
        for _ in range(count):
            length = int.from_bytes(extradata[position : position + 2], "big")
            found.append(extradata[position + 2 : position + 2 + length])
            position += 2 + length
    return found


def _split_lengths(data: bytes, length_size: int) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while position + length_size <= len(data):
        length = int.from_bytes(data[position : position + length_size], "big")
        position += length_size
        if length:
            found.append(data[position : position + length])
        position += length
    return found


def _split_annex_b(data: bytes) -> list[bytes]:
    pieces = data.split(b"\x00\x00\x01")[1:]
    stripped = [piece.rstrip(b"\x00") for piece in pieces]
    return [piece for piece in stripped if piece]
