"""The first sign-in: made when there is no account, never with a fixed password."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from config.settings import Settings
from control_center.accounts import AccountError, Accounts, random_password
from control_center.database import Database
from control_center.database.migration import database_url, migrate
from control_center.rights import Role
from control_center.supervision.errors import StartError

FIRST_NAME = "admin"
PASSWORD_VARIABLE = "HAECHI_ADMIN_PASSWORD"


@dataclass(frozen=True, slots=True)
class FirstSignIn:
    """`password` is None when it came from the environment: whoever set it knows it, and logs need not."""

    name: str
    password: str | None


async def bring_up_to_date(settings: Settings) -> None:
    """Run the migrations, so that a database that cannot be used is said before anything starts.

    Raises DatabaseError.
    """
    async with _open(settings) as database:
        await migrate(database)


async def make_first_account(settings: Settings, renew_password: bool = False) -> FirstSignIn | None:
    """Make the first account where there is none; called when the password can be shown at once.

    `renew_password` gives an existing one a new password (the demo, where nobody wrote the last one down).
    Raises DatabaseError, StartError.
    """
    given = os.environ.get(PASSWORD_VARIABLE)
    password = given or random_password()
    async with _open(settings) as database:
        accounts = Accounts(database)
        exists = await accounts.exists_any()
        if exists and not renew_password:
            return None
        try:
            if exists:
                await accounts.set_password(FIRST_NAME, password)
            else:
                await accounts.create(FIRST_NAME, password, Role.ADMINISTRATOR)
        except AccountError as error:
            raise StartError(f"{PASSWORD_VARIABLE}: {error}") from error
    return FirstSignIn(FIRST_NAME, None if given else password)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Database]:
    database = Database(database_url(settings.center.database_url, settings.data_dir))
    try:
        yield database
    finally:
        await database.close()
