"""`haechi account`: making and changing accounts where the center's database is. Works while the center runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from config.load import load_settings
from control_center.accounts import Accounts
from control_center.commands.run import DEFAULT_FILE
from control_center.database import Account, DatabaseError
from control_center.database.migration import migrate
from control_center.ledger import COMMAND_LINE
from control_center.passwords import random_password
from control_center.rights import Role
from control_center.supervision.first_account import opened
from control_center.terminal import output

app = typer.Typer(no_args_is_help=True, help="Accounts. What is done here is written to the ledger.")

Name = Annotated[str, typer.Argument(help="The account's name, such as admin.")]
Config = Annotated[Path, typer.Option(help="Settings file (YAML).")]
RoleOption = Annotated[Role, typer.Option("--role", help="What they may do.")]
RoleArgument = Annotated[Role, typer.Argument(help="What they may do from now on.")]

Answer = TypeVar("Answer")


@app.command()
def add(name: Name, role: RoleOption, config: Config = DEFAULT_FILE) -> None:
    """Make an account with a random password, and print it."""
    made = random_password()
    _on_accounts(config, lambda accounts: accounts.create(name, made, role))
    output.print(f"password of {name} ({role.value}): {made}")


@app.command("list")
def list_accounts(config: Config = DEFAULT_FILE) -> None:
    """Every account with its role, in the order they were made."""
    table = Table("name", "role", "made (UTC)", "state")
    for account in _on_accounts(config, lambda accounts: accounts.all()):
        made = f"{account.created_at:%Y-%m-%d %H:%M}"
        table.add_row(account.name, account.role, made, "disabled" if account.disabled_at else "enabled")
    output.print(table)


@app.command()
def role(name: Name, role: RoleArgument, config: Config = DEFAULT_FILE) -> None:
    """Give an account another role, and end its sign-ins."""
    _change(config, name, lambda accounts, found: accounts.change(found.id, COMMAND_LINE, role=role))
    output.print(f"{name} is {role.value} now")


@app.command()
def disable(name: Name, config: Config = DEFAULT_FILE) -> None:
    """Let nobody sign in with an account any more, and end its sign-ins. What it did stays in the ledger."""
    _change(config, name, lambda accounts, found: accounts.change(found.id, COMMAND_LINE, disabled=True))
    output.print(f"{name} is disabled now")


@app.command()
def enable(name: Name, config: Config = DEFAULT_FILE) -> None:
    """Let a disabled account sign in again."""
    _change(config, name, lambda accounts, found: accounts.change(found.id, COMMAND_LINE, disabled=False))
    output.print(f"{name} is enabled now")


@app.command()
def password(name: Name, config: Config = DEFAULT_FILE) -> None:
    """Give an account a new random password, print it, and end its sign-ins."""
    made = random_password()
    _change(config, name, lambda accounts, found: accounts.set_password(found.id, made))
    output.print(f"new password of {name}: {made}")


def _change(config: Path, name: str, act: Callable[[Accounts, Account], Awaitable[object]]) -> None:
    """Raises SettingsError, DatabaseError, AccountError."""

    async def on_named(accounts: Accounts) -> None:
        await act(accounts, await accounts.named(name))

    _on_accounts(config, on_named)


def _on_accounts(config: Path, act: Callable[[Accounts], Awaitable[Answer]]) -> Answer:
    """Raises SettingsError, DatabaseError, AccountError."""
    settings = load_settings(config)
    if settings.center.database_url is None and not settings.data_dir.is_dir():
        raise DatabaseError(
            f"{settings.data_dir}: there is no data folder; check data_dir in {config}, or start `haechi run` once"
        )

    async def main() -> Answer:
        async with opened(settings) as database:
            await migrate(database)
            return await act(Accounts(database))

    return asyncio.run(main())
