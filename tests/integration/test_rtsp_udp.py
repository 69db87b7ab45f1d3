"""The RTSP client over UDP: against virtual cameras, networks that lose and reorder, and servers that are not ours."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import uvloop

from config.settings import Camera
from streams.access_unit import AccessUnit
from streams.connect_budget import ConnectBudget
from streams.errors import RequestRefused
from streams.rtsp import sweep
from streams.rtsp.client import RtspSession, SessionOptions
from streams.rtsp.receiver import PacketFault
from streams.stream import Stream, StreamTimes
from streams.virtual import Faults, Mount, VirtualCameraServer
from tests.clips import cached_clip
from tests.fakes.quirky_camera import QuirkyCamera, Request
from tests.gstreamer import GStreamerServer, clip_pipeline
from tests.integration.test_ingest_equality import aligned, assert_same, by_libavformat, pictures_of
from tests.rtp import IDR, P_SLICE, SSRC
from tests.rtp import Camera as HandMadeCamera

UDP = SessionOptions(username="viewer", password="pass wörd", carrier="udp", answer_seconds=10)


def short_clip() -> Path:
    return cached_clip(seconds=1, fps=30, size=(640, 360), gop=15, b_frames=2, bitrate=4_000_000)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def watch(url: str, count: int, options: SessionOptions = UDP) -> tuple[list[AccessUnit], RtspSession]:
    """`count` units, or those that came until the camera ended the session."""
    units: list[AccessUnit] = []
    session = RtspSession(url, options, units.append)
    await session.open()
    try:
        assert session.connection is not None
        lost = session.connection.lost
        await until(lambda: len(units) >= count or lost.done())
    finally:
        await session.close()
    return units[:count], session


@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize("faults", [Faults(), Faults(reorder=0.2, duplicate=0.1)], ids=["clean", "disturbed"])
def test_a_virtual_camera_over_udp_reads_as_through_libavformat(faults: Faults, swept: bool) -> None:
    async def main() -> None:
        mounts = [Mount(name="gate", main=short_clip(), faults=faults)]
        async with VirtualCameraServer(mounts, pacing="burst") as server:
            url = server.url("gate")
            theirs, (units, session) = await asyncio.gather(
                asyncio.to_thread(by_libavformat, url, "h264", 60), watch(url, 60, replace(UDP, swept=swept))
            )
        assert session.datagrams is not None and session.receiver is not None
        assert session.receiver.counts.lost == 0
        assert session.wall_clock_offset_seconds is not None and abs(session.wall_clock_offset_seconds) < 20
        assert bool(session.datagrams.late) == bool(faults.duplicate)
        assert not any(unit.is_damaged for unit in units)
        assert_same(*aligned(pictures_of(units), theirs))

    uvloop.run(main())


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_gstreamers_server_over_udp_reads_as_through_libavformat(codec: Literal["h264", "h265"]) -> None:
    clip = cached_clip(codec=codec, seconds=2, fps=15, size=(320, 180), gop=15)

    async def main() -> None:
        async with GStreamerServer({"gate": clip_pipeline(clip, codec, audio=True)}) as server:
            units, session = await watch(server.url("gate"), 28)
            theirs = await asyncio.to_thread(by_libavformat, server.url("gate"), codec, 28)
        assert session.datagrams is not None
        assert_same(pictures_of(units), theirs)

    uvloop.run(main())


async def test_what_is_lost_discards_its_picture_and_damages_the_rest_of_the_gop() -> None:
    faults: list[PacketFault] = []
    units: list[AccessUnit] = []
    async with VirtualCameraServer([Mount(name="gate", main=short_clip(), faults=Faults(drop=0.02))]) as server:
        session = RtspSession(server.url("gate"), UDP, units.append, faults.append)
        await session.open()
        receiver = session.receiver
        assert receiver is not None
        await until(lambda: receiver.counts.gaps > 3 and sum(unit.is_key for unit in units) > 4)
        await session.close()
    assert any(unit.is_damaged for unit in units) and not any(unit.is_damaged for unit in units if unit.is_key)
    assert faults[0].ssrc == receiver.ssrc and "missing" in faults[0].what
    assert receiver.counts.lost == sum(int(fault.what.split()[0]) for fault in faults if "missing" in fault.what)


async def test_receiver_reports_tell_the_camera_what_was_lost_and_keep_the_session() -> None:
    async with VirtualCameraServer([Mount(name="gate", main=short_clip())]) as server:
        heard: list[tuple[str, int]] = []
        server._udp._on_report = heard.append
        _, session = await watch(server.url("gate"), 5)
        assert session.datagrams is not None
        assert heard[0] == ("127.0.0.1", session.datagrams.port + 1)


async def test_packets_of_somebody_else_are_dropped() -> None:
    units: list[AccessUnit] = []
    async with VirtualCameraServer([Mount(name="gate", main=short_clip(), faults=Faults(stall=True))]) as server:
        session = RtspSession(server.url("gate"), UDP, units.append)
        await session.open()
        source, receiver = session.datagrams, session.receiver
        assert source is not None and receiver is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            stranger.sendto(b"\x80\x60" + bytes(200), ("127.0.0.1", source.port))
            await until(lambda: source.foreign == 1)
            server.set_faults("gate", Faults())
            await until(lambda: len(units) > 5)
            for _ in range(50):
                stranger.sendto(b"\x80\x60" + bytes(200), ("127.0.0.1", source.port))
            count = len(units)
            await until(lambda: len(units) > count + 10)
        assert receiver.counts.ssrc_changes == 0 and receiver.counts.malformed == 0 and receiver.counts.lost == 0
        await session.close()


@pytest.mark.parametrize("carrier", ["tcp", "udp"])
async def test_a_camera_that_refuses_one_transport_gets_the_other(carrier: Literal["tcp", "udp"]) -> None:
    other: Literal["tcp", "udp"] = "udp" if carrier == "tcp" else "tcp"
    async with VirtualCameraServer(
        [Mount(name="gate", main=short_clip(), faults=Faults(only_transport=other))]
    ) as server:
        units, session = await watch(server.url("gate"), 5, replace(UDP, carrier=carrier))
        assert len(units) == 5
        assert (session.datagrams is not None) == (other == "udp")
        assert server.session_count("gate") == 0


async def test_a_camera_that_refuses_both_says_461_and_the_ports_are_free_again() -> None:
    async with QuirkyCamera(answers={"SETUP": lambda _: "461 Unsupported transport\r\n\r\n"}) as camera:
        session = RtspSession(camera.url, UDP, lambda unit: None)
        with pytest.raises(RequestRefused, match="neither over TCP nor over UDP"):
            await session.open()
        assert [request.headers["transport"].split(";")[0] for request in camera.asked("SETUP")] == [
            "RTP/AVP",
            "RTP/AVP/TCP",
        ]


async def test_a_camera_that_answers_with_udp_unasked_is_asked_for_it() -> None:
    def set_up(request: Request) -> str:
        if "client_port" in request.headers["transport"]:
            return "200 OK\r\nTransport: RTP/AVP;unicast\r\nSession: 42\r\n\r\n"
        return "200 OK\r\nTransport: RTP/AVP;unicast;client_port=5000-5001\r\nSession: 42\r\n\r\n"

    async with QuirkyCamera(answers={"SETUP": set_up}) as camera:
        session = RtspSession(camera.url, replace(UDP, carrier="tcp"), lambda unit: None)
        await session.open()
        assert session.datagrams is not None
        await session.close()
        assert camera.asked("SETUP")[1].headers["session"] == "42"


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("127.0.0.1", "RTP/AVP;unicast;server_port=9-10"),
        ("127.0.0.1", "RTP/AVP/UDP;unicast"),
        ("127.0.0.3", "RTP/AVP;unicast;source=127.0.0.3;server_port=9-10"),
    ],
)
async def test_packets_are_taken_from_whichever_port_the_camera_really_sends_from(host: str, told: str) -> None:
    def set_up(request: Request) -> str:
        return f"200 OK\r\nTransport: {told}\r\nSession: 42\r\n\r\n"

    units: list[AccessUnit] = []
    async with QuirkyCamera(answers={"SETUP": set_up}) as camera:
        session = RtspSession(camera.url, UDP, units.append)
        await session.open()
        source = session.datagrams
        assert source is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((host, 0))
            packets = HandMadeCamera()
            for _ in range(5):
                for frame in packets.packets(IDR, P_SLICE):
                    sender.sendto(frame[4:], ("127.0.0.1", source.port))
            await until(lambda: len(units) >= 3)
            assert source.remote == sender.getsockname()
        await session.close()


async def test_what_came_before_the_cameras_goodbye_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "CALM_SECONDS", 3600.0)  # nothing but the goodbye makes the session read
    monkeypatch.setattr(sweep, "URGENT_SECONDS", 3600.0)
    answer = "200 OK\r\nTransport: RTP/AVP;unicast;server_port=9-10\r\nSession: 42\r\n\r\n"
    units: list[AccessUnit] = []
    async with QuirkyCamera(answers={"SETUP": lambda request: answer}) as camera:
        session = RtspSession(camera.url, UDP, units.append)
        await session.open()
        assert session.datagrams is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            packets = HandMadeCamera()
            for frame in [frame for _ in range(6) for frame in packets.packets(IDR)]:
                sender.sendto(frame[4:], ("127.0.0.1", session.datagrams.port))
            sender.sendto(struct.pack(">BBHI", 0x81, 203, 1, SSRC), ("127.0.0.1", session.datagrams.port + 1))
        async with asyncio.timeout(60):
            assert "BYE" in str(await session.ended)
        assert [unit.nal_units for unit in units[:5]] == [(IDR,)] * 5
        await session.close()


async def test_a_session_over_udp_is_kept_by_requests_and_ends_with_the_connection() -> None:
    server = VirtualCameraServer([Mount(name="gate", main=short_clip())], session_timeout_seconds=2)
    async with server:
        units: list[AccessUnit] = []
        session = RtspSession(server.url("gate"), UDP, units.append)
        await session.open()
        await asyncio.sleep(3)
        assert server.session_count("gate") == 1
        server.reset("gate")
        async with asyncio.timeout(60):
            await asyncio.shield(session.ended)
        await session.close()


async def test_auto_falls_back_to_tcp_where_no_udp_packet_arrives() -> None:
    times = StreamTimes(stall=1.0, first_backoff=0.1, last_backoff=0.2)
    async with VirtualCameraServer([Mount(name="gate", main=short_clip())]) as server:
        server._udp.send_packet = lambda packet, address: None  # a firewall
        camera = Camera(id="gate", name="Gate", purpose="test", main=server.url("gate"), transport="auto")
        reasons: list[str] = []
        stream = Stream(
            camera,
            "main",
            budget=ConnectBudget(1),
            ring_max_bytes=1_000_000,
            on_change=lambda status: reasons.append(status.reason),
            times=times,
        )
        running = asyncio.create_task(stream.run())
        try:
            await until(lambda: stream.state == "live")
            assert any("let UDP through the firewall" in reason for reason in reasons)
            assert stream.status().counts.sessions == 2
        finally:
            running.cancel()
            await asyncio.wait({running})
