"""The parts of a running center, made once and handed to the API."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
from argon2 import PasswordHasher

from config.settings import Settings
from control_center.accounts import Accounts
from control_center.database import Database, Grant, Incident
from control_center.database.migration import database_url, migrate
from control_center.figures import Figures
from control_center.fleet import CameraStatus, Fleet
from control_center.incident_views import IncidentView
from control_center.incidents.grants import is_valid, valid_camera_ids
from control_center.incidents.ingest import Ingest
from control_center.incidents.life import IncidentLife
from control_center.incidents.snapshots import SnapshotFiles
from control_center.incidents.store import Incidents
from control_center.incidents.transitions import OPEN_STATES
from control_center.ledger import Ledger
from control_center.live import LiveNews
from control_center.metrics import CenterMetrics
from control_center.playback_tokens import PlaybackTokens
from control_center.reach import Audience, Reach, desks_of
from control_center.recording_holds import RecordingHolds
from control_center.register import Register
from control_center.register.settings_file import take_settings_file
from control_center.rights import DESKS, Desk
from control_center.sign_in_limit import SignInLimit
from control_center.viewers import Viewers
from control_center.views import CameraStateView, StatusView, status_view

SWEEP_SECONDS = 1.0
WORKER_TIMEOUT_SECONDS = 10.0
WATCHED_FIRST = timedelta(minutes=10)


@dataclass(slots=True)
class Center:
    """Everything that lives as long as the center does."""

    settings: Settings
    database: Database
    accounts: Accounts
    ledger: Ledger
    snapshots: SnapshotFiles
    ingest: Ingest
    incidents: Incidents
    life: IncidentLife
    holds: RecordingHolds
    reach: Reach
    figures: Figures
    register: Register
    fleet: Fleet
    live: LiveNews
    viewers: Viewers
    metrics: CenterMetrics
    workers: httpx.AsyncClient
    worker_token: str
    address_limit: SignInLimit = field(default_factory=lambda: SignInLimit(burst=10, seconds_each=10))
    name_limit: SignInLimit = field(default_factory=lambda: SignInLimit(burst=20, seconds_each=15))
    playback_tokens: PlaybackTokens = field(default_factory=PlaybackTokens)
    former_workers: dict[str, str] = field(default_factory=dict)  # who has the recordings of a removed camera
    is_status_stale: bool = True
    open_cameras: frozenset[str] = frozenset()
    grants: list[Grant] = field(default_factory=list)  # that were valid a moment ago: for news, not for rights

    def is_worker_token(self, token: str) -> bool:
        """Compared in constant time."""
        digests = [hashlib.sha256(value.encode()).digest() for value in (token, self.worker_token)]
        return bool(self.worker_token) and hmac.compare_digest(*digests)

    def camera_name(self, camera_id: str) -> str:
        """A camera that was removed keeps its name; one that was never registered has only its id."""
        camera = self.fleet.cameras.get(camera_id) or self.register.loaded.former.get(camera_id)
        return camera.name if camera else camera_id

    def incident_view(self, incident: Incident, reader: Desk | None = None) -> IncidentView:
        """As the staff reads it, or the desk `reader`."""
        camera = self.fleet.cameras.get(incident.camera_id) or self.register.loaded.former.get(incident.camera_id)
        return IncidentView.of(incident, camera, reader, datetime.now(UTC))

    def tell_incident(self, name: str, incident: Incident) -> None:
        """Send `incident.created` or `incident.updated` to those who may see the incident."""
        self.is_status_stale = True
        if incident.state in OPEN_STATES and incident.family != "fault":
            self.open_cameras |= {incident.camera_id}
        texts: dict[Audience, str] = {"city": self.incident_view(incident).model_dump_json()}
        for desk in desks_of(incident):
            texts[desk] = self.incident_view(incident, desk).model_dump_json()
        self._take_grants([grant for grant in self.grants if grant.incident_id != incident.id] + incident.grants)
        self.live.publish(name, texts)
        self.viewers.wake()

    def _take_grants(self, grants: list[Grant]) -> None:
        """`cameras.changed` to the desks whose grants are others than before."""
        now = datetime.now(UTC)
        before = {(grant.desk, grant.id) for grant in self.grants}
        self.grants = [grant for grant in grants if is_valid(grant, now)]
        changed = {desk for desk, _ in before ^ {(grant.desk, grant.id) for grant in self.grants}}
        if changed:
            self.live.publish("cameras.changed", {desk: "{}" for desk in DESKS if desk in changed})

    async def sweep_grants(self) -> None:
        """Write down which grants are over and tell their desks. What a desk sees does not wait for this."""
        for incident in await self.life.end_expired_grants(datetime.now(UTC)):
            self.tell_incident("incident.updated", incident)
        self._take_grants(await self.reach.grants())

    def tell_register(self) -> None:
        """`cameras.changed` to everyone: the register is another."""
        self.live.publish("cameras.changed", dict.fromkeys(("city", "cameras", *DESKS), "{}"))

    def tell_cameras(self, changed: list[CameraStatus]) -> None:
        for status in changed:
            self.is_status_stale = True
            text = CameraStateView.of(status).model_dump_json()
            texts: dict[Audience, str] = {"city": text, "cameras": text}
            texts.update({desk: text for desk in DESKS if status.camera_id in self._granted(desk)})
            self.live.publish("camera.state", texts)

    def _granted(self, desk: Desk) -> list[str]:
        return valid_camera_ids(self.grants, datetime.now(UTC), desk)

    async def follow_register(self) -> None:
        """Take over what was changed in the register, here or by another process, and tell the browsers."""
        if await self.register.refresh():
            self.fleet.set_cameras(self.register.loaded.cameras)
            self.is_status_stale = True
            self.tell_cameras(self.fleet.changes())
            self.tell_register()
            self.viewers.wake()

    async def status(self) -> StatusView:
        return status_view(self.fleet, await self.incidents.counts())

    async def watch(self) -> None:
        """Notice silent workers, and tell the browsers the figures when they changed; until cancelled."""
        last = ""
        while True:
            await self.follow_register()
            self.tell_cameras(self.fleet.changes())
            await self.sweep_grants()
            self.open_cameras = await self.incidents.cameras_with_open(datetime.now(UTC) - WATCHED_FIRST)
            if self.is_status_stale:
                self.is_status_stale = False
                current = (await self.status()).comparable().model_dump_json()
                if current != last:
                    self.live.publish("status", current)
                    last = current
            await asyncio.sleep(SWEEP_SECONDS)


@asynccontextmanager
async def open_center(
    settings: Settings, worker_token: str, expected_workers: tuple[str, ...], hasher: PasswordHasher | None = None
) -> AsyncIterator[Center]:
    """Open the database (bringing it up to date) and everything on it. Raises DatabaseError."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        database = Database(database_url(settings.center.database_url, settings.data_dir))
        stack.push_async_callback(database.close)
        await migrate(database)
        workers = await stack.enter_async_context(
            httpx.AsyncClient(timeout=WORKER_TIMEOUT_SECONDS, trust_env=False, follow_redirects=False)
        )
        snapshots, ledger = SnapshotFiles(settings.data_dir), Ledger(database)
        stack.push_async_callback(ledger.close)
        register = Register(database)
        await take_settings_file(register, settings.cameras)
        fleet, live, reach = Fleet((await register.load()).cameras, expected_workers), LiveNews(), Reach(database)
        center = Center(
            settings=settings,
            database=database,
            accounts=Accounts(database, hasher),
            ledger=ledger,
            snapshots=snapshots,
            ingest=Ingest(database, snapshots),
            incidents=Incidents(database),
            life=IncidentLife(database, settings.desks, lambda: fleet.cameras),
            holds=RecordingHolds(database, ledger, settings.data_dir, settings.recording.keep_real_days),
            reach=reach,
            figures=Figures(database, fleet, register, ZoneInfo(settings.center.time_zone)),
            register=register,
            fleet=fleet,
            live=live,
            viewers=Viewers(database, reach, fleet, ledger, workers, worker_token),
            metrics=CenterMetrics(fleet, live),
            workers=workers,
            worker_token=worker_token,
        )
        stack.callback(live.close)
        yield center
