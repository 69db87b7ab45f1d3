"""What a site may connect: bounds that hold, places for those that were live, and ends that free them."""

from __future__ import annotations

import asyncio
import time

from streams.connect_budget import ConnectBudget


async def hold(budget: ConnectBudget, release: asyncio.Event, *, has_failed: bool) -> None:
    async with budget.attempt(has_failed=has_failed):
        await release.wait()


async def test_never_more_than_the_places_and_all_get_their_turn() -> None:
    budget = ConnectBudget(at_once=3, per_second=1000)

    async def attempt() -> None:
        async with budget.attempt(has_failed=False):
            await asyncio.sleep(0.01)

    await asyncio.gather(*(attempt() for _ in range(20)))
    assert (budget.begun, budget.most_running, budget.running) == (20, 3, 0)


async def test_dead_cameras_leave_places_to_those_that_were_live() -> None:
    budget, release = ConnectBudget(at_once=4, per_second=1000), asyncio.Event()
    dead = [asyncio.create_task(hold(budget, release, has_failed=True)) for _ in range(10)]
    while budget.running < 3:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert budget.running == 3
    async with asyncio.timeout(60), budget.attempt(has_failed=False):
        assert budget.running == 4
    for task in dead[:3]:
        task.cancel()
    await asyncio.wait(dead[:3])
    while budget.begun < 7:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    release.set()
    await asyncio.gather(*dead[3:])
    assert budget.running == 0


async def test_attempts_begin_one_after_the_other() -> None:
    budget, started = ConnectBudget(at_once=100, per_second=50), time.monotonic()

    async def attempt() -> None:
        async with budget.attempt(has_failed=False):
            pass

    await asyncio.gather(*(attempt() for _ in range(21)))
    assert time.monotonic() - started >= 0.39
