"""A stream worker run as the parent runs it: a process of its own, with virtual cameras before it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from detectors.yolox import SHIPPED_MODEL
from tests.center_on_a_port import TOKEN
from tests.ports import free_port
from tests.requirements import ROOT, need_data


@dataclass(slots=True)
class WorkerProcess:
    """`client` talks to its API with the token; `log` is what both its processes wrote."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    log: Path
    data_dir: Path

    async def status(self) -> dict[str, Any]:
        answer = await self.client.get("/status")
        answer.raise_for_status()
        status: dict[str, Any] = answer.json()
        return status

    async def wait_status(self, condition: Callable[[dict[str, Any]], Any], what: str, seconds: float = 90) -> Any:
        """The first status for which `condition` holds."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    assert self.process.returncode is None, f"the worker ended:\n{self.text()}"
                    try:
                        status = await self.status()
                        if condition(status):
                            return status
                    except (httpx.TransportError, KeyError, TypeError):
                        pass  # not there yet
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pytest.fail(f"not within {seconds} s: {what}\n{self.text()[-4000:]}")

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 60)


def write_settings(folder: Path, cameras: Sequence[dict[str, Any]], **sections: Any) -> Path:
    file = folder / "worker.yaml"
    document = {"data_dir": str(folder / "data"), "cameras": list(cameras), **sections}
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file


async def start_worker(
    settings: Path, log: Path, *arguments: str, token: str = TOKEN, patience: float | None = None
) -> asyncio.subprocess.Process:
    """`python -m streams.worker` as w0, writing to `log`; with `patience` for its SUB_PATIENCE_SECONDS."""
    module = ["-m", "streams.worker"]
    if patience is not None:
        change = f"import streams.running_camera as camera; camera.SUB_PATIENCE_SECONDS = {patience}"
        module = ["-c", f"{change}; from streams.worker import main; raise SystemExit(main())"]
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *module, "--config", str(settings), "--worker-id", "w0", *arguments),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "HAECHI_WORKER_TOKEN": token},
        )


@asynccontextmanager
async def running_worker(
    folder: Path,
    cameras: Sequence[dict[str, Any]],
    center_url: str,
    *,
    patience: float | None = None,
    **sections: Any,
) -> AsyncIterator[WorkerProcess]:
    """Until the block ends; `cameras` and `sections` as in YAML."""
    settings, log, port = write_settings(folder, cameras, **sections), folder / "worker.log", free_port()
    process = await start_worker(settings, log, "--center-url", center_url, "--http-port", str(port), patience=patience)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=60
        ) as client:
            yield WorkerProcess(process, client, log, folder / "data")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def analysis_settings() -> dict[str, Any]:
    """The shipped detector, or while there is none the one in the development data."""
    return {} if SHIPPED_MODEL.is_file() else {"model": str(need_data("weights/yolox_nano_coco.onnx"))}
