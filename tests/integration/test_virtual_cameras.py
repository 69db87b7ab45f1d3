"""Virtual cameras seen by libavformat (PyAV, ffmpeg) and by a bare client."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest
import uvloop
import yaml
from pydantic import SecretStr

from streams.virtual import ClipError, Faults, Mount, VirtualCameraServer
from tests.clips import cached_clip
from tests.requirements import need_program
from tests.rtsp_probe import Packet, RtspProbe


def short_clip() -> Path:
    """Half a second, 15 pictures, one GOP."""
    return cached_clip(seconds=0.5, fps=30, size=(320, 180), gop=15, profile="baseline")


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def play_with_libavformat(url: str, count: int, transport: str = "tcp") -> list[tuple[float, bool]]:
    """(seconds, is a picture of the right size) of `count` decoded frames."""
    found: list[tuple[float, bool]] = []
    options = {"rtsp_transport": transport, "timeout": "20000000", "analyzeduration": "200000"}
    with av.open(url, options=options) as container:
        for frame in container.decode(video=0):
            found.append((frame.time, (frame.width, frame.height) == (320, 180)))
            if len(found) == count:
                break
    return found


def pictures_of(packets: list[Packet]) -> list[int]:
    """RTP timestamps in the order they came, each once."""
    return list(dict.fromkeys(packet.timestamp for packet in packets))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("pacing", ["paced", "burst"])
async def test_libavformat_plays_over_the_loop_seam_without_a_jump(pacing: str, transport: str) -> None:
    async with VirtualCameraServer([Mount(name="gate", main=short_clip())], pacing=pacing) as server:
        frames = await asyncio.to_thread(play_with_libavformat, server.url("gate"), 40, transport)
    times = [seconds for seconds, _ in frames]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert steps == pytest.approx([1 / 30] * 39, abs=0.001)
    assert all(right_size for _, right_size in frames)


async def test_the_ffmpeg_program_plays_main_and_sub_with_a_password() -> None:
    ffmpeg = need_program("ffmpeg")
    mount = Mount(name="gate", main=short_clip(), sub=short_clip(), username="admin", password=SecretStr("pw"))
    async with VirtualCameraServer([mount]) as server:
        for stream in ("main", "sub"):
            url = server.url("gate", stream).replace("rtsp://", "rtsp://admin:pw@")
            command = [ffmpeg, "-v", "error", "-xerror", "-rtsp_transport", "tcp", "-i", url, "-frames:v", "20"]
            process = await asyncio.create_subprocess_exec(
                *command, "-f", "null", "-", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            _, errors = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 0, errors.decode()


async def test_sequence_time_and_ssrc_go_on_over_the_seam() -> None:
    async with (
        VirtualCameraServer([Mount(name="gate", main=short_clip())]) as server,
        RtspProbe(server.url("gate")) as probe,
    ):
        _, reply = await probe.play()
        packets = await probe.packets(1.3)
    sequences = [packet.sequence for packet in packets]
    assert sequences == [(sequences[0] + n) & 0xFFFF for n in range(len(sequences))]
    timestamps = pictures_of(packets)
    assert len(timestamps) > 15
    assert {(b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(timestamps)} == {3000}
    assert len({packet.ssrc for packet in packets}) == 1
    info = f"seq={packets[0].sequence};rtptime={packets[0].timestamp}"
    assert reply.headers["rtp-info"].endswith(info)


async def test_pictures_with_b_frames_come_in_decode_order_with_presentation_times() -> None:
    clip = cached_clip(seconds=0.5, fps=30, size=(320, 180), gop=15, b_frames=2)
    async with VirtualCameraServer([Mount(name="gate", main=clip)]) as server:
        async with RtspProbe(server.url("gate")) as probe:
            await probe.play()
            timestamps = pictures_of(await probe.packets(1.3))
        frames = await asyncio.to_thread(play_with_libavformat, server.url("gate"), 20)
    assert timestamps != sorted(timestamps)
    assert {b - a for a, b in zip(sorted(timestamps)[2:-3], sorted(timestamps)[3:-3], strict=False)} == {3000}
    assert [b[0] - a[0] for a, b in itertools.pairwise(frames)] == pytest.approx([1 / 30] * 19, abs=0.001)


async def test_all_clients_see_the_same_packets_and_phase_shifts_a_mount() -> None:
    mounts = [Mount(name="near", main=short_clip()), Mount(name="far", main=short_clip(), phase_seconds=0.4)]
    async with VirtualCameraServer(mounts) as server, RtspProbe(server.url("near")) as one:
        await one.play()
        async with RtspProbe(server.url("near")) as two, RtspProbe(server.url("far")) as far:
            await two.play(channel=4)
            await far.play()
            seen_one, seen_two, _ = await asyncio.gather(one.packets(1.0), two.packets(1.0), far.packets(1.0))
            reports = one.reports[0], far.reports[0]
    by_sequence = {packet.sequence: packet for packet in seen_one}
    shared = [(packet, by_sequence[packet.sequence]) for packet in seen_two if packet.sequence in by_sequence]
    assert len(shared) > 10
    assert all((a.timestamp, a.ssrc, a.payload) == (b.timestamp, b.ssrc, b.payload) for a, b in shared)
    assert {packet.channel for packet in seen_two} == {4}
    near, ahead = server.timeline("near"), server.timeline("far")
    assert ahead.elapsed_seconds(server.started_at) - near.elapsed_seconds(server.started_at) == pytest.approx(0.4)
    assert all(report[1] == 200 and len(report) == 28 for report in reports)


async def test_a_picture_arrives_when_the_timeline_says() -> None:
    """The key frame is position 0 of the clip; it must come at a time of position 0, plus what the machine is late."""
    clip = cached_clip(seconds=1, fps=10, size=(320, 180), gop=10, profile="baseline")
    mount = Mount(name="gate", main=clip, phase_seconds=0.7)
    async with VirtualCameraServer([mount]) as server, RtspProbe(server.url("gate")) as probe:
        await probe.play()
        packets = await probe.packets(2.3)
        now_utc, now = time.time(), time.monotonic()
        timeline = server.timeline("gate")
    starts = [packet for packet in packets if packet.payload[0] & 0x1F == 24]
    assert starts
    offset = now_utc - now - timeline.started_at.timestamp() + timeline.phase_seconds
    late = min((packet.arrived + offset) % timeline.duration_seconds for packet in starts)
    assert late < 0.5


async def test_paced_packets_are_spread_and_a_burst_comes_at_once() -> None:
    clip = cached_clip(seconds=2, fps=5, size=(640, 360), gop=10, bitrate=3_000_000)
    spreads = {}
    for pacing in ("paced", "burst"):
        async with (
            VirtualCameraServer([Mount(name="g", main=clip)], pacing=pacing) as server,
            RtspProbe(server.url("g")) as probe,
        ):
            await probe.play()
            packets = await probe.packets(1.5)
        by_picture: dict[int, list[float]] = {}
        for packet in packets:
            by_picture.setdefault(packet.timestamp, []).append(packet.arrived)
        widths = sorted(times[-1] - times[0] for times in by_picture.values() if len(times) > 3)
        spreads[pacing] = widths[len(widths) // 2]
    assert spreads["paced"] > 0.04
    assert spreads["burst"] < spreads["paced"] / 2


@pytest.mark.parametrize("authentication", ["digest", "digest-sha256"])
async def test_digest_takes_the_right_password_only(authentication: str) -> None:
    mount = Mount.model_validate(
        {"name": "g", "main": short_clip(), "username": "admin", "password": "pw", "authentication": authentication}
    )
    async with VirtualCameraServer([mount]) as server:
        async with RtspProbe(server.url("g"), "admin", "pw") as probe:
            await probe.play()
            assert await probe.packets(1.0)
        for username, password in (("admin", "wrong"), ("root", "pw")):
            async with RtspProbe(server.url("g"), username, password) as probe:
                assert (await probe.request("DESCRIBE")).status == 401


async def test_basic_password_and_libavformat_agree() -> None:
    mount = Mount(name="g", main=short_clip(), username="u", password=SecretStr("p"), authentication="basic")
    async with VirtualCameraServer([mount]) as server:
        good = server.url("g").replace("rtsp://", "rtsp://u:p@")
        assert len(await asyncio.to_thread(play_with_libavformat, good, 3)) == 3
        with pytest.raises(av.HTTPUnauthorizedError):
            await asyncio.to_thread(play_with_libavformat, good.replace("u:p", "u:x"), 3)


async def test_a_transport_it_does_not_have_is_refused_and_unknown_paths_are_not_found() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server, RtspProbe(server.url("g")) as probe:
        setup = await probe.request("SETUP", Transport="RTP/AVP;multicast;client_port=5000-5001")
        assert setup.status == 461
        for only, offer in (("tcp", "RTP/AVP;unicast;client_port=5000-5001"), ("udp", "RTP/AVP/TCP;interleaved=0-1")):
            server.set_faults("g", Faults(only_transport=only))
            assert (await probe.request("SETUP", Transport=offer)).status == 461
        server.set_faults("g", Faults())
        assert (await probe.request("DESCRIBE", server.url("g", "sub"))).status == 404
        assert (await probe.request("DESCRIBE", server.url("other"))).status == 404
        assert (await probe.request("PLAY", Session="0")).status == 454
        options = await probe.request("OPTIONS")
        assert options.status == 200
        assert "GET_PARAMETER" in options.headers["public"]


async def test_keep_alive_holds_a_session_and_silence_ends_it() -> None:
    server = VirtualCameraServer([Mount(name="g", main=short_clip())], session_timeout_seconds=1.5)
    async with server, RtspProbe(server.url("g")) as probe:
        session, _ = await probe.play()
        for _ in range(5):
            await asyncio.sleep(0.4)
            assert (await probe.request("GET_PARAMETER", Session=session)).status == 200
        assert server.session_count("g") == 1
        await until(lambda: server.session_count("g") == 0)


async def test_teardown_and_pause_stop_the_packets() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server, RtspProbe(server.url("g")) as probe:
        session, _ = await probe.play()
        assert (await probe.request("PAUSE", Session=session)).status == 200
        await probe.packets(0.2)
        assert await probe.packets(0.5) == []
        assert (await probe.request("PLAY", Session=session)).status == 200
        assert await probe.packets(0.5)
        assert (await probe.request("TEARDOWN", Session=session)).status == 200
        assert server.session_count("g") == 0
        await probe.packets(0.2)
        assert await probe.packets(0.5) == []


async def test_stall_keeps_the_session_but_stops_packets_and_ends_again() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server, RtspProbe(server.url("g")) as probe:
        session, _ = await probe.play()
        before = await probe.packets(0.6)
        server.set_faults("g", Faults(stall=True))
        before += await probe.packets(0.3)
        assert await probe.packets(0.8) == []
        assert (await probe.request("GET_PARAMETER", Session=session)).status == 200
        server.set_faults("g", Faults())
        after = await probe.packets(0.8)
    assert after[0].sequence == (before[-1].sequence + 1) & 0xFFFF
    assert (after[0].timestamp - before[-1].timestamp) & 0xFFFFFFFF > 45_000


async def test_drop_leaves_gaps_in_the_sequence() -> None:
    mount = Mount(name="g", main=short_clip(), faults=Faults(drop=0.4))
    async with VirtualCameraServer([mount]) as server, RtspProbe(server.url("g")) as probe:
        await probe.play()
        packets = await probe.packets(1.0)
    steps = {(b.sequence - a.sequence) & 0xFFFF for a, b in itertools.pairwise(packets)}
    assert max(steps) > 1
    assert min(steps) == 1


async def test_reset_ends_the_connection_of_that_mount_only() -> None:
    mounts = [Mount(name="a", main=short_clip()), Mount(name="b", main=short_clip())]
    async with VirtualCameraServer(mounts) as server, RtspProbe(server.url("a")) as a, RtspProbe(server.url("b")) as b:
        await a.play()
        await b.play()
        assert server.reset("a") == 1
        with pytest.raises(ConnectionResetError):
            while True:
                await a.packets(5)
                await a.request("OPTIONS")
        assert await b.packets(0.5)


async def test_refuse_closes_or_answers_503_and_a_closed_listener_refuses_connections() -> None:
    async with VirtualCameraServer([Mount(name="g", main=short_clip())]) as server:
        server.set_faults("g", Faults(refuse="503"))
        async with RtspProbe(server.url("g")) as probe:
            assert (await probe.request("DESCRIBE")).status == 503
        server.set_faults("g", Faults(refuse="close"))
        async with RtspProbe(server.url("g")) as probe:
            with pytest.raises(asyncio.IncompleteReadError):
                await probe.request("DESCRIBE")
        server.set_faults("g", Faults())
        await server.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            await RtspProbe(server.url("g")).__aenter__()
        await server.resume_listening()
        async with RtspProbe(server.url("g")) as probe:
            assert (await probe.request("DESCRIBE")).status == 200


async def test_wrong_password_fault_refuses_the_right_password() -> None:
    mount = Mount(
        name="g", main=short_clip(), username="admin", password=SecretStr("pw"), faults=Faults(wrong_password=True)
    )
    async with VirtualCameraServer([mount]) as server, RtspProbe(server.url("g"), "admin", "pw") as probe:
        assert (await probe.request("DESCRIBE")).status == 401


async def test_not_video_describes_sound_alone() -> None:
    mount = Mount(name="g", main=short_clip(), faults=Faults(not_video=True))
    async with VirtualCameraServer([mount]) as server, RtspProbe(server.url("g")) as probe:
        sdp = (await probe.request("DESCRIBE")).body
    assert "m=audio" in sdp
    assert "m=video" not in sdp


async def test_a_killed_clients_session_counts_until_it_times_out() -> None:
    mount = Mount(name="g", main=short_clip(), faults=Faults(session_limit=1))
    async with VirtualCameraServer([mount], session_timeout_seconds=2) as server:
        async with RtspProbe(server.url("g")) as probe:
            await probe.play()
            probe.kill()
        async with RtspProbe(server.url("g")) as probe:
            setup = await probe.request("SETUP", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
            assert setup.status == 453
            assert server.session_count("g") == 1
        await until(lambda: server.session_count("g") == 0)
        async with RtspProbe(server.url("g")) as probe:
            session, _ = await probe.play()
            await probe.request("TEARDOWN", Session=session)
        async with RtspProbe(server.url("g")) as probe:
            await probe.play()


async def test_a_client_that_does_not_read_is_dropped_and_the_others_go_on() -> None:
    clip = cached_clip(seconds=1, fps=30, size=(1280, 720), gop=30, bitrate=40_000_000, profile="baseline")
    async with VirtualCameraServer([Mount(name="g", main=clip)], max_unsent_bytes=65_536) as server:
        slow, other = RtspProbe(server.url("g")), RtspProbe(server.url("g"))
        async with slow, other:
            await slow.play()
            await other.play()
            slow._writer.transport.pause_reading()
            async with asyncio.timeout(60):
                while not server.statistics()["slow_clients_dropped"]:
                    await other.packets(0.2)
            assert server.session_count("g") == 1
            assert await other.packets(1.0)


@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
async def test_other_containers_are_served_too(suffix: str) -> None:
    clip = cached_clip(suffix, seconds=1, fps=15, size=(320, 180), gop=15, b_frames=2)
    async with VirtualCameraServer([Mount(name="g", main=clip)]) as server:
        assert len(await asyncio.to_thread(play_with_libavformat, server.url("g"), 10)) == 10


async def test_a_file_that_is_no_clip_is_named_in_the_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a clip")
    with pytest.raises(ClipError, match=r"broken\.mp4"):
        await VirtualCameraServer([Mount(name="g", main=broken)]).__aenter__()
    long = cached_clip(seconds=2, fps=15, size=(320, 180), gop=15, profile="baseline")
    with pytest.raises(ClipError, match="equally long"):
        await VirtualCameraServer([Mount(name="g", main=long, sub=short_clip())]).__aenter__()


def test_it_runs_on_uvloop_too() -> None:
    async def watch() -> list[Packet]:
        async with (
            VirtualCameraServer([Mount(name="g", main=short_clip())]) as server,
            RtspProbe(server.url("g")) as probe,
        ):
            await probe.play()
            return await probe.packets(1.5)

    packets = uvloop.run(watch())
    assert len(pictures_of(packets)) > 8


def test_as_a_process_it_says_where_it_listens_takes_faults_and_ends_with_its_parent(tmp_path: Path) -> None:
    content = {
        "mounts": [{"name": "gate", "main": "clip.mp4", "phase_seconds": 3.0, "username": "u", "password": "geheim"}]
    }
    (tmp_path / "cameras.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "clip.mp4").write_bytes(short_clip().read_bytes())
    command = [sys.executable, "-m", "streams.virtual", str(tmp_path / "cameras.yaml"), "--control"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()
        listening = json.loads(said)
        assert listening["mounts"][0]["phase_seconds"] == 3.0
        assert listening["started_at"].endswith("+00:00")
        assert "geheim" not in said
        url = listening["mounts"][0]["main"].replace("rtsp://", "rtsp://u:geheim@")
        assert len(play_with_libavformat(url, 3)) == 3
        for message, answer in (
            ({"mount": "gate", "faults": {"wrong_password": True}}, "ok"),
            ({"mount": "gate", "reset": True}, "ok"),
            ({"mount": "nowhere", "reset": True}, "error"),
            ({"mount": "gate", "faults": {"melt": True}}, "error"),
        ):
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            assert answer in json.loads(process.stdout.readline())
        with pytest.raises(av.HTTPUnauthorizedError):
            play_with_libavformat(url, 3)
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mounts: []", "mounts"),
        ("mounts: [{name: a, main: x.mp4, colour: red}]", "colour"),
        ("mounts: [{name: a, main: x.mp4}]", "x.mp4"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cameras.yaml").write_text(text)
    command = [sys.executable, "-m", "streams.virtual", str(tmp_path / "cameras.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_ends_it_in_good_order(tmp_path: Path) -> None:
    (tmp_path / "cameras.yaml").write_text(yaml.safe_dump({"mounts": [{"name": "g", "main": str(short_clip())}]}))
    command = [sys.executable, "-m", "streams.virtual", str(tmp_path / "cameras.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
