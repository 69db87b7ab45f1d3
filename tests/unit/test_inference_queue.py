"""Whose turn the detector is."""

from __future__ import annotations

from collections import Counter

from streams.inference_queue import FairQueue


def serve(queue: FairQueue[str], weights: dict[str, float], turns: int) -> Counter[str]:
    served: Counter[str] = Counter()
    for _ in range(turns):
        for camera_id, weight in weights.items():
            queue.drop(camera_id)
            queue.put(camera_id, camera_id, crops=1, weight=weight, size=1)
        served.update(camera_id for camera_id, _ in queue.take(1))
    return served


def test_cameras_of_equal_weight_get_equal_turns() -> None:
    served = serve(FairQueue(1000), dict.fromkeys("abcdef", 1.0), 600)
    assert set(served.values()) == {100}


def test_weight_buys_turns_and_starves_nobody() -> None:
    served = serve(FairQueue(1000), {"incident": 8.0, "armed": 3.0, "quiet": 1.0}, 1200)
    assert served["incident"] > 2 * served["armed"] > 4 * served["quiet"] > 200


def test_a_camera_with_many_crops_has_fewer_turns() -> None:
    queue: FairQueue[str] = FairQueue(1000)
    crops: Counter[str] = Counter()
    for _ in range(300):
        for camera_id, count in (("greedy", 4), ("modest", 1)):
            queue.drop(camera_id)
            queue.put(camera_id, camera_id, crops=count, weight=1.0, size=1)
        for camera_id, _ in queue.take(1):
            crops[camera_id] += {"greedy": 4, "modest": 1}[camera_id]
    assert 0.9 < crops["greedy"] / crops["modest"] < 1.1


def test_a_camera_that_comes_back_has_saved_up_no_turns() -> None:
    queue: FairQueue[str] = FairQueue(1000)
    serve(queue, {"steady": 1.0}, 100)
    queue.drop("steady")
    served = serve(queue, {"steady": 1.0, "back": 1.0}, 20)
    assert served["steady"] >= 9


def test_a_batch_holds_whole_looks_up_to_its_size() -> None:
    queue: FairQueue[str] = FairQueue(1000)
    for camera_id in "abc":
        queue.put(camera_id, camera_id, crops=2, weight=1.0, size=1)
    assert [camera_id for camera_id, _ in queue.take(5)] == ["a", "b"]
    queue.put("d", "d", crops=9, weight=1.0, size=1)
    assert [camera_id for camera_id, _ in queue.take(5)] == ["c"]
    assert [camera_id for camera_id, _ in queue.take(5)] == ["d"], "one that is larger than a batch goes alone"
    assert queue.take(5) == []


def test_over_its_bytes_the_last_in_turn_loses_its_place() -> None:
    queue: FairQueue[str] = FairQueue(max_bytes=250)
    assert queue.put("a", "look a", crops=1, weight=1.0, size=100) == []
    assert queue.put("b", "look b", crops=1, weight=1.0, size=100) == []
    assert queue.put("c", "look c", crops=1, weight=1.0, size=100) == [("c", "look c")]
    assert (queue.byte_count, len(queue)) == (200, 2)


def test_a_camera_that_is_forgotten_leaves_neither_item_nor_rank() -> None:
    queue: FairQueue[str] = FairQueue(1000)
    queue.put("gone", "gone", crops=50, weight=1.0, size=10)
    assert queue.take(100) == [("gone", "gone")]
    queue.put("gone", "gone", crops=1, weight=1.0, size=10)
    queue.put("kept", "kept", crops=1, weight=1.0, size=10)
    queue.forget("gone")
    queue.forget("nobody")
    assert (queue.byte_count, len(queue)) == (10, 1)
    queue.put("gone", "another", crops=1, weight=1.0, size=10)
    assert sorted(queue.take(2)) == [("gone", "another"), ("kept", "kept")]
