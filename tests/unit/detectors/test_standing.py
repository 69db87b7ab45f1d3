from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from detectors.boxes import covered, iou
from detectors.motion import Motion, MotionField
from detectors.standing import StandingChange, StandingField
from tests.drawn_scene import HEIGHT, WIDTH, Box, Street

BAG: Box = (300, 250, 326, 280)
RED = (40, 40, 190)


class Eyes:
    """Motion and standing fields on a drawn street at 5 pictures a second."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.motion_field = MotionField(WIDTH, HEIGHT)
        self.field = StandingField(self.motion_field.size)
        self.seconds = 0.0
        self.motion: Motion | None = None

    def watch(self, seconds: float, people: Callable[[float], tuple[Box, ...]] = lambda _: ()) -> list[StandingChange]:
        changes: list[StandingChange] = []
        for index in range(round(seconds * 5)):
            self.seconds += 0.2
            self.motion = self.motion_field.update(self.street.picture(people(index / 5)), self.seconds)
            changes = self.field.update(self.motion)
        return changes


def box_of(box: Box) -> np.ndarray:
    return np.array(box, np.float32)


def at(changes: Iterable[StandingChange], box: Box) -> list[StandingChange]:
    return [change for change in changes if covered(change.box, box_of(box)) > 0.3]


def test_a_bag_put_down_is_found_as_something_that_appeared() -> None:
    eyes = Eyes(Street())
    assert eyes.watch(6) == []
    eyes.street.things.append((BAG, RED))
    put_down = eyes.seconds
    (change,) = eyes.watch(5)
    assert iou(change.box, box_of(BAG)) > 0.5
    assert abs(change.since - put_down) < 1.0
    evidence = eyes.field.examine(change)
    assert evidence.appeared > 0.1
    assert not evidence.is_light


def test_a_bag_of_ten_pixels_is_found() -> None:
    eyes = Eyes(Street())
    eyes.watch(6)
    eyes.street.things.append(((300, 250, 312, 261), (30, 30, 30)))
    assert len(eyes.watch(5)) == 1


def test_a_thing_taken_away_is_a_hole_and_soon_background() -> None:
    eyes = Eyes(Street(things=[(BAG, RED)]))
    eyes.watch(8)
    eyes.street.things.clear()
    (change,) = eyes.watch(4)
    assert eyes.field.examine(change).appeared < -0.1
    assert eyes.watch(15) == []


def test_a_bag_keeps_its_number_while_people_pass_before_it() -> None:
    eyes = Eyes(Street())
    eyes.watch(6)
    eyes.street.things.append((BAG, RED))
    (before,) = eyes.watch(4)
    eyes.watch(4, lambda t: ((int(150 + 80 * t), 190, int(190 + 80 * t), 300),))
    (after,) = at(eyes.watch(3), BAG)
    assert after.id == before.id
    assert abs(after.since - before.since) < 0.5


def test_a_bag_lives_through_a_change_of_light() -> None:
    eyes = Eyes(Street())
    eyes.watch(6)
    eyes.street.things.append((BAG, RED))
    (before,) = eyes.watch(4)
    for step in range(20):
        eyes.street.light = 1.0 - 0.015 * step
        eyes.watch(0.4)
    found = at(eyes.watch(3), BAG)
    assert [change.id for change in found] == [before.id]
    assert len(eyes.watch(1)) == 1


def test_a_shadow_is_light_and_no_thing() -> None:
    street = Street()
    eyes = Eyes(street)
    eyes.watch(6)
    shaded = street.background.astype(np.float32)
    shaded[220:300, 250:400] *= 0.68
    street.background = shaded.astype(np.uint8)
    changes = eyes.watch(4)
    assert all(eyes.field.examine(change).is_light for change in changes)


def test_the_place_of_someone_there_from_the_start_is_learned_when_he_leaves() -> None:
    eyes = Eyes(Street())
    person: Box = (300, 180, 340, 300)
    eyes.watch(0.2, lambda _: (person,))
    assert eyes.motion is not None
    eyes.field.forget([box_of(person)], eyes.motion.grid)
    for _ in range(15):
        eyes.seconds += 0.2
        eyes.motion = eyes.motion_field.update(eyes.street.picture((person,)), eyes.seconds)
        eyes.field.update(eyes.motion, [box_of(person)])
    assert eyes.field.filled_share(box_of(person), eyes.motion) == 1.0
    assert eyes.watch(6) == []
    assert eyes.motion is not None
    assert eyes.field.filled_share(box_of(person), eyes.motion) < 0.05


def test_filled_share_tells_a_person_from_bare_ground() -> None:
    eyes = Eyes(Street())
    person: Box = (300, 180, 340, 300)
    eyes.watch(5)
    eyes.watch(1, lambda _: (person,))
    assert eyes.motion is not None
    assert eyes.field.filled_share(box_of(person), eyes.motion) > 0.3
    assert eyes.field.filled_share(box_of((100, 180, 140, 300)), eyes.motion) < 0.05
