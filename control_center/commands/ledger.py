"""`haechi ledger verify` and `haechi ledger export`. Both work while the center runs."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import make_url

from config.load import load_settings
from config.settings import Settings
from control_center.commands.run import DEFAULT_FILE
from control_center.database import Database, DatabaseError, LedgerRow
from control_center.database.migration import database_url, migrate
from control_center.ledger import COMMAND_LINE, Entry, Ledger
from control_center.terminal import output, say

app = typer.Typer(no_args_is_help=True, help="The ledger: who saw or did what.")
ConfigOption = Annotated[Path, typer.Option(help="Settings file (YAML).")]
DAY_OR_TIME = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

_COLUMNS = (
    "sequence",
    "at",
    "account_name",
    "account_id",
    "address",
    "action",
    "camera_id",
    "incident_id",
    "subject",
    "reason",
    "details",
    "previous_hash",
    "hash",
)
Result = TypeVar("Result")


@app.callback()
def _group() -> None:
    """The ledger: who saw or did what."""


@app.command()
def verify(
    head: Annotated[str | None, typer.Option(help="A hash that was kept elsewhere: it must be in the chain.")] = None,
    config: ConfigOption = DEFAULT_FILE,
) -> None:
    """Go through the whole chain; status 1 and the number of the row when one was changed, taken out or put in."""
    found = _with_ledger(load_settings(config), lambda ledger: ledger.verify(head.strip().lower() if head else None))
    if not found.fault:
        output.print(f"{found.rows} rows fit; the last one's hash is {found.head}")
        return
    where = f"row {found.broken_at}: " if found.broken_at is not None else ""
    output.print(f"BROKEN: {where}{found.fault}; {found.rows} rows before it fit, up to hash {found.head}")
    raise typer.Exit(1)


@app.command()
def export(
    begin: Annotated[
        datetime | None,
        typer.Option("--from", formats=DAY_OR_TIME, help="First day or time, in the center's time zone."),
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=DAY_OR_TIME, help="Until before this day or time.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is written to the ledger.")] = "not stated",
    config: ConfigOption = DEFAULT_FILE,
) -> None:
    """Write the rows as CSV to standard output, oldest first. The export is a row of the ledger itself."""
    settings = load_settings(config)
    zone = ZoneInfo(settings.center.time_zone)
    span = (begin.replace(tzinfo=zone) if begin else None, end.replace(tzinfo=zone) if end else None)

    async def write(ledger: Ledger) -> int:
        told = " to ".join(one.isoformat() if one else "…" for one in span)
        await ledger.record(Entry(COMMAND_LINE, "ledger.exported", subject=told, reason=reason))
        table, rows = csv.writer(sys.stdout), 0
        table.writerow(_COLUMNS)
        async for row in ledger.between(*span):
            table.writerow(_cells(row))
            rows += 1
        return rows

    say(f"{_with_ledger(settings, write)} rows")


def _cells(row: LedgerRow) -> list[str]:
    values = (getattr(row, name) for name in _COLUMNS)
    return [_cell(value.isoformat() if isinstance(value, datetime) else value) for value in values]


def _cell(value: object) -> str:
    """A table program must not take what somebody typed for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _with_ledger(settings: Settings, work: Callable[[Ledger], Coroutine[Any, Any, Result]]) -> Result:
    url = database_url(settings.center.database_url, settings.data_dir)
    file = Path(make_url(url).database or "")
    # A mistyped folder must not be told to be an empty ledger that fits.
    if make_url(url).get_backend_name() == "sqlite" and not file.is_file():
        raise DatabaseError(f"{file}: there is no database; check data_dir in the settings file")

    async def run() -> Result:
        database = Database(url)
        try:
            await migrate(database)
            return await work(Ledger(database))
        finally:
            await database.close()

    return asyncio.run(run())
