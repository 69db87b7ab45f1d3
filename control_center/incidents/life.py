"""The steps that people take with incidents: each one is a transaction that holds its row, its ledger rows, its grants.

When a method returns, what was done is committed. All raise IncidentUnknown, TransitionRefused, SQLAlchemyError.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Camera, DeskSettings
from control_center import ledger
from control_center.database import Account, Database, Dispatch, Incident, IncidentStep
from control_center.identifiers import new_id
from control_center.incidents import grants
from control_center.incidents.store import IncidentUnknown
from control_center.incidents.transitions import STAFF, Action, State, TransitionRefused, Verdict, step
from control_center.ledger import Actor, Entry, LedgerAction
from control_center.reach import desks_of
from control_center.rights import Desk, desk_of


class NotAssignable(Exception):
    """The account is not there, is disabled, or is of nobody who handles incidents."""


@dataclass(slots=True)
class _Taking:
    """A step while it is taken. `desk` is that of the person, None for the staff."""

    session: AsyncSession
    incident: Incident
    action: Action
    after: State
    account: Account
    actor: Actor
    desk: Desk | None
    now: datetime
    entries: list[Entry] = field(default_factory=list)

    def write_down(self, done: LedgerAction, note: str = "", desk: Desk | None = None, subject: str = "") -> None:
        """A row of the incident's steps, and one of the ledger."""
        self.session.add(
            IncidentStep(
                id=new_id(),
                incident_id=self.incident.id,
                at=self.now,
                account_id=self.account.id,
                action=self.action,
                state_after=self.after,
                desk=desk,
                note=note,
            )
        )
        camera_id = self.incident.camera_id
        self.entries.append(Entry(self.actor, done, camera_id, self.incident.id, subject or desk or "", note))

    def refuse(self, why: str) -> TransitionRefused:
        return TransitionRefused(self.incident.id, self.incident.state, self.action, why)

    def own_if_free(self) -> None:
        if self.incident.owner is None:
            self.incident.owner = self.account

    def dispatch_of_the_desk(self) -> Dispatch:
        return next(dispatch for dispatch in self.incident.dispatches if dispatch.desk == self.desk)


class IncidentLife:
    """`cameras` gives the cameras as they are now, by id."""

    def __init__(self, database: Database, desks: DeskSettings, cameras: Callable[[], Mapping[str, Camera]]) -> None:
        self._database = database
        self._desks = desks
        self._cameras = cameras

    async def acknowledge(self, incident_id: str, actor: Actor) -> Incident:
        """A person takes it on."""
        async with self._taking(incident_id, "acknowledge", actor) as taking:
            taking.incident.owner = taking.account
            taking.write_down("incident.acknowledged")
        return taking.incident

    async def take_over(self, incident_id: str, actor: Actor) -> Incident:
        """It becomes the actor's own, whoever had it."""
        async with self._taking(incident_id, "take_over", actor) as taking:
            before = taking.incident.owner
            if before is taking.account:
                raise taking.refuse("you have it already")
            taking.incident.owner = taking.account
            taking.write_down("incident.taken_over", subject=before.name if before else "")
        return taking.incident

    async def assign(self, incident_id: str, actor: Actor, account_id: str, note: str) -> Incident:
        """It is given to somebody who handles incidents. Raises NotAssignable too."""
        async with self._taking(incident_id, "assign", actor) as taking:
            assignee = await taking.session.get(Account, account_id)
            if assignee is None or assignee.disabled_at is not None or assignee.role not in STAFF:
                raise NotAssignable("must be an operator or a shift lead whose account is not disabled")
            if taking.incident.owner_id == assignee.id:
                raise taking.refuse(f"{assignee.name} has it already")
            taking.incident.owner = assignee
            taking.write_down("incident.assigned", note, subject=assignee.name)
        return taking.incident

    async def dispatch(self, incident_id: str, actor: Actor, desks: Sequence[Desk], note: str) -> Incident:
        """To the desks that have it not yet, or whose grant is over; each gets a grant of the cameras around."""
        async with self._taking(incident_id, "dispatch", actor) as taking:
            incident, now = taking.incident, taking.now
            supplied = {grant.desk for grant in incident.grants if grants.is_valid(grant, now)}
            wanted = [desk for desk in dict.fromkeys(desks) if desk not in supplied]
            if not wanted:
                raise taking.refuse(f"it is at the {' and the '.join(desks)} desk already")
            camera_ids = grants.cameras_near(self._cameras(), incident.camera_id, self._desks)
            taking.own_if_free()
            incident.dispatched_at = incident.dispatched_at or now
            for desk in wanted:
                if desk not in desks_of(incident):
                    incident.dispatches.append(_new_dispatch(taking, desk, note))
                taking.write_down("incident.dispatched", note, desk)
                grant = grants.give(incident, desk, camera_ids, self._desks, now)
                taking.entries.append(grants.given(actor, incident, grant))
        return taking.incident

    async def add_note(self, incident_id: str, actor: Actor, note: str) -> Incident:
        async with self._taking(incident_id, "note", actor) as taking:
            taking.write_down("incident.noted", note)
        return taking.incident

    async def close(self, incident_id: str, actor: Actor, verdict: Verdict, note: str) -> Incident:
        """A person has judged it; what desks saw because of it they see no longer."""
        async with self._taking(incident_id, "close", actor) as taking:
            incident, now = taking.incident, taking.now
            taking.own_if_free()
            incident.closed_by, incident.closed_at = taking.account, now
            incident.verdict, incident.note = verdict, note
            taking.write_down("incident.closed", note, subject=verdict)
            taking.entries += grants.end_all(incident, actor, now, "incident closed")
        return taking.incident

    async def receive(self, incident_id: str, actor: Actor, note: str) -> Incident:
        """The desk has it."""
        async with self._taking(incident_id, "receive", actor) as taking:
            dispatch = taking.dispatch_of_the_desk()
            _refuse_second(taking, dispatch.received_by)
            dispatch.received_by, dispatch.received_at, dispatch.received_note = taking.account, taking.now, note
            taking.write_down("dispatch.received", note, taking.desk)
        return taking.incident

    async def arrive(self, incident_id: str, actor: Actor, note: str) -> Incident:
        """The desk's people are there."""
        async with self._taking(incident_id, "arrive", actor) as taking:
            dispatch = taking.dispatch_of_the_desk()
            _refuse_second(taking, dispatch.arrived_by)
            dispatch.arrived_by, dispatch.arrived_at, dispatch.arrived_note = taking.account, taking.now, note
            taking.incident.arrived_at = taking.incident.arrived_at or taking.now
            taking.write_down("dispatch.arrived", note, taking.desk)
        return taking.incident

    async def report_outcome(self, incident_id: str, actor: Actor, outcome: str) -> Incident:
        """What the desk's people found and did."""
        async with self._taking(incident_id, "report_outcome", actor) as taking:
            dispatch = taking.dispatch_of_the_desk()
            _refuse_second(taking, dispatch.outcome_by)
            dispatch.outcome_by, dispatch.outcome_at, dispatch.outcome = taking.account, taking.now, outcome
            taking.write_down("dispatch.outcome", outcome, taking.desk)
        return taking.incident

    async def end_expired_grants(self, now: datetime) -> list[Incident]:
        """Write down the end of grants whose time is over; gives their incidents."""
        async with self._database.read() as session:
            if not await grants.any_expired(session, now):
                return []
        async with self._database.write() as session:
            return await grants.end_expired(session, now)

    @asynccontextmanager
    async def _taking(self, incident_id: str, action: Action, actor: Actor) -> AsyncIterator[_Taking]:
        """Ask the table, let the block do its part, then commit the state, the steps and the ledger together."""
        async with self._database.write() as session:
            incident = await _locked(session, incident_id)
            account = await session.get_one(Account, actor.account_id)
            desk = desk_of(account.role)
            if desk is not None and desk not in desks_of(incident):
                raise IncidentUnknown(incident_id)
            other = incident.owner.name if incident.owner is not None and incident.owner is not account else None
            after = step(incident_id, incident.state, action, account.role, other).after
            taking = _Taking(session, incident, action, after, account, actor, desk, datetime.now(UTC))
            yield taking
            if incident.state == "new" and after != "new":
                incident.acknowledged_by, incident.acknowledged_at = account, taking.now
            incident.state, incident.updated_at = after, taking.now
            await ledger.append(session, *taking.entries)


async def _locked(session: AsyncSession, incident_id: str) -> Incident:
    # `of`: PostgreSQL refuses to lock the nullable side of the joins to accounts.
    incident = await session.get(Incident, incident_id, with_for_update={"of": Incident})
    if incident is None:
        raise IncidentUnknown(incident_id)
    return incident


def _new_dispatch(taking: _Taking, desk: Desk, note: str) -> Dispatch:
    return Dispatch(
        id=new_id(),
        desk=desk,
        note=note,
        dispatched_by=taking.account,
        dispatched_at=taking.now,
        received_by=None,
        received_note="",
        arrived_by=None,
        arrived_note="",
        outcome_by=None,
        outcome="",
    )


def _refuse_second(taking: _Taking, who: Account | None) -> None:
    if who is not None:
        raise taking.refuse(f"{who.name} has said so already")
