"""Accounts, sessions, snapshots, incidents, events."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.String(32), sa.ForeignKey("accounts.id"), nullable=False, index=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False, index=True),
        sa.Column("address", sa.String(64), nullable=False),
    )
    op.create_table(
        "snapshots",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("path", sa.String(255), nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    _create_incidents()
    _create_events()


def _finding() -> list[sa.Column[Any]]:
    return [
        sa.Column("camera_id", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("family", sa.String(32), nullable=False),
        sa.Column("zone", sa.String(63), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("label", sa.String(32), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("box", sa.JSON, nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("snapshot_hash", sa.String(64), sa.ForeignKey("snapshots.hash")),
    ]


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(32), primary_key=True),
        *_finding(),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("last_raised_at", TIME, nullable=False),
        sa.Column("last_box", sa.JSON, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("acknowledged_by_id", sa.String(32), sa.ForeignKey("accounts.id")),
        sa.Column("acknowledged_at", TIME),
        sa.Column("closed_by_id", sa.String(32), sa.ForeignKey("accounts.id")),
        sa.Column("closed_at", TIME),
        sa.Column("verdict", sa.String(16)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("event_count", sa.Integer, nullable=False),
    )
    op.create_index("ix_incidents_state_id", "incidents", ["state", "id"])
    op.create_index("ix_incidents_camera_id_id", "incidents", ["camera_id", "id"])
    op.create_index("ix_incidents_kind_state", "incidents", ["kind", "state"])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("event_id", sa.String(64), primary_key=True),
        sa.Column("incident_id", sa.String(32), sa.ForeignKey("incidents.id"), nullable=False, index=True),
        sa.Column("worker_id", sa.String(63), nullable=False),
        *_finding(),
        sa.Column("track_ids", sa.JSON, nullable=False),
        sa.Column("dwell_seconds", sa.Float(53)),
    )


def downgrade() -> None:
    for table in ("events", "incidents", "snapshots", "sessions", "accounts"):
        op.drop_table(table)
