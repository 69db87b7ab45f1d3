"""Who watches which live picture, and the end of a picture whose right has ended.

With each offer the worker is told whom it is for, and tells it back in every heartbeat: so what is open is known after
a restart of the center too. What is open is compared with what is allowed every second, and at once when a right may
have ended; the worker is told to end the rest.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import httpx
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from control_center.accounts import SignedIn
from control_center.database import Account, Database, DatabaseError, SignIn
from control_center.fleet import Fleet, ViewerReport
from control_center.ledger import CENTER, Entry, Ledger
from control_center.reach import Reach
from control_center.rights import Right

logger = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
# A worker that hangs must not make the pictures of another wait.
END_TIMEOUT_SECONDS = 1.0
# A heartbeat that was written before a picture was opened does not name it.
_TOLD_AFTER_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A live picture at a worker. `viewer` is as `viewer_of` gives it."""

    worker_url: str
    camera_id: str
    session_id: str
    viewer: str


def viewer_of(person: SignedIn, sign_in_id: str) -> str:
    """How the worker knows them: it need not know a name."""
    return f"{person.account_id}.{sign_in_id}"


class Viewers:
    """`client` reaches the workers; `clock` gives monotonic seconds."""

    def __init__(
        self,
        database: Database,
        reach: Reach,
        fleet: Fleet,
        ledger: Ledger,
        client: httpx.AsyncClient,
        worker_token: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._reach, self._fleet, self._ledger = database, reach, fleet, ledger
        self._client, self._authorization = client, f"Bearer {worker_token}"
        self._clock = clock
        self._opened_at: dict[Picture, float] = {}
        self._unanswered: set[Picture] = set()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._opened_at)

    def opened(self, picture: Picture) -> None:
        self._opened_at[picture] = self._clock()

    def hear(self, worker_url: str, reports: Sequence[ViewerReport]) -> None:
        """Take over which pictures a worker says are open. One that names nobody was not opened through a center."""
        told = {Picture(worker_url, one.camera_id, one.session_id, one.viewer) for one in reports if one.viewer}
        young = self._clock() - _TOLD_AFTER_SECONDS
        for picture, opened_at in list(self._opened_at.items()):
            if picture.worker_url == worker_url and picture not in told and opened_at < young:
                self._forget(picture)
        if new := told - self._opened_at.keys():
            self._opened_at |= dict.fromkeys(new, self._clock())
            self.wake()

    def wake(self) -> None:
        """A right may have ended: look at once."""
        self._wake.set()

    async def watch(self) -> None:
        """Until cancelled. While the database does not answer, nobody can say whose right has ended."""
        while True:
            try:
                await self.end_without_right()
            except (SQLAlchemyError, DatabaseError) as error:
                logger.error("rights of %d live pictures are not known: %s", len(self), error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), CHECK_SECONDS)
            self._wake.clear()

    async def end_without_right(self) -> None:
        """End every picture that its viewer may not see any more. Raises SQLAlchemyError, DatabaseError."""
        self._forget_workers_that_went()
        pictures = list(self._opened_at)
        people = await self._people({picture.viewer for picture in pictures}) if pictures else {}
        seen = {viewer: await self._reach.cameras(person, Right.VIEW_LIVE) for viewer, person in people.items()}
        ending = []
        for picture in pictures:
            camera, cameras = self._fleet.cameras.get(picture.camera_id), seen.get(picture.viewer, frozenset())
            if camera is None or not camera.enabled:
                ending.append(self._end(picture, "the camera was taken out"))
            elif picture.viewer not in people:
                ending.append(self._end(picture, "the sign-in has ended"))
            elif cameras is not None and picture.camera_id not in cameras:
                ending.append(self._end(picture, "the right has ended"))
        await asyncio.gather(*ending)

    def _forget_workers_that_went(self) -> None:
        urls = {worker.base_url for worker in self._fleet.workers()}
        for picture in [one for one in self._opened_at if one.worker_url not in urls]:
            self._forget(picture)

    async def _people(self, viewers: set[str]) -> dict[str, SignedIn]:
        """Those who are still signed in."""
        query = select(SignIn).where(SignIn.token_hash.in_({viewer.rpartition(".")[2] for viewer in viewers}))
        async with self._database.read() as session:
            rows = list(await session.scalars(query))
        now, people = datetime.now(UTC), {}
        for row in rows:
            if row.expires_at > now and row.account.disabled_at is None:
                person = SignedIn(row.account.id, row.account.name, row.account.role, row.expires_at)
                people[viewer_of(person, row.token_hash)] = person
        return people

    async def _end(self, picture: Picture, reason: str) -> None:
        if not await self.close(picture):
            return  # it had ended by itself, or the worker is asked again
        async with self._database.read() as session:
            account = await session.get(Account, picture.viewer.partition(".")[0])
        subject = account.name if account else "unknown"
        logger.info("live picture of camera %s for %s was ended: %s", picture.camera_id, subject, reason)
        await self._ledger.record(Entry(CENTER, "view.ended", picture.camera_id, subject=subject, reason=reason))

    async def close(self, picture: Picture) -> bool:
        """Whether the worker had it and has ended it."""
        try:
            answer = await self._client.delete(
                f"{picture.worker_url}/whep/{picture.camera_id}/{picture.session_id}",
                headers={"Authorization": self._authorization},
                timeout=END_TIMEOUT_SECONDS,
            )
        except httpx.HTTPError as error:
            logger.warning("live picture of camera %s could not be ended: %r; again soon", picture.camera_id, error)
            self._unanswered.add(picture)
            return False
        if not answer.is_success and answer.status_code != HTTPStatus.NOT_FOUND:
            return False
        was_asked_before = picture in self._unanswered
        self._forget(picture)
        return answer.is_success or was_asked_before

    def _forget(self, picture: Picture) -> None:
        self._opened_at.pop(picture, None)
        self._unanswered.discard(picture)
