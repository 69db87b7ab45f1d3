"""Bringing the database to the newest form, from any older one or from nothing."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from control_center.database.connection import Database, DatabaseError, first_line

SCRIPTS = Path(__file__).parents[1] / "migrations"


def database_url(configured: str | None, data_dir: Path) -> str:
    """The URL with its asynchronous driver; the default is `center.sqlite` in the data folder.

    Raises DatabaseError.
    """
    if configured is None:
        return f"sqlite+aiosqlite:///{data_dir.absolute() / 'center.sqlite'}"
    try:
        url = make_url(configured)
    except SQLAlchemyError as error:
        raise DatabaseError("center.database_url: is not a database URL; write postgresql://user@host/name") from error
    driver = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}.get(url.get_backend_name())
    if driver is None:
        raise DatabaseError(
            f"center.database_url: {url.get_backend_name()} is not supported; use sqlite:///… or postgresql://…"
        )
    if driver.endswith("asyncpg") and find_spec("asyncpg") is None:
        raise DatabaseError("center.database_url: PostgreSQL needs its driver; install it with: pip install asyncpg")
    return url.set(drivername=driver).render_as_string(hide_password=False)


async def migrate(database: Database) -> None:
    """Run every migration that the database has not had yet. Raises DatabaseError."""
    try:
        async with database.engine.connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
    except (SQLAlchemyError, CommandError, OSError) as error:
        shown = make_url(database.url).render_as_string(hide_password=True)
        raise DatabaseError(
            f"database {shown}: {first_line(error)}; check center.database_url, that the server runs, "
            "and that this version of Haechi is not older than the database"
        ) from error


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
