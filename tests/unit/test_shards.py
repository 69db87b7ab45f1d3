"""Which worker has which camera."""

from __future__ import annotations

import pytest

from config.settings import Camera
from streams.shards import Shard, cameras_of, shard_of

CAMERAS = tuple(
    Camera(id=f"cam-{number}", name="x", purpose="crime prevention", main="rtsp://10.0.0.1/x") for number in range(400)
)


def test_every_camera_is_in_exactly_one_shard() -> None:
    shards = [cameras_of(Shard(index, 3), CAMERAS) for index in range(3)]
    assert sorted(camera.id for shard in shards for camera in shard) == sorted(camera.id for camera in CAMERAS)
    assert all(len(shard) > 80 for shard in shards)


def test_a_new_shard_takes_cameras_but_moves_none_between_the_others() -> None:
    before = {camera.id: shard_of(camera.id, 3) for camera in CAMERAS}
    after = {camera.id: shard_of(camera.id, 4) for camera in CAMERAS}
    moved = {camera_id for camera_id in before if before[camera_id] != after[camera_id]}
    assert moved and {after[camera_id] for camera_id in moved} == {3}


@pytest.mark.parametrize("text", ["2/2", "1", "a/2", "-1/2", "0/0", "/"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must look like 0/2"):
        Shard.parse(text)


def test_a_shard_reads_as_it_is_written() -> None:
    assert str(Shard.parse("1/3")) == "1/3"
