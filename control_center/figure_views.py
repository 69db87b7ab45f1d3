"""What the API shows of the figures of the day."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from config.settings import Category
from control_center.rights import Desk
from control_center.views import View
from detectors.event import EventFamily


class CameraFigure(View):
    total: int
    live: int


class CameraFigures(CameraFigure):
    by_category: dict[Category, CameraFigure]


class IncidentFigure(View):
    """`total`: raised today. `open`: open now, whenever they were raised."""

    total: int
    open: int


class IncidentFigures(IncidentFigure):
    """The verdicts are of those raised today. Faults of cameras stand in `by_family` alone."""

    real: int
    false: int
    unsure: int
    by_family: dict[EventFamily, IncidentFigure]
    by_category: dict[Category, IncidentFigure]


class DispatchFigures(View):
    """Dispatched today, and how many of those the desk received and arrived at. `open`: without an outcome now."""

    total: int
    received: int
    arrived: int
    open: int


class SecondsFigure(View):
    median: float
    p95: float


class FiguresView(View):
    day: date = Field(alias="date", serialization_alias="date", description="in `time_zone`")
    time_zone: str
    since: AwareDatetime
    cameras: CameraFigures
    incidents: IncidentFigures
    dispatches: dict[Desk, DispatchFigures]
    seconds_to_acknowledge: SecondsFigure | None = Field(description="from being raised; null when none was")
    seconds_to_arrive: SecondsFigure | None = Field(description="from the dispatch; null when nobody arrived")
