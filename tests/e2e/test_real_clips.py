"""A real clip of each family, sent by a virtual camera over RTSP, becomes an incident at the center.

What each clip must raise and with which zones stands in tests/media/real_clips.yaml, where every clip is also run
without the network (tests/integration/test_real_clips.py). Clips are encoded anew without reordered pictures, as
cameras send them, and only the stretch that is watched.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml

from detectors.event import FAMILY
from streams.virtual import Mount, VirtualCameraServer
from tests.city import running_city, wait_for
from tests.requirements import ROOT, need_data

ONE_OF_EACH = {
    "crime": "gpreetham_intrusion.mp4",
    "dumping": "gpreetham_suspicious.mp4",
    "parking": "babul_vahicles3.mp4",
    "fire": "furg_house6.mp4",
}
FPS = 15
# The clip begins with the bag's owner in the picture; a loop of it alone would make the bag part of the background.
DARK_SECONDS = {"gpreetham_suspicious.mp4": 8}


def watched(clip: str) -> dict[str, Any]:
    """How `clip` is watched: its first entry that must raise something."""
    entries = yaml.safe_load((ROOT / "tests" / "media" / "real_clips.yaml").read_text())
    found: dict[str, Any] = next(entry for entry in entries if entry["clip"] == clip and entry["events"])
    return found


def as_a_camera_sends_it(source: Path, target: Path, entry: dict[str, Any]) -> Path:
    """The watched stretch of `source` at 15 pictures a second, H.264 without reordering, key frame every 2 s."""
    since, until = entry.get("from_seconds", 0.0), entry.get("until_seconds", 1e9)
    with av.open(str(source)) as clip, av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"bf": "0", "g": str(2 * FPS), "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        shown = clip.streams.video[0]
        stream.width, stream.height = shown.width & ~1, shown.height & ~1
        number = dark = DARK_SECONDS.get(source.name, 0) * FPS
        picture = av.VideoFrame.from_ndarray(np.full((stream.height, stream.width, 3), 20, np.uint8), format="bgr24")
        picture = picture.reformat(format="yuv420p")
        for at in range(dark):
            encode(container, stream, picture, at)
        for frame in clip.decode(video=0):
            if frame.time < since or (frame.time - since) * FPS < number - dark:
                continue
            if frame.time > until:
                break
            picture = frame.reformat(stream.width, stream.height, "yuv420p")
            number = encode(container, stream, picture, number)
        for _ in range(round(entry.get("hold_seconds", 0) * FPS)):
            number = encode(container, stream, picture, number)
        container.mux(stream.encode(None))
    return target


def encode(container: Any, stream: Any, picture: Any, number: int) -> int:
    picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, FPS), 0
    container.mux(stream.encode(picture))
    return number + 1


async def test_a_real_clip_of_each_family_raises_its_alarm(tmp_path: Path) -> None:
    sources = {family: need_data(f"clips/{clip}") for family, clip in ONE_OF_EACH.items()}
    entries = {family: watched(clip) for family, clip in ONE_OF_EACH.items()}
    mounts = [
        Mount(name=family, main=as_a_camera_sends_it(source, tmp_path / f"{family}.mp4", entries[family]))
        for family, source in sources.items()
    ]
    async with VirtualCameraServer(mounts) as server:
        cameras = [
            {
                "id": family,
                "name": family,
                "purpose": "a test",
                "main": server.url(family),
                "zones": entries[family]["zones"],
            }
            for family in ONE_OF_EACH
        ]
        async with running_city(tmp_path, {"cameras": cameras}) as city:

            async def all_raised() -> bool:
                incidents = await city.incidents()
                return {i["camera_id"] for i in incidents if FAMILY[i["kind"]] == i["camera_id"]} == set(ONE_OF_EACH)

            await wait_for(all_raised, f"an alarm of each family; the log is {city.log}", seconds=100)
            for incident in await city.incidents():
                picture = await city.client.get(incident["snapshot_url"])
                assert picture.headers["content-type"] == "image/jpeg" and picture.content[:2] == b"\xff\xd8"
