"""`haechi account password`: a new password for somebody who lost it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from config.load import load_settings
from config.settings import Settings
from control_center.accounts import Accounts, random_password
from control_center.commands.run import DEFAULT_FILE
from control_center.database import Database
from control_center.database.migration import database_url, migrate
from control_center.terminal import output

app = typer.Typer(no_args_is_help=True, help="Accounts.")


@app.callback()
def _group() -> None:
    """Accounts."""


@app.command()
def password(
    name: Annotated[str, typer.Argument(help="The account's name, such as admin.")],
    config: Annotated[Path, typer.Option(help="Settings file (YAML).")] = DEFAULT_FILE,
) -> None:
    """Give an account a new random password, print it, and end its sign-ins. Works while the center runs."""
    made = asyncio.run(_renew(load_settings(config), name))
    output.print(f"new password of {name}: {made}")


async def _renew(settings: Settings, name: str) -> str:
    database = Database(database_url(settings.center.database_url, settings.data_dir))
    try:
        await migrate(database)
        made = random_password()
        await Accounts(database).set_password(name, made)
        return made
    finally:
        await database.close()
