"""The ledger, for who may read what others did."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime, Field

from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentActor, CurrentCenter
from control_center.database import LedgerRow
from control_center.ledger import Entry, LedgerAction, LedgerFilter
from control_center.rights import Right
from control_center.views import View

# A reader who turns pages does not fill the ledger with himself.
_READING_SECONDS = 60.0
router = guarded_router(prefix="/api/v1/ledger", tags=["ledger"])


class LedgerRowView(View):
    """One row. `account` is the name at that time; `account_id` is null for the machine itself."""

    sequence: int
    at: AwareDatetime
    account: str
    account_id: str | None
    address: str
    action: str
    camera_id: str | None
    incident_id: str | None
    subject: str
    reason: str
    details: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, row: LedgerRow) -> LedgerRowView:
        copied = {name: getattr(row, name) for name in cls.model_fields if name not in {"account", "details"}}
        return cls(**copied, account=row.account_name, details=_details(row.details))


class LedgerView(View):
    rows: list[LedgerRowView]
    next_before: int | None


class VerificationView(View):
    """`rows` that fit, the last one's hash, and where and why the chain breaks."""

    rows: int
    head: str = Field(description="SHA-256 of the last row that fits; keep it elsewhere")
    broken_at: int | None = Field(description="number of the first row that does not fit")
    fault: str


@router.get("")
@requires(Right.READ_LEDGER)
async def read_ledger(
    center: CurrentCenter,
    actor: CurrentActor,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    account: Annotated[str | None, Query(max_length=64, description="id or name")] = None,
    action: LedgerAction | None = None,
    camera: Annotated[str | None, Query(max_length=63)] = None,
    incident: Annotated[str | None, Query(max_length=32)] = None,
) -> LedgerView:
    """Newest first; `before` is `next_before` of the page before. Reading is a row too, one a minute and account."""
    wanted = LedgerFilter(account, action, camera, incident)
    await center.ledger.record_once(Entry(actor, "ledger.read", subject=wanted.text()), _READING_SECONDS)
    page = await center.ledger.page(wanted, limit + 1, before)
    shown = page[:limit]
    return LedgerView(
        rows=[LedgerRowView.of(row) for row in shown],
        next_before=shown[-1].sequence if len(page) > limit else None,
    )


@router.get("/verification")
@requires(Right.READ_LEDGER)
async def verify_ledger(center: CurrentCenter, actor: CurrentActor) -> VerificationView:
    """Go through the whole chain: every row follows from the one before, and none was changed since."""
    found = await center.ledger.verify()
    subject = f"broken at row {found.broken_at}" if found.fault else f"{found.rows} rows fit"
    await center.ledger.record(Entry(actor, "ledger.verified", subject=subject, details={"head": found.head}))
    return VerificationView(rows=found.rows, head=found.head, broken_at=found.broken_at, fault=found.fault)


def _details(stored: str) -> dict[str, Any]:
    """A row that was changed by hand is still shown."""
    try:
        details = json.loads(stored or "{}")
    except ValueError:
        details = {"unreadable": stored}
    return details if isinstance(details, dict) else {"unreadable": stored}
