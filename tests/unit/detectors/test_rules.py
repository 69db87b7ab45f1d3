"""Each rule on a drawn world, with an eye that misses and jitters. Times are seconds of that world."""

from __future__ import annotations

import numpy as np
import pytest

from config.settings import DumpingRule, IntrusionRule, LoiteringRule, ParkingRule
from detectors.detections import ObjectClass
from tests.drawn_watch import Thing, Watch, car, person, sack

INTRUSION = (IntrusionRule(),)
LOITERING = (LoiteringRule(dwell_seconds=10),)
DUMPING = (DumpingRule(owner_gone_seconds=5),)
PARKING = (ParkingRule(dwell_seconds=12),)
FPS = pytest.mark.parametrize(("fps", "miss", "gaps"), [(5, 0.0, 0.0), (5, 0.25, 0.1), (2, 0.1, 0.2)])


def walk(t: float, start: float, x0: float, speed: float, foot: float = 290) -> list[Thing]:
    """Somebody who comes into the picture at `start`, at x0, and walks on until he is out of it."""
    x = x0 + speed * (t - start)
    return [person(x, foot)] if t >= start and -15 < x < 655 else []


@FPS
def test_an_intruder_is_alarmed_once_when_his_whole_body_is_inside(fps: float, miss: float, gaps: float) -> None:
    def world(t: float) -> list[Thing]:
        return walk(t, 5, 0, 40)  # inside from x = 160 (t = 9) to 480 (t = 17)

    (found,) = Watch(INTRUSION, fps=fps, miss=miss, gaps=gaps).play(world, 25)
    at, event = found
    assert 8 <= at <= 12
    assert event.kind == "intrusion" and event.label == "person" and event.zone == "zone"
    assert event.severity == "alert"
    assert all(0 <= side <= 1 for side in event.box)


def test_a_passer_outside_the_zone_is_no_intruder() -> None:
    assert (
        Watch(INTRUSION, polygon=((0.3, 0.3), (0.7, 0.3), (0.7, 0.6), (0.3, 0.6))).play(
            lambda t: walk(t, 3, 0, 60, foot=330), 15
        )
        == []
    )


def test_a_car_is_no_intruder() -> None:
    assert Watch(INTRUSION).play(lambda t: [car(60 * (t - 3), 290)] if t > 3 else [], 14) == []


def test_a_poster_taken_for_a_person_is_no_intruder() -> None:
    assert Watch(INTRUSION).play(lambda _: [person(320, 290)], 20) == []


def test_people_who_come_together_are_one_intrusion_when_the_last_is_in() -> None:
    def world(t: float) -> list[Thing]:
        return walk(t, 4, 0, 50) + walk(t, 5.5, 0, 50, foot=305)  # the second is inside at about 8.9

    ((at, event),) = Watch(INTRUSION).play(world, 20)
    assert 7.5 <= at <= 12
    assert len(event.track_ids) == 2


def test_who_comes_back_after_a_while_is_a_new_intrusion() -> None:
    def world(t: float) -> list[Thing]:
        return walk(t, 4, 0, 60) + walk(t, 30, 640, -60)

    found = Watch(INTRUSION, miss=0.1).play(world, 45)
    assert len(found) == 2
    assert 32 <= found[1][0] <= 37


@FPS
def test_a_loiterer_is_alarmed_once_after_his_dwell(fps: float, miss: float, gaps: float) -> None:
    def world(t: float) -> list[Thing]:
        if t < 4:
            return []
        x = min(50 * (t - 4), 320.0)  # whole body inside at about 7.6
        return [person(x + 6 * np.sin(t), 290)]

    (found,) = Watch(LOITERING, fps=fps, miss=miss, gaps=gaps).play(world, 45)
    assert 16 <= found[0] <= 24
    assert found[1].dwell_seconds is not None and found[1].dwell_seconds >= 10


def test_who_only_passes_does_not_loiter() -> None:
    assert Watch(LOITERING).play(lambda t: walk(t, 3, 0, 45), 20) == []


def test_a_loiterer_hidden_for_three_seconds_is_the_same_one() -> None:
    def world(t: float) -> list[Thing]:
        there = [] if t < 4 else [person(min(60 * (t - 4), 320.0), 290)]
        van = [Thing((260, 150, 400, 300), ObjectClass.TRUCK, (180, 180, 180))] if 11 < t < 14 else []
        return van or there

    ((at, _),) = Watch(LOITERING).play(world, 30)
    assert 15 <= at <= 22


@FPS
def test_a_sack_left_behind_is_alarmed_once_after_its_owner_is_gone(fps: float, miss: float, gaps: float) -> None:
    def world(t: float) -> list[Thing]:
        owner = walk(t, 8, 0, 40) if t < 16 else walk(t, 18, 320, -50) if t >= 18 else [person(320, 290)]
        return ([sack(338, 288)] if t >= 17 else []) + owner

    (found,) = Watch(DUMPING, fps=fps, miss=miss, gaps=gaps).play(world, 50)
    at, event = found
    assert 21 <= at <= 31  # left at 18 or a step later, plus 5
    assert event.kind == "dumping" and event.label == "bag"
    assert abs(event.box[0] - 326 / 640) < 0.03


def test_an_owner_whom_the_detector_loses_at_the_thing_is_there_as_long_as_something_moves_there() -> None:
    def unseen(x: float) -> Thing:
        return Thing((int(x - 18), 190, int(x + 18), 290), None, (60, 60, 60))

    def world(t: float) -> list[Thing]:
        owner = walk(t, 8, 0, 40) if t < 16 else [unseen(310 + 8 * np.sin(4 * t))] if t < 20.5 else []
        return ([sack(345, 288)] if t >= 16.4 else []) + owner + ([unseen(310 - 80 * (t - 20.5))] if t > 20.5 else [])

    ((at, _),) = Watch(DUMPING).play(world, 50)
    assert 24 <= at <= 29  # it moves there until 20.5


def test_a_sack_is_not_alarmed_while_its_owner_stands_by() -> None:
    def world(t: float) -> list[Thing]:
        owner = walk(t, 8, 0, 40) if t < 16 else [person(320 + 4 * np.sin(t), 290)]
        return ([sack(348, 288)] if t >= 17 else []) + owner

    assert Watch(DUMPING).play(world, 45) == []


def test_a_sack_taken_away_is_not_alarmed() -> None:
    def world(t: float) -> list[Thing]:
        return ([sack(338, 288)] if t < 14 else []) + walk(t, 6, 0, 40)

    assert Watch(DUMPING).play(world, 45) == []


def test_a_thing_without_anybody_near_is_not_alarmed() -> None:
    assert Watch(DUMPING).play(lambda t: [sack(338, 288)] if t >= 10 else [], 35) == []


def test_a_parked_car_is_no_dumping() -> None:
    def world(t: float) -> list[Thing]:
        x = min(60 * (t - 6), 320.0)
        return ([car(x, 280)] if t > 6 else []) + (walk(t, 14, 300, 40, foot=300) if t > 14 else [])

    assert Watch(DUMPING).play(world, 45) == []


def test_people_who_stand_still_are_no_dumping() -> None:
    def world(t: float) -> list[Thing]:
        still = [person(min(40 * (t - 6), 330.0), 290)] if t > 6 else []
        return still + walk(t, 12, 0, 45)

    assert Watch(DUMPING, miss=0.2).play(world, 50) == []


@FPS
def test_a_car_that_stops_is_alarmed_once_after_its_dwell(fps: float, miss: float, gaps: float) -> None:
    def world(t: float) -> list[Thing]:
        passers = walk(t, 20, 0, 60, foot=310) + walk(t, 34, 640, -60, foot=310)
        return ([car(min(70 * (t - 5), 330.0), 280)] if t > 5 else []) + passers  # stands from 9.7 on

    (found,) = Watch(PARKING, fps=fps, miss=miss, gaps=gaps).play(world, 60)
    at, event = found
    assert 20 <= at <= 31
    assert event.label == "car" and event.dwell_seconds is not None and event.dwell_seconds >= 12


def test_a_parked_car_is_not_alarmed_again_when_the_light_changes() -> None:
    watch = Watch(PARKING)
    assert len(watch.play(lambda t: [car(330, 280)], 20)) == 1
    for step in range(12):
        watch.street.light = 1.0 - 0.04 * step
        assert watch.play(lambda t: [car(330, 280)], 3, begin=20 + 3 * step) == []


def test_a_queue_that_creeps_is_not_parked() -> None:
    def world(t: float) -> list[Thing]:
        return [car(120 + 30 * (t // 6), 280)]  # a car's quarter length every six seconds

    assert Watch(PARKING).play(world, 60) == []


def test_a_second_car_at_the_same_place_is_a_second_alarm() -> None:
    def world(t: float) -> list[Thing]:
        if t < 22:
            return [car(330, 280)]
        if t < 28:
            return [car(330 + 60 * (t - 22), 280)]
        return [car(min(-60 + 70 * (t - 28), 330.0), 280, colour=(40, 160, 200))]

    found = Watch(PARKING).play(world, 60)
    assert len(found) == 2
    assert found[1][0] > 40


def test_after_a_restart_a_car_already_alarmed_is_not_alarmed_again() -> None:
    watch = Watch(PARKING)
    ((_, event),) = watch.play(lambda t: [car(330, 280)], 20)
    watch.analyzer = watch.new_analyzer()
    watch.analyzer.resume([event])
    assert watch.play(lambda t: [car(330, 280)], 30, begin=20) == []


def test_an_empty_street_costs_hardly_any_inference() -> None:
    watch = Watch(INTRUSION + LOITERING + DUMPING + PARKING)
    watch.play(lambda _: [], 60)
    assert watch.crops <= 5
