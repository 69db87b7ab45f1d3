"""The center as a process: `python -m control_center.serve --config FILE --fd N --workers w0,w1`.

Started by `haechi run`, which listens for it and hands the socket over, and which sets HAECHI_WORKER_TOKEN.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from config.load import SettingsError, load_settings
from control_center.api.app import create_app
from streams.process_log import set_up_logging

logger = logging.getLogger(__name__)


class CenterServer(uvicorn.Server):
    """Ends the live streams first when it stops: they never end by themselves."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=5,
            )
        )
        self._application = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if (center := getattr(self._application.state, "center", None)) is not None:
            center.live.close()
        await super().shutdown(sockets)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m control_center.serve")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True, help="a listening socket")
    parser.add_argument("--workers", default="", help="ids of the workers to expect, with commas")
    arguments = parser.parse_args()
    set_up_logging("center")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    token = os.environ.pop("HAECHI_WORKER_TOKEN", "")
    if not token:
        sys.exit("control_center.serve: HAECHI_WORKER_TOKEN is not set; start the center with `haechi run`")
    try:
        settings = load_settings(arguments.config)
        app = create_app(settings, token, tuple(filter(None, arguments.workers.split(","))))
    except SettingsError as error:
        sys.exit(str(error))
    CenterServer(app).run(sockets=[socket.socket(fileno=arguments.fd)])


if __name__ == "__main__":
    main()
