"""The demo's accounts: one a role, with new passwords at each start, because nobody wrote the last ones down."""

from __future__ import annotations

from config.settings import Settings
from control_center.accounts import AccountError, Accounts, AccountUnknown
from control_center.ledger import COMMAND_LINE
from control_center.rights import Role
from control_center.supervision.errors import StartError
from control_center.supervision.first_account import (
    FIRST_NAME,
    PASSWORD_VARIABLE,
    ShownAccount,
    opened,
    shown_account,
)

# One password for all of them: 12 characters at least. For tests and rehearsals.
DEMO_PASSWORD_VARIABLE = "HAECHI_DEMO_PASSWORD"

OPERATOR_NAME = "operator"
DEMO_NAMES: dict[str, Role] = {
    OPERATOR_NAME: Role.OPERATOR,
    "lead": Role.SHIFT_LEAD,
    "police": Role.POLICE_DESK,
    "fire": Role.FIRE_DESK,
    "mayor": Role.MAYOR,
    "privacy": Role.PRIVACY_OFFICER,
    FIRST_NAME: Role.ADMINISTRATOR,
}


async def make_demo_accounts(settings: Settings) -> tuple[ShownAccount, ...]:
    """Make them, or give those that are there their role and a new password. Raises DatabaseError, StartError."""
    shown = [
        shown_account(name, role, *((PASSWORD_VARIABLE,) if name == FIRST_NAME else ()), DEMO_PASSWORD_VARIABLE)
        for name, role in DEMO_NAMES.items()
    ]
    async with opened(settings) as database:
        accounts = Accounts(database)
        # The administrator first, so that nobody is the last one when roles are given back.
        for account in reversed(shown):
            try:
                await _make(accounts, account)
            except AccountError as error:
                raise StartError(f"{account.variable}: {error}") from error
    return tuple(shown)


async def _make(accounts: Accounts, shown: ShownAccount) -> None:
    try:
        account = await accounts.named(shown.name)
    except AccountUnknown:
        await accounts.create(shown.name, shown.password, shown.role)
        return
    await accounts.change(account.id, COMMAND_LINE, shown.role, disabled=False)
    await accounts.set_password(account.id, shown.password)
