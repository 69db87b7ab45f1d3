"""`python -m tests.fuzz.make_corpus`: records the sound part of the corpus anew.

What virtual cameras and GStreamer's server really send (a session from OPTIONS on, some thousand bytes), the
messages, descriptions, packets and NAL units in it, and a recording. Inputs that once failed are left alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import struct
import tempfile
from pathlib import Path

from pydantic import SecretStr

from streams.access_unit import AccessUnit, Codec
from streams.fmp4 import fragment, initialization
from streams.rtsp.client import RtspSession, SessionOptions
from streams.virtual import Mount, VirtualCameraServer
from tests.clips import make_clip
from tests.fuzz.corpus_files import CORPUS
from tests.gstreamer import GStreamerServer, clip_pipeline
from tests.unit.test_its_list import ENTRY, as_json, as_xml

_CAPTURED = 12_000
_PASSWORD = "hunter2-secret"


async def _capture(url: str) -> tuple[bytes, list[AccessUnit]]:
    """What the server sent through a proxy, and the pictures that were made of it."""
    host, port = url.split("/")[2].split(":")
    sent = bytearray()
    pumps: list[asyncio.Task[None]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None) -> None:
        while data := await reader.read(65_536):
            if kept is not None:
                kept += data
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_connection(host, int(port))
        pumps.append(asyncio.create_task(pump(reader, upstream[1], None)))
        pumps.append(asyncio.create_task(pump(upstream[0], writer, sent)))

    units: list[AccessUnit] = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        own = proxy.sockets[0].getsockname()[1]
        options = SessionOptions("viewer", _PASSWORD)
        session = RtspSession(url.replace(f":{port}/", f":{own}/"), options, units.append)
        await session.open()
        async with asyncio.timeout(20):
            while len(sent) < _CAPTURED or len(units) < 12:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await session.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
    return bytes(sent), units


def _write(target: str, name: str, data: bytes) -> None:
    path = CORPUS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _split(sent: bytes) -> tuple[bytes, bytes]:
    """The answers before the first packet, and what came from there on."""
    at = sent.find(b"$\x00")
    return sent[:at], sent[at:]


def _packets(stream: bytes) -> tuple[list[bytes], list[bytes]]:
    """RTP and RTCP packets in the interleaved frames."""
    found: tuple[list[bytes], list[bytes]] = ([], [])
    pos = 0
    while pos + 4 <= len(stream) and stream[pos] == 0x24:
        size = int.from_bytes(stream[pos + 2 : pos + 4], "big")
        found[stream[pos + 1] & 1].append(stream[pos + 4 : pos + 4 + size])
        pos += 4 + size
    return found


def _store(name: str, codec: str, sent: bytes, units: list[AccessUnit]) -> None:
    answers, stream = _split(sent)
    _write("handshake", name, b"\x00" + answers)
    _write("message", name, answers)
    for number, body in enumerate(part for part in answers.split(b"\r\n\r\n") if part.startswith(b"v=0")):
        _write("sdp", f"{name}-{number}", body.split(b"RTSP/1.0")[0])
    headers = [line for line in answers.split(b"\r\n") if line.lower().startswith(b"www-authenticate")]
    _write("challenge", name, b"\n".join(line.partition(b":")[2].strip() for line in headers))
    _write(f"{codec}_stream", name, b"\x03" + stream[:_CAPTURED])
    packets, reports = _packets(stream[:_CAPTURED])
    _write(f"{codec}_packets", name, b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets[:-1]))
    for number, report in enumerate(reports[:2]):
        _write("rtcp", f"{name}-{number}", report)
    parameters = units[0].parameters
    for number, one in enumerate((*parameters.parameter_sets, *(nal for unit in units[:3] for nal in unit.nal_units))):
        _write("nal", f"{name}-{number}", one[:600])
    _write("recording", name, _segment(units[:6]))


def _segment(units: list[AccessUnit]) -> bytes:
    """Two fragments of tiny pictures: the lengths matter, not what is in them."""
    small = [dataclasses.replace(unit, nal_units=tuple(nal[:200] for nal in unit.nal_units)) for unit in units]
    base = small[0].pts_90k
    parts = [initialization(small[0].parameters)]
    for number, part in enumerate((small[:3], small[3:])):
        end = part[-1].pts_90k + 6_000
        utc_ns = 1_772_366_400 * 10**9 + number * 200_000_000
        times = {"base_pts_90k": base, "end_pts_90k": end, "utc_ns": utc_ns}
        parts.append(fragment(part, sequence=number + 1, reorder_90k=None, **times))
    return b"".join(parts)


async def main() -> None:
    """Four sessions: two servers, two codecs."""
    with tempfile.TemporaryDirectory() as folder:
        picture = {"seconds": 4, "fps": 15, "size": (320, 180), "gop": 5, "profile": "baseline"}
        codecs: tuple[Codec, ...] = ("h264", "h265")
        clips = {codec: make_clip(Path(folder) / f"{codec}.mp4", codec=codec, **picture) for codec in codecs}
        secret = SecretStr(_PASSWORD)
        mounts = [
            Mount(name="h264", main=clips["h264"], username="viewer", password=secret),
            Mount(name="h265", main=clips["h265"], username="viewer", password=secret, authentication="digest-sha256"),
        ]
        async with VirtualCameraServer(mounts) as server:
            for codec in clips:
                _store(f"virtual-{codec}", codec, *await _capture(server.url(codec)))
        pipelines = {codec: clip_pipeline(clip, codec) for codec, clip in clips.items()}
        async with GStreamerServer(pipelines, "viewer", _PASSWORD) as other:
            for codec in clips:
                _store(f"gstreamer-{codec}", codec, *await _capture(other.url(codec)))
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 0xC0FFEE, 3_980_000_000, 1 << 31, 90_000, 100, 100_000)
    words = b"\x01\x06camera\x00\x00\x00\x00"
    description = struct.pack(">BBHI", 0x81, 202, 1 + len(words) // 4, 0xC0FFEE) + words
    _write("rtcp", "report", report + description)
    _write("rtcp", "goodbye", report + struct.pack(">BBHI", 0x81, 203, 1, 0xC0FFEE))
    _write("url", "plain", b"rtsp://user:hunter2-secret@camera.example:554/Streaming/Channels/101?transport=tcp")
    _write("url", "address", b"rtsps://[fe80::1]/trackID=1")
    camera = (
        b'{"id": "gate", "name": "Gate", "purpose": "test", "main": "rtsp://gate/main", "password": "hunter2-secret"}'
    )
    _write("cameras", "one", b'{"version": "3", "cameras": [' + camera + b"]}")
    _write_lists(camera)


def _write_lists(camera: bytes) -> None:
    """What a person or a traffic authority's server brings."""
    live = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1764\n#EXT-X-DISCONTINUITY\n"
    parts = b"".join(b"#EXTINF:2.002,\nmedia_%d.ts?token=7\n" % number for number in range(1764, 1768))
    _write("playlist", "live", live + parts)
    fmp4 = b'#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\n1.m4s\n#EXT-X-ENDLIST\n'
    _write("playlist", "ended", fmp4)
    master = b'#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.42e01e"\nlow.m3u8\n'
    _write("playlist", "master", master + b"#EXT-X-STREAM-INF:BANDWIDTH=2000000\nhttps://[2001:db8::1]/high.m3u8\n")
    _write("playlist", "encrypted", live + b'#EXT-X-KEY:METHOD=AES-128,URI="key"\n' + parts)
    order = [0, 1, 3, 2, 4, 5, 9, 7, 6, 8, 8, 65_535, 10, 30, 11, 12, 5_000, 5_002, 5_001, 2]
    steps = b"".join(
        struct.pack(">BHB", index % 8 << 3 | index % 6, number, index) for index, number in enumerate(order)
    )
    _write("reorder", "swapped", steps)
    _write("reorder", "around", b"".join(struct.pack(">BHB", 0, 65_530 + n & 0xFFFF, 1) for n in (0, 2, 1, 8, 5, 6, 7)))
    _write("reorder", "timed", steps + b"\x06\x00\x00\x00" + steps + b"\xf6\x00\x00\x00\x07\x00\x00\x00" + steps)
    rules = b"rules: [{kind: loitering, dwell_seconds: 20}]"
    zones = b"    zones: [{name: yard, polygon: [[0, 0], [1, 0], [1, 1]], " + rules + b"}]\n"
    one = b"cameras:\n  - id: gate\n    name: Gate\n    purpose: test\n    main: rtsp://gate/main\n"
    one += b"    password: hunter2-secret\n"
    _write("camera_yaml", "one", one + zones)
    _write("camera_yaml", "json", b'{"cameras": [' + camera + b"]}")
    entry = ENTRY | {"cctvname": "second", "coordx": "127.1"}
    _write("its_list", "json", as_json(ENTRY, entry))
    _write("its_list", "xml", as_xml(ENTRY, entry))


if __name__ == "__main__":
    asyncio.run(main())
