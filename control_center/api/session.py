"""Signing in and out."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from control_center.accounts import MAX_PASSWORD_CHARACTERS, SIGN_IN_LASTS, SignedIn
from control_center.api.authorization import COOKIE, guarded_router, requires
from control_center.api.deps import CurrentCenter, CurrentPerson
from control_center.api.problems import Problem
from control_center.center import Center
from control_center.rights import Right
from control_center.views import SessionView

logger = logging.getLogger(__name__)
router = guarded_router(prefix="/api/v1/session", tags=["session"])


class SignInForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=MAX_PASSWORD_CHARACTERS)]


@router.post("")
@requires(Right.PUBLIC)
async def sign_in(form: SignInForm, request: Request, response: Response, center: CurrentCenter) -> SessionView:
    """Sign in: sets an HttpOnly cookie. Too many tries are answered 429 with Retry-After."""
    address = request.client.host if request.client else "unknown"
    _refuse_too_many(center, address, form.name)
    signed_in = await center.accounts.sign_in(form.name, form.password.get_secret_value(), address)
    center.metrics.sign_ins.labels("refused" if signed_in is None else "accepted").inc()
    if signed_in is None:
        logger.warning("sign-in refused: account %r from %s", form.name, address)
        raise Problem(HTTPStatus.UNAUTHORIZED, "the name or the password is wrong", "wrong-password")
    token, person = signed_in
    center.address_limit.forget(address)
    center.name_limit.forget(form.name)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SIGN_IN_LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    logger.info("signed in: account %r from %s", person.name, address)
    return _view(person)


@router.get("")
@requires(Right.SIGNED_IN)
async def get_session(person: CurrentPerson) -> SessionView:
    """Who is signed in."""
    return _view(person)


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
@requires(Right.SIGNED_IN)
async def sign_out(request: Request, response: Response, center: CurrentCenter) -> None:
    """Sign out: the cookie's token ends at once."""
    await center.accounts.sign_out(request.cookies[COOKIE])
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _refuse_too_many(center: Center, address: str, name: str) -> None:
    wait = max(center.address_limit.wait_seconds(address), center.name_limit.wait_seconds(name))
    if wait:
        center.metrics.sign_ins.labels("too_many").inc()
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"too many tries; wait {wait} s",
            "too-many-tries",
            {"Retry-After": str(wait)},
        )
    center.address_limit.count(address)
    center.name_limit.count(name)


def _view(person: SignedIn) -> SessionView:
    return SessionView(
        name=person.name,
        role=person.role,
        rights=sorted(right.value for right in person.rights),
        expires_at=person.expires_at,
    )
