"""The settings file and the register: what the file says anew comes in when a center starts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from config.settings import Camera
from control_center.register.store import Register

logger = logging.getLogger(__name__)

_NAMED_AT_MOST = 20


async def take_settings_file(register: Register, cameras: Sequence[Camera]) -> None:
    """Import the cameras of the settings file, and say in the log where file and register part."""
    result = await register.take_settings(cameras)
    state = await register.load()
    said = [
        f"{what} {_named(ids)}"
        for what, ids in (
            ("added from the settings file:", result.added),
            ("changed in the settings file:", result.changed),
            ("in the file, but removed here:", result.left_out),
            ("not in the file, and kept:", _beside(state.cameras, cameras)),
        )
        if ids
    ]
    count = f"{len(state.cameras)} cameras in the register"
    logger.info("; ".join([count, *said]))


def _beside(registered: Iterable[Camera], in_file: Iterable[Camera]) -> tuple[str, ...]:
    ids = {camera.id for camera in in_file}
    return tuple(camera.id for camera in registered if camera.id not in ids)


def _named(ids: Sequence[str]) -> str:
    more = len(ids) - _NAMED_AT_MOST
    return ", ".join(ids[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
