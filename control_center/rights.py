"""Who may do what, and where. Every endpoint names one right; a role holds rights, each in a scope."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Desk = Literal["police", "fire"]
DESKS: tuple[Desk, ...] = ("police", "fire")


class Right(StrEnum):
    """What an endpoint asks of its caller."""

    PUBLIC = "public"  # anyone
    READ_STATUS = "read_status"  # figures without personal data: a caller on this machine, or anyone signed in
    WORKER = "worker"  # a stream worker of this installation, by its token
    SIGNED_IN = "signed_in"
    VIEW_CAMERAS = "view_cameras"  # the list of cameras and their state, no picture
    VIEW_LIVE = "view_live"
    VIEW_RECORDINGS = "view_recordings"
    VIEW_HOLDS = "view_holds"  # what is kept from being deleted, by whom and why; no picture
    HOLD_RECORDINGS = "hold_recordings"
    RELEASE_HOLDS = "release_holds"  # what was held is deleted when its time has come
    VIEW_INCIDENTS = "view_incidents"
    HANDLE_INCIDENTS = "handle_incidents"  # acknowledge, take over, dispatch, note, close
    ASSIGN_INCIDENTS = "assign_incidents"  # give one to somebody else
    ANSWER_DISPATCHES = "answer_dispatches"  # received, arrived, outcome
    VIEW_FIGURES = "view_figures"  # the figures of the day
    READ_LEDGER = "read_ledger"
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_CAMERAS = "manage_cameras"


class Scope(StrEnum):
    """Where a right holds."""

    CITY = "city"
    DISPATCHED = "dispatched"  # incidents dispatched to the person's desk, and the cameras of their grants


class Role(StrEnum):
    """One an account. The administrator has no right to video; the privacy officer reads what others did."""

    OPERATOR = "operator"
    SHIFT_LEAD = "shift_lead"
    POLICE_DESK = "police_desk"
    FIRE_DESK = "fire_desk"
    MAYOR = "mayor"
    PRIVACY_OFFICER = "privacy_officer"
    ADMINISTRATOR = "administrator"


# Those who handle incidents.
STAFF = frozenset({Role.OPERATOR, Role.SHIFT_LEAD})
# The page of the operator UI that a person meets first.
HOME: dict[Role, str] = {
    Role.OPERATOR: "/console",
    Role.SHIFT_LEAD: "/console",
    Role.POLICE_DESK: "/desk",
    Role.FIRE_DESK: "/desk",
    Role.MAYOR: "/mayor",
    Role.PRIVACY_OFFICER: "/ledger",
    Role.ADMINISTRATOR: "/admin",
}
DESK_OF: dict[Role, Desk] = {Role.POLICE_DESK: "police", Role.FIRE_DESK: "fire"}


def _everywhere(*rights: Right) -> dict[Right, Scope]:
    return dict.fromkeys((Right.SIGNED_IN, *rights), Scope.CITY)


_OPERATOR = _everywhere(
    Right.VIEW_CAMERAS,
    Right.VIEW_LIVE,
    Right.VIEW_RECORDINGS,
    Right.VIEW_HOLDS,
    Right.HOLD_RECORDINGS,
    Right.VIEW_INCIDENTS,
    Right.HANDLE_INCIDENTS,
    Right.VIEW_FIGURES,
)
_DESK = {
    Right.SIGNED_IN: Scope.CITY,
    Right.VIEW_CAMERAS: Scope.DISPATCHED,
    Right.VIEW_LIVE: Scope.DISPATCHED,
    Right.VIEW_RECORDINGS: Scope.DISPATCHED,
    Right.VIEW_INCIDENTS: Scope.DISPATCHED,
    Right.ANSWER_DISPATCHES: Scope.DISPATCHED,
}

RIGHTS: dict[Role, dict[Right, Scope]] = {
    Role.OPERATOR: _OPERATOR,
    Role.SHIFT_LEAD: _OPERATOR | _everywhere(Right.ASSIGN_INCIDENTS, Right.RELEASE_HOLDS),
    Role.POLICE_DESK: _DESK,
    Role.FIRE_DESK: _DESK,
    Role.MAYOR: _everywhere(Right.VIEW_CAMERAS, Right.VIEW_LIVE, Right.VIEW_INCIDENTS, Right.VIEW_FIGURES),
    Role.PRIVACY_OFFICER: _everywhere(Right.VIEW_CAMERAS, Right.VIEW_HOLDS, Right.VIEW_FIGURES, Right.READ_LEDGER),
    Role.ADMINISTRATOR: _everywhere(Right.VIEW_CAMERAS, Right.MANAGE_ACCOUNTS, Right.MANAGE_CAMERAS),
}


def rights_of(role: str) -> dict[Right, Scope]:
    """Rights of a role as stored; a role this version does not know has none."""
    return RIGHTS[Role(role)] if role in RIGHTS else {}


def desk_of(role: str) -> Desk | None:
    """The liaison desk that a role sits at."""
    return DESK_OF.get(Role(role)) if role in RIGHTS else None
