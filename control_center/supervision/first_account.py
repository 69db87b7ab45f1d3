"""The first sign-in: made when there is no account, never with a fixed password."""

from __future__ import annotations

import os
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


async def prepare_database(settings: Settings, renew_password: bool = False) -> FirstSignIn | None:
    """Migrate, and make the first account where there is none.

    `renew_password` gives an existing one a new password (the demo, where nobody wrote the last one down).
    Raises DatabaseError, StartError.
    """
    database = Database(database_url(settings.center.database_url, settings.data_dir))
    try:
        await migrate(database)
        accounts = Accounts(database)
        exists = await accounts.exists_any()
        if exists and not renew_password:
            return None
        given = os.environ.get(PASSWORD_VARIABLE)
        password = given or random_password()
        try:
            if exists:
                await accounts.set_password(FIRST_NAME, password)
            else:
                await accounts.create(FIRST_NAME, password, Role.FIRST)
        except AccountError as error:
            raise StartError(f"{PASSWORD_VARIABLE}: {error}") from error
        return FirstSignIn(FIRST_NAME, None if given else password)
    finally:
        await database.close()
