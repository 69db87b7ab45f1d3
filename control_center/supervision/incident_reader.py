"""Reading incidents from a running center, as a signed-in person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from control_center.supervision.errors import StartError


@asynccontextmanager
async def signed_in(url: str, name: str, password: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the session's cookie. Raises StartError."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        answer = await client.post("/api/v1/session", json={"name": name, "password": password})
        if answer.status_code != 200:
            raise StartError(f"{url}: sign-in as {name} was refused ({answer.status_code}): {answer.text[:200]}")
        yield client


async def all_incidents(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Every incident there is, newest first. Raises httpx.HTTPError."""
    found: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"limit": 500}
    while True:
        answer = (await client.get("/api/v1/incidents", params=query)).raise_for_status().json()
        found += answer["incidents"]
        if answer["next_before"] is None:
            return found
        query["before"] = answer["next_before"]
