"""The command `haechi`."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from config.load import SettingsError
from control_center.accounts import AccountError
from control_center.commands import account, camera, check_settings, ledger, recordings
from control_center.commands.demo import demo
from control_center.commands.run import run
from control_center.commands.score import score
from control_center.database import DatabaseError
from control_center.register import RegisterError
from control_center.supervision.errors import StartError
from control_center.terminal import output, say_error
from streams.holds import HoldError
from streams.recording_index import RecordingIndexError

# What a person can mend: said without a traceback.
EXPECTED_ERRORS = (
    *(SettingsError, StartError, DatabaseError, AccountError, RegisterError),
    *(HoldError, RecordingIndexError),
)

app = typer.Typer(
    name="haechi",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Haechi: a city's CCTV control center.",
)
app.command()(run)
app.command()(demo)
app.command()(score)
app.add_typer(camera.app, name="camera")
app.add_typer(check_settings.app, name="config")
app.add_typer(account.app, name="account")
app.add_typer(ledger.app, name="ledger")
app.add_typer(recordings.app, name="recordings")


def _show_version(wanted: bool) -> None:
    if wanted:
        try:
            output.print(f"haechi {version('haechi')}")
        except PackageNotFoundError:
            output.print("haechi (not installed as a package)")
        raise typer.Exit


@app.callback()
def _haechi(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Haechi: a city's CCTV control center."""


def main() -> None:
    """Run a command; an error that a person can mend ends it with status 2."""
    try:
        app()
    except EXPECTED_ERRORS as error:
        say_error(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
