"""The demo as it ships: clips, truth and the city's two files belong together."""

from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from config.load import load_settings
from config.settings import Camera
from detectors.scenes.city import POSTS, RULES, cameras, mounts
from detectors.scenes.demo import FILMS
from detectors.scenes.truth import ClipTruth, TruthEvent, load_truth
from detectors.scoring import SCORED

DEMO = Path(__file__).parents[3] / "config" / "demo"
REARM_SECONDS = 8.0


@pytest.fixture(scope="module")
def truths() -> dict[str, ClipTruth]:
    return {name: load_truth(DEMO / "truth" / f"{name}.json") for name in FILMS}


def sub_pictures(name: str) -> list[NDArray[np.uint8]]:
    with av.open(str(DEMO / "clips" / f"{name}_sub.mp4")) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]


def test_the_clips_are_small_enough_to_ship() -> None:
    sizes = [file.stat().st_size for file in (DEMO / "clips").iterdir()]
    assert sum(sizes) <= 20_000_000


@pytest.mark.parametrize("name", FILMS)
def test_a_clip_is_h264_without_b_frames_and_a_key_frame_every_four_seconds(
    name: str, truths: dict[str, ClipTruth]
) -> None:
    for file, size in ((f"{name}.mp4", (1280, 720)), (f"{name}_sub.mp4", (640, 360))):
        with av.open(str(DEMO / "clips" / file)) as container:
            stream = container.streams.video[0]
            packets = [packet for packet in container.demux(stream) if packet.size]
            assert stream.codec_context.name == "h264" and (stream.width, stream.height) == size
        assert len(packets) == round(truths[name].duration_seconds * truths[name].fps)
        assert all(packet.pts == packet.dts for packet in packets)
        keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
        assert keys[0] == 0 and max(b - a for a, b in pairwise([*keys, len(packets)])) <= 4 * truths[name].fps


@pytest.mark.parametrize("name", FILMS)
def test_the_seam_of_a_loop_is_no_larger_than_other_key_frames(name: str) -> None:
    pictures = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.int16) for picture in sub_pictures(name)]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(pictures)]
    seam = np.abs(pictures[0] - pictures[-1])
    assert float(seam.mean()) <= 1.2 * max(steps)
    blocks = cv2.resize(seam.astype(np.float32), (40, 22), interpolation=cv2.INTER_AREA)
    assert blocks.max() < 60  # nothing appears out of nowhere


def changed_share(pictures: list[NDArray[np.uint8]], truth: ClipTruth, event: TruthEvent) -> float:
    """Share of the event's box that differs at the event's start from the loop's first picture, when all is over."""
    usual = pictures[0].astype(np.float32)
    x1, y1, x2, y2 = (
        round(fraction * length) for fraction, length in zip(event.box, (640, 360, 640, 360), strict=True)
    )
    moment = min(event.start_seconds, event.end_seconds - 0.2)
    picture = pictures[round(moment * truth.fps)]
    different = np.abs(picture[y1:y2, x1:x2].astype(np.float32) - usual[y1:y2, x1:x2]).max(axis=2) > 18
    return float(different.mean())


@pytest.mark.parametrize("name", FILMS)
def test_the_box_of_an_event_shows_something_that_is_not_always_there(name: str, truths: dict[str, ClipTruth]) -> None:
    truth = truths[name]
    pictures = sub_pictures(name)
    for event in truth.events:
        assert changed_share(pictures, truth, event) > 0.25, event


@pytest.mark.parametrize("name", FILMS)
def test_truth_is_within_the_clip_and_its_zone(name: str, truths: dict[str, ClipTruth]) -> None:
    truth = truths[name]
    for event in truth.events:
        assert 0 < event.cause_seconds <= event.start_seconds <= event.end_seconds
        assert event.end_seconds + REARM_SECONDS <= truth.duration_seconds
        polygon = np.array(truth.zones[event.zone], np.float32).reshape(-1, 1, 2)
        x1, _, x2, y2 = event.box
        foot = ((x1 + x2) / 2, y2 - 0.01)
        if event.kind == "fire":
            foot = ((x1 + x2) / 2, y2)
        assert cv2.pointPolygonTest(polygon, foot, False) >= 0, event


def test_each_family_is_in_a_loop_and_two_loops_are_quiet(truths: dict[str, ClipTruth]) -> None:
    kinds = {event.kind for truth in truths.values() for event in truth.events}
    assert kinds == set(SCORED)
    assert sum(not truth.events for truth in truths.values()) >= 2


def test_every_zone_with_an_event_has_a_rule_of_its_kind(truths: dict[str, ClipTruth]) -> None:
    for name, truth in truths.items():
        assert set(RULES[name]) == set(truth.zones)
        for event in truth.events:
            assert event.kind in {rule["kind"] for rule in RULES[name][event.zone]}


def test_the_citys_files_are_what_the_command_makes(truths: dict[str, ClipTruth]) -> None:
    zones = {name: truth.zones for name, truth in truths.items()}
    shipped = yaml.safe_load((DEMO / "cameras.yaml").read_text(encoding="utf-8"))
    made = yaml.safe_load(yaml.safe_dump(_plain(cameras(zones))))
    assert shipped == made
    assert yaml.safe_load((DEMO / "mounts.yaml").read_text(encoding="utf-8")) == mounts(FILMS)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def test_sixteen_cameras_of_nine_categories_load_with_their_zones() -> None:
    settings = load_settings(DEMO / "cameras.yaml")
    assert len(settings.cameras) == len(POSTS) == 16
    assert len({camera.category for camera in settings.cameras}) == 9
    for camera in settings.cameras:
        assert isinstance(camera, Camera) and camera.zones and camera.position is not None
        assert camera.main.endswith(f"/{camera.id}/main") and camera.sub and camera.sub.endswith(f"/{camera.id}/sub")


def test_some_cameras_have_neighbours_and_some_stand_alone() -> None:
    metres = 6_371_000 * np.pi / 180
    places = np.array([(post.latitude * metres, post.longitude * metres * np.cos(np.radians(37.28))) for post in POSTS])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    neighbours = (apart < 480).sum(axis=1) - 1
    assert (neighbours >= 1).sum() >= 10 and (neighbours >= 2).sum() >= 4 and (neighbours == 0).sum() >= 3
