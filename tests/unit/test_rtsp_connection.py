"""Answers and frames out of one stream of bytes."""

from __future__ import annotations

import asyncio

import pytest

from streams.errors import BadAnswer, Disconnected, NoAnswer, Place
from streams.rtsp.connection import RtspConnection
from streams.rtsp.message import Message
from tests.rtp import IDR, P_SLICE, SSRC, Camera, Receiver, interleaved, packet


class Wire(asyncio.Transport):
    """A transport in memory: what was written, and whether it was dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes | bytearray | memoryview) -> None:  # type: ignore[override]
        self.written += data

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.aborted = True


def connected(connection: RtspConnection) -> Wire:
    wire = Wire()
    connection.connection_made(wire)
    return wire


def send(connection: RtspConnection, data: bytes) -> None:
    connection.get_buffer(-1)[: len(data)] = data
    connection.buffer_updated(len(data))


async def asked(connection: RtspConnection, method: str = "OPTIONS") -> asyncio.Task[Message]:
    task = asyncio.create_task(connection.request(method, "rtsp://camera/", timeout_seconds=5))
    await asyncio.sleep(0)
    return task


async def test_an_answer_split_at_every_byte_arrives_whole() -> None:
    data = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\ncontent-length: 5\r\nX-Folded: a\r\n  b\r\n\r\nv=0\r\n"
    for split in range(1, len(data)):
        connection = RtspConnection(Place())
        connected(connection)
        task = await asked(connection)
        send(connection, data[:split])
        send(connection, data[split:])
        answer = await task
        assert (answer.status, answer.body, answer.header("x-folded")) == (200, b"v=0\r\n", "a b")


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        b"RTSP/1.0 200 OK\nCSeq: 1\nServer: bare line feeds\n\n",
        b"RTSP/1.0 200\r\nCSEQ:1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nServer: no CSeq at all\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nv=0\r\n2;x\r\n\r\n\r\n0\r\n\r\n",
    ],
)
async def test_answers_of_careless_cameras_are_understood(data: bytes) -> None:
    connection = RtspConnection(Place())
    connected(connection)
    task = await asked(connection)
    send(connection, data)
    assert (await task).status == 200


async def test_an_answer_between_frames_reaches_its_request_and_costs_no_frame() -> None:
    receiver, camera = Receiver(), Camera()
    connected(receiver.connection)
    receiver.feed(camera.proven())
    task = await asked(receiver.connection, "GET_PARAMETER")
    frames = camera.packets(P_SLICE)
    receiver.feed(frames[0] + b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n" + b"".join(frames[1:]))
    assert (await task).status == 200
    assert len(receiver.units) == 4
    assert not receiver.faults


async def test_no_answer_is_told_with_its_method() -> None:
    connection = RtspConnection(Place("gate", "main"))
    connected(connection)
    with pytest.raises(NoAnswer, match=r"no answer to PLAY within 0\.01 s \(camera gate, stream main\)"):
        await connection.request("PLAY", "rtsp://camera/", timeout_seconds=0.01)


async def test_what_is_not_rtsp_is_told() -> None:
    connection = RtspConnection(Place())
    wire = connected(connection)
    task = await asked(connection)
    send(connection, b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(BadAnswer, match="not RTSP"):
        await task
    assert wire.aborted


async def test_a_lost_connection_ends_requests() -> None:
    connection = RtspConnection(Place())
    connected(connection)
    task = await asked(connection)
    connection.connection_lost(None)
    with pytest.raises(Disconnected, match="closed the connection"):
        await task
    with pytest.raises(Disconnected):
        await connection.request("OPTIONS", "rtsp://camera/", timeout_seconds=1)


async def test_requests_of_the_camera_are_answered() -> None:
    receiver, camera = Receiver(), Camera()
    wire = connected(receiver.connection)
    receiver.feed(camera.proven() + b"OPTIONS * RTSP/1.0\r\nCSeq: 77\r\n\r\n" + camera.picture(P_SLICE))
    receiver.feed(b"ANNOUNCE rtsp://x RTSP/1.0\r\nCSeq: 78\r\nContent-Length: 4\r\n\r\nv=0\n" + camera.picture(P_SLICE))
    assert wire.written.startswith(b"RTSP/1.0 200 OK\r\nCSeq: 77\r\n")
    assert b"RTSP/1.0 501 Not Implemented\r\nCSeq: 78\r\n" in wire.written
    assert len(receiver.units) == 5


@pytest.mark.parametrize("method", ["TEARDOWN", "REDIRECT"])
async def test_a_camera_that_ends_the_session_is_heard(method: str) -> None:
    receiver = Receiver()
    wire = connected(receiver.connection)
    receiver.feed(f"{method} rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
    assert wire.aborted
    assert method in receiver.connection.lost.result().reason


JUNK = [
    b"\x00\x01\x02junk before the dollar",
    b"$" * 5,
    b"$\x00\xff",
    b"R" * 3,
    b"$\x05\x00\x04" + b"abcd" + b"x" + b"$\x00\x00\x20 looks a bit like a frame",
    b"x$\x00\x00\x10\x80\x60\x00\x01\x00\x00\x00\x01wrong source",
]


@pytest.mark.parametrize("junk", JUNK)
async def test_junk_between_frames_is_skipped_wherever_the_reads_split(junk: bytes) -> None:
    before = Camera()
    head = before.proven()
    tail = before.picture(P_SLICE) + before.picture(IDR) + before.picture(P_SLICE)
    data = head + b"x" + junk + tail
    for split in range(len(head) - 3, len(data)):
        receiver = Receiver()
        receiver.feed(data[:split])
        receiver.feed(data[split:])
        assert [unit.is_key for unit in receiver.units] == [True, False, False, False, True, False], split
        assert not receiver.units[-1].is_damaged
        assert receiver.connection.resynchronisations == 1


async def test_a_frame_cut_short_by_the_camera_costs_what_it_swallows_and_no_more() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(camera.proven())
    torn = interleaved(packet(P_SLICE, camera.sequence, camera.stamp))[:50]
    receiver.feed(torn + camera.picture(P_SLICE) + camera.picture(IDR) + camera.picture(P_SLICE))
    assert receiver.units[-2].is_key
    assert not receiver.units[-1].is_damaged
    assert receiver.connection.resynchronisations == 1


async def test_frames_of_other_channels_are_left_alone() -> None:
    receiver, camera = Receiver(), Camera()
    receiver.feed(interleaved(b"audio", 4) + camera.proven() + interleaved(b"", 2) + camera.picture(P_SLICE))
    assert len(receiver.units) == 4
    assert receiver.connection.resynchronisations == 0


async def test_control_packets_reach_their_taker() -> None:
    receiver, camera = Receiver(), Camera()
    found: list[bytes] = []
    receiver.connection.on_control = lambda data: found.append(bytes(data))
    receiver.feed(camera.proven() + interleaved(b"\x80\xc8abcdef", 1) + camera.picture(P_SLICE))
    assert found == [b"\x80\xc8abcdef"]


async def test_a_consumer_that_fails_ends_the_connection_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver()

    def fail(unit: object) -> None:
        raise ZeroDivisionError

    receiver.assembler._on_unit = fail  # the fault of a consumer, put where only a consumer could
    wire = connected(receiver.connection)
    receiver.feed(Camera().proven())
    assert wire.aborted
    assert "internal fault" in receiver.connection.lost.result().reason
    assert "ZeroDivisionError" in caplog.text


async def test_endless_headers_end_the_connection() -> None:
    connection = RtspConnection(Place())
    wire = connected(connection)
    await asked(connection)
    for _ in range(40):
        if not wire.aborted:
            send(connection, b"RTSP/1.0 200 OK\r\nX: " * 100)
    assert wire.aborted
    assert isinstance(connection.lost.result(), BadAnswer)


async def test_connections_that_share_the_buffer_do_not_mix() -> None:
    receivers, cameras = [Receiver() for _ in range(3)], [Camera(stamp=number * 1000) for number in range(3)]
    streams = [camera.proven() + camera.picture(P_SLICE) for camera in cameras]
    for at in range(0, len(streams[0]), 37):
        for receiver, data in zip(receivers, streams, strict=True):
            receiver.feed(data[at : at + 37])
    for receiver in receivers:
        assert len(receiver.units) == 4
        assert receiver.rtp.ssrc == SSRC
        assert not receiver.faults
