from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import update

from config.settings import Settings
from control_center.api.app import create_app
from control_center.api.authorization import (
    GuardedRoute,
    RightNotStated,
    check_every_route_is_guarded,
    guarded_router,
    walk_routes,
)
from control_center.database import Account
from control_center.rights import RIGHTS, Right, Role
from tests.integration.control_center.conftest import RunningCenter

IDS = {
    "hold_id": "0" * 32,
    "camera_id": "gate",
    "incident_id": "0" * 32,
    "account_id": "0" * 32,
    "session_id": "s",
    "worker_id": "w0",
}
IDS |= {"segment_id": "0" * 32}


def endpoints() -> list[tuple[str, str, Right]]:
    """(method, path, right) of everything the center serves."""
    found = []
    for resource in walk_routes(create_app(Settings(), "token").routes):
        assert isinstance(resource, GuardedRoute)
        path = re.sub(r"{(\w+)}", lambda match: IDS[match[1]], resource.path)
        found += [(method, path, resource.right) for method in sorted(resource.methods - {"HEAD"})]
    return found


def asking(right_is: Callable[[Right], bool]) -> list[tuple[str, str]]:
    found = [(method, path) for method, path, right in endpoints() if right_is(right)]
    assert found
    return found


def test_an_endpoint_without_a_right_cannot_be_made() -> None:
    router = guarded_router()
    with pytest.raises(RightNotStated, match="/open"):

        @router.get("/open")
        async def open_to_all() -> None: ...


def test_a_route_by_another_door_is_found_when_the_app_is_made() -> None:
    plain = APIRouter()

    @plain.get("/side-door")
    async def side_door() -> None: ...

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(plain)
    with pytest.raises(RightNotStated, match="/side-door"):
        check_every_route_is_guarded(app)


def test_an_endpoint_put_straight_on_the_app_needs_its_right_too() -> None:
    app = create_app(Settings(), "token")
    with pytest.raises(RightNotStated):

        @app.get("/late")
        async def late() -> None: ...


def test_the_list_of_public_endpoints_is_this_one() -> None:
    public = {(method, path) for method, path, right in endpoints() if right is Right.PUBLIC}
    whep = {("OPTIONS", "/api/v1/cameras/gate/whep"), ("OPTIONS", "/api/v1/cameras/gate/whep/s")}
    assert public == {("POST", "/api/v1/session"), ("GET", "/healthz"), ("GET", "/api/v1/openapi.json")} | whep


async def test_without_a_sign_in_or_token_every_endpoint_is_401(sqlite_center: RunningCenter) -> None:
    forged = {"Cookie": "haechi_session=x", "Authorization": "Bearer x"}
    async with sqlite_center.client() as client:
        for method, path in asking(lambda right: right not in {Right.PUBLIC, Right.READ_STATUS}):
            for headers in ({}, forged):
                answer = await client.request(method, path, content=b"{not json", headers=headers)
                assert (method, path, answer.status_code) == (method, path, 401)
                assert answer.headers["content-type"] == "application/problem+json"


async def test_a_role_without_the_right_is_403_everywhere(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client:
        async with sqlite_center.parts.database.write() as session:
            await session.execute(update(Account).values(role="a-role-of-a-later-version"))
        for method, path in asking(lambda right: right in RIGHTS[Role.SHIFT_LEAD]):
            answer = await client.request(method, path)
            assert (method, path, answer.status_code) == (method, path, 403)


async def test_a_person_is_no_worker(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.signed_in() as client:
        for method, path in asking(lambda right: right is Right.WORKER):
            answer = await client.request(method, path, json={})
            assert (method, path, answer.status_code) == (method, path, 401)


@pytest.mark.parametrize("path", ["/api/v1/status", "/metrics"])
async def test_figures_are_open_on_this_machine_and_else_need_a_sign_in(
    sqlite_center: RunningCenter, path: str
) -> None:
    async with sqlite_center.client() as here:
        assert (await here.get(path)).status_code == 200
        # A reverse proxy on this machine that names its client, as uvicorn believes it from loopback.
        from_afar = {"X-Forwarded-For": "203.0.113.9"}
        assert (await here.get(path, headers=from_afar)).status_code == 401
    async with sqlite_center.signed_in() as client:
        assert (await client.get(path, headers=from_afar)).status_code == 200
