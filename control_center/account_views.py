"""What the API shows of accounts."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from control_center.database import Account
from control_center.views import View


class AccountView(View):
    """`role` is one of control_center.rights.Role, or one of a later version, which has no right."""

    id: str
    name: str
    role: str
    created_at: AwareDatetime
    disabled: bool

    @classmethod
    def of(cls, account: Account) -> AccountView:
        return cls(
            id=account.id,
            name=account.name,
            role=account.role,
            created_at=account.created_at,
            disabled=account.disabled_at is not None,
        )


class AccountsView(View):
    """In the order they were made."""

    accounts: list[AccountView]


class NewAccountView(View):
    account: AccountView
    password: str | None = Field(description="only when it was made here; it is never shown again")


class NewPasswordView(View):
    password: str = Field(description="it is never shown again")


class StaffMemberView(View):
    id: str
    name: str
    role: str


class StaffView(View):
    """Whom an incident can be given to."""

    staff: list[StaffMemberView]
