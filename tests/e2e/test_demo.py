"""The demo city as a new user meets it, in a real browser, and against its truth."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

from detectors.event import FAMILY
from detectors.scoring import SCORED
from tests.city import OPERATOR, running_demo, wait_for
from tests.e2e.test_console import moves, playing, signed_in_page
from tests.requirements import ROOT

DEMO = ROOT / "config" / "demo"
CAMERAS = 16


@pytest.mark.alone
@pytest.mark.timeout(300)
async def test_the_demo_lives_without_its_truth_and_an_alarm_goes_from_wall_to_verdict(tmp_path: Path) -> None:
    """The worker cannot have read the truth: it is not there."""
    demo = tmp_path / "demo"
    shutil.copytree(DEMO, demo, ignore=shutil.ignore_patterns("truth"))
    async with running_demo(tmp_path, demo) as city:
        await city.wait_live(CAMERAS)
        async with signed_in_page(city) as page:
            await playing(page, CAMERAS)
            alarm = page.locator(".alarm[data-state=new]").first
            await alarm.wait_for(timeout=90_000)
            name = await alarm.get_attribute("data-incident")
            await page.click(f".alarm[data-incident='{name}'] .alarm-open")
            await page.wait_for_selector(".stage-picture haechi-player[data-state=playing]")
            await moves(page, ".stage-picture")
            await page.click(".card [data-testid=acknowledge]")
            await page.wait_for_selector(f".alarm[data-incident='{name}'][data-state=acknowledged]")
            await page.click(".card [data-verdict=real]")
            await page.click("[data-testid=close-confirm]")
            await page.wait_for_selector(f".alarm[data-incident='{name}']", state="detached")
        incident = (await city.client.get(f"/api/v1/incidents/{name}")).json()
        assert incident["state"] == "closed" and incident["verdict"] == "real"
        assert incident["acknowledged_by"] == incident["closed_by"] == OPERATOR

        async def every_family() -> bool:
            return {FAMILY[incident["kind"]] for incident in await city.incidents()} >= set(SCORED.values())

        await wait_for(every_family, "an incident of each of the four families", seconds=150)


@pytest.mark.alone
@pytest.mark.timeout(420)
async def test_two_minutes_of_the_demo_miss_nothing_and_raise_nothing_false() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "control_center", "score", "--demo", "2", "--json"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    score = json.loads(output.decode().splitlines()[-1])
    assert process.returncode == 0, f"{output.decode()}\n{errors.decode()[-2000:]}"
    assert score["missed"] == 0 and score["false"] == 0
    assert score["cameras"] == CAMERAS
    assert all(family["truth"] == family["found"] > 0 for family in score["families"].values())
