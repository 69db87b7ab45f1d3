"""Signing in and out."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from control_center.accounts import SIGN_IN_LASTS, SignedIn, name_key
from control_center.api.authorization import cookie_name, guarded_router, requires, token_of
from control_center.api.deps import CurrentActor, CurrentCenter, CurrentPerson
from control_center.api.problems import Problem
from control_center.center import Center
from control_center.ledger import Entry
from control_center.passwords import MAX_PASSWORD_CHARACTERS
from control_center.rights import Right
from control_center.sign_in_limit import address_key
from control_center.views import SessionView

logger = logging.getLogger(__name__)
router = guarded_router(prefix="/api/v1/session", tags=["session"])


class SignInForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=MAX_PASSWORD_CHARACTERS)]


class PasswordForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    current: Annotated[SecretStr, Field(min_length=1, max_length=MAX_PASSWORD_CHARACTERS)]
    new: Annotated[SecretStr, Field(max_length=MAX_PASSWORD_CHARACTERS)]


@router.post("")
@requires(Right.PUBLIC)
async def sign_in(form: SignInForm, request: Request, response: Response, center: CurrentCenter) -> SessionView:
    """Sign in: sets an HttpOnly cookie. Too many tries are answered 429 with Retry-After."""
    address = request.client.host if request.client else "unknown"
    _refuse_too_many(center, address, form.name)
    signed_in = await center.accounts.sign_in(form.name, form.password.get_secret_value(), address)
    center.metrics.sign_ins.labels("refused" if signed_in is None else "accepted").inc()
    if signed_in is None:
        logger.warning("sign-in refused, from %s", address)
        raise Problem(HTTPStatus.UNAUTHORIZED, "the name or the password is wrong", "wrong-password")
    token, person = signed_in
    center.address_limit.forget(address_key(address))
    center.name_limit.forget(name_key(form.name))
    response.set_cookie(
        cookie_name(request),
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
async def sign_out(request: Request, response: Response, center: CurrentCenter, actor: CurrentActor) -> None:
    """Sign out: the cookie's token ends at once."""
    token = token_of(request)
    assert token is not None  # somebody is signed in
    await center.accounts.sign_out(token, actor)
    center.viewers.wake()
    response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict")


@router.put("/password", status_code=HTTPStatus.NO_CONTENT)
@requires(Right.SIGNED_IN)
async def change_password(
    form: PasswordForm, request: Request, center: CurrentCenter, person: CurrentPerson, actor: CurrentActor
) -> None:
    """Change one's own password. Ends every other sign-in of the account; 403 when the current one is wrong."""
    _refuse_too_many(center, actor.address, person.name)
    if not await center.accounts.is_password_of(person.account_id, form.current.get_secret_value()):
        await center.ledger.record(Entry(actor, "session.refused", reason="wrong password at its change"))
        raise Problem(HTTPStatus.FORBIDDEN, "the current password is wrong", "wrong-password")
    center.address_limit.forget(address_key(actor.address))
    center.name_limit.forget(name_key(person.name))
    await center.accounts.set_password(person.account_id, form.new.get_secret_value(), actor, token_of(request))
    center.viewers.wake()


def _refuse_too_many(center: Center, address: str, name: str) -> None:
    place, key = address_key(address), name_key(name)
    wait = max(center.address_limit.wait_seconds(place), center.name_limit.wait_seconds(key))
    if wait:
        center.metrics.sign_ins.labels("too_many").inc()
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"too many tries; wait {wait} s",
            "too-many-tries",
            {"Retry-After": str(wait)},
        )
    center.address_limit.count(place)
    center.name_limit.count(key)


def _view(person: SignedIn) -> SessionView:
    return SessionView(
        account_id=person.account_id,
        name=person.name,
        role=person.role,
        desk=person.desk,
        rights=sorted(right.value for right in person.rights),
        expires_at=person.expires_at,
    )
