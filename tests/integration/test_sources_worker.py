"""A whole worker with an HLS feed and a file for cameras: live, recorded, relayed, and gone at SIGTERM."""

from __future__ import annotations

import shutil
from pathlib import Path

import av

from tests.center_on_a_port import CenterOnAPort
from tests.clips import cached_clip
from tests.hls_server import file_server, live_playlist
from tests.integration.test_worker import first_picture, is_running
from tests.worker_process import running_worker


async def test_a_feed_and_a_file_are_recorded_and_relayed(tmp_path: Path) -> None:
    clip = cached_clip(seconds=4, fps=15, gop=15, profile="baseline")
    (tmp_path / "feed").mkdir()
    (tmp_path / "clips").mkdir()
    shutil.copy(clip, tmp_path / "clips" / "clip.mp4")
    with file_server(tmp_path / "feed") as server:
        cameras = [
            {"id": "feed", "name": "feed", "purpose": "traffic", "main": f"{server.url}/live.m3u8"},
            {"id": "file", "name": "file", "purpose": "test", "main": (tmp_path / "clips" / "clip.mp4").as_uri()},
            {"id": "other", "name": "other", "purpose": "test", "main": clip.as_uri()},
        ]
        center = CenterOnAPort(tmp_path, cameras)
        sources = {"files_folder": str(tmp_path / "clips")}
        async with (
            live_playlist(clip, tmp_path / "feed"),
            center.running(),
            running_worker(tmp_path, cameras, center.url, sources=sources) as worker,
        ):
            status = await worker.wait_status(
                lambda status: all(status["cameras"][name]["recorder"]["units"] > 70 for name in ("feed", "file")),
                "both are recorded",
            )
            assert "outside the folder" in str(status["cameras"]["other"])
            for name in ("feed", "file"):
                frame, _ = await first_picture(worker, name, "main")
                assert (frame.width, frame.height) == (640, 360)
            pid = next(int(line) for line in _children(worker.process.pid) if _is_sources(int(line)))
            assert await worker.end() == 0
            assert not is_running(pid)
    assert "Traceback" not in worker.text()
    files = sorted((tmp_path / "data" / "recordings").rglob("*.mp4"))
    assert {file.relative_to(tmp_path / "data" / "recordings").parts[0] for file in files} == {"feed", "file"}
    pictures = 0
    for file in files:
        with av.open(str(file)) as container:
            pictures += sum(1 for _ in container.decode(video=0))
    assert pictures > 140


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _is_sources(pid: int) -> bool:
    return b"streams.sources" in Path(f"/proc/{pid}/cmdline").read_bytes()
