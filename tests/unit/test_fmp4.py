from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import fmp4
from streams.access_unit import AccessUnit, CodecParameters
from streams.errors import MalformedNal
from streams.recovery import scan_segment
from tests.clips import cached_clip
from tests.live_feed import load_units

UTC_NS = 1_772_366_400_123_456_789


def write(path: Path, fragments: list[list[AccessUnit]], end_pts_90k: int, reorder_90k: int | None = None) -> Path:
    base = min(unit.pts_90k for unit in fragments[0])
    ends = [min(unit.pts_90k for unit in units) for units in fragments[1:]] + [end_pts_90k]
    data = fmp4.initialization(fragments[0][0].parameters, reorder_90k or 0)
    for number, (units, end) in enumerate(zip(fragments, ends, strict=True), 1):
        data += fmp4.fragment(
            units, sequence=number, base_pts_90k=base, end_pts_90k=end, reorder_90k=reorder_90k, utc_ns=UTC_NS
        )
    path.write_bytes(data)
    return path


def times_shown(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def pictures_shown(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


@pytest.mark.parametrize("profile", ["baseline", "high"])
def test_a_copied_clip_shows_the_same_pictures_at_the_same_times(tmp_path: Path, profile: str) -> None:
    clip = cached_clip(seconds=2, fps=15, size=(320, 180), gop=15, profile=profile)
    units = load_units(clip)
    copy = write(tmp_path / "copy.mp4", [units[:15], units[15:22], units[22:]], units[-1].pts_90k + 6000)
    assert pictures_shown(copy) == pictures_shown(clip)
    assert times_shown(copy) == times_shown(clip)


def test_uneven_times_and_lost_pictures_are_kept_as_they_were(tmp_path: Path) -> None:
    units = load_units(cached_clip(seconds=2, fps=15, size=(320, 180), gop=15, profile="baseline"))
    uneven = [replace(unit, pts_90k=2**33 + 6000 * n + n * n * 37) for n, unit in enumerate(units) if n % 15 < 9]
    copy = write(tmp_path / "copy.mp4", [uneven[:9], uneven[9:12], uneven[12:]], uneven[-1].pts_90k + 1)
    assert [round(shown * 90_000) for shown in times_shown(copy)] == [unit.pts_90k - 2**33 for unit in uneven]


def test_pictures_with_b_frames_are_shown_in_order_from_zero(tmp_path: Path) -> None:
    clip = cached_clip(seconds=2, fps=15, size=(320, 180), gop=30, b_frames=2)
    units = load_units(clip)
    anchors = [n for n in range(1, len(units)) if units[n].pts_90k > max(u.pts_90k for u in units[:n])]
    cut = anchors[4]
    first, second = units[:cut], units[cut:]
    reorder_90k = fmp4.reordering(first)
    assert reorder_90k > 0
    end = max(unit.pts_90k for unit in units) + 6000
    copy = write(tmp_path / "copy.mp4", [first, second], end, reorder_90k)
    assert pictures_shown(copy) == pictures_shown(clip)
    assert times_shown(copy) == [Fraction(n, 15) for n in range(30)]


def test_a_fragment_that_starts_inside_a_gop_is_no_sync_sample(tmp_path: Path) -> None:
    units = load_units(cached_clip(seconds=2, fps=15, size=(320, 180), gop=15, profile="baseline"))
    copy = write(tmp_path / "copy.mp4", [units[:15], units[15:20], units[20:]], units[-1].pts_90k + 6000)
    with av.open(str(copy)) as container:
        keys = [number for number, packet in enumerate(container.demux(video=0)) if packet.is_keyframe]
    assert keys == [0, 15]


def test_there_is_one_video_track_and_no_sound() -> None:
    parameters = load_units(cached_clip(seconds=0.5, fps=30, size=(320, 180), gop=15, profile="baseline"))[0].parameters
    header = fmp4.initialization(parameters)
    assert header.count(b"trak") == 1
    assert b"vide" in header
    assert b"soun" not in header


def test_h265_is_copied_too(tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx265", rate=15, options={"x265-params": "keyint=15:bframes=0:log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame(320, 192, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes((number * 9 & 0xFF,)) * plane.buffer_size)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    units = h265_units(source)
    copy = write(tmp_path / "copy.mp4", [units[:15], units[15:]], units[-1].pts_90k + 6000)
    assert pictures_shown(copy) == pictures_shown(source)
    with av.open(str(copy)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


def h265_units(path: Path) -> list[AccessUnit]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        extradata = bytes(stream.codec_context.extradata)
        sets, position = [], 23
        for _ in range(extradata[22]):
            count = int.from_bytes(extradata[position + 1 : position + 3], "big")
            position += 3
            for _ in range(count):
                size = int.from_bytes(extradata[position : position + 2], "big")
                if extradata[position - 3] & 0x3F in (32, 33, 34):
                    sets.append(extradata[position + 2 : position + 2 + size])
                position += 2 + size
        parameters = CodecParameters("h265", tuple(sets), 320, 192)
        units = []
        for packet in container.demux(stream):
            data, nal_units = bytes(packet), []
            while data:
                size = int.from_bytes(data[:4], "big")
                nal_units.append(data[4 : 4 + size])
                data = data[4 + size :]
            if nal_units:
                pts_90k = round(packet.pts * packet.time_base * 90_000)
                units.append(AccessUnit(tuple(nal_units), pts_90k, 0, packet.is_keyframe, parameters))
    return units


def test_parameter_sets_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(MalformedNal):
        fmp4.initialization(CodecParameters("h264", (b"\x67\x64\x00",), 320, 180))
    with pytest.raises(MalformedNal):
        fmp4.initialization(CodecParameters("h264", (b"\x67\x64\x00", b"\x68\xee"), 320, 180))
    with pytest.raises(MalformedNal):
        fmp4.initialization(CodecParameters("h265", (b"\x42\x01", b"\x44\x01"), 320, 180))


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_ntp_time_keeps_utc_to_the_nanosecond(utc_ns: int) -> None:
    assert 0 <= utc_ns - fmp4.utc_ns_of_ntp(fmp4.ntp_time(utc_ns)) <= 1


def test_a_scan_finds_the_last_whole_fragment_wherever_the_file_ends(tmp_path: Path) -> None:
    units = load_units(cached_clip(seconds=0.5, fps=30, size=(320, 180), gop=15, profile="baseline"))
    groups = [units[:5], units[5:10], units[10:]]
    ends = []
    for count in range(len(groups) + 1):
        end_pts = groups[count][0].pts_90k if count < len(groups) else units[-1].pts_90k + 3000
        fragments = groups[:count]
        size = write(tmp_path / "part.mp4", fragments, end_pts).stat().st_size if fragments else 0
        ends.append(size or len(fmp4.initialization(units[0].parameters)))
    whole = write(tmp_path / "whole.mp4", groups, units[-1].pts_90k + 3000).read_bytes()
    torn = tmp_path / "torn.mp4"
    for size in range(0, len(whole) + 1, 97):
        for tail in (b"", bytes(5000)):
            torn.write_bytes(whole[:size] + tail)
            scan = scan_segment(torn)
            count = sum(end <= size for end in ends[1:])
            if tail and count < sum(end <= size + 16 for end in ends[1:]):
                continue  # a few bytes that are zero are no sign of anything
            assert scan.fragment_count == count
            assert count == 0 or scan.good_bytes == ends[count]
            assert scan.duration_seconds == pytest.approx([0, 5, 10, 15][count] / 30, abs=1e-4)
    assert scan_segment(tmp_path / "whole.mp4").started_utc_ns == pytest.approx(UTC_NS, abs=1)
