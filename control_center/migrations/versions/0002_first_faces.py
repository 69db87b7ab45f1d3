"""Roles, the whole life of an incident, grants, the camera register, the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("UPDATE accounts SET role = 'administrator' WHERE role = 'first'")
    _extend_incidents()
    _create_life()
    _create_register()
    _create_ledger()


def _account(name: str, nullable: bool = True) -> "sa.Column[str]":
    return sa.Column(name, sa.String(32), sa.ForeignKey("accounts.id"), nullable=nullable)


def _incident(index: bool = False) -> "sa.Column[str]":
    return sa.Column("incident_id", sa.String(32), sa.ForeignKey("incidents.id"), nullable=False, index=index)


def _extend_incidents() -> None:
    # In place. A batch would copy the table and drop the old one, which SQLite refuses while events reference it.
    op.execute("ALTER TABLE incidents ADD COLUMN owner_id VARCHAR(32) REFERENCES accounts (id)")
    op.add_column("incidents", sa.Column("dispatched_at", TIME))
    op.add_column("incidents", sa.Column("arrived_at", TIME))
    op.add_column("incidents", sa.Column("dwell_seconds", sa.Float(53)))
    op.execute("UPDATE incidents SET owner_id = acknowledged_by_id")
    op.execute(
        "UPDATE incidents SET dwell_seconds = "
        "(SELECT max(events.dwell_seconds) FROM events WHERE events.incident_id = incidents.id)"
    )


def _create_life() -> None:
    op.create_table(
        "incident_steps",
        sa.Column("id", sa.String(32), primary_key=True),
        _incident(index=True),
        sa.Column("at", TIME, nullable=False),
        _account("account_id"),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("state_after", sa.String(16), nullable=False),
        sa.Column("desk", sa.String(16)),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "dispatches",
        sa.Column("id", sa.String(32), primary_key=True),
        _incident(),
        sa.Column("desk", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        _account("dispatched_by_id", nullable=False),
        sa.Column("dispatched_at", TIME, nullable=False),
        _account("received_by_id"),
        sa.Column("received_at", TIME),
        sa.Column("received_note", sa.Text, nullable=False),
        _account("arrived_by_id"),
        sa.Column("arrived_at", TIME),
        sa.Column("arrived_note", sa.Text, nullable=False),
        _account("outcome_by_id"),
        sa.Column("outcome_at", TIME),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.UniqueConstraint("incident_id", "desk", name="uq_dispatches_incident_id_desk"),
    )
    op.create_index("ix_dispatches_desk_id", "dispatches", ["desk", "id"])
    op.create_table(
        "grants",
        sa.Column("id", sa.String(32), primary_key=True),
        _incident(index=True),
        sa.Column("desk", sa.String(16), nullable=False),
        sa.Column("camera_ids", sa.JSON, nullable=False),
        sa.Column("radius_meters", sa.Float(53), nullable=False),
        sa.Column("granted_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_index("ix_grants_ended_at", "grants", ["ended_at"])


def _create_register() -> None:
    op.create_table(
        "cameras",
        sa.Column("id", sa.String(63), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("latitude", sa.Float(53)),
        sa.Column("longitude", sa.Float(53)),
        sa.Column("main", sa.Text, nullable=False),
        sa.Column("sub", sa.Text),
        sa.Column("username", sa.Text),
        sa.Column("password", sa.Text),
        sa.Column("record", sa.Boolean, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("zones", sa.JSON, nullable=False),
        sa.Column("imported_digest", sa.String(64)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("removed_at", TIME),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("account_id", sa.String(32)),
        sa.Column("account_name", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("camera_id", sa.String(63)),
        sa.Column("incident_id", sa.String(32)),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    for column in ("camera_id", "incident_id", "account_id", "action"):
        op.create_index(f"ix_ledger_{column}_sequence", "ledger", [column, "sequence"])


def downgrade() -> None:
    for table in ("ledger", "cameras", "grants", "dispatches", "incident_steps"):
        op.drop_table(table)
    # States that the older version does not know.
    op.execute("UPDATE incidents SET state = 'acknowledged' WHERE state IN ('dispatched', 'arrived')")
    for column in ("dwell_seconds", "arrived_at", "dispatched_at", "owner_id"):
        op.execute(f"ALTER TABLE incidents DROP COLUMN {column}")
    op.execute("UPDATE accounts SET role = 'first' WHERE role = 'administrator'")
