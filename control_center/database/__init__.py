"""The center's database: SQLite in the data folder by default, PostgreSQL by URL."""

from control_center.database.connection import Database, DatabaseError
from control_center.database.tables import Account, Base, Event, Incident, SignIn, Snapshot

__all__ = ["Account", "Base", "Database", "DatabaseError", "Event", "Incident", "SignIn", "Snapshot"]
