from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest

from control_center.incidents.joining import is_same_thing, overlap
from control_center.incidents.transitions import OPEN_STATES, STAFF, STATES, STEPS, Action, TransitionRefused, step
from control_center.rights import RIGHTS, Right, Role
from tests.requirements import ROOT

AT = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HERE = (0.1, 0.1, 0.3, 0.5)
THERE = (0.6, 0.1, 0.8, 0.5)
ACTIONS: tuple[Action, ...] = get_args(Action)
DESK_ACTIONS = {"receive", "arrive", "report_outcome"}


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
    for state, action, role in product(STATES, ACTIONS, Role):
        found = STEPS.get((state, action))
        if found is not None and role in found.by:
            assert step("i", state, action, role) == found
        else:
            with pytest.raises(TransitionRefused) as refused:
                step("i", state, action, role)
            assert refused.value.state == state


def test_nothing_leads_out_of_closed_and_every_open_incident_can_be_closed() -> None:
    assert not [before for before, _ in STEPS if before == "closed"]
    assert {before for (before, _), found in STEPS.items() if found.after == "closed"} == set(OPEN_STATES)


def test_no_step_leads_backwards() -> None:
    assert not [key for key, found in STEPS.items() if STATES.index(found.after) < STATES.index(key[0])]


def test_every_action_is_in_the_table_and_is_for_those_who_hold_the_right_of_its_endpoint() -> None:
    assert {action for _, action in STEPS} == set(ACTIONS)
    for (_, action), found in STEPS.items():
        right = (
            Right.ANSWER_DISPATCHES
            if action in DESK_ACTIONS
            else Right.ASSIGN_INCIDENTS
            if action == "assign"
            else Right.HANDLE_INCIDENTS
        )
        assert found.by == {role for role in Role if right in RIGHTS[role]}, action


@pytest.mark.parametrize("action", ["dispatch", "close"])
def test_what_somebody_else_has_is_taken_over_first_but_not_by_the_lead(action: Action) -> None:
    with pytest.raises(TransitionRefused, match="kim has it; take it over first"):
        step("i", "acknowledged", action, Role.OPERATOR, other_owner="kim")
    assert step("i", "acknowledged", action, Role.SHIFT_LEAD, other_owner="kim").after
    assert step("i", "acknowledged", action, Role.OPERATOR).after


def test_who_comes_too_late_is_told_who_has_it() -> None:
    with pytest.raises(TransitionRefused, match=r"is acknowledged: it cannot be acknowledged; kim has it"):
        step("i", "acknowledged", "acknowledge", Role.OPERATOR, other_owner="kim")


def test_a_desk_may_do_no_more_than_answer() -> None:
    for role in (Role.POLICE_DESK, Role.FIRE_DESK):
        assert {action for (_, action), found in STEPS.items() if role in found.by} == DESK_ACTIONS
    assert {Role.OPERATOR, Role.SHIFT_LEAD} == STAFF


def test_the_documents_table_is_that_of_the_code() -> None:
    text = (ROOT / "docs/design/incident-life.md").read_text(encoding="utf-8")
    written = [
        tuple(cell.strip(" `") for cell in line.strip("|").split("|"))
        for line in text.splitlines()
        if line.startswith("| `") and line.count("|") == 6
    ]
    assert written == [
        (before, action, found.after, _people(found.by), "owner" if found.owner_only else "")
        for (before, action), found in STEPS.items()
    ]


def _people(roles: frozenset[Role]) -> str:
    names = {STAFF: "operator, shift lead", frozenset({Role.SHIFT_LEAD}): "shift lead"}
    return names.get(roles, "the desks it is at")
