from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from control_center import live
from control_center.database import Account, Grant
from control_center.ledger import COMMAND_LINE
from control_center.rights import Role
from tests.integration.control_center.conftest import RunningCenter, event
from tests.integration.control_center.staffed import AROUND_THE_GATE, Staffed, staffed
from tests.integration.control_center.test_ingest import incidents, post
from tests.integration.control_center.test_status import beat

INCIDENT_NEWS = ("incident.created", "incident.updated")


@dataclass(slots=True)
class Message:
    name: str
    data: Any
    id: str | None


class Listening:
    """Reads Server-Sent Events as a browser does."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()
        self.last_id: str | None = None

    async def next(self, *names: str) -> Message:
        """The next message of one of these names, whatever stands between."""
        async with asyncio.timeout(90):
            while True:
                message = await self._message()
                if message.name in names:
                    return message

    async def _message(self) -> Message:
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line and "data" in fields:
                self.last_id = fields.get("id", self.last_id)
                return Message(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
        raise EOFError("the stream ended")


@asynccontextmanager
async def listening(client: httpx.AsyncClient, last_id: str | None = None) -> AsyncIterator[Listening]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with client.stream("GET", "/api/v1/live", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Listening(answer)


async def test_an_incident_and_each_step_with_it_reach_every_listener(center: RunningCenter) -> None:
    async with center.signed_in() as client, listening(client) as one, listening(client) as two:
        assert (await one.next("ready")).data == {"resumed": False}
        await two.next("ready")
        await post(center, event("a"))
        created = await one.next("incident.created")
        assert created.data == (await two.next("incident.created")).data
        incident_id = created.data["id"]
        assert created.data == (await client.get(f"/api/v1/incidents/{incident_id}")).json()
        await post(center, event("b", 1))
        assert (await one.next("incident.updated")).data["event_count"] == 2
        await client.post(f"/api/v1/incidents/{incident_id}/acknowledge")
        assert (await one.next("incident.updated")).data["state"] == "acknowledged"
        assert (await one.next("status")).data["incidents"]["acknowledged"] == 1


async def test_a_repeated_event_is_no_news(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client, listening(client) as listener:
        await listener.next("ready")
        await post(sqlite_center, event("a"))
        await post(sqlite_center, event("a"))
        await post(sqlite_center, event("b", 500))
        assert (await listener.next("incident.created", "incident.updated")).name == "incident.created"
        second = await listener.next("incident.created", "incident.updated")
        assert (second.name, second.data["event_count"]) == ("incident.created", 1)


async def test_a_change_of_a_cameras_state_is_news_once(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client, listening(client) as listener:
        await listener.next("ready")
        for _ in range(3):
            await beat(sqlite_center, gate_main=("live", ""), gate_sub=("live", ""))
        await beat(sqlite_center, gate_main=("live", ""), gate_sub=("stalled", "no key frame"))
        states = [(await listener.next("camera.state")).data for _ in range(2)]
    assert [(state["id"], state["state"], state["reason"]) for state in states] == [
        ("gate", "live", ""),
        ("gate", "stalled", "no key frame"),
    ]


async def test_a_listener_that_comes_back_gets_what_it_missed(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client:
        async with listening(client) as listener:
            await listener.next("ready")
            await post(sqlite_center, event("a"))
            await listener.next("incident.created")
            last_id = listener.last_id
        await post(sqlite_center, event("b", 500), event("c", 1000))
        async with listening(client, last_id) as again:
            assert (await again.next("ready")).data == {"resumed": True}
            raised = [(await again.next("incident.created")).data["raised_at"] for _ in range(2)]
            assert raised == sorted(raised)
        async with listening(client, "another-run-7") as stranger:
            assert (await stranger.next("ready")).data == {"resumed": False}


async def test_a_listener_that_signed_out_hears_no_more(
    sqlite_center: RunningCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.2)
    async with sqlite_center.signed_in() as client, listening(client) as listener:
        await listener.next("ready")
        await client.delete("/api/v1/session")
        talking = asyncio.create_task(keep_talking(sqlite_center))
        with pytest.raises(EOFError):
            await listener.next("never")
        talking.cancel()
    assert len(sqlite_center.parts.live) == 0


async def keep_talking(center: RunningCenter) -> None:
    """So much news that the stream is never quiet."""
    while True:
        center.parts.live.publish("status", "{}")
        await asyncio.sleep(0.01)


@pytest.fixture
async def city(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[Staffed]:
    """On both databases."""
    async with staffed(tmp_path, center_database_url) as people:
        yield people


@asynccontextmanager
async def hearing(city: Staffed, *names: str) -> AsyncIterator[dict[str, Listening]]:
    """People who listen, by name."""
    async with AsyncExitStack() as stack:
        found = {name: await stack.enter_async_context(listening(city.people[name])) for name in names}
        for one in found.values():
            await one.next("ready")
        yield found


async def test_what_is_dispatched_is_at_the_desk_at_once_and_nowhere_else(city: Staffed) -> None:
    async with hearing(city, "kim", "police", "fire", "privacy") as told:
        hidden, shown = await city.alarm("a"), await city.alarm("b", 500)
        await city.take("kim", shown, "acknowledge")
        await city.take("kim", hidden, "notes", note="not for a desk")
        await city.take("kim", shown, "dispatch", desks=["police"], note="two men")
        first = await told["police"].next(*INCIDENT_NEWS, "cameras.changed", "status", "camera.state")
        assert (first.name, first.data) == ("cameras.changed", {})
        second = await told["police"].next(*INCIDENT_NEWS, "cameras.changed", "status", "camera.state")
        assert second.data == await city.get("police", f"/incidents/{shown}")
        assert second.data["granted_cameras"] == AROUND_THE_GATE
        await city.take("police", shown, "receive", note="car 7")
        assert (await told["police"].next(*INCIDENT_NEWS)).data["dispatches"][0]["received_note"] == "car 7"
        await post(city.center, event("c", 510, dwell_seconds=40.0))
        joined = (await told["police"].next(*INCIDENT_NEWS)).data
        assert (joined["id"], joined["event_count"], joined["dwell_seconds"]) == (shown, 2, 40.0)
        await city.take("kim", shown, "close", verdict="real")
        assert (await told["police"].next("cameras.changed", *INCIDENT_NEWS)).name == "cameras.changed"
        closed = (await told["police"].next(*INCIDENT_NEWS)).data
        assert (closed["state"], closed["granted_cameras"]) == ("closed", [])
        # The other desk hears of its own first; the privacy officer of no incident ever.
        await city.take("kim", hidden, "dispatch", desks=["fire"])
        assert (await told["fire"].next(*INCIDENT_NEWS, "status", "camera.state")).data["id"] == hidden
        await beat(city.center, gate_main=("live", ""))
        assert (await told["privacy"].next(*INCIDENT_NEWS, "camera.state")).name == "camera.state"
        heard = [(await told["kim"].next(*INCIDENT_NEWS)).data["id"] for _ in range(9)]
        assert heard == [hidden, shown, shown, hidden, shown, shown, shown, shown, hidden]


async def test_a_desk_does_not_hear_the_other_desks_words(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police", "fire"], note="")
    async with hearing(city, "kim", "police", "fire") as told:
        await city.take("police", incident_id, "receive", note="suspect known")
        for who, words in (("kim", "suspect known"), ("police", "suspect known"), ("fire", "")):
            news = (await told[who].next("incident.updated")).data
            assert {one["desk"]: one["received_note"] for one in news["dispatches"]} == {"police": words, "fire": ""}


async def test_a_desk_hears_of_the_cameras_of_its_grants_only(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police"])
    live, stalled = ("live", ""), ("stalled", "no key frame")
    async with hearing(city, "kim", "police", "fire", "root") as told:
        await beat(city.center, nowhere_main=live)
        await beat(city.center, nowhere_main=live, gate_main=stalled)
        for who in ("kim", "root"):
            assert [(await told[who].next("camera.state")).data["id"] for _ in range(2)] == ["nowhere", "gate"]
        assert (await told["police"].next("camera.state")).data["id"] == "gate"
        await city.take("kim", incident_id, "close", verdict="real")
        await beat(city.center, nowhere_main=live, gate_main=live)
        other = await city.alarm("b", 500, camera_id="nowhere")
        await city.take("kim", other, "dispatch", desks=["police", "fire"])
        await beat(city.center, nowhere_main=stalled, gate_main=live)
        for who in ("police", "fire"):
            assert (await told[who].next("camera.state")).data["id"] == "nowhere"


async def test_a_desk_that_comes_back_gets_of_what_it_missed_only_its_own(city: Staffed) -> None:
    async with listening(city.people["police"]) as listener:
        await listener.next("ready")
        shown = await city.alarm("a")
        await city.take("kim", shown, "dispatch", desks=["police"])
        await listener.next("incident.updated")
        last_id = listener.last_id
    hidden = await city.alarm("b", 500)
    await city.take("kim", hidden, "dispatch", desks=["fire"])
    await city.take("kim", shown, "notes", note="still there")
    async with listening(city.people["police"], last_id) as again:
        assert (await again.next("ready")).data == {"resumed": True}
        first = await again.next(*INCIDENT_NEWS, "cameras.changed", "camera.state", "status")
        assert (first.name, first.data["id"]) == ("incident.updated", shown)
    async with listening(city.people["fire"], last_id) as stranger:
        await stranger.next("ready")
        first = await stranger.next(*INCIDENT_NEWS)
        assert first.data["id"] == hidden


@pytest.mark.parametrize("change", [{"role": Role.FIRE_DESK}, {"disabled": True}])
async def test_a_listener_whose_account_changes_hears_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.2)
    async with staffed(tmp_path, None) as city, hearing(city, "lee") as told:
        await city.center.parts.accounts.change(city.ids["lee"], COMMAND_LINE, **change)
        talking = asyncio.create_task(keep_talking(city.center))
        with pytest.raises(EOFError):
            await told["lee"].next("never")
        talking.cancel()
        assert (await city.people["lee"].get("/api/v1/live")).status_code == 401
        assert len(city.center.parts.live) == 0


async def test_a_listener_whose_role_is_another_hears_no_more_though_the_sign_in_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.2)
    async with staffed(tmp_path, None) as city, hearing(city, "lee") as told:
        async with city.center.parts.database.write() as session:
            await session.execute(update(Account).where(Account.name == "lee").values(role=Role.FIRE_DESK.value))
        with pytest.raises(EOFError):
            await told["lee"].next("never")
        async with listening(city.people["lee"]) as again:
            await again.next("ready")
            incident_ids = [await city.alarm(f"{n}", n * 500.0) for n in range(2)]
            await city.take("kim", incident_ids[1], "dispatch", desks=["fire"])
            assert (await again.next(*INCIDENT_NEWS)).data["id"] == incident_ids[1]


async def test_an_expired_grant_is_news_for_its_desk(city: Staffed) -> None:
    incident_id = await city.alarm()
    await city.take("kim", incident_id, "dispatch", desks=["police"])
    async with hearing(city, "police") as told:
        async with city.center.parts.database.write() as session:
            await session.execute(update(Grant).values(expires_at=datetime.now(UTC)))
        names = {(await told["police"].next("cameras.changed", "incident.updated")).name for _ in range(2)}
        assert names == {"cameras.changed", "incident.updated"}
    assert (await city.get("police", f"/incidents/{incident_id}"))["granted_cameras"] == []


async def test_there_is_a_bound_on_listeners(sqlite_center: RunningCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_LISTENERS", 1)
    async with sqlite_center.signed_in() as client, listening(client) as listener:
        await listener.next("ready")
        assert (await client.get("/api/v1/live")).status_code == 503


async def test_an_event_is_on_every_screen_soon_after_it_was_posted(sqlite_center: RunningCenter) -> None:
    delays = []
    async with sqlite_center.signed_in() as client, listening(client) as listener:
        await listener.next("ready")
        for n in range(20):
            began = time.monotonic()
            await post(sqlite_center, event(f"{n}", n * 500.0))
            await listener.next("incident.created")
            delays.append(time.monotonic() - began)
    # The goal is 500 ms at p95; a busy test machine is granted more.
    assert sorted(delays)[10] < 5.0  # ms on a free machine
    assert len(await incidents(sqlite_center)) == 20
