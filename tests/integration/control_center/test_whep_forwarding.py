from __future__ import annotations

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tests.fakes.whep_worker import ANSWER, fake_whep_worker
from tests.integration.control_center.conftest import TOKEN, RunningCenter, heartbeat

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
