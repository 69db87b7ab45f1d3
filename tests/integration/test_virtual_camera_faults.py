"""What virtual cameras do wrong on purpose: UDP that loses and reorders, clocks that jump, reboots, half-open peers."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from streams.virtual import ClipError, Faults, Mount, VirtualCameraServer
from tests.clips import cached_clip
from tests.integration.test_virtual_cameras import play_with_libavformat, short_clip
from tests.rtsp_probe import RtspProbe


def larger_clip() -> Path:
    """As long as the short clip, another picture size."""
    return cached_clip(seconds=0.5, fps=30, size=(640, 360), gop=15, profile="baseline")


class Ports:
    """A client's pair of UDP ports."""

    def __init__(self, rtp: socket.socket, rtcp: socket.socket) -> None:
        self.rtp, self.rtcp = rtp, rtcp
        self.offer = f"RTP/AVP;unicast;client_port={rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"

    async def sequences(self, seconds: float) -> list[int]:
        """Of the packets that come in the next `seconds`, in the order they come."""
        return [struct.unpack_from(">H", packet, 2)[0] for packet in await self.packets(seconds)]

    async def packets(self, seconds: float) -> list[bytes]:
        found: list[bytes] = []
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found.append(await loop.sock_recv(self.rtp, 65_536))
        except TimeoutError:
            return found


@contextmanager
def ports() -> Iterator[Ports]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp,
    ):
        for sock in (rtp, rtcp):
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
        yield Ports(rtp, rtcp)


async def play_over_udp(probe: RtspProbe, client: Ports) -> str:
    setup = await probe.request("SETUP", f"{probe.url}/trackID=0", Transport=client.offer)
    assert setup.status == 200
    assert "server_port=" in setup.headers["transport"]
    session = setup.headers["session"].partition(";")[0]
    assert (await probe.request("PLAY", Session=session)).status == 200
    return session


async def test_udp_brings_packets_and_sender_reports_until_teardown() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server, RtspProbe(server.url("g")) as probe:
        with ports() as client:
            session = await play_over_udp(probe, client)
            sequences = await client.sequences(0.8)
            assert len(sequences) > 10
            assert {b - a & 0xFFFF for a, b in itertools.pairwise(sequences)} == {1}
            report = await asyncio.get_running_loop().sock_recv(client.rtcp, 2048)
            assert report[1] == 200 and len(report) == 28
            assert (await probe.request("TEARDOWN", Session=session)).status == 200
            await client.sequences(0.1)
            assert not await client.sequences(0.3)


async def test_receiver_reports_alone_keep_a_session_over_udp() -> None:
    server = VirtualCameraServer([Mount(name="g", main=short_clip())], session_timeout_seconds=1.0)
    async with server, RtspProbe(server.url("g")) as probe:
        with ports() as client:
            await play_over_udp(probe, client)
            _, sender = await asyncio.get_running_loop().sock_recvfrom(client.rtcp, 2048)
            for _ in range(10):
                await asyncio.sleep(0.2)
                client.rtcp.sendto(b"\x80\xc9\x00\x01\x00\x00\x00\x01", sender)
            assert server.session_count("g") == 1
            async with asyncio.timeout(60):
                while server.session_count("g"):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)


async def test_reordered_and_doubled_packets_all_come_and_dropped_ones_do_not() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server, RtspProbe(server.url("g")) as probe:
        with ports() as client:
            await play_over_udp(probe, client)
            server.set_faults("g", Faults(reorder=0.3, duplicate=0.2))
            await client.sequences(0.2)
            sequences = await client.sequences(1.0)
            async with asyncio.timeout(30):  # the switches are shares of chance: some seconds may show neither
                while sequences == sorted(sequences) or len(sequences) == len(set(sequences)):
                    sequences += await client.sequences(0.5)
            inner = sorted(set(sequences))[5:-5]
            assert {b - a for a, b in itertools.pairwise(inner)} == {1}
            server.set_faults("g", Faults(drop=0.3))
            await client.sequences(0.2)
            sequences = await client.sequences(0.5)
            async with asyncio.timeout(30):
                while all(b - a <= 1 for a, b in itertools.pairwise(sequences)):
                    sequences += await client.sequences(0.5)
            assert sequences == sorted(sequences)


async def test_a_clock_that_is_set_makes_rtp_time_and_sender_reports_jump() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server, RtspProbe(server.url("g")) as probe:
        await probe.play()
        before = await probe.packets(0.4)
        server.set_faults("g", Faults(clock_offset_seconds=-3600))
        packets = before + await probe.packets(0.6)
        async with RtspProbe(server.url("g")) as later:
            await later.play()
            await later.packets(0.4)
    steps = [(b.timestamp - a.timestamp + 2**31 & 0xFFFFFFFF) - 2**31 for a, b in itertools.pairwise(packets)]
    assert min(steps) == pytest.approx(-3600 * 90_000, abs=90_000)
    assert {b.sequence - a.sequence & 0xFFFF for a, b in itertools.pairwise(packets)} == {1}
    seconds = [struct.unpack_from(">I", reports, 8)[0] for reports in (probe.reports[0], later.reports[0])]
    assert seconds[1] - seconds[0] == pytest.approx(-3600, abs=20)


async def test_a_changed_clip_comes_into_the_middle_of_a_session_from_a_key_frame_on() -> None:
    mount = Mount(name="g", main=short_clip(), changed=larger_clip())
    async with VirtualCameraServer([mount]) as server, RtspProbe(server.url("g")) as probe:
        await probe.play()
        before = await probe.packets(0.8)
        described = (await probe.request("DESCRIBE")).body
        server.set_faults("g", Faults(changed="now"))
        after = await probe.packets(1.2)
        assert (await probe.request("DESCRIBE")).body != described
        server.set_faults("g", Faults())
        assert (await probe.request("DESCRIBE")).body == described
    packets = before + after
    assert {packet.ssrc for packet in packets} == {before[0].ssrc}
    assert {b.sequence - a.sequence & 0xFFFF for a, b in itertools.pairwise(packets)} == {1}
    sets = [packet.payload for packet in packets if packet.payload[0] & 0x1F == 24]
    assert len(set(sets)) == 2
    timestamps = list(dict.fromkeys(packet.timestamp for packet in packets))
    steps = [b - a & 0xFFFFFFFF for a, b in itertools.pairwise(timestamps)]
    assert len([step for step in steps if step != 3000]) <= 1, "only the wait for the key frame stands out"


async def test_a_changed_clip_for_new_sessions_leaves_those_that_stand_alone() -> None:
    mount = Mount(name="g", main=short_clip(), changed=larger_clip())
    async with VirtualCameraServer([mount]) as server, RtspProbe(server.url("g")) as old:
        await old.play()
        await old.packets(0.1)
        server.set_faults("g", Faults(changed="new_sessions"))
        async with RtspProbe(server.url("g")) as new:
            await new.play()
            seen_old, seen_new = await asyncio.gather(old.packets(1.0), new.packets(1.0))
        assert seen_old and seen_new
        assert {packet.ssrc for packet in seen_old} & {packet.ssrc for packet in seen_new} == set()
        server.set_faults("g", Faults(stall=True, changed="new_sessions"))
        await old.packets(0.3)
        assert await old.packets(0.4) == []


async def test_a_changed_clip_that_is_not_there_is_refused_by_name() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server:
        with pytest.raises(ClipError, match="mount g"):
            server.set_faults("g", Faults(changed="now"))
        assert server.faults("g").changed == "no"


async def test_a_reboot_closes_the_port_forgets_the_sessions_and_begins_with_other_numbers() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server, RtspProbe(server.url("g")) as probe:
        session, _ = await probe.play()
        before = await probe.packets(0.3)
        server.reboot(0.8)
        assert server.session_count("g") == 0
        await probe.packets(0.1)
        assert await probe.packets(0.2) == []
        with pytest.raises(ConnectionRefusedError):
            await RtspProbe(server.url("g")).__aenter__()
        async with asyncio.timeout(60):
            while True:
                try:
                    back = await RtspProbe(server.url("g")).__aenter__()
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await probe.request("GET_PARAMETER", Session=session)
        await back.play()
        after = await back.packets(0.4)
        await back.__aexit__()
    assert after[0].ssrc != before[0].ssrc
    assert abs(after[0].timestamp - before[-1].timestamp) > 90_000 * 60


async def test_a_mount_that_reboots_alone_leaves_the_others_alone() -> None:
    mounts = [Mount(name="a", main=short_clip()), Mount(name="b", main=short_clip())]
    async with VirtualCameraServer(mounts) as server, RtspProbe(server.url("a")) as a, RtspProbe(server.url("b")) as b:
        await a.play()
        await b.play()
        server.reboot(60, "a")
        await a.packets(0.1)
        assert await a.packets(0.3) == []
        assert await b.packets(0.3)
        async with RtspProbe(server.url("a")) as again:
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await again.request("DESCRIBE")


async def test_a_half_open_peer_says_nothing_and_resets_once_it_is_back() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server, RtspProbe(server.url("g")) as probe:
        session, _ = await probe.play()
        await probe.packets(0.2)
        server.set_faults("g", Faults(half_open=True))
        assert server.session_count("g") == 0
        await probe.packets(0.1)
        for asked in (probe, RtspProbe(server.url("g"))):
            if asked is not probe:
                await asked.__aenter__()
            answering = asyncio.create_task(asked.request("OPTIONS", Session=session))
            done, _ = await asyncio.wait({answering}, timeout=0.4)
            assert not done, "neither an answer nor an end"
            answering.cancel()
            await asyncio.wait({answering})
        await asked.__aexit__()
        server.set_faults("g", Faults())
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await probe.request("OPTIONS")
        async with RtspProbe(server.url("g")) as fresh:
            await fresh.play()
            assert await fresh.packets(0.5)


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_an_h265_clip_plays_and_decodes(b_frames: int, transport: str) -> None:
    clip = cached_clip(codec="h265", seconds=1, fps=15, size=(320, 180), gop=15, b_frames=b_frames, bitrate=2_000_000)
    with av.open(str(clip)) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
    async with VirtualCameraServer([Mount(name="g", main=clip)]) as server:
        frames = await asyncio.to_thread(play_with_libavformat, server.url("g"), 20, transport)
    assert len(frames) == 20
    assert all(right_size for _, right_size in frames)
