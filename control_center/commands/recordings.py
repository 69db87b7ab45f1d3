"""`haechi recordings`: what is on the disk, its index built anew, and holds. Works while Haechi runs and while not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError
from rich.table import Table

from config.load import SettingsError, load_settings
from config.settings import Settings
from control_center.commands.ledger import DAY_OR_TIME
from control_center.commands.run import DEFAULT_FILE
from control_center.database.migration import migrate
from control_center.ledger import COMMAND_LINE, Entry, Ledger, LedgerAction
from control_center.supervision.first_account import opened
from control_center.supervision.installation import worker_count
from control_center.terminal import output, say
from streams.holds import Hold, all_holds, place, release
from streams.recording_index import RecordingIndex, SegmentRow
from streams.recovery import look_at_all
from streams.shards import Shard

app = typer.Typer(no_args_is_help=True, help="Recordings on this machine's disk.")

Config = Annotated[Path, typer.Option(help="Settings file (YAML).")]
_GIGABYTE = 1_000_000_000


@app.command("list")
def list_recordings(config: Config = DEFAULT_FILE) -> None:
    """What each camera has, and what is held."""
    settings = load_settings(config)
    zone = ZoneInfo(settings.center.time_zone)
    rows: dict[str, list[SegmentRow]] = {}
    for path in _indexes(settings):
        index = RecordingIndex(path)
        for row in index.rows():
            rows.setdefault(row.camera_id, []).append(row)
        index.close()
    table = Table("camera", "files", "hours", "GB", "from", "to")
    for camera_id, found in sorted(rows.items()):
        hours, size = sum(row.duration_seconds for row in found) / 3600, sum(row.byte_count for row in found)
        since, until = min(row.started_at for row in found), max(row.ended_at for row in found)
        figures = (str(len(found)), f"{hours:.1f}", f"{size / _GIGABYTE:.2f}", _shown(since, zone), _shown(until, zone))
        table.add_row(camera_id, *figures)
    output.print(table)
    for hold in all_holds(settings.data_dir):
        said = f"{hold.camera_id}, {_shown(hold.since, zone)} to {_shown(hold.until, zone)}: {hold.reason}"
        output.print(f"held {hold.hold_id}: {said} ({hold.placed_by})")


@app.command()
def recover(
    accept_changed: Annotated[
        bool, typer.Option("--accept-changed", help="Write the rows of files whose hash differs anew.")
    ] = False,
    config: Config = DEFAULT_FILE,
) -> None:
    """Hold every file against the index, for one that was lost or is older than the files. Deletes nothing.

    Rows that are not there are made, those that a crash left open are closed. Every file is read. Exit status 1 where
    a file is not what its row says.
    """
    settings = load_settings(config)
    count = worker_count(settings)
    changed: list[str] = []
    for number in range(count):
        path = settings.data_dir / "workers" / f"w{number}" / "recordings.sqlite"
        found = look_at_all(settings.data_dir, path, Shard(number, count), accept_changed=accept_changed)
        changed += found.changed
        output.print(
            f"worker w{number}: {found.right} files as their rows say, {found.new} without a row, {found.mended} that "
            f"a crash left open, {found.left} being written or unreadable, {len(found.changed)} changed; "
            f"{found.missing} rows without a file"
        )
    for name in changed:
        say(f"{name} is not what its row says{'; its row is written anew' if accept_changed else ''}")
    if changed and not accept_changed:
        raise typer.Exit(1)


@app.command()
def hold(
    camera_id: Annotated[str, typer.Argument(metavar="CAMERA", help="The camera's id.")],
    begin: Annotated[datetime, typer.Option("--from", formats=DAY_OR_TIME, help="In the center's time zone.")],
    end: Annotated[datetime, typer.Option("--to", formats=DAY_OR_TIME, help="Until then.")],
    reason: Annotated[str, typer.Option(help="The incident, or why; it is written to the ledger.")],
    config: Config = DEFAULT_FILE,
) -> None:
    """Keep a camera's recordings of some time from being deleted, until the hold is released."""
    settings = load_settings(config)
    zone = ZoneInfo(settings.center.time_zone)
    now = datetime.now(UTC)
    given = {"camera_id": camera_id, "since": begin.replace(tzinfo=zone), "until": end.replace(tzinfo=zone)}
    try:
        placed = Hold.model_validate({**given, "reason": reason, "placed_by": COMMAND_LINE.name, "placed_at": now})
    except ValidationError as error:
        raise SettingsError("; ".join(fault["msg"] for fault in error.errors(include_url=False))) from error
    _written(settings, lambda: _placed(settings.data_dir, placed), "recording.held")
    output.print(f"held {placed.hold_id}")


@app.command("release")
def release_hold(
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="As `haechi recordings list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; it is written to the ledger.")] = "not stated",
    config: Config = DEFAULT_FILE,
) -> None:
    """End a hold: what it held is deleted when its time has come."""
    settings = load_settings(config)
    _written(settings, lambda: release(settings.data_dir, hold_id), "recording.released", reason)
    say(f"{hold_id} is released")


def _placed(directory: Path, placed: Hold) -> Hold:
    place(directory, placed)
    return placed


def _written(settings: Settings, act: Callable[[], Hold], action: LedgerAction, reason: str = "") -> None:
    """Do it, then write its row in the ledger."""

    async def main() -> None:
        async with opened(settings) as database:
            await migrate(database)
            done = act()
            subject = f"{done.since.isoformat()} to {done.until.isoformat()}"
            details = {"hold": done.hold_id}
            about = {"subject": subject, "reason": reason or done.reason}
            await Ledger(database).record(Entry(COMMAND_LINE, action, done.camera_id, **about, details=details))

    asyncio.run(main())


def _indexes(settings: Settings) -> list[Path]:
    return sorted((settings.data_dir / "workers").glob("*/recordings.sqlite"))


def _shown(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
