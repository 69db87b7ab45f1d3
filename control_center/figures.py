"""The figures of the day, counted in the database; the day begins at midnight of the installation's time zone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Float, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from config.settings import Category
from control_center.database import Database, Dispatch, Incident
from control_center.figure_views import (
    CameraFigure,
    CameraFigures,
    DispatchFigures,
    FiguresView,
    IncidentFigure,
    IncidentFigures,
    SecondsFigure,
)
from control_center.fleet import Fleet
from control_center.identifiers import first_id_at
from control_center.incidents.transitions import OPEN_STATES
from control_center.register import Register
from control_center.rights import DESKS, Desk
from detectors.event import EventFamily

FAMILIES: tuple[EventFamily, ...] = get_args(EventFamily)
CATEGORIES: tuple[Category, ...] = get_args(Category)
SECONDS_A_DAY = 86_400.0

Column = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


@dataclass(frozen=True, slots=True)
class Day:
    """`since` is its first moment, in UTC."""

    date: date
    since: datetime

    @classmethod
    def of(cls, now: datetime, zone: ZoneInfo) -> Day:
        """The day that `now` falls in. Where the clock jumps over midnight, it begins where the clock jumped to."""
        today = now.astimezone(zone).date()
        return cls(today, datetime(today.year, today.month, today.day, tzinfo=zone).astimezone(UTC))


@dataclass(frozen=True, slots=True)
class _Counted:
    camera_id: str
    family: str
    verdict: str | None
    is_open: bool
    number: int


def _now() -> datetime:
    return datetime.now(UTC)


class Figures:
    """`clock` gives aware times. The register knows the category of cameras that were removed."""

    def __init__(
        self,
        database: Database,
        fleet: Fleet,
        register: Register,
        zone: ZoneInfo,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._database = database
        self._fleet = fleet
        self._register = register
        self._zone = zone
        self._clock = clock

    async def today(self) -> FiguresView:
        """Raises SQLAlchemyError."""
        day = Day.of(self._clock(), self._zone)
        async with self._database.read() as session:
            of_today, still_open = await _incidents_since(session, day.since), await _open_incidents(session)
            return FiguresView(
                date=day.date,
                time_zone=self._zone.key,
                since=day.since,
                cameras=self._cameras(),
                incidents=self._incidents(of_today, still_open),
                dispatches={desk: await _dispatches(session, desk, day.since) for desk in DESKS},
                seconds_to_acknowledge=_spread(
                    await session.scalars(_waits_for_acknowledgement(self._database.is_sqlite, day.since))
                ),
                seconds_to_arrive=_spread(
                    await session.scalars(_waits_for_arrival(self._database.is_sqlite, day.since))
                ),
            )

    def _cameras(self) -> CameraFigures:
        total: Counter[Category] = Counter()
        live: Counter[Category] = Counter()
        for status in self._fleet.camera_statuses():
            category = self._fleet.cameras[status.camera_id].category
            total[category] += 1
            live[category] += status.state == "live"
        return CameraFigures(
            total=total.total(),
            live=live.total(),
            by_category={one: CameraFigure(total=total[one], live=live[one]) for one in CATEGORIES},
        )

    def _incidents(self, of_today: list[_Counted], still_open: list[_Counted]) -> IncidentFigures:
        verdicts: Counter[str | None] = Counter()
        city_today, city_open = _without_faults(of_today), _without_faults(still_open)
        for counted in city_today:
            verdicts[counted.verdict] += counted.number

        def split(
            today: list[_Counted], now: list[_Counted], by: Callable[[_Counted], object], keys: Iterable[Any]
        ) -> dict[Any, IncidentFigure]:
            total, still = _sums(today, by), _sums(now, by)
            return {key: IncidentFigure(total=total[key], open=still[key]) for key in keys}

        return IncidentFigures(
            total=verdicts.total(),
            open=sum(counted.number for counted in city_open),
            real=verdicts["real"],
            false=verdicts["false"],
            unsure=verdicts["unsure"],
            by_family=split(of_today, still_open, lambda counted: counted.family, FAMILIES),
            by_category=split(city_today, city_open, lambda counted: self._category(counted.camera_id), CATEGORIES),
        )

    def _category(self, camera_id: str) -> str | None:
        camera = self._fleet.cameras.get(camera_id) or self._register.loaded.former.get(camera_id)
        return camera.category if camera else None


def _without_faults(counts: list[_Counted]) -> list[_Counted]:
    return [counted for counted in counts if counted.family != "fault"]


def _sums(counts: list[_Counted], by: Callable[[_Counted], object]) -> Counter[object]:
    sums: Counter[object] = Counter()
    for counted in counts:
        sums[by(counted)] += counted.number
    return sums


async def _incidents_since(session: AsyncSession, since: datetime) -> list[_Counted]:
    # An incident's id holds when it was made, which is never before it was raised: the primary key is the index.
    query = (
        select(Incident.camera_id, Incident.family, Incident.verdict, func.count())
        .where(Incident.id >= first_id_at(since), Incident.raised_at >= since)
        .group_by(Incident.camera_id, Incident.family, Incident.verdict)
    )
    rows = (await session.execute(query)).all()
    return [_Counted(camera_id, family, verdict, False, number) for camera_id, family, verdict, number in rows]


async def _open_incidents(session: AsyncSession) -> list[_Counted]:
    query = (
        select(Incident.camera_id, Incident.family, func.count())
        .where(Incident.state.in_(OPEN_STATES))
        .group_by(Incident.camera_id, Incident.family)
    )
    rows = (await session.execute(query)).all()
    return [_Counted(camera_id, family, None, True, number) for camera_id, family, number in rows]


async def _dispatches(session: AsyncSession, desk: Desk, since: datetime) -> DispatchFigures:
    today = select(func.count(), func.count(Dispatch.received_at), func.count(Dispatch.arrived_at)).where(
        Dispatch.desk == desk, Dispatch.id >= first_id_at(since)
    )
    waiting = (
        select(func.count())
        .select_from(Incident)
        .join(Dispatch, Dispatch.incident_id == Incident.id)
        .where(Incident.state.in_(("dispatched", "arrived")), Dispatch.desk == desk, Dispatch.outcome_at.is_(None))
    )
    total, received, arrived = (await session.execute(today)).one()
    return DispatchFigures(total=total, received=received, arrived=arrived, open=await session.scalar(waiting) or 0)


def _waits_for_acknowledgement(is_sqlite: bool, since: datetime) -> Select[float]:
    return select(_seconds(is_sqlite, Incident.raised_at, Incident.acknowledged_at)).where(
        Incident.id >= first_id_at(since),
        Incident.raised_at >= since,
        Incident.acknowledged_at.is_not(None),
        Incident.family != "fault",
    )


def _waits_for_arrival(is_sqlite: bool, since: datetime) -> Select[float]:
    return select(_seconds(is_sqlite, Dispatch.dispatched_at, Dispatch.arrived_at)).where(
        Dispatch.id >= first_id_at(since), Dispatch.arrived_at.is_not(None)
    )


def _seconds(is_sqlite: bool, began: Column, done: Column) -> ColumnElement[float]:
    """Taken in the database: to make two times of every row in Python took half of the whole answer."""
    if is_sqlite:
        return (func.julianday(done) - func.julianday(began)) * SECONDS_A_DAY
    return func.extract("epoch", done - began).cast(Float)


def _spread(seconds: Iterable[float]) -> SecondsFigure | None:
    """Median and 95th percentile, by the nearest rank."""
    ranked = sorted(max(0.0, one) for one in seconds)
    if not ranked:
        return None
    median, p95 = (ranked[math.ceil(len(ranked) * share) - 1] for share in (0.5, 0.95))
    return SecondsFigure(median=round(median, 1), p95=round(p95, 1))
