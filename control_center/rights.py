"""Who may do what. Every endpoint names one right; a role is a set of them."""

from __future__ import annotations

from enum import StrEnum


class Right(StrEnum):
    """What an endpoint asks of its caller."""

    PUBLIC = "public"  # anyone
    READ_STATUS = "read_status"  # figures without personal data: a caller on this machine, or anyone signed in
    SIGNED_IN = "signed_in"
    VIEW_CAMERAS = "view_cameras"  # the list of cameras and their state, no picture
    VIEW_LIVE = "view_live"
    VIEW_INCIDENTS = "view_incidents"
    HANDLE_INCIDENTS = "handle_incidents"
    WORKER = "worker"  # a stream worker of this installation, by its token


class Role(StrEnum):
    """`first` is the account made at the first start: it holds every right of a person until roles are given out."""

    FIRST = "first"
    OPERATOR = "operator"


OPERATOR_RIGHTS = frozenset(
    {Right.SIGNED_IN, Right.VIEW_CAMERAS, Right.VIEW_LIVE, Right.VIEW_INCIDENTS, Right.HANDLE_INCIDENTS}
)
RIGHTS: dict[Role, frozenset[Right]] = {Role.FIRST: OPERATOR_RIGHTS, Role.OPERATOR: OPERATOR_RIGHTS}


def rights_of(role: str) -> frozenset[Right]:
    """Rights of a role as stored; a role this version does not know has none."""
    return RIGHTS[Role(role)] if role in RIGHTS else frozenset()
