"""A database of the first version, filled by plain SQL, brought to the newest form, back, and again."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from argon2 import PasswordHasher
from sqlalchemy import Connection

from control_center.database import Base, Database, DatabaseError
from control_center.database.migration import SCRIPTS, database_url, migrate
from tests.integration.control_center.conftest import JPEG, PASSWORD, serving, settings_in

pytestmark = pytest.mark.no_rerun

TOKEN = "of-a-browser-signed-in-before-the-upgrade"
MANY = 3_000

# The tables of the first version, with the columns that order their rows.
OLD_TABLES = {
    "accounts": "id",
    "sessions": "token_hash",
    "snapshots": "hash",
    "incidents": "id",
    "events": "event_id",
}
COLUMNS = {
    "accounts": "id, name, role, password_hash, created_at, disabled_at",
    "sessions": "token_hash, account_id, created_at, expires_at, address",
    "snapshots": "hash, path, size_bytes, created_at",
    "incidents": (
        "id, camera_id, kind, family, zone, severity, label, started_at, raised_at, received_at, box, score, "
        "snapshot_hash, state, last_raised_at, last_box, updated_at, acknowledged_by_id, acknowledged_at, "
        "closed_by_id, closed_at, verdict, note, event_count"
    ),
    "events": (
        "event_id, incident_id, worker_id, camera_id, kind, family, zone, severity, label, started_at, raised_at, "
        "received_at, box, score, snapshot_hash, track_ids, dwell_seconds"
    ),
}
ADMIN, OTHER = "0" * 31 + "a", "0" * 31 + "b"
NEW, ACKNOWLEDGED, REAL, FALSE, UNSURE = (f"{number:032x}" for number in range(1, 6))


class OldDatabase:
    """`zone` is how this database writes UTC after a time."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.zone = "" if database.is_sqlite else "+00"

    async def to_revision(self, revision: str) -> None:
        """Up or down, as somebody who goes back to an older version does it."""

        def change(connection: Connection) -> None:
            config = Config()
            config.set_main_option("script_location", str(SCRIPTS))
            config.attributes["connection"] = connection
            (command.downgrade if revision == "0001" and is_newer(connection) else command.upgrade)(config, revision)

        async with self.database.engine.connect() as connection:
            await connection.run_sync(change)
            await connection.commit()

    async def run(self, *statements: str) -> None:
        async with self.database.engine.begin() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)

    async def rows(self, table: str) -> list[tuple[Any, ...]]:
        """As they are stored, in the columns of the first version."""
        async with self.database.engine.connect() as connection:
            found = await connection.exec_driver_sql(
                f"SELECT {COLUMNS[table]} FROM {table} ORDER BY {OLD_TABLES[table]}"
            )
            return [tuple(row) for row in found]

    async def one(self, query: str) -> Any:
        async with self.database.engine.connect() as connection:
            return (await connection.exec_driver_sql(query)).scalar_one()

    def at(self, minute: int) -> str:
        """A time with microseconds, in the year of the first version."""
        return (
            f"'2026-10-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00.123456{self.zone}'".replace(
                "T", " "
            )
        )

    async def fill(self) -> None:
        hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
        token = hashlib.sha256(TOKEN.encode()).hexdigest()
        snapshot = hashlib.sha256(JPEG).hexdigest()
        at = self.at
        await self.run(
            f"INSERT INTO accounts ({COLUMNS['accounts']}) VALUES "
            f"('{ADMIN}', 'admin', 'first', '{hashed}', {at(0)}, NULL), "
            f"('{OTHER}', '김', 'a-later-role', '{hashed}', {at(1)}, {at(2)})",
            f"INSERT INTO sessions ({COLUMNS['sessions']}) VALUES "
            f"('{token}', '{ADMIN}', {at(3)}, '2099-01-01 00:00:00.000000{self.zone}', '192.0.2.7')",
            f"INSERT INTO snapshots ({COLUMNS['snapshots']}) VALUES "
            f"('{snapshot}', 'snapshots/{snapshot}.jpg', {len(JPEG)}, {at(4)})",
            self._incident(NEW, "new", f"'{snapshot}'"),
            self._incident(ACKNOWLEDGED, "acknowledged", "NULL", f"'{ADMIN}', {at(12)}"),
            self._incident(REAL, "closed", "NULL", f"'{ADMIN}', {at(12)}", f"'{OTHER}', {at(20)}, 'real', '한 사람'"),
            self._incident(FALSE, "closed", "NULL", f"'{OTHER}', {at(13)}", f"'{OTHER}', {at(13)}, 'false', ''"),
            self._incident(UNSURE, "closed", "NULL", f"'{ADMIN}', {at(14)}", f"'{ADMIN}', {at(15)}, 'unsure', 'it''s'"),
            self._event("e1", NEW, f"'{snapshot}'", "NULL"),
            self._event("e2", NEW, "NULL", "12.5"),
            self._event("e3", NEW, "NULL", "61.25"),
            self._event("e4", REAL, "NULL", "NULL"),
        )

    async def fill_many(self) -> None:
        """What years leave: many incidents, two events each."""
        statements = []
        for number in range(MANY):
            incident = f"{1_000 + number:032x}"
            statements.append(self._incident(incident, "new", "NULL"))
            statements += [self._event(f"many-{number}-{one}", incident, "NULL", str(number + one)) for one in (0, 1)]
        await self.run(*statements)

    def _incident(
        self,
        incident_id: str,
        state: str,
        snapshot: str,
        acknowledged: str = "NULL, NULL",
        closed: str = "NULL, NULL, NULL, ''",
    ) -> str:
        at = self.at
        return (
            f"INSERT INTO incidents ({COLUMNS['incidents']}) VALUES ('{incident_id}', 'gate', 'loitering', 'crime', "
            f"'yard', 'alert', 'person', {at(10)}, {at(11)}, {at(11)}, '[0.1, 0.2, 0.3, 0.4]', 0.875, {snapshot}, "
            f"'{state}', {at(11)}, '[0.2, 0.2, 0.3, 0.4]', {at(12)}, {acknowledged}, {closed}, 2)"
        )

    def _event(self, event_id: str, incident_id: str, snapshot: str, dwell: str) -> str:
        at = self.at
        return (
            f"INSERT INTO events ({COLUMNS['events']}) VALUES ('{event_id}', '{incident_id}', 'w0', 'gate', "
            f"'loitering', 'crime', 'yard', 'alert', 'person', {at(10)}, {at(11)}, {at(11)}, '[0.1, 0.2, 0.3, 0.4]', "
            f"0.875, {snapshot}, '[3, 4]', {dwell})"
        )


def is_newer(connection: Connection) -> bool:
    return MigrationContext.configure(connection).get_current_revision() not in {None, "0001"}


@pytest.fixture
async def old(tmp_path: Path, center_database_url: str | None) -> AsyncIterator[OldDatabase]:
    """A filled database of the first version."""
    database = Database(database_url(center_database_url, tmp_path))
    made = OldDatabase(database)
    await made.to_revision("0001")
    await made.fill()
    yield made
    await database.close()


async def everything(old: OldDatabase) -> dict[str, list[tuple[Any, ...]]]:
    return {table: await old.rows(table) for table in OLD_TABLES}


def as_upgraded(before: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Nothing changes but the role of the first account."""
    roles = [tuple("administrator" if value == "first" else value for value in row) for row in before["accounts"]]
    return before | {"accounts": roles}


async def references_hold(old: OldDatabase) -> bool:
    """PostgreSQL holds them by itself, once the constraints are there."""
    if not old.database.is_sqlite:
        query = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"
        return bool(await old.one(query) == 0)
    async with old.database.engine.connect() as connection:
        broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
        is_on = (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one()
    return broken == [] and is_on == 1


async def test_every_row_and_value_of_the_first_version_is_kept(old: OldDatabase) -> None:
    await old.fill_many()
    before = await everything(old)
    assert len(before["incidents"]) == 5 + MANY and len(before["events"]) == 4 + 2 * MANY
    await migrate(old.database)
    assert await everything(old) == as_upgraded(before)
    assert await references_hold(old)
    async with old.database.engine.connect() as connection:
        difference = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"compare_type": True}), Base.metadata)
        )
    assert difference == []


async def test_owners_and_dwell_times_are_filled_in_from_what_was_known(old: OldDatabase) -> None:
    await migrate(old.database)
    async with old.database.engine.connect() as connection:
        found = await connection.exec_driver_sql(
            "SELECT id, owner_id, dwell_seconds, dispatched_at, arrived_at FROM incidents ORDER BY id"
        )
        assert [tuple(row) for row in found] == [
            (NEW, None, 61.25, None, None),
            (ACKNOWLEDGED, ADMIN, None, None, None),
            (REAL, ADMIN, None, None, None),
            (FALSE, OTHER, None, None, None),
            (UNSURE, ADMIN, None, None, None),
        ]


async def test_the_references_still_refuse_what_they_refused(old: OldDatabase) -> None:
    from sqlalchemy.exc import IntegrityError

    await migrate(old.database)
    for statement in (
        "UPDATE events SET incident_id = 'nothing'",
        f"DELETE FROM incidents WHERE id = '{NEW}'",
        "UPDATE incidents SET owner_id = 'nobody'",
        "UPDATE incidents SET closed_by_id = 'nobody'",
        "UPDATE incidents SET snapshot_hash = 'nothing'",
    ):
        with pytest.raises(IntegrityError):
            await old.run(statement)


async def test_one_can_go_back_to_the_first_version_and_come_again(old: OldDatabase) -> None:
    before = await everything(old)
    await migrate(old.database)
    await old.run(f"UPDATE incidents SET state = 'arrived' WHERE id = '{ACKNOWLEDGED}'")
    await old.to_revision("0001")
    assert await everything(old) == before
    await migrate(old.database)
    assert await everything(old) == as_upgraded(before)
    assert await references_hold(old)


async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(old: OldDatabase) -> None:
    before = await everything(old)
    # In the way of a table that the migration makes last.
    await old.run("CREATE TABLE ledger (something INTEGER)")
    with pytest.raises(DatabaseError):
        await migrate(old.database)
    assert await everything(old) == before
    assert await old.one("SELECT version_num FROM alembic_version") == "0001"
    await old.run("DROP TABLE ledger")
    await migrate(old.database)
    assert await everything(old) == as_upgraded(before)
    assert await references_hold(old)


async def test_the_center_goes_on_with_a_database_of_the_first_version(
    old: OldDatabase, tmp_path: Path, center_database_url: str | None
) -> None:
    picture = tmp_path / "snapshots" / f"{hashlib.sha256(JPEG).hexdigest()}.jpg"
    picture.parent.mkdir(exist_ok=True)
    picture.write_bytes(JPEG)
    async with serving(settings_in(tmp_path, center_database_url)) as center, center.client() as admin:
        cookie = f"haechi_session_{center.url.rpartition(':')[2]}"
        admin.cookies.set(cookie, TOKEN)
        assert (await admin.get("/api/v1/session")).json()["role"] == "administrator"
        form = {"name": "admin", "password": PASSWORD}
        assert (await admin.post("/api/v1/session", json=form)).status_code == 200
        accounts = (await admin.get("/api/v1/accounts")).json()["accounts"]
        assert [(one["name"], one["role"], one["disabled"]) for one in accounts] == [
            ("admin", "administrator", False),
            ("김", "a-later-role", True),
        ]
        form = {"name": "kim", "role": "shift_lead", "password": PASSWORD}
        assert (await admin.post("/api/v1/accounts", json=form)).status_code == 201
        async with center.client() as lead:
            assert (await lead.post("/api/v1/session", json=form | {"role": None})).status_code == 422
            assert (await lead.post("/api/v1/session", json={"name": "kim", "password": PASSWORD})).status_code == 200
            incidents = {one["id"]: one for one in (await lead.get("/api/v1/incidents")).json()["incidents"]}
            assert list(incidents) == [UNSURE, FALSE, REAL, ACKNOWLEDGED, NEW]
            assert incidents[ACKNOWLEDGED]["owner"] == "admin"
            assert (incidents[REAL]["verdict"], incidents[REAL]["note"]) == ("real", "한 사람")
            assert incidents[REAL]["closed_by"] == "김"
            assert incidents[NEW]["dwell_seconds"] == 61.25
            assert (await lead.get(f"/api/v1/incidents/{NEW}/snapshot")).content == JPEG
            for path, body in (
                (f"{NEW}/acknowledge", None),
                (f"{NEW}/dispatch", {"desks": ["fire"], "note": ""}),
                (f"{ACKNOWLEDGED}/take-over", None),
                (f"{ACKNOWLEDGED}/close", {"verdict": "unsure", "note": ""}),
            ):
                answer = await lead.post(f"/api/v1/incidents/{path}", json=body)
                assert answer.status_code == 200, answer.text
        assert (await center.parts.ledger.verify()).broken_at is None
