"""The short form of tests.benchmarks.open_close: a worker keeps nothing of viewers that have gone, whichever way."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.benchmarks.open_close import WAYS, held, open_and_close, watched_worker


async def test_a_worker_keeps_no_socket_and_no_task_of_viewers_that_came_and_went(tmp_path: Path) -> None:
    async with watched_worker(tmp_path) as worker:
        await open_and_close(worker, 1)  # deleted: nothing has to be waited for
        before = await held(worker)
        gone = await open_and_close(worker, 3 * len(WAYS))
        assert dict(gone) == {way: 3 * WAYS.count(way) for way in set(WAYS)}
        async with asyncio.timeout(60):  # a connection of the test's own HTTP client may still be closing
            while (after := await held(worker)).tasks > before.tasks or after.descriptors > before.descriptors:
                await worker.status()
        assert (await worker.status())["relay"]["sessions"] == 1 + 3 * len(WAYS)
        assert "Traceback" not in worker.text()
