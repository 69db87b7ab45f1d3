from __future__ import annotations

import json
from pathlib import Path

import pytest

from control_center.openapi import description_text
from tests.integration.control_center.conftest import RunningCenter, serving, settings_in

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/incidents/", 404),
        ("PUT", "/api/v1/status", 405),
        ("GET", "/internal/v1/events", 405),
        ("POST", "/api/v1/session", 422),
    ],
)
async def test_every_error_is_a_problem_of_rfc_9457(
    sqlite_center: RunningCenter, method: str, path: str, status: int
) -> None:
    async with sqlite_center.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["title"] and body["type"] and body["instance"] == path


async def test_a_wrong_field_is_named_and_a_password_is_never_repeated(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.client() as client:
        answer = await client.post("/api/v1/session", json={"name": "", "password": "s3cret-value", "pin": 1})
    assert {fault["field"] for fault in answer.json()["errors"]} == {"name", "pin"}
    assert "s3cret-value" not in answer.text


async def test_a_database_that_fails_is_503_and_unhealthy_and_not_described_to_strangers(
    sqlite_center: RunningCenter,
) -> None:
    async with sqlite_center.parts.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("ALTER TABLE incidents RENAME TO lost")
    async with sqlite_center.client() as client:
        answer = await client.get("/api/v1/status")
    assert answer.status_code == 503
    assert "incidents" not in answer.json()["detail"]
    assert answer.headers["retry-after"]


async def test_answers_carry_the_headers_that_browsers_heed(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.client() as client:
        for path in ("/", "/api/v1/status", "/api/v1/nothing"):
            headers = (await client.get(path)).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "script-src" not in headers["content-security-policy"]  # default-src 'self': no inline script
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
        assert (await client.get("/api/v1/status")).headers["cache-control"] == "no-store"


async def test_the_description_served_is_the_one_in_the_repository(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.client() as client:
        served = (await client.get("/api/v1/openapi.json")).json()
    stored = (ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8")
    assert json.loads(stored) == served, "run: python -m control_center.openapi"
    assert stored == description_text()
    assert all("x-right" in operation for path in served["paths"].values() for operation in path.values())


async def test_the_built_ui_is_served_with_its_own_paths_and_nothing_beside_it(tmp_path: Path) -> None:
    dist, data = tmp_path / "dist", tmp_path / "data"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>console</title>")
    (dist / "assets" / "app-1a2b.js").write_text("let it = 1")
    (tmp_path / "secret.txt").write_text("secret")
    async with serving(settings_in(data), ui_folder=dist) as center, center.client() as client:
        for path in ("/", "/cameras/gate", "/../secret.txt", "/%2e%2e/secret.txt"):
            answer = await client.get(path)
            assert answer.status_code == 200 and "console" in answer.text, path
        script = await client.get("/assets/app-1a2b.js")
        assert "javascript" in script.headers["content-type"]
        assert "immutable" in script.headers["cache-control"]
        assert (await client.get("/assets/old.js")).status_code == 404
        assert (await client.get("/api/v1/nothing")).status_code == 404


async def test_without_a_built_ui_a_page_says_so(tmp_path: Path) -> None:
    async with serving(settings_in(tmp_path), ui_folder=tmp_path / "none") as center, center.client() as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert "not built" in answer.text
