"""The first sign-in: made when there is no account, never with a fixed password."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from config.settings import Settings
from control_center.accounts import AccountError, Accounts, NameTaken
from control_center.database import Database
from control_center.database.migration import database_url, migrate
from control_center.passwords import random_password
from control_center.rights import Role
from control_center.supervision.errors import StartError

FIRST_NAME = "admin"
PASSWORD_VARIABLE = "HAECHI_ADMIN_PASSWORD"


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """An account made or renewed at this start. `variable` is the environment variable that gave its password:
    whoever set it knows it, and what shows the account need not say it.
    """

    name: str
    role: Role
    password: str = field(repr=False)
    variable: str | None = None

    @property
    def shown_password(self) -> str:
        return f"as set in {self.variable}" if self.variable else self.password


MakeAccounts = Callable[[Settings], Awaitable[tuple[ShownAccount, ...]]]


async def bring_up_to_date(settings: Settings) -> None:
    """Run the migrations, so that a database that cannot be used is said before anything starts.

    Raises DatabaseError.
    """
    async with opened(settings) as database:
        await migrate(database)


async def make_first_account(settings: Settings) -> tuple[ShownAccount, ...]:
    """Make the administrator where there is none; called when the password can be shown at once.

    Raises DatabaseError, StartError.
    """
    account = shown_account(FIRST_NAME, Role.ADMINISTRATOR, PASSWORD_VARIABLE)
    async with opened(settings) as database:
        accounts = Accounts(database)
        if await accounts.has_administrator():
            return ()
        try:
            await accounts.create(account.name, account.password, account.role)
        except NameTaken as error:
            mend = f"make it one: haechi account role {FIRST_NAME} {Role.ADMINISTRATOR}"
            raise StartError(f"nobody is administrator, and {error}; {mend}") from error
        except AccountError as error:
            raise StartError(f"{PASSWORD_VARIABLE}: {error}") from error
    return (account,)


def shown_account(name: str, role: Role, *variables: str) -> ShownAccount:
    """With the password of the first of the environment variables that is set, else a random one."""
    given = next((variable for variable in variables if os.environ.get(variable)), None)
    return ShownAccount(name, role, os.environ[given] if given else random_password(), given)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The center's database. Raises DatabaseError."""
    database = Database(database_url(settings.center.database_url, settings.data_dir))
    try:
        yield database
    finally:
        await database.close()
