"""The short form of `tests.benchmarks.fuzz`: the corpus as it is, then torn; and what it once found."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.errors import BadAnswer, Place
from streams.recovery import scan_segment
from streams.rtsp.auth import parse_challenge
from streams.rtsp.connection import RtspConnection
from streams.rtsp.message import parse_message
from streams.rtsp.sdp import parse_video
from tests.fuzz.corpus_files import CORPUS, load
from tests.fuzz.engine import run_share
from tests.fuzz.mutation import Mutator
from tests.fuzz.targets import TARGETS
from tests.rtp import IDR, P_SLICE, SEI_RECOVERY_NOW, Camera, Receiver

SEED = 20_260_301


@pytest.mark.parametrize("name", TARGETS)
async def test_the_corpus_harms_no_parser(name: str) -> None:
    assert load(name)
    for data in load(name):
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_torn_inputs_harm_no_parser(name: str) -> None:
    result = run_share(400, SEED, 0, 1, (name,), None)
    assert result.inputs == 400
    assert result.is_clean, result.failures
    assert result.slowest_ms < 1000


def test_every_folder_of_the_corpus_has_its_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


def test_an_input_can_be_had_again_from_its_seed_and_number() -> None:
    corpus = load("message")
    assert Mutator(corpus, 3).make(77) == Mutator(corpus, 3).make(77)
    assert len({Mutator(corpus, 3).make(number) for number in range(50)}) > 40


def test_what_fails_is_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def touchy(data: bytes) -> None:
        raise KeyError(len(data))

    monkeypatch.setattr("tests.fuzz.engine.TARGETS", {"rtcp": touchy})
    result = run_share(10, SEED, 0, 1, ("rtcp",), tmp_path)
    assert (result.crashes, result.is_clean, len(result.failures)) == (10, False, 1)
    assert "rtcp: KeyError at test_fuzz.py" in result.failures[0]
    assert len(list((tmp_path / "rtcp").glob("failed-*"))) == 1


# --- what it found


async def test_a_torn_frame_that_looks_like_another_source_does_not_blind_the_stream() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.proven())
    frames = camera.packets(P_SLICE)
    torn = bytearray(frames[0])
    torn[12:16] = b"\xde\xad\xbe\xef"  # its SSRC; then junk, in which frames of the camera must be found again
    receiver.feed(bytes(torn) + b"\x01\x02\x03junk")
    assert receiver.rtp.ssrc == 0xDEADBEEF
    seen = len(receiver.units)
    receiver.feed(b"".join(camera.picture(IDR) for _ in range(3)), read_size=40)
    assert len(receiver.units) > seen and receiver.connection.resynchronisations == 1


def _processor_seconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


async def test_a_flood_of_dollars_is_passed_over_in_no_time() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.proven())
    assert _processor_seconds(lambda: receiver.feed(b"\x01" + b"$" * 250_000)) < 1
    assert _processor_seconds(lambda: receiver.feed(b"\x01" + b"$\x00\x00\x20\x80\x60" * 40_000)) < 1


def test_long_headers_and_descriptions_cost_no_more_than_their_length() -> None:
    assert _processor_seconds(lambda: parse_challenge("Digest " + "a" * 60_000)) < 0.5
    body = b"m=video 0 RTP/AVP" + b" 96" * 60_000 + b"\r\n" + b"a=x:y\r\n" * 2_000

    def describe() -> None:
        with pytest.raises(Exception, match="not video"):
            parse_video(body)

    assert _processor_seconds(describe) < 1


def test_an_answer_in_too_many_chunks_is_refused() -> None:
    data = b"RTSP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nA\r\n" * 60_000
    with pytest.raises(BadAnswer, match="too many chunks"):
        parse_message(memoryview(data), 0, len(data))


def test_thousands_of_small_messages_are_read_one_by_one_in_no_time() -> None:
    data = b"PAUSE \n\n" * 30_000

    def read() -> None:
        pos = 0
        while (parsed := parse_message(memoryview(data), pos, len(data))) is not None:
            pos = parsed[1]
        assert pos == len(data)

    assert _processor_seconds(read) < 1.5


async def test_a_camera_that_asks_and_never_reads_the_answers_is_let_go() -> None:
    accepted: list[asyncio.StreamWriter] = []

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 1000)
                await writer.drain()

    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server, asyncio.timeout(30):
        port = server.sockets[0].getsockname()[1]
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: RtspConnection(Place()), "127.0.0.1", port
        )
        assert "does not read" in (await connection.lost).reason
        accepted[0].transport.abort()


def _segment(*nal_units: bytes, duration: int = 6_000) -> bytes:
    content = b"".join(struct.pack(">I", len(nal)) + nal for nal in nal_units)
    run = struct.pack(">I4sIIiI", 32, b"trun", 0x0000_0305, 1, 0, 0) + struct.pack(">II", duration, len(content))
    time_box = struct.pack(">I4sIQ", 20, b"tfdt", 0x0100_0000, 0)
    header = struct.pack(">I4s", 8 + len(time_box) + len(run), b"moof") + time_box + run
    return struct.pack(">I4s", 8, b"ftyp") + header + struct.pack(">I4s", 8 + len(content), b"mdat") + content


def test_a_fragment_that_begins_with_a_short_nal_unit_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "120000.mp4"
    path.write_bytes(_segment(SEI_RECOVERY_NOW, IDR))
    scan = scan_segment(path)
    assert (scan.fragment_count, scan.good_bytes) == (1, scan.file_bytes)


def test_a_fragment_that_says_it_ends_in_days_is_not_one_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "120000.mp4"
    data = bytearray(_segment(IDR))
    at = data.index(b"tfdt") + 8
    data[at : at + 8] = b"\x7f" * 8
    path.write_bytes(data)
    assert scan_segment(path).fragment_count == 0
