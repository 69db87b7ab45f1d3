"""The ledger on both databases: one chain whoever writes, and whatever is changed in it is found."""

from __future__ import annotations

import asyncio
import csv
import io
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import yaml
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from typer.testing import CliRunner, Result

from control_center import ledger as ledger_module
from control_center.cli import app
from control_center.database import Database, DatabaseError
from control_center.database.migration import database_url, migrate
from control_center.ledger import FIRST_PREVIOUS, Actor, Entry, Ledger, LedgerFailed, Verification, append
from control_center.rights import Role
from tests.integration.control_center.conftest import PASSWORD, RunningCenter, event, serving, settings_in

pytestmark = pytest.mark.no_rerun

WHO = Actor("0" * 32, "관제 1", "192.0.2.7")


def entry(number: int, **changes: object) -> Entry:
    fields = {"camera_id": "gate", "incident_id": f"{number:032x}", "subject": "s", "reason": "wall"}
    return Entry(WHO, "view.live", **{**fields, "details": {"number": number}, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def database(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[Database]:
    async with opened(tmp_path, center_database_url) as one:
        await migrate(one)
        yield one


@asynccontextmanager
async def opened(folder: Path, url: str | None) -> AsyncIterator[Database]:
    one = Database(database_url(url, folder))
    try:
        yield one
    finally:
        await one.close()


async def fill(database: Database, rows: int) -> None:
    for start in range(0, rows, 1000):
        async with database.write() as session:
            await append(session, *(entry(n) for n in range(start, min(start + 1000, rows))))


async def change(database: Database, *statements: str) -> None:
    """As somebody would who has the database in his hands."""
    async with database.write() as session:
        for statement in statements:
            await session.execute(text(statement))


async def verified(database: Database, kept_head: str | None = None) -> Verification:
    return await Ledger(database).verify(kept_head)


# One chain


async def test_an_empty_ledger_fits(database: Database) -> None:
    assert await verified(database) == Verification(0, FIRST_PREVIOUS)


async def test_many_who_ask_at_once_get_one_chain_and_each_row_is_there_when_its_caller_goes_on(
    database: Database,
) -> None:
    ledger = Ledger(database)

    async def one(number: int) -> None:
        await ledger.record(entry(number))
        async with database.read() as session:
            found = await session.scalar(
                text("SELECT count(*) FROM ledger WHERE incident_id = :id"), {"id": f"{number:032x}"}
            )
        assert found == 1

    async with asyncio.TaskGroup() as group:
        for number in range(60):
            group.create_task(one(number))
    assert (await verified(database)).rows == 60


async def test_more_than_one_commit_holds_are_all_written(database: Database) -> None:
    count = 3 * ledger_module.MAX_BATCH + 7
    ledger = Ledger(database)
    await asyncio.gather(*(ledger.record(entry(number)) for number in range(count)))
    assert await verified(database) == Verification(count, (await ledger.page(ledger_module.LedgerFilter(), 1))[0].hash)


async def test_writers_of_two_centers_and_of_acts_keep_one_chain(
    tmp_path: Path, database: Database, center_database_url: str | None
) -> None:
    async def act(on: Database, number: int) -> None:
        async with on.write() as session:
            await append(session, entry(number))
            await append(session, entry(number), entry(number))

    async with opened(tmp_path, center_database_url) as other:
        ledgers = [Ledger(database), Ledger(other)]
        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(ledgers[number % 2].record(entry(number)))
                group.create_task(act((database, other)[number % 2], number))
        assert (await verified(database)).rows == (await verified(other)).rows == 160
    assert not (await verified(database)).fault


async def test_an_act_that_fails_leaves_no_row(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as session:
            await append(session, entry(1))
            raise ZeroDivisionError
    await Ledger(database).record(entry(2))
    assert (await verified(database)).rows == 1


async def test_a_caller_that_gives_up_harms_no_other(database: Database) -> None:
    ledger = Ledger(database)
    tasks = [asyncio.create_task(ledger.record(entry(number))) for number in range(50)]
    await asyncio.sleep(0)  # the first has begun to write, the others wait
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, False] * 25
    assert [result for result in results[1::2] if result is not None] == []
    await ledger.close()
    assert (await verified(database)).rows == 50  # what was asked for is written even so


async def test_what_people_type_can_be_stored_and_read_back_as_it_was_hashed(database: Database) -> None:
    ledger = Ledger(database)
    await ledger.record(entry(1, reason="한글 \0 \ud800 \u2028 'quote\" \\"))
    await ledger.record(entry(2, reason="", subject="", details={}, incident_id=None, camera_id=None))
    assert not (await verified(database)).fault
    rows = await ledger.page(ledger_module.LedgerFilter(), 10)
    assert rows[1].reason.startswith("한글  ? ")


# What was changed


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sequence", "77"),
        ("at", "'2026-01-01 00:00:00.000000'"),
        ("account_id", "NULL"),
        ("account_name", "'somebody else'"),
        ("address", "'192.0.2.8'"),
        ("action", "'ledger.read'"),
        ("camera_id", "'alley'"),
        ("incident_id", "NULL"),
        ("subject", "''"),
        ("reason", "'alarm'"),
        ("details", "'{}'"),
        ("previous_hash", f"'{'1' * 64}'"),
        ("hash", f"'{'1' * 64}'"),
    ],
)
async def test_a_changed_field_is_found_with_its_row(database: Database, column: str, value: str) -> None:
    await fill(database, 5)
    assert not (await verified(database)).fault
    await change(database, f"UPDATE ledger SET {column} = {value} WHERE sequence = 3")
    found = await verified(database)
    assert (found.rows, found.broken_at) == (2, 3)
    assert found.fault


async def test_every_column_is_among_them(database: Database) -> None:
    async with database.read() as session:
        columns = set((await session.execute(text("SELECT * FROM ledger"))).keys())
    marks = test_a_changed_field_is_found_with_its_row.pytestmark  # type: ignore[attr-defined]
    assert columns == {column for column, _ in marks[0].args[1]}


SWAP = [
    "UPDATE ledger SET sequence = 99 WHERE sequence = 2",
    "UPDATE ledger SET sequence = 2 WHERE sequence = 3",
    "UPDATE ledger SET sequence = 3 WHERE sequence = 99",
]
PUT_IN = (
    "INSERT INTO ledger SELECT {}, at, account_id, account_name, address, action, camera_id, incident_id, subject, "
    "reason, details, previous_hash, hash FROM ledger WHERE sequence = {}"
)
TAMPERINGS = {
    "changed": (["UPDATE ledger SET reason = 'alarm' WHERE sequence = 3"], 3),
    "deleted": (["DELETE FROM ledger WHERE sequence = 2"], 2),
    "first deleted": (["DELETE FROM ledger WHERE sequence = 1"], 1),
    "deleted, later ones moved up": (
        ["DELETE FROM ledger WHERE sequence = 4", "UPDATE ledger SET sequence = 4 WHERE sequence = 5"],
        4,
    ),
    "put in before the first": ([PUT_IN.format(0, 1)], 0),
    "put in between": (
        [*(f"UPDATE ledger SET sequence = {n + 1} WHERE sequence = {n}" for n in (5, 4)), PUT_IN.format(4, 3)],
        4,
    ),
    "put in at the end": ([PUT_IN.format(6, 5)], 6),
    "swapped": (SWAP, 2),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_every_tampering_is_found_by_the_endpoint_with_the_number_of_the_row(
    center: RunningCenter, name: str
) -> None:
    statements, row = TAMPERINGS[name]
    await change(center.parts.database, "DELETE FROM ledger")
    await fill(center.parts.database, 5)
    await change(center.parts.database, *statements)
    found = await center.parts.ledger.verify()
    assert found.broken_at == row, found
    # Signing in and the verification itself are rows too; where the chain is broken they stand after the break.
    async with signed_in(center, Role.PRIVACY_OFFICER) as client:
        answer = (await client.get("/api/v1/ledger/verification")).json()
    assert (answer["broken_at"], answer["fault"], answer["head"]) == (row, found.fault, found.head)


@pytest.mark.parametrize("column", ["at", "reason"])
async def test_what_cannot_be_read_is_a_changed_row(tmp_path: Path, column: str) -> None:
    """SQLite stores in a column whatever it is given."""
    async with opened(tmp_path, None) as database:
        await migrate(database)
        await fill(database, 700)
        for value in ("'yesterday'", "x'00ff'", "17", "CAST(x'ff' AS TEXT)"):
            await change(database, f"UPDATE ledger SET {column} = {value} WHERE sequence = 602")
            found = await verified(database)
            assert (found.rows, found.broken_at) == (601, 602), value


async def test_a_cut_tail_is_found_with_the_hash_that_was_kept(database: Database) -> None:
    await fill(database, 5)
    kept = (await verified(database)).head
    await fill(database, 3)
    assert not (await verified(database, kept)).fault
    await change(database, "DELETE FROM ledger WHERE sequence > 4")
    assert not (await verified(database)).fault  # which is why the hash is kept elsewhere
    found = await verified(database, kept)
    assert (found.rows, found.broken_at) == (4, None)
    assert "cut off" in found.fault


async def test_a_long_chain_is_verified_in_bounded_memory(tmp_path: Path) -> None:
    async with opened(tmp_path, None) as database:
        await migrate(database)
        peaks = []
        for rows in (4_000, 16_000):
            await fill(database, rows)
            tracemalloc.start()
            assert not (await verified(database)).fault
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0], peaks


# The command


async def command(tmp_path: Path, url: str | None, *arguments: str) -> Result:
    config = tmp_path / "haechi.yaml"
    config.write_text(yaml.safe_dump({"data_dir": str(tmp_path), "center": {"database_url": url}}))
    return await asyncio.to_thread(CliRunner().invoke, app, ["ledger", *arguments, "--config", str(config)])


async def test_the_command_verifies_tells_the_row_and_ends_with_status_1(
    tmp_path: Path, database: Database, center_database_url: str | None
) -> None:
    await fill(database, 5)
    head = (await verified(database)).head
    told = await command(tmp_path, center_database_url, "verify", "--head", head.upper())
    assert (told.exit_code, head in told.output) == (0, True), told.output
    assert "5 rows fit" in told.output
    await change(database, "DELETE FROM ledger WHERE sequence = 5")
    told = await command(tmp_path, center_database_url, "verify", "--head", head)
    assert told.exit_code == 1 and "cut off" in told.output
    assert (await command(tmp_path, center_database_url, "verify")).exit_code == 0
    await change(database, "UPDATE ledger SET account_name = 'nobody' WHERE sequence = 2")
    told = await command(tmp_path, center_database_url, "verify")
    assert told.exit_code == 1
    assert "BROKEN: row 2: its content was changed" in told.output


async def test_a_database_that_is_not_there_is_no_ledger_that_fits(tmp_path: Path) -> None:
    told = await command(tmp_path, None, "verify")
    assert isinstance(told.exception, DatabaseError), told.output  # status 2, as every fault that a person can mend
    assert "there is no database" in str(told.exception)
    assert not (tmp_path / "center.sqlite").exists()


async def test_the_export_holds_the_rows_of_its_days_and_is_a_row_itself(
    tmp_path: Path, database: Database, center_database_url: str | None
) -> None:
    await fill(database, 2)
    await Ledger(database).record(entry(3, reason='=HYPERLINK("http://x")', subject='a "b", c\nd'))
    told = await command(tmp_path, center_database_url, "export", "--reason", "audit of November")
    assert told.exit_code == 0, told.output
    rows = list(csv.DictReader(io.StringIO(told.stdout)))
    assert [row["sequence"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0]["account_name"] == WHO.name
    assert (rows[2]["reason"], rows[2]["subject"]) == ('\'=HYPERLINK("http://x")', 'a "b", c\nd')
    assert (rows[3]["action"], rows[3]["reason"]) == ("ledger.exported", "audit of November")
    tomorrow = (datetime.now(ZoneInfo("Asia/Seoul")) + timedelta(days=1)).date().isoformat()
    for option, count in (("--from", 0), ("--to", 6)):
        told = await command(tmp_path, center_database_url, "export", option, tomorrow)
        assert len(list(csv.DictReader(io.StringIO(told.stdout)))) == count
    assert not (await verified(database)).fault


# The endpoint


@asynccontextmanager
async def signed_in(center: RunningCenter, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    name = f"a-{role.value}"
    await center.parts.accounts.create(name, PASSWORD, role)
    async with center.client() as client:
        answer = await client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        yield client


async def test_only_who_may_read_the_ledger_reads_it(sqlite_center: RunningCenter) -> None:
    for role in Role:
        async with signed_in(sqlite_center, role) as client:
            for path in ("/api/v1/ledger", "/api/v1/ledger/verification"):
                expected = 200 if role is Role.PRIVACY_OFFICER else 403
                assert (await client.get(path)).status_code == expected, (role, path)


async def test_rows_come_newest_first_by_pages_and_filters(center: RunningCenter) -> None:
    await fill(center.parts.database, 5)
    await center.parts.ledger.record(entry(9, camera_id="alley"))
    async with signed_in(center, Role.PRIVACY_OFFICER) as client:
        first = (await client.get("/api/v1/ledger", params={"limit": 3, "action": "view.live"})).json()
        second = (
            await client.get("/api/v1/ledger", params={"action": "view.live", "before": first["next_before"]})
        ).json()
        shown = [*first["rows"], *second["rows"]]
        assert [row["details"]["number"] for row in shown] == [9, 4, 3, 2, 1, 0]
        assert second["next_before"] is None
        assert shown[0]["account"] == WHO.name and shown[0]["camera_id"] == "alley" and len(shown[0]["hash"]) == 64
        for params in ({"camera": "alley"}, {"incident": f"{9:032x}"}, {"account": WHO.name, "camera": "alley"}):
            rows = (await client.get("/api/v1/ledger", params={"action": "view.live", **params})).json()["rows"]
            assert [row["details"]["number"] for row in rows] == [9], params
        by_id = (await client.get("/api/v1/ledger", params={"account": WHO.account_id})).json()["rows"]
        assert len(by_id) == 6
        assert (await client.get("/api/v1/ledger", params={"action": "no.such"})).status_code == 422


async def test_reading_is_a_row_once_a_minute(sqlite_center: RunningCenter) -> None:
    async with signed_in(sqlite_center, Role.PRIVACY_OFFICER) as client:
        for camera in ("gate", "alley", "gate"):
            await client.get("/api/v1/ledger", params={"camera": camera})
        rows = (await client.get("/api/v1/ledger", params={"action": "ledger.read"})).json()["rows"]
        assert [(row["account"], row["subject"]) for row in rows] == [("a-privacy_officer", "camera_id=gate")]
        assert rows[0]["address"] == "127.0.0.1"
        await client.get("/api/v1/ledger/verification")
        rows = (await client.get("/api/v1/ledger", params={"action": "ledger.verified"})).json()["rows"]
        assert len(rows) == 1 and rows[0]["subject"].endswith("rows fit")


async def test_a_snapshot_is_a_row_once_in_ten_minutes_an_account_and_incident(sqlite_center: RunningCenter) -> None:
    async with sqlite_center.worker() as sender:
        await sender.post("/internal/v1/events", json=[event("1"), event("2", 500.0)])
    async with signed_in(sqlite_center, Role.OPERATOR) as one, signed_in(sqlite_center, Role.SHIFT_LEAD) as other:
        urls = [incident["snapshot_url"] for incident in (await one.get("/api/v1/incidents")).json()["incidents"]]
        assert len(urls) == 2
        answers = await asyncio.gather(*(client.get(url) for client in (one, other) for url in urls * 3))
        assert {answer.status_code for answer in answers} == {200}
    rows = await sqlite_center.parts.ledger.page(ledger_module.LedgerFilter(action="view.snapshot"), 100)
    seen = {(row.account_name, row.incident_id) for row in rows}
    assert len(rows) == len(seen) == 4
    assert {row.camera_id for row in rows} == {"gate"}


# Where it cannot be written


async def test_a_full_disk_is_told_to_everybody_who_waits_and_the_next_try_works(tmp_path: Path) -> None:
    async with opened(tmp_path, None) as database:
        await migrate(database)
        await fill(database, 10)
        ledger, pages = Ledger(database), [1]

        @sqlalchemy_event.listens_for(database.engine.sync_engine, "begin")
        def bound(connection: object) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}")  # type: ignore[attr-defined]

        large = {"reason": "x" * 100_000}
        results = await asyncio.gather(*(ledger.record(entry(n, **large)) for n in range(5)), return_exceptions=True)
        assert [type(result) for result in results] == [LedgerFailed] * 5
        assert "full" in str(results[0])
        pages[0] = 1_000_000
        await ledger.record(entry(11, **large))
        assert await verified(database) == Verification(11, (await verified(database)).head)


async def test_a_center_comes_back_to_the_chain_it_left(tmp_path: Path, center_database_url: str | None) -> None:
    settings = settings_in(tmp_path, center_database_url)
    for run in range(2):
        async with serving(settings) as running:
            await running.parts.ledger.record(entry(run))
    async with opened(tmp_path, center_database_url) as database:
        assert (await verified(database)).rows >= 2
        assert not (await verified(database)).fault
