"""Opening the database, and the two ways to use it: a read or a short write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from sqlalchemy import event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from control_center.database.private_file import make_private

BUSY_MILLISECONDS = 10_000
# Any constant will do, as long as every center on the same PostgreSQL takes the same.
WRITER_LOCK = 0x48414543


class DatabaseError(Exception):
    """The database cannot be used; the text says which and how to mend it."""


class Database:
    """One engine and one writer.

    SQLite allows one writer at a time, and a writer that starts as a reader can be refused half-way, so writes take
    their lock at once (`BEGIN IMMEDIATE`) and queue in this process rather than in SQLite's busy loop. On PostgreSQL
    an advisory lock does the same across centers, because two ingests must not both open an incident for one thing.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else create_async_engine(url, pool_pre_ping=True)
        self._writer = asyncio.Lock()

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads; it sees one state of the database. Raises DatabaseError."""
        async with aclosing(await self._connected()) as connection:
            await connection.execution_options(**_read_options(self.is_sqlite))
            async with AsyncSession(connection, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed when the block ends, or undone when it raises. Keep it short.

        Raises DatabaseError.
        """
        async with (
            self._writer,
            aclosing(await self._connected()) as connection,
            AsyncSession(connection, expire_on_commit=False) as session,
            session.begin(),
        ):
            if not self.is_sqlite:
                await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
            yield session

    async def _connected(self) -> AsyncConnection:
        """Raises DatabaseError: asyncpg tells of a server that is gone by a plain OSError."""
        try:
            return await self.engine.connect()
        except OSError as error:
            raise DatabaseError(f"the database does not answer: {first_line(error)}") from error

    async def ping(self) -> None:
        """Raises DatabaseError when the database does not answer."""
        try:
            async with self.read() as session:
                await session.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            raise DatabaseError(f"the database does not answer: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _read_options(is_sqlite: bool) -> dict[str, Any]:
    return {"haechi_read": True} if is_sqlite else {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000})

    @event.listens_for(engine.sync_engine, "do_connect")
    def _make_private(_dialect: Any, _record: Any, _arguments: Any, _options: Any) -> None:
        if (path := make_url(url).database) and path != ":memory:":
            make_private(path)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # None: SQLAlchemy, not the driver, says when a transaction begins.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_MILLISECONDS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("haechi_read", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
