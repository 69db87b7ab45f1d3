"""Accounts: who may sign in, as what. And whom an incident can be given to."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from control_center.account_views import (
    AccountsView,
    AccountView,
    NewAccountView,
    NewPasswordView,
    StaffMemberView,
    StaffView,
)
from control_center.accounts import MAX_NAME_CHARACTERS
from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentActor, CurrentCenter
from control_center.passwords import MAX_PASSWORD_CHARACTERS, random_password
from control_center.rights import STAFF, Right, Role

router = guarded_router(prefix="/api/v1", tags=["accounts"])

AccountId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class NewAccountForm(BaseModel):
    """Without a password a random one is made, and shown once in the answer."""

    model_config = ConfigDict(extra="forbid")

    # Trimmed before it is measured again: leave room for spaces around it.
    name: Annotated[str, Field(max_length=2 * MAX_NAME_CHARACTERS)]
    role: Role
    password: Annotated[SecretStr | None, Field(max_length=MAX_PASSWORD_CHARACTERS)] = None


class AccountChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    disabled: bool | None = None


@router.get("/accounts")
@requires(Right.MANAGE_ACCOUNTS)
async def list_accounts(center: CurrentCenter) -> AccountsView:
    """Every account, disabled ones too."""
    return AccountsView(accounts=[AccountView.of(account) for account in await center.accounts.all()])


@router.post("/accounts", status_code=HTTPStatus.CREATED)
@requires(Right.MANAGE_ACCOUNTS)
async def create_account(form: NewAccountForm, center: CurrentCenter, actor: CurrentActor) -> NewAccountView:
    """Make an account. 409 when another has the name, also in other capitals."""
    given = form.password.get_secret_value() if form.password else None
    password = given or random_password()
    await center.accounts.create(form.name, password, form.role, actor)
    account = await center.accounts.named(form.name)
    return NewAccountView(account=AccountView.of(account), password=None if given else password)


@router.patch("/accounts/{account_id}")
@requires(Right.MANAGE_ACCOUNTS)
async def change_account(
    account_id: AccountId, change: AccountChange, center: CurrentCenter, actor: CurrentActor
) -> AccountView:
    """Give another role, disable, enable; ends the account's sign-ins. 409 for the last administrator."""
    return AccountView.of(await center.accounts.change(account_id, actor, change.role, change.disabled))


@router.post("/accounts/{account_id}/password")
@requires(Right.MANAGE_ACCOUNTS)
async def renew_password(account_id: AccountId, center: CurrentCenter, actor: CurrentActor) -> NewPasswordView:
    """Give a new random password; ends the account's sign-ins."""
    password = random_password()
    await center.accounts.set_password(account_id, password, actor)
    return NewPasswordView(password=password)


@router.get("/staff")
@requires(Right.ASSIGN_INCIDENTS)
async def list_staff(center: CurrentCenter) -> StaffView:
    """Operators and shift leads who can sign in."""
    members = [account for account in await center.accounts.all() if account.role in STAFF and not account.disabled_at]
    return StaffView(staff=[StaffMemberView(id=one.id, name=one.name, role=one.role) for one in members])
