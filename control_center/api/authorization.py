"""No endpoint without its right: a route refuses to be made without one, and asks it before it reads the request."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Coroutine, Iterable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from control_center.accounts import SignedIn
from control_center.api.problems import Problem
from control_center.center import Center
from control_center.rights import Right

_COOKIE = "haechi_session"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class RightNotStated(Exception):
    """An endpoint was added without saying which right it asks."""


def requires(right: Right) -> Callable[[Endpoint], Endpoint]:
    """State the right of an endpoint; stands between the route's decorator and the function."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__haechi_right__ = right  # type: ignore[attr-defined]
        return endpoint

    return mark


class GuardedRoute(APIRoute):
    """A route that asks the right of its endpoint first. Raises RightNotStated when it is made without one."""

    right: Right

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        right = getattr(endpoint, "__haechi_right__", None)
        if not isinstance(right, Right):
            raise RightNotStated(f"{path}: put @requires(Right.…) on {endpoint.__qualname__}")
        self.right = right
        options["openapi_extra"] = {**(options.get("openapi_extra") or {}), "x-right": right.value}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await authorize(request, self.right)
            return await handle(request)

        return guarded


def guarded_router(**options: Any) -> APIRouter:
    """A router whose endpoints must state their rights."""
    return APIRouter(route_class=GuardedRoute, **options)


def check_every_route_is_guarded(app: FastAPI) -> None:
    """Called when the app is made. Raises RightNotStated for a route that came in by another door."""
    for route in walk_routes(app.routes):
        if not isinstance(route, GuardedRoute):
            raise RightNotStated(f"{getattr(route, 'path', route)}: add it through guarded_router()")


def walk_routes(routes: Iterable[Any]) -> Iterable[Any]:
    """Routes one by one. Newer FastAPI keeps an included router as one entry, older ones copy its routes."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        inside = getattr(inner, "routes", None)
        if not isinstance(route, APIRoute) and inside is not None:
            yield from walk_routes(inside)
        else:
            yield route


async def authorize(request: Request, right: Right) -> None:
    """Raises Problem (401, 403). Leaves the person in `request.state.person`."""
    center: Center = request.app.state.center
    if right is Right.WORKER:
        _authorize_worker(center, request)
        return
    if request.method not in _SAFE_METHODS:
        _refuse_other_sites(request)
    if right is Right.PUBLIC:
        return
    if right is Right.READ_STATUS and (_is_from_this_machine(request) or _is_worker(center, request)):
        return
    person = await person_of(center, request)
    if person is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "sign in first: POST /api/v1/session",
            "not-signed-in",
            {"WWW-Authenticate": "Bearer"},
        )
    if right is not Right.READ_STATUS and right not in person.rights:
        raise Problem(HTTPStatus.FORBIDDEN, f"the account {person.name} may not do this ({right.value})", "no-right")
    request.state.person = person


def cookie_name(request: Request) -> str:
    """With the port that the browser asked: it keeps cookies by host alone, and two Haechis on one host must not
    sign each other out (RFC 6265, 8.5).
    """
    try:
        port = urlsplit(f"//{request.headers.get('host', '')}").port
    except ValueError:
        port = None
    return f"{_COOKIE}_{port}" if port else _COOKIE


def token_of(request: Request) -> str | None:
    """The session's token: from the cookie, or as a bearer token, which WHEP asks for (RFC 9725, 4.7.1)."""
    return request.cookies.get(cookie_name(request)) or _bearer(request) or None


async def person_of(center: Center, request: Request) -> SignedIn | None:
    """Who the token stands for."""
    token = token_of(request)
    return await center.accounts.who(token) if token else None


def _authorize_worker(center: Center, request: Request) -> None:
    if not _is_worker(center, request):
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "needs the worker token of this installation (HAECHI_WORKER_TOKEN)",
            "not-a-worker",
            {"WWW-Authenticate": "Bearer"},
        )


def _is_worker(center: Center, request: Request) -> bool:
    return center.is_worker_token(_bearer(request))


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refuse_other_sites(request: Request) -> None:
    """A browser says where a page comes from: nothing is changed for a page of another site (OWASP, CSRF)."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:  # an older browser, plain HTTP from afar, or no browser at all
        is_ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_ours:
        raise Problem(HTTPStatus.FORBIDDEN, "this request came from a page of another site", "other-site")


def _is_from_this_machine(request: Request) -> bool:
    if request.client is None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
