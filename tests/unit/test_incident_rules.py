from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control_center.incidents.joining import is_same_thing, overlap
from control_center.incidents.transitions import STATES, TRANSITIONS, TransitionRefused, next_state

AT = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HERE = (0.1, 0.1, 0.3, 0.5)
THERE = (0.6, 0.1, 0.8, 0.5)


@pytest.mark.parametrize(
    ("seconds", "box", "same"),
    [(2, THERE, True), (-2, THERE, True), (10, THERE, False), (25, HERE, True), (-25, HERE, True), (40, HERE, False)],
)
def test_what_is_the_same_thing(seconds: float, box: tuple[float, ...], same: bool) -> None:
    assert is_same_thing(AT, HERE, AT + timedelta(seconds=seconds), box) is same


def test_a_box_inside_a_larger_one_overlaps_it_whole() -> None:
    assert overlap((0, 0, 1, 1), (0.4, 0.4, 0.5, 0.5)) == pytest.approx(1.0)
    assert overlap((0, 0, 0.5, 1), (0.5, 0, 1, 1)) == 0.0
    assert overlap((0.2, 0.2, 0.2, 0.2), (0, 0, 1, 1)) == 0.0


def test_the_table_of_steps_is_the_whole_truth() -> None:
    for state in STATES:
        for action in ("acknowledge", "close"):
            if (state, action) in TRANSITIONS:
                assert next_state("i", state, action) == TRANSITIONS[state, action]
            else:
                with pytest.raises(TransitionRefused):
                    next_state("i", state, action)


def test_nothing_leads_out_of_closed_and_everything_leads_there() -> None:
    assert not [step for step in TRANSITIONS if step[0] == "closed"]
    assert {before for (before, _), after in TRANSITIONS.items() if after == "closed"} == {"new", "acknowledged"}
