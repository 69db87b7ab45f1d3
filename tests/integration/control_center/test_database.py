from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from control_center.database import Base, Database, DatabaseError
from control_center.database.migration import database_url, migrate


@pytest.fixture
async def database(tmp_path: Path, center_database_url: str | None) -> Any:
    database = Database(database_url(center_database_url, tmp_path))
    await migrate(database)
    yield database
    await database.close()


async def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    async with database.engine.connect() as connection:
        difference = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"compare_type": True}), Base.metadata)
        )
    assert difference == []


async def test_migrating_again_changes_nothing(database: Database) -> None:
    await migrate(database)
    await database.ping()


async def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    insert = text("INSERT INTO snapshots VALUES ('h', 'p', 1, '2026-01-01 00:00:00')")
    with pytest.raises(RuntimeError):
        async with database.write() as session:
            await session.execute(insert)
            raise RuntimeError("half-way")
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM snapshots")) == 0


async def test_many_writers_at_once_lose_no_update(database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("INSERT INTO snapshots VALUES ('h', 'p', 0, '2026-01-01 00:00:00')"))

    async def add_one() -> None:
        async with database.write() as session:
            size = await session.scalar(text("SELECT size_bytes FROM snapshots"))
            await asyncio.sleep(0)
            await session.execute(text("UPDATE snapshots SET size_bytes = :size"), {"size": (size or 0) + 1})

    await asyncio.gather(*(add_one() for _ in range(20)))
    async with database.read() as session:
        assert await session.scalar(text("SELECT size_bytes FROM snapshots")) == 20


async def test_a_reader_is_not_held_up_by_a_writer(database: Database) -> None:
    async with database.write() as writer:
        await writer.execute(text("INSERT INTO snapshots VALUES ('h', 'p', 0, '2026-01-01 00:00:00')"))
        async with asyncio.timeout(60), database.read() as reader:
            assert await reader.scalar(text("SELECT count(*) FROM snapshots")) == 0


async def test_sqlite_keeps_a_log_and_syncs_every_commit(tmp_path: Path) -> None:
    database = Database(database_url(None, tmp_path))
    async with database.read() as session:
        assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await session.scalar(text("PRAGMA synchronous")) == 2
        assert await session.scalar(text("PRAGMA foreign_keys")) == 1
    await database.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u@h/d", "mysql is not supported"),
        ("nonsense", "is not a database URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_said_with_its_field(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as caught:
        database_url(url, tmp_path)
    assert "center.database_url" in str(caught.value)


async def test_a_server_that_is_not_there_is_said_without_the_password(tmp_path: Path) -> None:
    database = Database(database_url("postgresql://haechi:s3cret@127.0.0.1:1/haechi", tmp_path))
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:1") as caught:
        await migrate(database)
    assert "s3cret" not in str(caught.value)
    await database.close()


async def test_a_database_of_a_later_version_is_left_alone(database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="not older than the database"):
        await migrate(database)
