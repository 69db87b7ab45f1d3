"""A real worker that records a camera now: what is in the growing file can be looked at."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import httpx

from tests.center_on_a_port import TOKEN
from tests.integration.playback.test_playback import asked, fetched
from tests.integration.test_worker import site
from tests.recorded import microseconds


async def test_the_open_files_whole_fragments_play_and_more_come(tmp_path: Path) -> None:
    async with site(tmp_path, 1) as (_, worker, center):

        def recorded(units: int) -> Any:
            return lambda status: status["cameras"]["cam0"]["recorder"]["units"] > units

        status = await worker.wait_status(recorded(90), "some seconds are recorded")
        reported = center.fleet.worker_of("cam0")
        assert reported is not None
        assert reported.playback_url is not None
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            base_url=reported.playback_url, headers=headers, trust_env=False, timeout=20
        ) as client:

            async def seconds() -> float:
                now = datetime.now(UTC)
                query = asked(microseconds(now - timedelta(hours=1)), microseconds(now + timedelta(hours=1)))
                ranges = (await client.get("/recordings/cam0", params=query)).raise_for_status().json()["ranges"]
                return sum((one["ended_us"] - one["started_us"]) / 1e6 for one in ranges)

            async with asyncio.timeout(60):  # the index is told of a new file with the next sync
                while await seconds() < 5:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            before = await seconds()
            now = datetime.now(UTC)
            query = asked(microseconds(now - timedelta(minutes=5)), microseconds(now))
            answer = await client.get("/recordings/cam0/index.m3u8", params=query)
            text = answer.raise_for_status().text
            (stream,) = await fetched(client, text, camera="cam0", **query)
            with av.open(io.BytesIO(stream)) as container:
                assert sum(1 for _ in container.decode(video=0)) > 60
            async with asyncio.timeout(60):
                while await seconds() <= before + 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        assert status["playback"]["starts"] == 1
        assert await worker.end() == 0
        assert "Traceback" not in worker.text()
