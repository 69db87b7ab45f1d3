"""The center's database: SQLite in the data folder by default, PostgreSQL by URL."""

from control_center.database.connection import Database, DatabaseError
from control_center.database.tables import (
    Account,
    Base,
    Dispatch,
    Event,
    Grant,
    Incident,
    IncidentStep,
    LedgerRow,
    RegisteredCamera,
    SignIn,
    Snapshot,
)

__all__ = [
    "Account",
    "Base",
    "Database",
    "DatabaseError",
    "Dispatch",
    "Event",
    "Grant",
    "Incident",
    "IncidentStep",
    "LedgerRow",
    "RegisteredCamera",
    "SignIn",
    "Snapshot",
]
