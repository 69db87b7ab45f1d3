"""`haechi config check`: is this settings file right?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from config.load import load_settings, turn_secret
from control_center.terminal import output

app = typer.Typer(no_args_is_help=True, help="Settings files.")


@app.callback()
def _group() -> None:
    """Settings files."""


@app.command()
def check(file: Annotated[Path, typer.Argument(help="Settings file (YAML).")]) -> None:
    """Read a settings file and name every fault in it."""
    settings = load_settings(file)
    if settings.turn.urls:
        turn_secret(settings.turn)
    rules = sum(len(zone.rules) for camera in settings.cameras for zone in camera.zones)
    output.print(f"{file}: right; {len(settings.cameras)} cameras, {rules} rules, data in {settings.data_dir}")
