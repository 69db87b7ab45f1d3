"""The OpenAPI description, served and written to docs/reference/openapi.json."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from control_center.api.authorization import guarded_router, requires
from control_center.rights import Right

router = guarded_router()


@router.get("/api/v1/openapi.json", include_in_schema=False)
@requires(Right.PUBLIC)
async def get_openapi(request: Request) -> dict[str, Any]:
    """The description of this API."""
    description: dict[str, Any] = request.app.openapi()
    return description
