"""`haechi run` with somebody else's cameras: GStreamer's RTSP server, Digest passwords, no demo."""

from __future__ import annotations

from pathlib import Path

import av

from config.load import load_settings
from tests.city import running_city, wait_for
from tests.e2e.test_console import moves, signed_in_page
from tests.gstreamer import GStreamerServer, clip_pipeline
from tests.requirements import ROOT

DEMO = ROOT / "config" / "demo"
CAMERA = "maetan-ro"  # its clip has a car that parks in the zone; the clip ends, and the camera is connected anew


async def test_a_camera_of_gstreamer_is_live_recorded_and_raises_an_alarm(tmp_path: Path) -> None:
    shipped = next(camera for camera in load_settings(DEMO / "cameras.yaml").cameras if camera.id == CAMERA)
    clips = {"main": DEMO / "clips" / "street.mp4", "sub": DEMO / "clips" / "street_sub.mp4"}
    pipelines = {name: clip_pipeline(clip, audio=name == "main") for name, clip in clips.items()}
    async with GStreamerServer(pipelines, username="eye", password="a-secret") as server:
        camera = {
            "id": "theirs",
            "name": "Not ours",
            "purpose": "illegal parking",
            "main": server.url("main"),
            "sub": server.url("sub"),
            "username": "eye",
            "password": "a-secret",
            "zones": [zone.model_dump(mode="json") for zone in shipped.zones],
        }
        async with running_city(tmp_path, {"cameras": [camera]}) as city:
            await city.wait_live(1)
            async with signed_in_page(city) as page:
                await moves(page, ".tile[data-camera=theirs]")
                await page.locator(".alarm[data-kind=parking]").wait_for(timeout=90_000)
                await page.click(".alarm[data-kind=parking] .alarm-open")
                await moves(page, ".stage-picture")

            async def recorded() -> list[Path]:
                return sorted((city.data_dir / "recordings" / "theirs").rglob("*.mp4"))

            await wait_for(recorded, "a recording")
            assert "a-secret" not in city.log.read_text()
    files = sorted((tmp_path / "data" / "recordings" / "theirs").rglob("*.mp4"))
    for file in files:
        with av.open(str(file)) as container:
            assert [stream.type for stream in container.streams] == ["video"]
