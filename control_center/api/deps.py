"""What endpoints ask for, by type."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from control_center.accounts import SignedIn
from control_center.center import Center
from control_center.ledger import Actor


def _center(request: Request) -> Center:
    center: Center = request.app.state.center
    return center


def _person(request: Request) -> SignedIn:
    person: SignedIn = request.state.person
    return person


def _actor(request: Request) -> Actor:
    return Actor.of(request.state.person, request.client.host if request.client else "unknown")


CurrentCenter = Annotated[Center, Depends(_center)]
CurrentPerson = Annotated[SignedIn, Depends(_person)]
CurrentActor = Annotated[Actor, Depends(_actor)]
CameraId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
IncidentId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
