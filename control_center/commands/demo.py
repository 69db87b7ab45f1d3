"""`haechi demo`: a small city of virtual cameras, and everything that `haechi run` runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from config.load import load_settings
from config.settings import Settings
from control_center.commands.run import serve_until_stopped, stay
from control_center.supervision.data_folder import owned
from control_center.supervision.demo_accounts import make_demo_accounts
from control_center.supervision.demo_city import (
    DEMO_FOLDER,
    VirtualCameras,
    demo_settings,
    usable_port,
    virtual_cameras,
    write_settings,
)
from control_center.supervision.errors import StartError
from control_center.supervision.installation import Installation, running
from control_center.terminal import say, show_accounts
from streams.process_log import set_up_logging

DEFAULT_DATA = Path("data/demo")
DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class Demo:
    settings: Settings
    cameras: VirtualCameras
    installation: Installation


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the console; 0 takes a free one.")
    ] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    data_dir: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = DEFAULT_DATA,
    folder: Annotated[Path, typer.Option(help="Folder with mounts.yaml and cameras.yaml.")] = DEMO_FOLDER,
) -> None:
    """Show the demo city until Ctrl-C. Its cameras are clips, sent over real RTSP on this machine."""
    set_up_logging("haechi")

    async def main() -> None:
        async with demo_running(folder, data_dir, host, port) as city:
            show_accounts(city.installation.url, city.installation.accounts)
            await stay(city.installation)

    serve_until_stopped(main)


@asynccontextmanager
async def demo_running(
    folder: Path, data_dir: Path, host: str, port: int, log_file: Path | None = None
) -> AsyncIterator[Demo]:
    """The demo for the length of the block; `log_file` takes what its processes write.

    Raises SettingsError, StartError, DatabaseError.
    """
    mounts_file = folder / "mounts.yaml"
    if not mounts_file.exists():
        raise StartError(
            f"{mounts_file}: is missing; the demo's clips are made by python -m detectors.scenes, or shipped"
        )
    shipped = load_settings(folder / "cameras.yaml")
    port = usable_port(host, port)
    async with AsyncExitStack() as stack:
        stack.enter_context(owned(data_dir))
        say(f"starting {len(shipped.cameras)} virtual cameras")
        cameras = await stack.enter_async_context(virtual_cameras(mounts_file))
        say(f"virtual cameras listen at rtsp://127.0.0.1:{cameras.port}; starting the center and the workers")
        settings = demo_settings(shipped, cameras.port, data_dir, host, port)
        settings_file = data_dir / "settings.yaml"
        write_settings(settings, settings_file)
        installation = await stack.enter_async_context(
            running(settings, settings_file, make_accounts=make_demo_accounts, log_file=log_file)
        )
        yield Demo(settings, cameras, installation)
