"""What the API shows of holds on recordings."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from control_center.ledger import CENTER
from control_center.recording_holds import FoundHolds
from control_center.views import View
from streams.holds import Hold


class HoldView(View):
    hold_id: str
    camera_id: str
    since: AwareDatetime
    until: AwareDatetime
    reason: str
    placed_by: str
    placed_at: AwareDatetime
    expires_at: AwareDatetime | None = Field(description="null: until it is released")
    incident_id: str | None
    by_verdict: bool = Field(description="placed by the center, as a person judged the incident real")
    over: bool = Field(description="its time has come: it holds nothing any more")

    @classmethod
    def of(cls, hold: Hold, now: datetime) -> HoldView:
        by_verdict = hold.incident_id == hold.hold_id and hold.placed_by == CENTER.name
        return cls(**hold.model_dump(), by_verdict=by_verdict, over=hold.is_over(now))


class HoldsView(View):
    """`faults`: cameras whose holds cannot be read; nothing of them is deleted until they can."""

    holds: list[HoldView]
    faults: list[str]

    @classmethod
    def of(cls, found: FoundHolds, now: datetime) -> HoldsView:
        return cls(holds=[HoldView.of(hold, now) for hold in found.holds], faults=found.faults)
