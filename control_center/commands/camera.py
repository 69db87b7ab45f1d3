"""`haechi camera`: the camera register where the center's database is. Works while the center runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.table import Table

from config.load import SettingsError, load_settings, read_cameras, read_text
from config.settings import CATEGORIES, Camera, Category
from control_center import ledger
from control_center.commands.check_camera import check
from control_center.commands.run import DEFAULT_FILE
from control_center.database import Database
from control_center.database.migration import migrate
from control_center.ledger import COMMAND_LINE, Entry
from control_center.register import ImportResult, Register
from control_center.register.its_list import merged, read_its
from control_center.register.yaml_form import to_yaml
from control_center.supervision.errors import StartError
from control_center.supervision.first_account import opened
from control_center.terminal import output, say

app = typer.Typer(no_args_is_help=True, help="Cameras. What is changed here is written to the ledger.")
app.command()(check)

Config = Annotated[Path, typer.Option(help="Settings file (YAML).")]
Answer = TypeVar("Answer")
_MOST_TOLD = 20


@app.command()
def add(
    camera_id: Annotated[str, typer.Option("--id", help="Its id for good: small letters, digits, - and _.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    purpose: Annotated[str, typer.Option(help="The lawful purpose it was put up for.")],
    main: Annotated[str, typer.Option(help="rtsp://host[:port]/path of the stream that is recorded.")],
    sub: Annotated[str | None, typer.Option(help="URL of the smaller stream that is watched.")] = None,
    category: Annotated[str | None, typer.Option(help="One of the nine, such as school_zone.")] = None,
    latitude: Annotated[float | None, typer.Option(help="WGS 84, degrees.")] = None,
    longitude: Annotated[float | None, typer.Option(help="WGS 84, degrees.")] = None,
    username: Annotated[str | None, typer.Option(help="The camera's user name.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
    transport: Annotated[str | None, typer.Option(help="tcp (default), udp, or auto.")] = None,
    record: Annotated[bool, typer.Option(help="Whether it is recorded.")] = True,
    enabled: Annotated[bool, typer.Option(help="Whether it is opened at all.")] = True,
    config: Config = DEFAULT_FILE,
) -> None:
    """Add a camera. Zones and their rules come by the console or by import."""
    given: dict[str, Any] = {
        "id": camera_id,
        "name": name,
        "purpose": purpose,
        "main": main,
        "sub": sub,
        "category": category,
        "position": _position(latitude, longitude),
        "username": username,
        "password": sys.stdin.readline().rstrip("\r\n") if password_stdin else None,
        "transport": transport,
        "record": record,
        "enabled": enabled,
    }
    camera = _camera(given)
    _on_register(config, lambda register, _: register.add(COMMAND_LINE, camera))
    output.print(f"{camera.id} is in the register; a running center opens it within seconds")


@app.command("list")
def list_cameras(config: Config = DEFAULT_FILE) -> None:
    """Every camera of the register."""

    async def load(register: Register, _: Database) -> tuple[Camera, ...]:
        return (await register.load()).cameras

    cameras = _on_register(config, load)
    table = Table("id", "name", "category", "purpose", "rules", "")
    for camera in cameras:
        rules = ", ".join(sorted({rule.kind for zone in camera.zones for rule in zone.rules}))
        table.add_row(camera.id, camera.name, camera.category, camera.purpose, rules, _remark(camera))
    output.print(table)
    if waiting := _not_in(cameras, load_settings(config).cameras):
        say(f"{len(waiting)} more stand in {config} and come in when the center starts: {', '.join(waiting)}")


@app.command("import")
def import_cameras(
    file: Annotated[Path, typer.Argument(help="YAML with a `cameras` list, as in a settings file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would do.")] = False,
    config: Config = DEFAULT_FILE,
) -> None:
    """Add and change cameras by a list, all or none; those it does not name stay as they are."""
    cameras = read_cameras(read_text(file), str(file))
    result = _on_register(config, lambda register, _: register.take(COMMAND_LINE, cameras, dry_run=dry_run))
    _tell(result, dry_run)


@app.command("import-its")
def import_its(
    file: Annotated[Path, typer.Argument(help="The answer of its.go.kr's `cctvInfo`, saved as JSON or XML.")],
    purpose: Annotated[str, typer.Option(help="The lawful purpose these cameras are watched for.")],
    category: Annotated[str, typer.Option(help="One of the nine.")] = "traffic",
    record: Annotated[bool, typer.Option(help="Whether those that are new are recorded.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would do.")] = False,
    config: Config = DEFAULT_FILE,
) -> None:
    """Take in the traffic cameras of the National Transport Information Center; nothing is fetched.

    Those that are in the register keep all but name, place and address: run it again when the addresses have changed.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror}); check the path") from error
    found = read_its(content, str(file), purpose=purpose, category=_category(category), record=record)

    async def take(register: Register, _: Database) -> ImportResult:
        known = {camera.id: camera for camera in (await register.load()).cameras}
        cameras = [merged(camera, known.get(camera.id)) for camera in found.cameras]
        return await register.take(COMMAND_LINE, cameras, dry_run=dry_run)

    _tell(_on_register(config, take), dry_run)
    for line in found.left_out[:_MOST_TOLD]:
        say(f"left out: {line}")
    if (more := len(found.left_out) - _MOST_TOLD) > 0:
        say(f"left out: {more} more")


@app.command()
def export(
    with_passwords: Annotated[
        bool, typer.Option("--with-passwords", help="Passwords too: whoever reads the output opens the cameras.")
    ] = False,
    config: Config = DEFAULT_FILE,
) -> None:
    """Write the register as YAML to standard output."""

    async def load(register: Register, database: Database) -> tuple[Camera, ...]:
        cameras = (await register.load()).cameras
        details = {"cameras": len(cameras), "passwords": with_passwords}
        async with database.write() as session:
            await ledger.append(session, Entry(COMMAND_LINE, "camera.exported", details=details))
        return cameras

    sys.stdout.write(to_yaml(_on_register(config, load), with_passwords=with_passwords))


@app.command()
def remove(
    camera_id: Annotated[str, typer.Argument(metavar="ID", help="The camera's id.")], config: Config = DEFAULT_FILE
) -> None:
    """Take a camera out of the register. Its recordings and incidents stay."""
    _on_register(config, lambda register, _: register.remove(COMMAND_LINE, camera_id))
    output.print(f"{camera_id} is no longer in the register; its recordings and incidents stay")


def _tell(result: ImportResult, dry_run: bool) -> None:
    for what, ids in (("added", result.added), ("changed", result.changed), ("unchanged", result.unchanged)):
        if ids:
            output.print(f"{'would be ' if dry_run and what != 'unchanged' else ''}{what}: {', '.join(ids)}")


def _category(name: str) -> Category:
    """Raises SettingsError."""
    for known in CATEGORIES:
        if name == known:
            return known
    raise SettingsError(f"--category: must be one of {', '.join(CATEGORIES)}")


def _camera(given: dict[str, Any]) -> Camera:
    """Raises SettingsError."""
    try:
        return Camera.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        lines = (f"--{_option(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}" for fault in faults)
        raise SettingsError("\n".join(lines)) from error


def _option(location: tuple[int | str, ...]) -> str:
    return str(location[-1]) if location else "id"


def _position(latitude: float | None, longitude: float | None) -> dict[str, float] | None:
    """Raises SettingsError."""
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise SettingsError("--latitude and --longitude: give both, or none")
    return {"latitude": latitude, "longitude": longitude}


def _remark(camera: Camera) -> str:
    remarks = {"switched off": not camera.enabled, "not recorded": not camera.record, "no place": not camera.position}
    return ", ".join(remark for remark, holds in remarks.items() if holds)


def _not_in(registered: Iterable[Camera], others: Iterable[Camera]) -> list[str]:
    ids = {camera.id for camera in registered}
    return [camera.id for camera in others if camera.id not in ids]


def _on_register(config: Path, act: Callable[[Register, Database], Awaitable[Answer]]) -> Answer:
    """Raises SettingsError, StartError, DatabaseError, RegisterError."""
    settings = load_settings(config)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"{settings.data_dir}: cannot be made ({error.strerror}); set another data_dir") from error

    async def main() -> Answer:
        async with opened(settings) as database:
            await migrate(database)
            return await act(Register(database), database)

    return asyncio.run(main())
