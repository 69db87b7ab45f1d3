from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.responses import JSONResponse, PlainTextResponse, Response

from control_center.rights import Role
from tests.center_on_a_port import until
from tests.fakes.whep_worker import ANSWER, fake_whep_worker
from tests.integration.control_center.conftest import (
    NAME,
    PASSWORD,
    TOKEN,
    RunningCenter,
    event,
    heartbeat,
    serving,
    settings_in,
)
from tests.postgresql import postgresql_server

WHEP = "/api/v1/cameras/gate/whep"
SDP = {"Content-Type": "application/sdp"}


async def tell(center: RunningCenter, base_url: str) -> None:
    beat = heartbeat(gate_main=("live", ""), gate_sub=("live", "")) | {"base_url": base_url}
    async with center.worker() as worker:
        answer = await worker.post("/internal/v1/workers/w0/heartbeat", json=beat)
    assert answer.status_code == 200, answer.text


async def test_an_offer_goes_to_the_worker_that_has_the_camera_and_its_location_comes_back_as_ours(
    sqlite_center: RunningCenter,
) -> None:
    async with fake_whep_worker() as worker, sqlite_center.signed_in() as client:
        await tell(sqlite_center, worker.url)
        answer = await client.post(WHEP, params={"stream": "sub"}, content="v=0 offer", headers=SDP)
        assert answer.status_code == 201
        assert answer.text == ANSWER
        assert answer.headers["content-type"] == "application/sdp"
        assert answer.headers["location"] == f"{WHEP}/session-1"
        assert answer.headers["etag"] == '"1"'
        patch = await client.patch(answer.headers["location"], content="a=candidate")
        assert patch.status_code == 204
        assert (await client.delete(answer.headers["location"])).status_code == 200
    bearer = f"Bearer {TOKEN}"
    assert worker.requests == [
        ("POST", "/whep/gate?stream=sub", bearer, "v=0 offer"),
        ("PATCH", "/whep/gate/session-1", bearer, "a=candidate"),
        ("DELETE", "/whep/gate/session-1", bearer, ""),
    ]


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (JSONResponse({"type": "about:blank", "detail": "B frames"}, 406, media_type="application/problem+json"), None),
        (PlainTextResponse("B frames", 406), "urn:haechi:problem:worker-refused"),
    ],
)
async def test_a_refusal_of_the_worker_reaches_the_browser_as_a_problem(
    sqlite_center: RunningCenter, refusal: Response, kind: str | None
) -> None:
    async with fake_whep_worker() as worker, sqlite_center.signed_in() as client:
        worker.refuse_with = refusal
        await tell(sqlite_center, worker.url)
        answer = await client.post(WHEP, content="v=0", headers=SDP)
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "B frames"
    assert answer.json()["type"] == (kind or "about:blank")


async def test_without_a_worker_the_browser_is_told_why(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client:
        answer = await client.post(WHEP, content="v=0", headers=SDP)
        assert answer.status_code == 503
        assert "no worker has this camera yet" in answer.json()["detail"]
        await tell(sqlite_center, "http://127.0.0.1:9")
        answer = await client.post(WHEP, content="v=0", headers=SDP)
        assert answer.status_code == 502
        assert "worker w0 cannot be reached" in answer.json()["detail"]


async def test_unknown_cameras_streams_and_overlong_offers_are_refused_here(sqlite_center: RunningCenter) -> None:
    async with fake_whep_worker() as worker, sqlite_center.signed_in() as client:
        await tell(sqlite_center, worker.url)
        assert (await client.post("/api/v1/cameras/nowhere/whep", content="v=0")).status_code == 404
        assert (await client.post(WHEP, params={"stream": "third"}, content="v=0")).status_code == 422
        assert (await client.delete(f"{WHEP}/a.b")).status_code == 422
        assert (await client.post(WHEP, content=b"x" * 200_000)).status_code == 413
    assert worker.requests == []


# What is written down


async def told_views(center: RunningCenter) -> list[dict[str, Any]]:
    """The ledger's rows of live pictures, oldest first."""
    async with center.parts.database.read() as session:
        query = "SELECT * FROM ledger WHERE action LIKE 'view.%' ORDER BY sequence"
        return [dict(row) for row in (await session.execute(text(query))).mappings()]


@asynccontextmanager
async def signed_in_as(center: RunningCenter, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    await center.parts.accounts.create(f"a-{role.value}", PASSWORD, role)
    async with center.client() as client:
        await client.post("/api/v1/session", json={"name": f"a-{role.value}", "password": PASSWORD})
        yield client


async def make_incident(center: RunningCenter) -> str:
    async with center.worker() as sender:
        assert (await sender.post("/internal/v1/events", json=[event("1")])).status_code == 200
    async with center.parts.database.read() as session:
        return str(await session.scalar(text("SELECT id FROM incidents")))


async def test_every_live_picture_is_a_row_with_its_incident_or_its_reason(center: RunningCenter) -> None:
    incident_id = await make_incident(center)
    async with fake_whep_worker() as worker, center.signed_in() as client:
        await tell(center, worker.url)
        for query in (
            {},
            {"reason": "wall", "stream": "sub"},
            {"reason": "alarm", "incident": incident_id},
            {"incident": incident_id},
        ):
            assert (await client.post(WHEP, params=query, content="v=0", headers=SDP)).status_code == 201
        views = await told_views(center)
    assert [(view["action"], view["reason"], view["incident_id"], view["details"]) for view in views] == [
        ("view.live", "no incident", None, '{"stream":"main"}'),
        ("view.live", "wall", None, '{"stream":"sub"}'),
        ("view.live", "alarm", incident_id, '{"stream":"main"}'),
        ("view.live", "", incident_id, '{"stream":"main"}'),
    ]
    assert {(view["account_name"], view["address"], view["camera_id"]) for view in views} == {
        (NAME, "127.0.0.1", "gate")
    }
    assert not (await center.parts.ledger.verify()).fault


async def test_an_incident_that_is_not_known_opens_nothing(sqlite_center: RunningCenter) -> None:
    async with fake_whep_worker() as worker, sqlite_center.signed_in() as client:
        await tell(sqlite_center, worker.url)
        for wrong in ("0" * 32, "not an id"):
            answer = await client.post(WHEP, params={"incident": wrong}, content="v=0", headers=SDP)
            assert answer.status_code == 422
            assert answer.json()["type"] == "urn:haechi:problem:invalid"
        assert (await client.post(WHEP, params={"reason": "x" * 201}, content="v=0")).status_code == 422
    assert worker.requests == []
    assert await told_views(sqlite_center) == []


async def test_a_desk_sees_the_cameras_of_its_incident_and_its_other_tries_are_rows(center: RunningCenter) -> None:
    incident_id = await make_incident(center)
    async with (
        fake_whep_worker() as worker,
        signed_in_as(center, Role.OPERATOR) as operator,
        signed_in_as(center, Role.POLICE_DESK) as police,
    ):
        await tell(center, worker.url)
        assert (await police.post(WHEP, content="v=0", headers=SDP)).status_code == 403
        form = {"desks": ["police"], "note": ""}
        assert (await operator.post(f"/api/v1/incidents/{incident_id}/dispatch", json=form)).status_code == 200
        other = {"incident": "f" * 32, "reason": "desk"}  # what the desk says does not count, its grant does
        assert (await police.post(WHEP, params=other, content="v=0", headers=SDP)).status_code == 201
        await police.post("/api/v1/cameras/alley/whep", content="v=0", headers=SDP)
        refused = await police.post("/api/v1/cameras/alley/whep", content="v=0", headers=SDP)  # no second row
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:haechi:problem:out-of-reach")
        views = await told_views(center)
    assert [(view["action"], view["camera_id"], view["incident_id"]) for view in views] == [
        ("view.refused", "gate", None),
        ("view.live", "gate", incident_id),
        ("view.refused", "alley", None),
    ]
    assert {(view["account_name"], view["address"]) for view in views} == {("a-police_desk", "127.0.0.1")}
    assert "no incident dispatched to the police desk" in views[2]["reason"]
    assert len(worker.requests) == 1


@pytest.mark.parametrize("role", [Role.PRIVACY_OFFICER, Role.ADMINISTRATOR])
async def test_a_role_without_video_is_refused_and_written_down(sqlite_center: RunningCenter, role: Role) -> None:
    async with fake_whep_worker() as worker, signed_in_as(sqlite_center, role) as client:
        await tell(sqlite_center, worker.url)
        for camera_id in ("gate", "no-such-camera", "x" * 3000):
            answer = await client.post(f"/api/v1/cameras/{camera_id}/whep", content="v=0", headers=SDP)
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:haechi:problem:no-right")
        views = await told_views(sqlite_center)
    assert [(view["action"], view["camera_id"], view["subject"]) for view in views] == [
        ("view.refused", "gate", ""),
        ("view.refused", None, "no-such-camera"),
        ("view.refused", None, "x" * 63),
    ]
    assert views[0]["account_name"] == f"a-{role.value}"
    assert worker.requests == []


@pytest.mark.parametrize(
    "refusal",
    [
        PlainTextResponse("B frames", 406),
        JSONResponse({"type": "about:blank", "detail": "B frames"}, 406, media_type="application/problem+json"),
    ],
)
async def test_a_picture_that_did_not_open_is_no_view(sqlite_center: RunningCenter, refusal: Response) -> None:
    async with fake_whep_worker() as worker, sqlite_center.signed_in() as client:
        worker.refuse_with = refusal
        await tell(sqlite_center, worker.url)
        assert (await client.post(WHEP, content="v=0", headers=SDP)).status_code == 406
        views = await told_views(sqlite_center)
        # Written down beside the offer, and taken back: rows are never changed.
        assert [(view["action"], view["reason"]) for view in views] == [
            ("view.live", "no incident"),
            ("view.failed", "B frames"),
        ]
        # A camera that is away is asked for again and again: nothing until it opens.
        beat = heartbeat(gate_main=("backing_off", "no answer")) | {"base_url": worker.url}
        async with sqlite_center.worker() as reporter:
            await reporter.post("/internal/v1/workers/w0/heartbeat", json=beat)
        assert (await client.post(WHEP, content="v=0", headers=SDP)).status_code == 406
        assert len(await told_views(sqlite_center)) == 2
        worker.refuse_with = None
        assert (await client.post(WHEP, content="v=0", headers=SDP)).status_code == 201
        assert [view["action"] for view in await told_views(sqlite_center)][2:] == ["view.live"]


@pytest.mark.parametrize("state", ["live", "connecting"])
async def test_what_cannot_be_written_down_is_not_shown(center: RunningCenter, state: str) -> None:
    async with fake_whep_worker() as worker, center.signed_in() as client:
        beat = heartbeat(gate_main=(state, "")) | {"base_url": worker.url}
        async with center.worker() as reporter:
            await reporter.post("/internal/v1/workers/w0/heartbeat", json=beat)
        async with center.parts.database.write() as session:
            await session.execute(text("ALTER TABLE ledger RENAME TO ledger_gone"))
        answer = await client.post(WHEP, content="v=0", headers=SDP)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        # The worker had opened it already: it is ended before anybody is answered.
        assert [request[:2] for request in worker.requests] == [
            ("POST", "/whep/gate?stream=main"),
            ("DELETE", "/whep/gate/session-1"),
        ]
        async with center.parts.database.write() as session:
            await session.execute(text("ALTER TABLE ledger_gone RENAME TO ledger"))
        async with center.worker() as reporter:  # it may have been silent for long on a busy machine
            await reporter.post("/internal/v1/workers/w0/heartbeat", json=beat)
        assert (await client.post(WHEP, content="v=0", headers=SDP)).status_code == 201


async def test_without_the_database_there_is_no_live_picture(tmp_path: Path) -> None:
    with postgresql_server() as folder:
        settings = settings_in(tmp_path, f"postgresql://haechi@/postgres?host={folder}")
        async with serving(settings) as center, fake_whep_worker() as worker, center.signed_in() as client:
            await tell(center, worker.url)
            assert (await client.post(WHEP, content="v=0", headers=SDP)).status_code == 201
            process_id = int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(process_id, signal.SIGQUIT)
            await until(lambda: not (Path(folder) / ".s.PGSQL.5432").exists())
            before = len(worker.requests)
            answer = await client.post(WHEP, content="v=0", headers=SDP)
            assert answer.status_code == 503, answer.text
            assert len(worker.requests) == before
