"""Errors as RFC 9457 problem details, whatever raised them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from control_center.accounts import (
    AccountError,
    AccountUnknown,
    LastAdministrator,
    NameRefused,
    NameTaken,
    PasswordRefused,
)
from control_center.database.connection import DatabaseError, first_line
from control_center.incidents.store import IncidentUnknown
from control_center.incidents.transitions import TransitionRefused
from control_center.live import TooManyListeners

logger = logging.getLogger(__name__)


class FieldFault(BaseModel):
    """`camera` and `line` say where in a list of cameras, for an import."""

    field: str
    message: str
    camera: str = ""
    line: int | None = None


class ProblemDetails(BaseModel):
    """RFC 9457. `type` is about:blank or a urn:haechi:problem: name; `errors` lists wrong fields."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: list[FieldFault] = Field(default=[])


class Problem(Exception):
    """Answer with this problem; `kind` makes its type urn:haechi:problem:`kind`."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldFault] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.headers = dict(headers or {})
        self.errors = list(errors)


def problem_response(
    request: Request,
    status: int,
    detail: str,
    kind: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: list[FieldFault] | None = None,
) -> Response:
    details = ProblemDetails(
        type=f"urn:haechi:problem:{kind}" if kind else "about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=errors or [],
    )
    body = details.model_dump(exclude_defaults=True) | {"type": details.type}
    return JSONResponse(body, status, dict(headers or {}), media_type="application/problem+json")


def install_problem_handlers(app: FastAPI) -> None:
    """Every error that leaves the app is a problem: ours, Starlette's (404, 405), validation, and the unexpected."""
    handlers: list[tuple[type[Exception], Any]] = [
        (Problem, _own),
        (HTTPException, _http),
        (RequestValidationError, _validation),
        (AccountError, _account),
        (IncidentUnknown, _unknown),
        (TransitionRefused, _refused),
        (TooManyListeners, _crowded),
        (DatabaseError, _database),
        (SQLAlchemyError, _database),
        (Exception, _unexpected),
    ]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)


async def _own(request: Request, error: Problem) -> Response:
    return problem_response(request, error.status, error.detail, error.kind, error.headers, error.errors)


async def _http(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(request, 404, f"there is nothing at {request.url.path}", "not-found")
    return problem_response(request, error.status_code, str(error.detail), headers=error.headers)


async def _validation(request: Request, error: RequestValidationError) -> Response:
    faults = [_fault(one) for one in error.errors()]
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
    return problem_response(request, 422, detail, "invalid", errors=faults)


# Status, kind, and the field at fault.
_ACCOUNT_PROBLEMS: dict[type[AccountError], tuple[int, str, str]] = {
    AccountUnknown: (404, "not-found", ""),
    NameTaken: (409, "name-taken", "name"),
    NameRefused: (422, "invalid", "name"),
    PasswordRefused: (422, "invalid", "password"),
    LastAdministrator: (409, "last-administrator", ""),
}


async def _account(request: Request, error: AccountError) -> Response:
    status, kind, field = _ACCOUNT_PROBLEMS[type(error)]
    faults = [FieldFault(field=field, message=str(error))] if field else []
    return problem_response(request, status, str(error), kind, errors=faults)


async def _unknown(request: Request, error: IncidentUnknown) -> Response:
    return problem_response(request, 404, str(error), "not-found")


async def _refused(request: Request, error: TransitionRefused) -> Response:
    return problem_response(request, 409, str(error), "incident-state")


async def _crowded(request: Request, error: TooManyListeners) -> Response:
    return problem_response(request, 503, str(error), headers={"Retry-After": "10"})


async def _database(request: Request, error: Exception) -> Response:
    logger.error("%s %s: database: %s", request.method, request.url.path, first_line(error))
    return problem_response(request, 503, "the database failed; try again", headers={"Retry-After": "2"})


async def _unexpected(request: Request, error: Exception) -> Response:
    return problem_response(request, 500, "the center failed; its log says why")


def _fault(error: Any) -> FieldFault:
    place = [str(part) for part in error["loc"] if part not in {"body", "query", "path", "header"}]
    return FieldFault(field=".".join(place) or "body", message=error["msg"].removeprefix("Value error, "))
