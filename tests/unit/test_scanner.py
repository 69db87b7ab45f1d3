"""The two forms of the scanner give the same; a form that is not of the present source is never used."""

from __future__ import annotations

import dataclasses
import gc
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streams.access_unit import AccessUnit, CodecParameters
from streams.rtsp.scanner import H264, SOURCE, Scan, Scanned, compiled_file, scan_in_python
from streams.rtsp.scanner_build import NotBuilt, build
from tests.fuzz.corpus_files import load
from tests.fuzz.mutation import Mutator
from tests.requirements import ROOT, need_compiled_scanner
from tests.rtp import IDR, LATER_SLICE, P_SLICE, PPS_265, SPS_265, VPS_265, Camera, Receiver, interleaved, packet

SEED = 20_261_122


def scan_nothing(
    buffer: memoryview,
    pos: int,
    end: int,
    channel: int,
    payload_type: int,
    ssrc: int,
    stamp: int,
    sequence: int,
    mid: int,
    ending: int,
    form: int,
    fragment: bytearray,
    /,
) -> Scanned:
    """Leaves every packet to the ordinary code: what both forms are measured by."""
    return pos, 0, stamp, False, mid, ending, None, False


@pytest.fixture(scope="module")
def compiled() -> Scan:
    return need_compiled_scanner().scan


def outcomes(compiled: Scan, codec: str, data: bytes, read_size: int) -> list[tuple[object, ...]]:
    found = []
    for scan in (scan_nothing, scan_in_python, compiled):
        receiver = Receiver("h264", scan=scan)
        if codec == "h265":
            receiver = Receiver("h265", (VPS_265, SPS_265, PPS_265), scan=scan)
        receiver.feed(data, read_size)
        found.append(receiver.outcome)
    return found


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_real_and_torn_streams_give_the_same_in_every_form(compiled: Scan, codec: str) -> None:
    sound = load(f"{codec}_stream")
    torn = Mutator(sound, SEED)
    units = 0
    for number, data in enumerate([*sound, *(torn.make(number) for number in range(250))]):
        ordinary, python, c = outcomes(compiled, codec, data[1:], (0, 1400, 61)[number % 3])
        assert python == ordinary, number
        assert c == ordinary, number
        units += len(ordinary[0])  # type: ignore[arg-type]
    assert units > 250


def pictures(codec: str, chance: random.Random) -> list[bytes]:
    """Frames of a key frame and twelve pictures of one or two slices, of one packet or several."""
    camera = Camera(sequence=chance.choice((0, 65_520)), stamp=chance.choice((0, 2**32 - 20_000)))
    camera.codec = codec
    key = IDR if codec == "h264" else b"\x26\x01\x80" + bytes(range(1, 190))
    other = P_SLICE if codec == "h264" else b"\x02\x01\x80" + bytes(range(1, 130))
    later = LATER_SLICE if codec == "h264" else b"\x02\x01\x00" + bytes(range(1, 130))
    frames = camera.packets(key)
    for _ in range(12):
        nal_units = chance.choice(((other,), (other, later), (key, later), (other[:40],)))
        frames += camera.packets(*nal_units, markers=chance.choice(("last", "last", "last", "never", "each")))
    return frames


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_packets_that_are_missing_or_come_twice_give_the_same_in_every_form(compiled: Scan, codec: str) -> None:
    chance = random.Random(SEED)
    for number in range(120):
        frames = pictures(codec, chance)
        kept = frames if number % 3 == 0 else [frame * chance.choice((1,) * 9 + (0, 2)) for frame in frames]
        ordinary, python, c = outcomes(compiled, codec, b"".join(kept), chance.choice((0, 1, 33, 200)))
        assert python == ordinary, number
        assert c == ordinary, number
        if number % 3 == 0:
            assert len(ordinary[0]) >= 12, number  # type: ignore[arg-type]


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_any_changed_bit_of_a_header_gives_the_same_in_every_form(compiled: Scan, codec: str) -> None:
    chance = random.Random(SEED)
    differing = set()
    for number in range(300):
        frames = [bytearray(frame) for frame in pictures(codec, chance)]
        for _ in range(chance.choice((1, 1, 3))):
            at = chance.randrange(*chance.choice(((4, 16), (16, 19))))  # RTP header or first bytes of the payload
            chance.choice(frames)[at] ^= 1 << chance.randrange(8)
        ordinary, python, c = outcomes(compiled, codec, b"".join(frames), chance.choice((0, 0, 200)))
        assert python == ordinary, number
        assert c == ordinary, number
        differing.add(str(ordinary[2:]))
    assert len(differing) > 100


def test_the_compiled_form_takes_a_whole_picture_at_once_and_slices_that_fit_a_packet(compiled: Scan) -> None:
    camera = Camera(sequence=5, stamp=100)
    buffer = memoryview(camera.picture(IDR) + camera.picture(P_SLICE[:40]))
    fragment = bytearray()
    first = compiled(buffer, 0, len(buffer), 0, 96, 0x00C0FFEE, -1, 5, -1, -1, H264, fragment)
    assert (first[1:6], first[6:]) == ((4, 100, True, -1, -1), (IDR, True))
    second = compiled(buffer, first[0], len(buffer), 0, 96, 0x00C0FFEE, 100, 9, -1, -1, H264, fragment)
    assert second == (len(buffer), 1, 6_100, False, -1, -1, P_SLICE[:40], True)
    assert not fragment


@pytest.mark.parametrize("short", range(1, 90, 7))
def test_it_never_looks_behind_the_end(compiled: Scan, short: int) -> None:
    data = b"".join(Camera(sequence=5, stamp=100).packets(IDR))
    buffer = memoryview(bytes(data) + b"\xff" * 100)
    for scan in (compiled, scan_in_python):
        fragment = bytearray()
        pos, packets, *_, nal, _ = scan(buffer, 0, len(data) - short, 0, 96, 0x00C0FFEE, -1, 5, -1, -1, H264, fragment)
        assert pos <= len(data) - short and nal is None
        assert bytes(fragment) == IDR[: len(fragment)] and (packets > 0) == bool(fragment)


def test_what_makes_no_sense_is_refused(compiled: Scan) -> None:
    buffer = memoryview(interleaved(packet(IDR, 5)))
    for pos, end in ((-1, 10), (5, 4), (0, len(buffer) + 1)):
        with pytest.raises(ValueError, match="cannot be read"):
            compiled(buffer, pos, end, 0, 96, 1, -1, 5, -1, -1, H264, bytearray())
    with pytest.raises(TypeError):
        compiled(buffer, 0, 10, 0, 96, 1, -1, 5, -1, -1, H264, b"")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        compiled(buffer, 0, 10)  # type: ignore[call-arg]
    with pytest.raises(OverflowError):
        compiled(buffer, 0, 10, 0, 96, 1 << 70, -1, 5, -1, -1, H264, bytearray())


def test_a_compiled_access_unit_is_the_same_and_no_work_for_the_garbage_collector() -> None:
    make = need_compiled_scanner().access_unit
    parameters = CodecParameters("h264", (b"sps", b"pps"), 640, 360)
    values = 90_000, 12_345, True, parameters, 7, False, True
    unit = make(AccessUnit, AccessUnit.__slots__, [IDR, P_SLICE], *values)  # type: ignore[attr-defined]
    expected = AccessUnit((IDR, P_SLICE), *values)
    assert unit == expected and hash(unit) == hash(expected) and repr(unit) == repr(expected)
    assert unit.size == len(IDR) + len(P_SLICE)
    assert not gc.is_tracked(unit) and not gc.is_tracked(unit.nal_units) and gc.is_tracked(expected)
    with pytest.raises(dataclasses.FrozenInstanceError):
        unit.run = 8
    assert dataclasses.replace(unit, run=8).run == 8


def test_access_units_go_when_nobody_has_them_any_more() -> None:
    make = need_compiled_scanner().access_unit
    slots = AccessUnit.__slots__  # type: ignore[attr-defined]
    parameters = CodecParameters("h264", (), 640, 360)
    # Of this test alone: units of others may be collected at any time.
    picture = bytes(bytearray(IDR))
    own = type("Own", (AccessUnit,), {"__slots__": ()})
    before = sys.getrefcount(parameters), sys.getrefcount(picture), sys.getrefcount(own)
    units = [make(own, slots, [picture], 1, 2, True, parameters, 7, False, True) for _ in range(1000)]
    for broken in (
        (own, slots, [picture]),
        (own, slots, (picture,), *range(7)),
        (3, slots, [picture], *range(7)),
        (),
    ):
        with pytest.raises(TypeError):
            make(*broken)
    with pytest.raises(AttributeError):
        make(own, ("nal_units", "nowhere"), [picture], parameters)
    assert sys.getrefcount(parameters) == before[0] + 1000
    units.clear()
    assert (sys.getrefcount(parameters), sys.getrefcount(picture), sys.getrefcount(own)) == before


# --- building it


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the scanner needs, without what was compiled."""
    copied = tmp_path / "streams" / "rtsp"
    copied.mkdir(parents=True)
    shutil.copy(ROOT / "streams" / "__init__.py", copied.parent)
    for name in ("__init__.py", "scanner.py", "scanner_build.py", SOURCE.name):
        shutil.copy(SOURCE.with_name(name), copied)
    return tmp_path


def python(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), **environment},
        capture_output=True,
        text=True,
    )


def form(tree: Path) -> str:
    done = python(tree, "-c", "from streams.rtsp import scanner; print(scanner.FORM)")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PATH": "/nowhere", "CC": ""}, "no C compiler"),
        ({"CC": "false"}, "false failed"),
        ({"CC": "/no/cc"}, "failed"),
    ],
)
def test_without_a_compiler_that_works_the_build_says_so_and_does_well(
    tree: Path, environment: dict[str, str], said: str
) -> None:
    done = python(tree, "-m", "streams.rtsp.scanner_build", **environment)
    assert (done.returncode, done.stdout) == (0, "")
    assert said in done.stderr and "slower scanner in Python" in done.stderr and len(done.stderr.splitlines()) == 1
    assert form(tree) == "python"
    assert not list(tree.rglob("*.so"))


@pytest.mark.usefixtures("compiled")
def test_what_was_compiled_of_another_source_is_not_used_and_replaced(tree: Path) -> None:
    done = python(tree, "-m", "streams.rtsp.scanner_build")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Compiled the scanner of packets\n", "")
    assert form(tree) == "compiled"
    assert python(tree, "-m", "streams.rtsp.scanner_build").stdout == ""  # nothing to do
    (first,) = tree.rglob("*.so")
    source = tree / "streams" / "rtsp" / SOURCE.name
    source.write_text(source.read_text() + "/* another one */\n")
    assert form(tree) == "python"
    assert python(tree, "-m", "streams.rtsp.scanner_build").returncode == 0
    assert form(tree) == "compiled"
    assert [path.name for path in tree.rglob("*.so")] != [first.name] and not first.exists()


def test_a_compiled_file_that_cannot_be_loaded_is_not_used(tree: Path) -> None:
    name = python(tree, "-c", "from streams.rtsp import scanner; print(scanner.compiled_file().name)").stdout.strip()
    (tree / "streams" / "rtsp" / name).write_bytes(b"\x7fELF torn")
    assert name == compiled_file().name
    assert form(tree) == "python"


@pytest.mark.usefixtures("compiled")
def test_building_again_gives_the_same_file() -> None:
    assert build() == compiled_file()


def test_a_folder_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("streams.rtsp.scanner_build.SOURCE", tmp_path / "missing" / SOURCE.name)
    monkeypatch.setattr("streams.rtsp.scanner_build.compiled_file", lambda: tmp_path / "missing" / "_scanner.so")
    with pytest.raises(NotBuilt, match="cannot be written"):
        build()
