"""Tables of the center. The migrations make them; these classes only read and write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import JSON, DateTime, Dialect, Float, ForeignKey, Index, Integer, String, Text, TypeDecorator
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
    acknowledged_by_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    acknowledged_at: Mapped[datetime | None]
    closed_by_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    closed_at: Mapped[datetime | None]
    verdict: Mapped[str | None] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")
    event_count: Mapped[int] = mapped_column(Integer)
    score: Mapped[float]
    box: Mapped[list[float]] = mapped_column(JSON)
    last_box: Mapped[list[float]] = mapped_column(JSON)
    snapshot_hash: Mapped[str | None] = mapped_column(ForeignKey("snapshots.hash"))

    acknowledged_by: Mapped[Account | None] = relationship(lazy="joined", foreign_keys=[acknowledged_by_id])
    closed_by: Mapped[Account | None] = relationship(lazy="joined", foreign_keys=[closed_by_id])

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
