"""`python -m streams.virtual FILE.yaml`: virtual cameras as a process of their own.

When listening it writes one JSON line: {"host", "port", "started_at", "mounts": [...]}. With `--control` it takes
one ControlMessage a line (JSON) on standard input, answers each with {"ok": true} or {"error": "..."}, and ends
when standard input ends, so that it does not outlive its parent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop
import yaml
from pydantic import ValidationError

from streams.virtual.clip import ClipError
from streams.virtual.server import VirtualCameraServer
from streams.virtual.settings import ControlMessage, VirtualCameraSettings


def main() -> None:
    """Run until SIGINT, SIGTERM, or the end of standard input with `--control`."""
    parser = argparse.ArgumentParser(prog="python -m streams.virtual", description="Virtual cameras over RTSP.")
    parser.add_argument("file", type=Path, help="YAML: host, port, pacing, mounts [{name, main, sub, …}]")
    parser.add_argument("--port", type=int, help="instead of the file's; 0 is any free one")
    parser.add_argument("--control", action="store_true", help="take control messages on standard input")
    arguments = parser.parse_args()
    try:
        settings = _load(arguments.file)
        uvloop.run(_serve(settings, arguments.port, arguments.control))
    except (OSError, yaml.YAMLError, ValidationError, ClipError) as error:
        sys.exit(f"{arguments.file}: {error}")


def _load(path: Path) -> VirtualCameraSettings:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return VirtualCameraSettings.model_validate(content).relative_to(path.resolve().parent)


async def _serve(settings: VirtualCameraSettings, port: int | None, control: bool) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with VirtualCameraServer(
        settings.mounts,
        settings.host,
        settings.port if port is None else port,
        settings.pacing,
        settings.session_timeout_seconds,
        settings.tick_seconds,
    ) as server:
        _say(
            {
                "host": server.host,
                "port": server.port,
                "started_at": server.started_at.isoformat(),
                "mounts": server.describe_mounts(),
            }
        )
        if control:
            reader = asyncio.create_task(_take_control(server, ended))
            reader.add_done_callback(lambda _: ended.set())
        await ended.wait()


async def _take_control(server: VirtualCameraServer, ended: asyncio.Event) -> None:
    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while not ended.is_set() and (line := await lines.readline()):
        try:
            message = ControlMessage.model_validate_json(line)
            _obey(server, message)
        except ValidationError as error:
            _say({"error": str(error)})
        except ClipError as error:
            _say({"error": str(error)})
        except KeyError:
            _say({"error": f"no mount {message.mount!r}"})
        else:
            _say({"ok": True} | ({"statistics": server.statistics()} if message.statistics else {}))


def _obey(server: VirtualCameraServer, message: ControlMessage) -> None:
    """Raises KeyError for a mount that is not there, ClipError for a clip that is not."""
    if message.mount is not None and message.faults is not None:
        server.set_faults(message.mount, message.faults)
    if message.mount is not None and message.reset:
        server.reset(message.mount)
    if message.reboot_seconds is not None:
        server.reboot(message.reboot_seconds, message.mount)


def _say(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
