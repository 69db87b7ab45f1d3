"""The life of an incident: one table says who may take which step in which state, and where it leads."""

from __future__ import annotations

from typing import Literal, NamedTuple

from control_center.rights import Role

State = Literal["new", "acknowledged", "dispatched", "arrived", "closed"]
Verdict = Literal["real", "false", "unsure"]
Action = Literal[
    "acknowledge", "take_over", "assign", "dispatch", "receive", "arrive", "report_outcome", "note", "close"
]

STATES: tuple[State, ...] = ("new", "acknowledged", "dispatched", "arrived", "closed")
OPEN_STATES: tuple[State, ...] = STATES[:-1]

STAFF = frozenset({Role.OPERATOR, Role.SHIFT_LEAD})
_LEAD = frozenset({Role.SHIFT_LEAD})
_DESKS = frozenset({Role.POLICE_DESK, Role.FIRE_DESK})


class Step(NamedTuple):
    """`after` is the state it leads to. `owner_only`: of the staff, only its owner or a shift lead may take it."""

    after: State
    by: frozenset[Role]
    owner_only: bool = False


# Acknowledging, and dispatching or closing an incident without an owner, makes the one who does it the owner.
# What leads out of `new` acknowledges it too. Desks answer only what was dispatched to them.
STEPS: dict[tuple[State, Action], Step] = {
    ("new", "acknowledge"): Step("acknowledged", STAFF),
    ("new", "assign"): Step("acknowledged", _LEAD),
    ("new", "dispatch"): Step("dispatched", STAFF),
    ("new", "note"): Step("new", STAFF),
    ("new", "close"): Step("closed", STAFF),
    ("acknowledged", "take_over"): Step("acknowledged", STAFF),
    ("acknowledged", "assign"): Step("acknowledged", _LEAD),
    ("acknowledged", "dispatch"): Step("dispatched", STAFF, owner_only=True),
    ("acknowledged", "note"): Step("acknowledged", STAFF),
    ("acknowledged", "close"): Step("closed", STAFF, owner_only=True),
    ("dispatched", "take_over"): Step("dispatched", STAFF),
    ("dispatched", "assign"): Step("dispatched", _LEAD),
    ("dispatched", "dispatch"): Step("dispatched", STAFF, owner_only=True),  # the other desk too
    ("dispatched", "receive"): Step("dispatched", _DESKS),
    ("dispatched", "arrive"): Step("arrived", _DESKS),
    ("dispatched", "report_outcome"): Step("dispatched", _DESKS),  # settled by telephone, or nobody was sent
    ("dispatched", "note"): Step("dispatched", STAFF),
    ("dispatched", "close"): Step("closed", STAFF, owner_only=True),
    ("arrived", "take_over"): Step("arrived", STAFF),
    ("arrived", "assign"): Step("arrived", _LEAD),
    ("arrived", "dispatch"): Step("arrived", STAFF, owner_only=True),
    ("arrived", "receive"): Step("arrived", _DESKS),
    ("arrived", "arrive"): Step("arrived", _DESKS),
    ("arrived", "report_outcome"): Step("arrived", _DESKS),
    ("arrived", "note"): Step("arrived", STAFF),
    ("arrived", "close"): Step("closed", STAFF, owner_only=True),
}


class TransitionRefused(Exception):
    """The step is not allowed in the incident's state, or not to this person."""

    def __init__(self, incident_id: str, state: str, action: Action, why: str = "") -> None:
        super().__init__(f"incident {incident_id} is {state}: {why or f'it cannot be {_PAST[action]}'}")
        self.state = state


_PAST: dict[Action, str] = {
    "acknowledge": "acknowledged",
    "take_over": "taken over",
    "assign": "assigned",
    "dispatch": "dispatched",
    "receive": "received",
    "arrive": "arrived at",
    "report_outcome": "reported on",
    "note": "noted on",
    "close": "closed",
}


def step(incident_id: str, state: str, action: Action, role: str, other_owner: str | None = None) -> Step:
    """The step of `role`; `other_owner` names the owner when that is somebody else. Raises TransitionRefused."""
    whose = f"{other_owner} has it" if other_owner else ""
    for (before, taken), found in STEPS.items():
        if before != state or taken != action:
            continue
        if role not in found.by:
            raise TransitionRefused(incident_id, state, action, f"it cannot be {_PAST[action]} by a {role}")
        if found.owner_only and other_owner and role != Role.SHIFT_LEAD:
            raise TransitionRefused(incident_id, state, action, f"{whose}; take it over first")
        return found
    raise TransitionRefused(incident_id, state, action, f"it cannot be {_PAST[action]}{whose and f'; {whose}'}")
