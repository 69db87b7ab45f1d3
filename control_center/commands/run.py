"""`haechi run`: the center and its workers, with one's own cameras."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from config.load import SettingsError, load_settings, turn_secret
from control_center.supervision.camera_progress import CameraProgress, wait_for_cameras
from control_center.supervision.data_folder import owned
from control_center.supervision.installation import Installation, running
from control_center.supervision.signals import Stopped, run_until_stopped
from control_center.terminal import say, show_address
from streams.process_log import set_up_logging

DEFAULT_FILE = Path("haechi.yaml")
LIVE_WITHIN_SECONDS = 30.0


def run(
    config: Annotated[Path, typer.Option(help="Settings file (YAML).")] = DEFAULT_FILE,
) -> None:
    """Run the center and its workers until Ctrl-C or SIGTERM."""
    set_up_logging("haechi")
    if config == DEFAULT_FILE and not config.exists():
        raise SettingsError(f"{config}: is not here; write one (config/examples has some), or try `haechi demo`")
    settings = load_settings(config)
    if settings.turn.urls:
        turn_secret(settings.turn)  # one that is missing is told here, not by each process
    say(f"{config}: {len(settings.cameras)} cameras in it, data in {settings.data_dir}")

    async def main() -> None:
        with owned(settings.data_dir):
            async with running(settings, config) as installation:
                show_address(installation.url, next(iter(installation.accounts), None))
                await stay(installation)

    serve_until_stopped(main)


async def stay(installation: Installation) -> None:
    """Tell how the cameras come up, then wait for ever."""
    reached = await wait_for_cameras(installation, LIVE_WITHIN_SECONDS, _tell)
    if not reached.all_live:
        say(f"{reached.total - reached.live} cameras are not live yet; the console and the lines above say why")
    await asyncio.Event().wait()


def serve_until_stopped(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `main`; a signal is the usual end."""
    try:
        run_until_stopped(main)
    except Stopped as stopped:
        say(f"{stopped}: everything has ended")


def _tell(progress: CameraProgress) -> None:
    if progress.live:
        say(f"cameras: {progress.live} of {progress.total} live after {progress.seconds:.1f} s")
