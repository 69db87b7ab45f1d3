from __future__ import annotations

import numpy as np

from detectors.detections import Boxes, Detections, ObjectClass
from detectors.tracker import Kind, Tracker

WHOLE = np.array([[0, 0, 640, 360]], np.float32)
NOWHERE = np.zeros((0, 4), np.float32)


def found(*items: tuple[float, float, float, ObjectClass]) -> Detections:
    """(x, y, score, class) of 40 × 100 boxes."""
    boxes = np.array([[x, y, x + 40, y + 100] for x, y, _, _ in items], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array([i[2] for i in items], np.float32), np.array([i[3] for i in items], np.int32))


def person(x: float, y: float = 100, score: float = 0.8) -> tuple[float, float, float, ObjectClass]:
    return x, y, score, ObjectClass.PERSON


def tracker() -> Tracker:
    return Tracker(640, 360)


def test_a_walker_keeps_one_number_and_is_confirmed_at_the_second_sighting() -> None:
    eyes = tracker()
    (track,) = eyes.update(found(person(100)), 0.0, WHOLE)
    assert not track.is_confirmed
    for step in range(1, 20):
        (track,) = eyes.update(found(person(100 + 20 * step)), step * 0.8, WHOLE)
    assert track.id == 1 and track.is_confirmed and track.hits == 20
    assert abs(track.velocity[0] - 25) < 3


def test_a_walker_keeps_his_number_over_a_gap_of_four_seconds() -> None:
    eyes = tracker()
    for step in range(5):
        eyes.update(found(person(100 + 30 * step)), step * 1.0, WHOLE)
    (track,) = eyes.update(found(person(100 + 30 * 8)), 8.0, WHOLE)
    assert track.id == 1


def test_a_track_ages_only_where_the_detector_looked() -> None:
    eyes = tracker()
    eyes.update(found(person(100)), 0.0, WHOLE)
    eyes.update(found(person(100)), 0.5, WHOLE)
    elsewhere = np.array([[300, 0, 640, 360]], np.float32)
    for step in range(20):
        (track,) = eyes.update(found(), 1.0 + step, elsewhere if step % 2 else NOWHERE)
    assert track.misses == 0


def test_a_track_ends_when_the_detector_looks_in_vain() -> None:
    eyes = tracker()
    eyes.update(found(person(100)), 0.0, WHOLE)
    eyes.update(found(person(100)), 0.5, WHOLE)
    lived = [len(eyes.update(found(), 1.0 + step, WHOLE)) for step in range(12)]
    assert lived[3] == 1 and lived[-1] == 0


def test_a_track_ends_at_once_where_the_bare_background_is_back() -> None:
    def bare(_: Boxes) -> float:
        return 0.0

    eyes = tracker()
    eyes.update(found(person(100)), 0.0, WHOLE)
    (track,) = eyes.update(found(person(100)), 0.5, WHOLE)
    assert eyes.update(found(), 1.5, WHOLE, bare) == []
    assert track.is_vacated


def test_a_doubtful_detection_continues_a_track_but_begins_none() -> None:
    eyes = tracker()
    assert eyes.update(found(person(100, score=0.2)), 0.0, WHOLE) == []
    eyes.update(found(person(100)), 1.0, WHOLE)
    (track,) = eyes.update(found(person(104, score=0.2)), 2.0, WHOLE)
    assert track.hits == 2


def test_two_who_meet_and_pass_keep_their_numbers() -> None:
    eyes = tracker()
    for step in range(16):
        eyes.update(found(person(100 + 20 * step), person(400 - 20 * step, y=112)), step * 0.5, WHOLE)
    right = max(eyes.tracks, key=lambda track: track.box[0])
    assert len(eyes.tracks) == 2 and right.id == 1


def test_a_vehicle_whose_name_wavers_is_one_track_by_its_commonest_name() -> None:
    eyes = tracker()
    for step in range(9):
        name = ObjectClass.TRUCK if step % 3 == 0 else ObjectClass.CAR
        (track,) = eyes.update(found((200, 100, 0.7, name)), step * 1.0, WHOLE)
    assert track.id == 1 and track.kind is Kind.VEHICLE and track.object_class is ObjectClass.CAR


def test_a_person_and_a_car_at_one_place_are_two_tracks() -> None:
    eyes = tracker()
    assert len(eyes.update(found(person(100), (100, 100, 0.8, ObjectClass.CAR)), 0.0, WHOLE)) == 2


def test_the_number_of_tracks_is_bounded() -> None:
    eyes = tracker()
    crowd = [person(float(x), float(y)) for x in range(0, 600, 45) for y in range(0, 250, 40)]
    assert len(eyes.update(found(*crowd), 0.0, WHOLE)) <= 64
