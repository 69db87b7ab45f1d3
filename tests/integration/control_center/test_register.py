"""The camera register: in the database, by the API, and as a list in YAML; on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr
from sqlalchemy import select, text, update

from config.load import read_cameras
from config.settings import Camera
from control_center.database import Database, DatabaseError, LedgerRow, RegisteredCamera
from control_center.database.migration import database_url, migrate
from control_center.ledger import COMMAND_LINE, Ledger
from control_center.register import CameraExists, CameraUnknown, Register
from control_center.register.settings_file import take_settings_file
from control_center.register.yaml_form import to_yaml
from control_center.rights import Role
from tests.camera_definitions import camera_lists
from tests.integration.control_center.conftest import (
    CAMERAS,
    PASSWORD,
    RunningCenter,
    event,
    heartbeat,
    serving,
    settings_in,
)
from tests.integration.control_center.staffed import AROUND_THE_GATE, staffed
from tests.integration.control_center.test_ingest import post
from tests.integration.control_center.test_live import listening

ADMIN = Role.ADMINISTRATOR.value
JSON = {"Content-Type": "application/json"}
SECRETS = ("camera-secret", "another-secret", "third-secret")
GATE = Camera.model_validate(CAMERAS[0])
ALLEY = Camera.model_validate(CAMERAS[1])
YARD = {"id": "yard", "name": "Yard", "purpose": "crime prevention", "main": "rtsp://127.0.0.1/yard"}


@pytest.fixture
async def database(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[Database]:
    database = Database(database_url(center_database_url, tmp_path))
    await migrate(database)
    yield database
    await database.close()


@asynccontextmanager
async def signed_in(center: RunningCenter, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody new of that role, named by it."""
    await center.parts.accounts.create(role.value, PASSWORD, role)
    async with center.client() as client:
        answer = await client.post("/api/v1/session", json={"name": role.value, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        yield client


def administrator(center: RunningCenter) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return signed_in(center, Role.ADMINISTRATOR)


async def written(database: Database, *actions: str) -> list[tuple[str, str, str | None, Any]]:
    """(who, action, camera, details) of the ledger's rows about cameras, oldest first."""
    async with database.read() as session:
        rows = list(await session.scalars(select(LedgerRow).order_by(LedgerRow.sequence)))
    return [
        (row.account_name, row.action, row.camera_id, json.loads(row.details) if row.details else {})
        for row in rows
        if row.action.startswith("camera.") and (not actions or row.action in actions)
    ]


async def definitions(center: RunningCenter) -> dict[str, dict[str, Any]]:
    """What the workers get, by id."""
    async with center.worker() as worker:
        answer = (await worker.get("/internal/v1/cameras")).json()
    return {camera["id"]: camera for camera in answer["cameras"]}


async def version(center: RunningCenter) -> str:
    """What the workers are told with every heartbeat."""
    async with center.worker() as worker:
        found: str = (await worker.post("/internal/v1/workers/w0/heartbeat", json=heartbeat())).json()[
            "cameras_version"
        ]
    return found


# --- The register in the database


async def test_a_camera_is_added_changed_and_removed_each_with_its_ledger_row(database: Database) -> None:
    register = Register(database)
    await register.add(COMMAND_LINE, GATE)
    await register.change(
        COMMAND_LINE, GATE.model_copy(update={"name": "Gate", "password": SecretStr("another-secret")})
    )
    await register.change(COMMAND_LINE, GATE.model_copy(update={"name": "Gate", "password": None}))  # nothing new
    await register.remove(COMMAND_LINE, "gate")
    assert await written(database) == [
        ("command line", "camera.added", "gate", {"name": "정문"}),
        ("command line", "camera.changed", "gate", {"fields": ["name", "password"]}),
        ("command line", "camera.removed", "gate", {"name": "Gate"}),
    ]
    assert (await Ledger(database).verify()).fault == ""


async def test_what_is_refused_leaves_no_row_anywhere(database: Database) -> None:
    register = Register(database)
    await register.add(COMMAND_LINE, ALLEY)
    before = await written(database)
    with pytest.raises(CameraExists):
        await register.add(COMMAND_LINE, ALLEY)
    for act in (register.change(COMMAND_LINE, GATE), register.remove(COMMAND_LINE, "gate")):
        with pytest.raises(CameraUnknown):
            await act
    assert (await register.load()).cameras == (ALLEY,)
    assert await written(database) == before


async def test_a_change_whose_ledger_row_cannot_be_written_is_no_change(database: Database) -> None:
    register = Register(database)
    await register.add(COMMAND_LINE, ALLEY)
    async with database.write() as session:
        await session.execute(text("ALTER TABLE ledger RENAME TO ledger_elsewhere"))
    with pytest.raises(Exception, match="ledger"):
        await register.take(COMMAND_LINE, [GATE, ALLEY.model_copy(update={"name": "Lane"})])
    assert (await register.load()).cameras == (ALLEY,)


async def test_a_removed_camera_is_wiped_but_for_what_its_incidents_need(database: Database) -> None:
    register = Register(database)
    await register.add(COMMAND_LINE, GATE)
    await register.remove(COMMAND_LINE, "gate")
    state = await register.load()
    assert (
        state.cameras == () and state.former["gate"].name == "정문" and state.former["gate"].position == GATE.position
    )
    async with database.read() as session:
        row = await session.get_one(RegisteredCamera, "gate")
    assert (row.main, row.sub, row.username, row.password, row.zones) == ("", None, None, None, [])
    await register.add(COMMAND_LINE, ALLEY)
    await register.add(COMMAND_LINE, GATE)
    state = await register.load()
    assert [camera.id for camera in state.cameras] == ["alley", "gate"] and state.former == {}


async def test_the_version_is_another_one_for_other_cameras_and_only_then(database: Database) -> None:
    register = Register(database)
    seen = [(await register.load()).version]

    async def note() -> None:
        seen.append((await register.load()).version)

    await register.add(COMMAND_LINE, ALLEY)
    await note()
    await register.change(COMMAND_LINE, ALLEY.model_copy(update={"password": SecretStr("another-secret")}))
    await note()
    await register.change(COMMAND_LINE, ALLEY.model_copy(update={"password": SecretStr("third-secret")}))
    await note()
    await register.add(COMMAND_LINE, GATE)
    await note()
    await register.remove(COMMAND_LINE, "gate")
    await note()
    assert len(set(seen[:5])) == 5
    assert seen[5] == seen[3]  # the same cameras as before the last one came
    await register.change(COMMAND_LINE, ALLEY)
    assert not await register.refresh()
    assert (await Register(database).load()).version == seen[-1]


async def test_a_change_is_noticed_though_the_clock_was_set_back(database: Database) -> None:
    register = Register(database)
    await register.add(COMMAND_LINE, ALLEY)
    async with database.write() as session:
        await session.execute(update(RegisteredCamera).values(updated_at=datetime.now(UTC) + timedelta(days=1)))
    assert await register.refresh() and not await register.refresh()
    await Register(database).change(COMMAND_LINE, ALLEY.model_copy(update={"name": "Lane"}))
    assert await register.refresh() and register.loaded.cameras[0].name == "Lane"


async def test_a_row_that_this_version_cannot_read_is_left_out_said_and_replaced_by_an_import(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    register = Register(database)
    await register.take(COMMAND_LINE, [GATE, ALLEY])
    async with database.write() as session:
        await session.execute(update(RegisteredCamera).where(RegisteredCamera.id == "gate").values(main="ftp://h"))
    with caplog.at_level(logging.ERROR):
        assert [camera.id for camera in (await register.load()).cameras] == ["alley"]
    assert "camera gate: its row in the register cannot be read" in caplog.text
    assert (await register.take(COMMAND_LINE, [GATE])).changed == ("gate",)
    assert [camera.id for camera in (await register.load()).cameras] == ["gate", "alley"]


async def test_many_changes_at_once_lose_none(database: Database) -> None:
    registers = [Register(database) for _ in range(4)]
    cameras = [Camera.model_validate({**YARD, "id": f"yard-{number}"}) for number in range(20)]
    await asyncio.gather(*(registers[i % 4].add(COMMAND_LINE, camera) for i, camera in enumerate(cameras)))
    state = await registers[0].load()
    assert {camera.id for camera in state.cameras} == {camera.id for camera in cameras}
    assert len(await written(database)) == 20 and (await Ledger(database).verify()).fault == ""


# --- The settings file


async def test_the_settings_file_adds_changes_and_does_not_undo(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    register = Register(database)
    caplog.set_level(logging.INFO)
    await take_settings_file(register, [GATE, ALLEY])
    await register.change(COMMAND_LINE, GATE.model_copy(update={"name": "by hand", "password": None}))
    await register.add(COMMAND_LINE, Camera.model_validate(YARD))
    await register.remove(COMMAND_LINE, "alley")

    caplog.clear()
    await take_settings_file(register, [GATE, ALLEY])
    assert [camera.name for camera in register.loaded.cameras] == ["by hand", "Yard"]
    assert "in the file, but removed here: alley" in caplog.text and "not in the file, and kept: yard" in caplog.text

    moved = GATE.model_copy(update={"main": "rtsp://127.0.0.1/elsewhere"})
    await take_settings_file(register, [moved, ALLEY.model_copy(update={"name": "Lane"})])
    assert [camera.name for camera in register.loaded.cameras] == ["정문", "Yard", "Lane"]
    assert register.loaded.cameras[0] == moved
    assert [row for row in await written(database) if row[0] == "center"][2:] == [
        ("center", "camera.changed", "gate", {"fields": ["name", "main"], "from": "settings file"}),
        ("center", "camera.added", "alley", {"name": "Lane", "from": "settings file"}),
    ]


async def test_a_password_that_was_taken_out_of_the_file_is_taken_out_here(database: Database) -> None:
    register = Register(database)
    await take_settings_file(register, [GATE])
    await take_settings_file(register, [GATE.model_copy(update={"password": None})])
    assert register.loaded.cameras[0].password is None


async def test_a_file_that_says_what_the_register_has_changes_nothing(database: Database) -> None:
    register = Register(database)
    await register.take(COMMAND_LINE, [GATE])
    before = (await register.load()).version
    await take_settings_file(register, [GATE])
    assert register.loaded.version == before
    await register.change(COMMAND_LINE, GATE.model_copy(update={"name": "by hand"}))
    await take_settings_file(register, [GATE])
    assert register.loaded.cameras[0].name == "by hand"


# --- Import and export


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(camera_lists(), camera_lists())
def test_export_and_import_give_the_same_register(first: list[Camera], second: list[Camera]) -> None:
    async def main() -> None:
        with TemporaryDirectory() as one, TemporaryDirectory() as other:
            async with opened(one) as register, opened(other) as copy:
                await register.take(COMMAND_LINE, first)
                await register.take(COMMAND_LINE, second)
                cameras = (await register.load()).cameras
                await copy.take(COMMAND_LINE, read_cameras(to_yaml(cameras, with_passwords=True), "list"))
                assert (await copy.load()).cameras == cameras
                again = read_cameras(to_yaml(cameras, with_passwords=False), "list")
                assert (await register.take(COMMAND_LINE, again)).unchanged == tuple(camera.id for camera in cameras)

    asyncio.run(main())


@asynccontextmanager
async def opened(folder: str) -> AsyncIterator[Register]:
    database = Database(database_url(None, Path(folder)))
    await migrate(database)
    try:
        yield Register(database)
    finally:
        await database.close()


async def test_the_export_of_a_center_imports_into_another_one(center: RunningCenter, tmp_path: Path) -> None:
    async with administrator(center) as client:
        answer = await client.get("/api/v1/register/export")
        assert answer.headers["content-type"].startswith("application/yaml")
        assert "cameras.yaml" in answer.headers["content-disposition"]
        unchanged = await client.post("/api/v1/register/import", json={"yaml": answer.text})
        assert unchanged.json() == {"added": [], "changed": [], "unchanged": ["gate", "alley"]}
        assert (await definitions(center))["gate"]["password"] == "camera-secret"
    empty = settings_in(tmp_path / "other").model_copy(update={"cameras": ()})
    async with serving(empty) as other, administrator(other) as client:
        added = await client.post("/api/v1/register/import", json={"yaml": answer.text})
        assert added.json() == {"added": ["gate", "alley"], "changed": [], "unchanged": []}
        assert (await client.get("/api/v1/register/export")).text == answer.text


async def test_an_import_with_one_fault_changes_nothing(sqlite_center: RunningCenter) -> None:
    good = to_yaml([Camera.model_validate(YARD)], with_passwords=False)
    bad = (
        good + "- {id: bad, name: Bad, main: 'rtsp://h/x', password: hunter2, zones: [{name: z, polygon: [[0, 2]]}]}\n"
    )
    async with administrator(sqlite_center) as client:
        answer = await client.post("/api/v1/register/import", json={"yaml": bad})
        assert answer.status_code == 422 and answer.json()["type"] == "urn:haechi:problem:invalid"
        assert "hunter2" not in answer.text
        faults = {(fault["field"], fault["camera"]) for fault in answer.json()["errors"]}
        assert ("cameras[1].purpose", "bad") in faults and ("cameras[1].zones[0].rules", "bad") in faults
        assert all(fault["line"] > 1 for fault in answer.json()["errors"])
    assert "yard" not in await definitions(sqlite_center)


async def test_a_dry_run_tells_the_same_and_does_nothing(sqlite_center: RunningCenter) -> None:
    listed = to_yaml(
        [Camera.model_validate(YARD), ALLEY, GATE.model_copy(update={"enabled": False})], with_passwords=False
    )
    wanted = {"added": ["yard"], "changed": ["gate"], "unchanged": ["alley"]}
    before = await version(sqlite_center)
    async with administrator(sqlite_center) as client:
        dry = await client.post("/api/v1/register/import", json={"yaml": listed, "dry_run": True})
        assert dry.json() == wanted
        assert await version(sqlite_center) == before
        assert len(await written(sqlite_center.parts.database)) == 2
        assert (await client.post("/api/v1/register/import", json={"yaml": listed})).json() == wanted
    assert await version(sqlite_center) != before


async def test_a_thousand_cameras_are_imported_while_the_center_answers(sqlite_center: RunningCenter) -> None:
    listed = [GATE.model_copy(update={"id": f"gate-{number}"}) for number in range(1000)]
    async with administrator(sqlite_center) as client, sqlite_center.client() as other:
        importing = asyncio.create_task(
            client.post("/api/v1/register/import", json={"yaml": to_yaml(listed, with_passwords=True)}, timeout=120)
        )
        answered = 0
        while not importing.done():
            assert (await other.get("/healthz")).status_code == 200
            answered += 1
            await asyncio.sleep(0.02)
        assert len((await importing).json()["added"]) == 1000 and answered >= 3
        assert len((await client.get("/api/v1/cameras")).json()["cameras"]) == 1002


# --- The API


async def test_a_camera_added_by_the_api_is_there_for_browsers_and_workers(center: RunningCenter) -> None:
    before = await version(center)
    async with administrator(center) as client, listening(client) as news:
        await news.next("ready")
        answer = await client.post("/api/v1/register/cameras", json={**YARD, "password": "another-secret"})
        assert answer.status_code == 201
        assert answer.json()["has_password"] is True and answer.json()["zones"] == []
        assert (await news.next("cameras.changed")).data == {}
        listed = (await client.get("/api/v1/cameras")).json()["cameras"]
        assert [camera["id"] for camera in listed] == ["gate", "alley", "yard"]
        assert listed[2]["state"] == "connecting" and listed[2]["enabled"] is True
        again = await client.post("/api/v1/register/cameras", json=YARD)
        assert (again.status_code, again.json()["type"]) == (409, "urn:haechi:problem:camera-exists")
    assert await version(center) != before
    assert (await definitions(center))["yard"]["password"] == "another-secret"
    assert (await written(center.parts.database))[-1] == (ADMIN, "camera.added", "yard", {"name": "Yard"})


async def test_a_camera_that_is_switched_off_says_so_and_is_back_when_switched_on(sqlite_center: RunningCenter) -> None:
    live = heartbeat(gate_main=("live", ""), gate_sub=("live", ""))
    form = {**CAMERAS[0]}
    del form["password"]
    async with administrator(sqlite_center) as client, sqlite_center.worker() as worker, listening(client) as news:
        await news.next("ready")
        await worker.post("/internal/v1/workers/w0/heartbeat", json=live)
        assert (await client.get("/api/v1/cameras/gate")).json()["state"] == "live"
        await client.put("/api/v1/register/cameras/gate", json={**form, "enabled": False})
        while (state := (await news.next("camera.state")).data)["state"] != "disabled":
            pass
        assert state["reason"] == "switched off in the camera register"
        shown = (await client.get("/api/v1/cameras/gate")).json()
        assert (shown["state"], shown["enabled"]) == ("disabled", False)
        assert (await client.get("/api/v1/status")).json()["cameras"]["disabled"] == 1
        assert (await definitions(sqlite_center))["gate"]["enabled"] is False
        await client.put("/api/v1/register/cameras/gate", json=form)
        assert (await client.get("/api/v1/cameras/gate")).json()["state"] == "live"
    assert (await definitions(sqlite_center))["gate"]["password"] == "camera-secret"


async def test_a_put_keeps_the_password_unless_it_names_one(sqlite_center: RunningCenter) -> None:
    async with administrator(sqlite_center) as client:
        for given_password, kept in ((None, "camera-secret"), ("another-secret", "another-secret"), ("", None)):
            form = {**CAMERAS[0], "password": given_password}
            answer = await client.put("/api/v1/register/cameras/gate", json=form)
            assert answer.json()["has_password"] is bool(kept)
            assert (await definitions(sqlite_center))["gate"]["password"] == kept


async def test_what_a_form_has_wrong_is_named_by_field(sqlite_center: RunningCenter) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"id": "other"}, "id"),
        ({"purpose": " "}, "purpose"),
        ({"main": "rtsp://u:hunter2@h/x"}, "main"),
        ({"main": "rtsp://h/x\r\nTEARDOWN"}, "main"),
        ({"main": "rtsp://h:99999/x"}, "main"),
        ({"main": "rtsp://[h/x"}, "main"),
        ({"name": "half of a character: \ud800"}, "name"),
        ({"password": "hunter2\nx"}, "password"),
        ({"category": "zoo"}, "category"),
        ({"position": {"latitude": 91, "longitude": 0}}, "position.latitude"),
        ({"zones": [{"name": "z", "rules": []}, {"name": "z", "rules": []}]}, "body"),
        ({"colour": "red"}, "colour"),
    ]
    async with administrator(sqlite_center) as client:
        for change, field in wrong:
            body = json.dumps({**CAMERAS[0], **change}).encode()
            answer = await client.put("/api/v1/register/cameras/gate", content=body, headers=JSON)
            assert answer.status_code == 422, change
            assert [fault["field"] for fault in answer.json()["errors"]] == [field]
            assert "hunter2" not in answer.text
        assert (await client.put("/api/v1/register/cameras/yard", json=YARD)).status_code == 404
        assert (await client.delete("/api/v1/register/cameras/yard")).status_code == 404


async def test_a_removed_camera_is_gone_but_its_incident_keeps_its_name(center: RunningCenter) -> None:
    await post(center, event("a"))
    async with administrator(center) as client:
        assert (await client.delete("/api/v1/register/cameras/gate")).status_code == 204
        assert [camera["id"] for camera in (await client.get("/api/v1/cameras")).json()["cameras"]] == ["alley"]
        assert (await client.get("/api/v1/cameras/gate")).status_code == 404
        assert (await client.get("/api/v1/status")).json()["cameras"]["total"] == 1
    async with signed_in(center, Role.SHIFT_LEAD) as lead:
        (incident,) = (await lead.get("/api/v1/incidents")).json()["incidents"]
        assert incident["camera_name"] == "정문"
        assert (await lead.post("/api/v1/cameras/gate/whep", content=b"v=0")).status_code == 404
    assert list(await definitions(center)) == ["alley"]


async def test_a_finding_of_a_camera_that_was_removed_meanwhile_is_still_taken(sqlite_center: RunningCenter) -> None:
    async with administrator(sqlite_center) as client:
        await client.delete("/api/v1/register/cameras/gate")
    await post(sqlite_center, event("a"))
    async with signed_in(sqlite_center, Role.SHIFT_LEAD) as lead:
        (incident,) = (await lead.get("/api/v1/incidents")).json()["incidents"]
    assert (incident["camera_id"], incident["camera_name"]) == ("gate", "정문")


async def test_no_password_leaves_the_center_but_to_its_workers(
    sqlite_center: RunningCenter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="control_center")
    said: list[str] = []
    async with administrator(sqlite_center) as client, signed_in(sqlite_center, Role.SHIFT_LEAD) as lead:
        for secret in SECRETS[1:]:
            said.append((await client.post("/api/v1/register/cameras", json={**YARD, "password": secret})).text)
            wrong = {**YARD, "password": secret, "main": "ftp://x"}
            said.append((await client.put("/api/v1/register/cameras/yard", json=wrong)).text)
            said.append((await client.put("/api/v1/register/cameras/yard", json={**YARD, "password": secret})).text)
            listed = to_yaml([Camera.model_validate({**YARD, "password": secret})], with_passwords=True)
            said.append((await client.post("/api/v1/register/import", json={"yaml": listed})).text)
            said.append((await client.post("/api/v1/register/import", json={"yaml": listed + "  nam: x"})).text)
        for path in ("register", "register/export", "cameras", "cameras/gate", "openapi.json"):
            said.append((await client.get(f"/api/v1/{path}")).text)
        said.append((await lead.get("/api/v1/cameras")).text)
    said += [json.dumps(row) for row in await written(sqlite_center.parts.database)]
    said.append(caplog.text)
    assert len(said) > 20
    assert not [text for text in said for secret in SECRETS if secret in text]


async def test_only_who_manages_cameras_reads_the_register(sqlite_center: RunningCenter) -> None:
    async with signed_in(sqlite_center, Role.SHIFT_LEAD) as lead:
        for method, path in (("GET", ""), ("GET", "/export"), ("POST", "/cameras"), ("DELETE", "/cameras/gate")):
            assert (await lead.request(method, f"/api/v1/register{path}")).status_code == 403
    assert "gate" in await definitions(sqlite_center)


async def test_an_export_is_written_down(sqlite_center: RunningCenter) -> None:
    async with administrator(sqlite_center) as client:
        await client.get("/api/v1/register/export")
    rows = await written(sqlite_center.parts.database, "camera.exported")
    assert rows == [(ADMIN, "camera.exported", None, {"cameras": 2, "passwords": False})]


async def test_the_rules_of_a_zone_are_shown_with_their_times(sqlite_center: RunningCenter) -> None:
    rules: Sequence[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"kind": "loitering"}, {"kind": "loitering", "severity": "attention", "seconds": 60}),
        ({"kind": "dumping"}, {"kind": "dumping", "severity": "caution", "seconds": 10}),
        ({"kind": "parking", "dwell_seconds": 90}, {"kind": "parking", "severity": "attention", "seconds": 90}),
        ({"kind": "intrusion"}, {"kind": "intrusion", "severity": "alert", "seconds": 0.5}),
        ({"kind": "fire", "severity": "alert"}, {"kind": "fire", "severity": "alert", "seconds": 3}),
    ]
    async with administrator(sqlite_center) as client:
        form = {**YARD, "zones": [{"name": "z", "rules": [rule for rule, _ in rules]}]}
        assert (await client.post("/api/v1/register/cameras", json=form)).status_code == 201
        shown = (await client.get("/api/v1/cameras/yard")).json()
    assert shown["zones"][0]["rules"] == [view for _, view in rules]


async def test_a_desk_sees_the_cameras_of_its_incident_and_no_others(
    tmp_path: Path, center_database_url: str | None
) -> None:
    async with staffed(tmp_path, center_database_url) as city:

        async def seen(who: str) -> set[str]:
            return {camera["id"] for camera in (await city.get(who, "/cameras"))["cameras"]}

        assert await seen("police") == set() and len(await seen("privacy")) == len(AROUND_THE_GATE) + 4
        incident_id = await city.alarm()
        await city.take("kim", incident_id, "dispatch", desks=["police"], note="go")
        assert await seen("police") == set(AROUND_THE_GATE) and await seen("fire") == set()
        assert (await city.get("police", "/cameras/at-50"))["id"] == "at-50"
        for who, camera_id in (("police", "at-501"), ("fire", "gate"), ("police", "no-such-camera")):
            refused = await city.get(who, f"/cameras/{camera_id}", 403)
            assert refused["type"] == "urn:haechi:problem:out-of-reach"
        await city.people["root"].delete("/api/v1/register/cameras/at-50")
        assert await seen("police") == {"gate", "at-300", "at-499"}
        await city.take("kim", incident_id, "close", verdict="real", note="")
        assert await seen("police") == set()


# --- Another process


async def test_a_running_center_takes_over_what_another_process_changed(center: RunningCenter) -> None:
    before = await version(center)
    other = Database(center.parts.database.url)
    try:
        async with administrator(center) as client, listening(client) as news:
            await news.next("ready")
            await Register(other).take(COMMAND_LINE, [Camera.model_validate(YARD)])
            await news.next("cameras.changed")
            assert (await client.get("/api/v1/cameras/yard")).json()["name"] == "Yard"
    finally:
        await other.close()
    assert await version(center) != before


async def test_the_register_stands_when_a_center_starts_again(tmp_path: Path, center_database_url: str | None) -> None:
    settings = settings_in(tmp_path, center_database_url)
    async with serving(settings) as center, administrator(center) as client:
        await client.put("/api/v1/register/cameras/alley", json={**CAMERAS[1], "name": "Lane"})
        await client.delete("/api/v1/register/cameras/gate")
        await client.post("/api/v1/register/cameras", json=YARD)
        before = await version(center)
    async with serving(settings) as center:
        assert await version(center) == before
        assert {key: camera["name"] for key, camera in (await definitions(center)).items()} == {
            "alley": "Lane",
            "yard": "Yard",
        }


# --- The file


@pytest.mark.parametrize("mask", [0o022, 0o000])
async def test_the_database_file_is_its_owners_alone(tmp_path: Path, mask: int) -> None:
    former = os.umask(mask)
    try:
        database = Database(database_url(None, tmp_path))
        await migrate(database)
        async with database.read():
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        await database.close()
    finally:
        os.umask(former)
    assert modes == dict.fromkeys(("center.sqlite", "center.sqlite-wal", "center.sqlite-shm"), 0o600)


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "center.sqlite"
    file.touch(mode=0o644)
    file.chmod(0o664)
    database = Database(database_url(None, tmp_path))
    await migrate(database)
    await database.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_another_process_that_comes_and_goes_leaves_the_log_of_those_who_stay(tmp_path: Path) -> None:
    """Whoever opens and closes the file beside SQLite drops its locks, and the next to leave takes the log away."""
    database = Database(database_url(None, tmp_path))
    await migrate(database)
    visit = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM cameras').fetchone()"
    async with database.read() as session:
        await session.execute(text("SELECT 1"))
        async with database.read() as second:  # a new connection beside the first
            await second.execute(text("SELECT 1"))
        before = (tmp_path / "center.sqlite-wal").stat().st_ino
        visitor = await asyncio.create_subprocess_exec(sys.executable, "-c", visit, str(tmp_path / "center.sqlite"))
        assert await visitor.wait() == 0
        assert (tmp_path / "center.sqlite-wal").stat().st_ino == before
    await database.close()


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    database = Database(database_url(None, tmp_path / "none"))
    with pytest.raises(DatabaseError, match=r"none/center\.sqlite"):
        await migrate(database)
    await database.close()
