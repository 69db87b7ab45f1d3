"""What the owner of the detector may do to an analyzer: be late, leave looks out, start anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from config.settings import Camera, DumpingRule, IntrusionRule, LoiteringRule, ParkingRule, Zone
from detectors.analyzer import CameraAnalyzer, Look
from detectors.crops import gather
from detectors.detections import Detections
from detectors.event import Event
from detectors.frame import Frame
from tests.drawn_watch import EPOCH, Thing, Watch, car, person, sack

EVERY_RULE = (
    IntrusionRule(),
    LoiteringRule(dwell_seconds=10),
    DumpingRule(owner_gone_seconds=5),
    ParkingRule(dwell_seconds=10),
)


def intruder(t: float) -> list[Thing]:
    x = 40 * (t - 4)
    return [person(min(x, 320 + 3 * np.sin(t)), 290)] if t > 4 else []


class LateWatch(Watch):
    """Concludes looks with crops `late` frames later, or loses every `loses`th of them."""

    late = 2
    loses = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.waiting: list[tuple[int, Look, Detections]] = []
        self.count = self.asked = 0

    def step(self, things: Sequence[Thing], now: float) -> list[Event]:
        frame = Frame("cam", self._draw(things), round(now * 90_000), EPOCH + timedelta(seconds=now))
        look = self.analyzer.look(frame)
        self.count += 1
        events = []
        if look.crops:
            self.asked += 1
            found = gather(look, [self._see(things, crop) for crop in look.crops])
            if not (self.loses and self.asked % self.loses == 0):
                self.waiting.append((self.count + self.late, look, found))
        else:
            events += self.analyzer.conclude(look, Detections.empty())
        while self.waiting and self.waiting[0][0] <= self.count:
            _, old, found = self.waiting.pop(0)
            events += self.analyzer.conclude(old, found)
        return events


@pytest.mark.parametrize(("late", "loses"), [(2, 0), (4, 0), (1, 3)])
def test_a_detector_that_is_late_or_sheds_looks_costs_no_alarm(late: int, loses: int) -> None:
    watch = LateWatch((IntrusionRule(),))
    watch.late, watch.loses = late, loses
    events = watch.play(intruder, 22)
    assert [event.kind for _, event in events] == ["intrusion"]


def test_a_late_conclusion_comes_in_order_or_not_at_all() -> None:
    watch = Watch(EVERY_RULE)
    analyzer, looks = watch.analyzer, []
    for index in range(20):
        seconds = index / 5
        frame = Frame("cam", watch._draw(intruder(seconds)), round(seconds * 90_000), EPOCH)
        looks.append(analyzer.look(frame))
    for look in reversed(looks):
        analyzer.conclude(look, Detections.empty())
    assert analyzer.tracks == []


def test_crops_left_out_are_not_taken_for_a_look_in_vain() -> None:
    watch = Watch((IntrusionRule(),))
    watch.play(intruder, 12)
    (before,) = watch.analyzer.tracks
    for index in range(60):
        now = 12 + index / 5
        frame = Frame("cam", watch._draw(intruder(now)), round((1000 + now) * 90_000), EPOCH)
        look = watch.analyzer.look(frame)
        watch.analyzer.conclude(look.keeping([]), Detections.empty())
    assert [track.id for track in watch.analyzer.tracks] == [before.id]
    assert before.misses == 0


def restarted(watch: Watch, events: Sequence[Event]) -> CameraAnalyzer:
    watch.analyzer = watch.new_analyzer()
    watch.analyzer.resume(events)
    return watch.analyzer


@pytest.mark.parametrize("rule", [IntrusionRule(), LoiteringRule(dwell_seconds=6)])
def test_after_a_restart_people_already_alarmed_are_not_alarmed_again(rule: IntrusionRule | LoiteringRule) -> None:
    watch = Watch((rule,))
    ((_, event),) = watch.play(intruder, 25)
    restarted(watch, [event])
    assert watch.play(intruder, 20, begin=25) == []


def test_after_a_restart_the_next_intruder_is_alarmed() -> None:
    watch = Watch((IntrusionRule(),))
    ((_, event),) = watch.play(intruder, 20)
    restarted(watch, [event])
    later = watch.play(lambda t: intruder(t - 40), 40, begin=25)
    assert len(later) == 1


def test_after_a_restart_a_sack_already_alarmed_is_not_alarmed_again() -> None:
    def world(t: float) -> list[Thing]:
        owner = [] if t < 5 else [person(60 * (t - 5), 290)] if t < 10 else [person(300 - 60 * (t - 10), 290)]
        return ([sack(330, 288)] if t > 10 else []) + (owner if t < 16 else [])

    watch = Watch((DumpingRule(owner_gone_seconds=5),))
    ((_, event),) = watch.play(world, 30)
    restarted(watch, [event])
    passer = [lambda t: [sack(330, 288), person(80 * (t - 34), 290)] if 34 < t < 42 else [sack(330, 288)]]
    assert watch.play(passer[0], 30, begin=30) == []


def test_a_camera_without_rules_asks_for_nothing() -> None:
    watch = Watch(())
    assert watch.play(lambda t: [car(60 * t, 280)], 10) == []
    assert watch.crops == 0


def test_each_event_has_its_own_id_and_utc_times() -> None:
    events = [event for _, event in Watch(EVERY_RULE).play(lambda t: [car(330, 280), *intruder(t)], 30)]
    assert {event.kind for event in events} == {"intrusion", "loitering", "parking"}
    assert len({event.event_id for event in events}) == len(events)
    assert all(event.started_at.utcoffset() == timedelta(0) <= event.raised_at - event.started_at for event in events)


def rezoned(watch: Watch, *zones: Zone) -> Camera:
    own = Zone(name="zone", polygon=watch.polygon, rules=watch.rules)
    return Camera(id="cam", name="cam", purpose="test", main="rtsp://host/cam", zones=(own, *zones))


def test_other_zones_and_another_severity_leave_the_clocks_of_a_rule_running() -> None:
    watch = Watch((LoiteringRule(dwell_seconds=10),))
    assert not watch.play(intruder, 15)
    watch.rules = (LoiteringRule(dwell_seconds=10, severity="serious"),)
    watch.analyzer.rearm(rezoned(watch, Zone(name="other", rules=(IntrusionRule(),))))
    events = watch.play(intruder, 15, begin=15)
    (loitering,) = [(start, event) for start, event in events if event.kind == "loitering"]
    assert loitering[1].severity == "serious" and loitering[1].dwell_seconds is not None
    assert loitering[0] < 22, "his clock went on"
    assert [event.zone for _, event in events if event.kind == "intrusion"] == ["other"]


def test_a_rule_that_changed_begins_anew_and_one_that_was_removed_is_silent() -> None:
    watch = Watch((LoiteringRule(dwell_seconds=10),))
    assert not watch.play(intruder, 15)
    watch.rules = (LoiteringRule(dwell_seconds=9),)
    watch.analyzer.rearm(rezoned(watch))
    (event,) = watch.play(intruder, 12, begin=15)
    assert event[0] > 23.5
    watch.rules = ()
    watch.analyzer.rearm(rezoned(watch))
    assert not watch.play(intruder, 15, begin=27)


def test_a_new_rule_knows_what_was_raised_before() -> None:
    watch = Watch((IntrusionRule(),))
    (found,) = watch.play(intruder, 22)
    watch.rules = (IntrusionRule(confirm_seconds=1.0),)
    watch.analyzer.rearm(rezoned(watch), [found[1]])
    assert not watch.play(intruder, 5, begin=22), "he still stands there"
