"""Tables of the center. The migrations make them; these classes only read and write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time. SQLite keeps no time zone, so it goes in as UTC and comes out marked as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a time zone was to be stored: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: UtcDateTime, float: Float(53), str: String}


class Account(Base):
    """Who may sign in. `role` is one of control_center.rights.Role."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(32))
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class SignIn(Base):
    """A signed-in browser. The cookie's token itself is never stored, only its SHA-256."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(64))

    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class Snapshot(Base):
    """A JPEG on disk, named by its SHA-256. The file is written and synced before its row."""

    __tablename__ = "snapshots"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]


class Incident(Base):
    """Events of one thing, on their way through a person's hands."""

    __tablename__ = "incidents"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(63))
    kind: Mapped[str] = mapped_column(String(32))
    family: Mapped[str] = mapped_column(String(32))
    zone: Mapped[str] = mapped_column(String(63))
    severity: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    received_at: Mapped[datetime]
    last_raised_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    acknowledged_by_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    acknowledged_at: Mapped[datetime | None]
    dispatched_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    closed_by_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    closed_at: Mapped[datetime | None]
    verdict: Mapped[str | None] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")
    event_count: Mapped[int] = mapped_column(Integer)
    dwell_seconds: Mapped[float | None]
    score: Mapped[float]
    box: Mapped[list[float]] = mapped_column(JSON)
    last_box: Mapped[list[float]] = mapped_column(JSON)
    snapshot_hash: Mapped[str | None] = mapped_column(ForeignKey("snapshots.hash"))

    owner: Mapped[Account | None] = relationship(lazy="joined", foreign_keys=[owner_id])
    acknowledged_by: Mapped[Account | None] = relationship(lazy="joined", foreign_keys=[acknowledged_by_id])
    closed_by: Mapped[Account | None] = relationship(lazy="joined", foreign_keys=[closed_by_id])
    dispatches: Mapped[list[Dispatch]] = relationship(
        lazy="selectin", order_by="(Dispatch.dispatched_at, Dispatch.desk)"
    )
    grants: Mapped[list[Grant]] = relationship(lazy="selectin", order_by="(Grant.granted_at, Grant.desk)")

    __table_args__ = (
        Index("ix_incidents_state_id", "state", "id"),
        Index("ix_incidents_camera_id_id", "camera_id", "id"),
        Index("ix_incidents_kind_state", "kind", "state"),
    )


class Event(Base):
    """One finding as the worker sent it. `event_id` makes a repeat harmless."""

    __tablename__ = "events"

    event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    worker_id: Mapped[str] = mapped_column(String(63))
    camera_id: Mapped[str] = mapped_column(String(63))
    kind: Mapped[str] = mapped_column(String(32))
    family: Mapped[str] = mapped_column(String(32))
    zone: Mapped[str] = mapped_column(String(63))
    severity: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    received_at: Mapped[datetime]
    box: Mapped[list[float]] = mapped_column(JSON)
    score: Mapped[float]
    track_ids: Mapped[list[int]] = mapped_column(JSON)
    dwell_seconds: Mapped[float | None]
    snapshot_hash: Mapped[str | None] = mapped_column(ForeignKey("snapshots.hash"))


class IncidentStep(Base):
    """One step that was taken with an incident, in the order of `id`. `account_id` is None for the machine."""

    __tablename__ = "incident_steps"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    action: Mapped[str] = mapped_column(String(32))
    state_after: Mapped[str] = mapped_column(String(16))
    desk: Mapped[str | None] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")

    account: Mapped[Account | None] = relationship(lazy="joined")


class Dispatch(Base):
    """An incident at a liaison desk, with the desk's answers."""

    __tablename__ = "dispatches"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"))
    desk: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")
    dispatched_by_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    dispatched_at: Mapped[datetime]
    received_by_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    received_at: Mapped[datetime | None]
    received_note: Mapped[str] = mapped_column(Text, default="")
    arrived_by_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    arrived_at: Mapped[datetime | None]
    arrived_note: Mapped[str] = mapped_column(Text, default="")
    outcome_by_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    outcome_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text, default="")

    dispatched_by: Mapped[Account] = relationship(lazy="joined", foreign_keys=[dispatched_by_id])
    received_by: Mapped[Account | None] = relationship(lazy="joined", foreign_keys=[received_by_id])
    arrived_by: Mapped[Account | None] = relationship(lazy="joined", foreign_keys=[arrived_by_id])
    outcome_by: Mapped[Account | None] = relationship(lazy="joined", foreign_keys=[outcome_by_id])

    __table_args__ = (
        UniqueConstraint("incident_id", "desk", name="uq_dispatches_incident_id_desk"),
        Index("ix_dispatches_desk_id", "desk", "id"),
    )


class Grant(Base):
    """The cameras that a desk sees because of an incident, until it closes or `expires_at` comes."""

    __tablename__ = "grants"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    desk: Mapped[str] = mapped_column(String(16))
    camera_ids: Mapped[list[str]] = mapped_column(JSON)
    radius_meters: Mapped[float]
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_grants_ended_at", "ended_at"),)


class RegisteredCamera(Base):
    """A camera of the register; the fields are those of config.settings.Camera.

    `imported_digest` is the SHA-256 of its definition in the settings file that brought it, None when it was
    made here: a changed file is taken over, an unchanged one does not undo what was changed in the register.
    A camera that was removed stays as its name, place and purpose, because its recordings and incidents stay;
    its addresses, password and zones are wiped. `updated_at` only grows over the whole table: it is the mark by
    which a running center sees that something changed.
    """

    __tablename__ = "cameras"

    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    place: Mapped[int] = mapped_column(Integer)  # where it stands in lists
    name: Mapped[str] = mapped_column(String(120))
    category: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(Text)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    main: Mapped[str] = mapped_column(Text)
    sub: Mapped[str | None] = mapped_column(Text)
    username: Mapped[str | None] = mapped_column(Text)
    password: Mapped[str | None] = mapped_column(Text)
    transport: Mapped[str] = mapped_column(String(8), server_default="tcp")
    record: Mapped[bool] = mapped_column(Boolean)
    enabled: Mapped[bool] = mapped_column(Boolean)
    zones: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    recording: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    imported_digest: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class LedgerRow(Base):
    """Who did what, when and why. `hash` covers the row and the hash of the row before (control_center.ledger)."""

    __tablename__ = "ledger"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(32))
    account_name: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(40))
    camera_id: Mapped[str | None] = mapped_column(String(63))
    incident_id: Mapped[str | None] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[str] = mapped_column(Text, default="")  # canonical JSON, or empty
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_ledger_camera_id_sequence", "camera_id", "sequence"),
        Index("ix_ledger_incident_id_sequence", "incident_id", "sequence"),
        Index("ix_ledger_account_id_sequence", "account_id", "sequence"),
        Index("ix_ledger_action_sequence", "action", "sequence"),
    )
