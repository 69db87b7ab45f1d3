"""The life of an incident: one table says which step leads where."""

from __future__ import annotations

from typing import Literal

State = Literal["new", "acknowledged", "closed"]
Verdict = Literal["real", "false", "unsure"]
Action = Literal["acknowledge", "close"]

STATES: tuple[State, ...] = ("new", "acknowledged", "closed")
OPEN_STATES: tuple[State, ...] = ("new", "acknowledged")

TRANSITIONS: dict[tuple[State, Action], State] = {
    ("new", "acknowledge"): "acknowledged",
    ("new", "close"): "closed",
    ("acknowledged", "close"): "closed",
}


class TransitionRefused(Exception):
    """The step is not allowed in the incident's state."""

    def __init__(self, incident_id: str, state: str, action: Action) -> None:
        super().__init__(f"incident {incident_id} is {state}; it cannot be {_PAST[action]}")
        self.state = state


_PAST: dict[Action, str] = {"acknowledge": "acknowledged", "close": "closed"}


def next_state(incident_id: str, state: str, action: Action) -> State:
    """The state after `action`. Raises TransitionRefused."""
    for (before, step), after in TRANSITIONS.items():
        if before == state and step == action:
            return after
    raise TransitionRefused(incident_id, state, action)
