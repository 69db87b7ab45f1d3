"""The center's web application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.routing import APIRoute

from config.settings import Settings
from control_center.api import (
    accounts,
    cameras,
    description,
    figures,
    holds,
    ice,
    incidents,
    internal,
    ledger,
    live,
    recordings,
    register,
    removed_cameras,
    session,
    status,
    whep,
)
from control_center.api.authorization import GuardedRoute, check_every_route_is_guarded
from control_center.api.edge import Edge
from control_center.api.problems import ProblemDetails, install_problem_handlers
from control_center.api.ui import UI_FOLDER, UserInterface
from control_center.center import open_center
from streams.ice_servers import IceServers
from streams.supervision import supervise

_RESOURCES = (
    session,
    accounts,
    cameras,
    whep,
    ice,
    recordings,
    removed_cameras,
    holds,
    incidents,
    figures,
    ledger,
    live,
    register,
    status,
    internal,
    description,
)
_PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Problem details (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
}


def create_app(
    settings: Settings,
    worker_token: str,
    expected_workers: tuple[str, ...] = (),
    ui_folder: Path = UI_FOLDER,
    hasher: PasswordHasher | None = None,
) -> FastAPI:
    """The whole application; it opens the database when it starts. Raises RightNotStated, SettingsError."""
    ice_servers = IceServers(settings.turn)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_center(settings, worker_token, expected_workers, hasher) as center:
            app.state.center = center
            app.state.ice_servers = ice_servers
            watches = [
                asyncio.create_task(supervise("watch over the fleet", center.watch)),
                asyncio.create_task(supervise("watch over live pictures", center.viewers.watch)),
                asyncio.create_task(supervise("watch over holds", center.holds.watch)),
            ]
            try:
                yield
            finally:
                for watch in watches:
                    watch.cancel()
                await asyncio.wait(watches)

    app = _Application(
        title="Haechi",
        version="1",
        summary="City-wide CCTV control center",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        responses=_PROBLEM,
        redirect_slashes=False,
    )
    app.router.route_class = GuardedRoute
    for resource in _RESOURCES:
        app.include_router(resource.router)
    check_every_route_is_guarded(app)
    install_problem_handlers(app)
    app.add_middleware(UserInterface, folder=ui_folder)
    app.add_middleware(Edge)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """FastAPI's description plus the shape of errors, which no endpoint returns by itself."""
        if not self.openapi_schema:
            schemas = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs", {}))
            schemas["ProblemDetails"] = problem
        assert self.openapi_schema is not None
        return self.openapi_schema
