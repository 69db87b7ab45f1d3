"""The same NAL units at the same time stamps as libavformat gives, from servers that are ours and that are not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
import uvloop

from streams.access_unit import AccessUnit
from streams.probe import ProbeReport, probe
from streams.rtsp.client import RtspSession, SessionOptions
from streams.virtual import Mount, VirtualCameraServer
from tests.clips import cached_clip, draw_picture
from tests.gstreamer import GStreamerServer, clip_pipeline

Picture = tuple[int | None, tuple[bytes, ...]]  # presentation time (90 kHz; libavformat's first may be unknown), NALs
LEFT_OUT = {"h264": {7, 8, 9, 12}, "h265": {32, 33, 34, 35, 38}}


def nal_type(nal: bytes, codec: str) -> int:
    return nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F


def by_libavformat(url: str, codec: str, count: int) -> list[Picture]:
    """`count` pictures from the first key frame on, without what access units leave out.

    Video alone: with a second media track libavformat moves its times by each sender report's wall clock.
    """
    pictures: list[Picture] = []
    options = {"rtsp_transport": "tcp", "timeout": "20000000", "allowed_media_types": "video"}
    with av.open(url, options=options) as container:
        for packet in container.demux(video=0):
            if packet.size == 0 or (not pictures and not packet.is_keyframe):
                continue
            nal_units = [
                piece.rstrip(b"\x00") for piece in bytes(packet).split(b"\x00\x00\x01") if piece.strip(b"\x00")
            ]
            kept = tuple(nal for nal in nal_units if nal_type(nal, codec) not in LEFT_OUT[codec])
            pictures.append((packet.pts, kept))
            if len(pictures) == count:
                break
    return pictures


def assert_same(ours: list[Picture], theirs: list[Picture]) -> None:
    """The same NAL units; the same times after the first known one, within a tick of rounding by the sender."""
    assert [nal_units for _, nal_units in ours] == [nal_units for _, nal_units in theirs]
    pairs = [(mine, other) for (mine, _), (other, _) in zip(ours, theirs, strict=True) if mine and other]
    assert len(pairs) >= len(ours) - 1
    assert max(abs((mine - pairs[0][0]) - (other - pairs[0][1])) for mine, other in pairs) <= 1


async def by_haechi(url: str, count: int) -> list[AccessUnit]:
    units: list[AccessUnit] = []
    enough = asyncio.Event()

    def take(unit: AccessUnit) -> None:
        units.append(unit)
        if len(units) >= count:
            enough.set()

    session = RtspSession(url, SessionOptions(username="viewer", password="pass wörd"), take)
    await session.open()
    try:
        async with asyncio.timeout(30):
            waiting = asyncio.create_task(enough.wait())
            await asyncio.wait({session.ended, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    finally:
        await session.close()
    return units[:count]


def pictures_of(units: list[AccessUnit]) -> list[Picture]:
    return [(unit.pts_90k, tuple(nal.rstrip(b"\x00") for nal in unit.nal_units)) for unit in units]


def aligned(ours: list[Picture], theirs: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    """Two views of a looping camera, cut to where both saw the same: found by the first key frame of the later."""
    for first, second, swapped in ((ours, theirs, False), (theirs, ours, True)):
        for start, (_, nal_units) in enumerate(first):
            length = min(len(first) - start, len(second))
            if nal_units == second[0][1] and length >= 20:
                cut = first[start : start + length], second[:length]
                return (cut[1], cut[0]) if swapped else cut
    raise AssertionError("nothing in common")


def run_on_uvloop(main: Coroutine[None, None, None]) -> None:
    uvloop.run(main)


@pytest.mark.parametrize("pacing", ["paced", "burst"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_virtual_camera_reads_as_through_libavformat(pacing: Literal["paced", "burst"], b_frames: int) -> None:
    clip = cached_clip(seconds=1, fps=30, size=(320, 180), gop=15, b_frames=b_frames)

    async def main() -> None:
        async with VirtualCameraServer([Mount(name="gate", main=clip)], pacing=pacing) as server:
            url = server.url("gate")
            theirs, units = await asyncio.gather(asyncio.to_thread(by_libavformat, url, "h264", 60), by_haechi(url, 60))
        assert_same(*aligned(pictures_of(units), theirs))

    run_on_uvloop(main())


@pytest.mark.parametrize("method", ["digest", "basic"])
def test_gstreamers_server_reads_as_through_libavformat(method: Literal["digest", "basic"]) -> None:
    clip = cached_clip(seconds=2, fps=15, size=(320, 180), gop=15)

    async def main() -> None:
        mounts = {"gate": clip_pipeline(clip, audio=True)}
        async with GStreamerServer(mounts, "viewer", "pass wörd", method) as server:
            with_password = server.url("gate").replace("//", "//viewer:pass%20w%C3%B6rd@")
            units = await by_haechi(server.url("gate"), 30)
            theirs = await asyncio.to_thread(by_libavformat, with_password, "h264", 28)  # it holds the last ones back
        assert len(units) == 30
        assert_same(pictures_of(units)[:28], theirs)
        assert [unit.is_key for unit in units] == [number % 15 == 0 for number in range(30)]

    run_on_uvloop(main())


def make_h265_clip(folder: Path) -> Path:
    path = folder / "h265.mp4"
    options = {"x265-params": "keyint=10:min-keyint=10:bframes=2:b-adapt=0:log-level=none"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=15, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 15)
        for number in range(30):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(draw_picture(number, (320, 180))), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_h265_with_b_frames_reads_as_through_libavformat_and_decodes(tmp_path: Path) -> None:
    clip = make_h265_clip(tmp_path)

    async def main() -> None:
        async with GStreamerServer({"gate": clip_pipeline(clip, "h265")}) as server:
            units = await by_haechi(server.url("gate"), 28)
            theirs = await asyncio.to_thread(by_libavformat, server.url("gate"), "h265", len(units))
        assert_same(pictures_of(units), theirs)
        assert (units[0].parameters.codec, units[0].parameters.width, units[0].parameters.height) == ("h265", 320, 180)
        decoder = av.CodecContext.create("hevc", "r")
        frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit.annex_b()))]
        assert len(frames) + len(decoder.decode(None)) == len(units)

    run_on_uvloop(main())


def test_a_probe_tells_what_a_camera_sends() -> None:
    clip = cached_clip(seconds=3, fps=15, size=(320, 180), gop=15, b_frames=2)

    async def main() -> ProbeReport:
        mounts = {"gate": clip_pipeline(clip, audio=True)}
        async with GStreamerServer(mounts, "viewer", "pass wörd") as server:
            return await probe(server.url("gate").replace("//", "//viewer:pass%20w%C3%B6rd@"), seconds=2)

    report = uvloop.run(main())
    assert "viewer" not in repr(report)
    assert (report.codec, report.width, report.height) == ("h264", 320, 180)
    assert report.frames_per_second == pytest.approx(15, rel=0.05)
    assert (report.gop_pictures, report.is_reordered) == (15, True)
    assert report.others_offered == ("audio/PCMA",)
    assert report.server == "GStreamer RTSP server"
    assert report.bits_per_second > 10_000
