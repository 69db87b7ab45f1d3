from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.event import FAMILY
from detectors.scoring import Mark, Score, Tally, match

SECONDS = st.integers(0, 60).map(float)
MARKS = st.lists(
    st.builds(Mark, st.sampled_from(["gate", "alley"]), st.sampled_from(["fire", "parking"]), SECONDS), max_size=8
)


def fire(seconds: float, camera: str = "gate") -> Mark:
    return Mark(camera, "fire", seconds)


@pytest.mark.parametrize(("start", "counts"), [(98.0, True), (97.99, False), (110.0, True), (110.01, False)])
def test_an_alarm_counts_from_two_seconds_before_to_ten_after_its_truth(start: float, counts: bool) -> None:
    score = match([fire(100.0)], [fire(start)])
    assert len(score.found) == counts


def test_one_late_alarm_costs_a_miss_and_a_false_one() -> None:
    total = match([fire(100.0)], [fire(111.0)]).total
    assert (total.found, total.missed, total.false, total.score) == (0, 1, 1, 0.0)


def test_a_second_alarm_of_one_event_is_false() -> None:
    score = match([fire(100.0)], [fire(103.0), fire(101.0)])
    assert [pair.alarm.start_seconds for pair in score.found] == [101.0]
    assert [mark.start_seconds for mark in score.false] == [103.0]


def test_an_alarm_of_another_kind_or_camera_is_false_and_the_truth_missed() -> None:
    other_kind = match([fire(5.0)], [Mark("gate", "dumping", 5.0)])
    other_camera = match([fire(5.0)], [fire(5.0, "alley")])
    for score in (other_kind, other_camera):
        assert (len(score.found), len(score.missed), len(score.false)) == (0, 1, 1)


def test_overlapping_windows_are_shared_out_so_that_both_events_are_found() -> None:
    score = match([fire(0.0), fire(8.0)], [fire(9.0), fire(12.0)])
    assert [(pair.truth.start_seconds, pair.alarm.start_seconds) for pair in score.found] == [(0.0, 9.0), (8.0, 12.0)]


def test_the_score_is_the_harmonic_mean_of_recall_and_precision() -> None:
    tally = Tally(truth=4, found=3, missed=1, false=2)
    assert tally.recall == 0.75 and tally.precision == 0.6
    assert tally.score == pytest.approx(100 * 2 * 0.75 * 0.6 / (0.75 + 0.6))


def test_nothing_to_score_is_no_score() -> None:
    total = match([], []).total
    assert (total.recall, total.precision, total.score, total.passed) == (None, None, None, None)


def test_intrusion_and_loitering_count_for_the_family_of_crime() -> None:
    score = match([Mark("a", "intrusion", 1.0), Mark("a", "loitering", 2.0)], [Mark("a", "intrusion", 1.0)])
    assert score.families["crime"] == Tally(truth=2, found=1, missed=1, false=0)
    assert set(score.families) == set(FAMILY.values()) - {"fault"}
    assert score.as_dict()["families"]["fire"]["score"] is None  # type: ignore[index]


@given(MARKS, MARKS)
def test_every_mark_ends_in_exactly_one_list(truth: list[Mark], alarms: list[Mark]) -> None:
    score = match(truth, alarms)
    assert sorted([pair.truth for pair in score.found] + list(score.missed), key=repr) == sorted(truth, key=repr)
    assert sorted([pair.alarm for pair in score.found] + list(score.false), key=repr) == sorted(alarms, key=repr)
    assert all(-2.0 <= pair.delay_seconds <= 10.0 for pair in score.found)
    assert score.total.found == sum(tally.found for tally in score.families.values())


@given(st.lists(SECONDS, max_size=4), st.lists(SECONDS, max_size=4))
def test_no_other_matching_finds_more(truth: list[float], alarms: list[float]) -> None:
    def pairs(order: tuple[float, ...]) -> int:
        return sum(-2 <= alarm - true <= 10 for true, alarm in zip(truth, order, strict=False))

    padded = alarms + [1e9] * len(truth)
    best = max(pairs(order) for order in permutations(padded, len(truth)))
    assert len(match(map(fire, truth), map(fire, alarms)).found) == best


@given(MARKS, MARKS)
def test_the_score_does_not_depend_on_order(truth: list[Mark], alarms: list[Mark]) -> None:
    def counts(score: Score) -> tuple[int, int, int]:
        return len(score.found), len(score.missed), len(score.false)

    assert counts(match(truth, alarms)) == counts(match(truth[::-1], alarms[::-1]))


@given(MARKS)
def test_alarms_at_the_true_times_find_everything(truth: list[Mark]) -> None:
    assert match(truth, truth).total.missed == 0 and match(truth, truth).total.false == 0
