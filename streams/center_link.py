"""What a worker tells the center: how its cameras do, every two seconds and at each change, and its events.

The center may be down for as long as it likes: events wait in the outbox, heartbeats are simply late.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from detectors.event import FAMILY
from streams.outbox import Outbox, Pending
from streams.picture_link import event_to_json
from streams.recording_index import Destroyed
from streams.recording_store import RecordingStore
from streams.supervision import BackOff

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0
_LEAST_HEARTBEAT_SECONDS = 0.1
_PRUNE_SECONDS = 600.0
_DESTROYED_SECONDS = 60.0
_NOT_THE_EVENTS_FAULT = {401, 403, 404, 405, 408, 429}


class CenterUnavailable(Exception):
    """The center did not take what was sent; the text says why."""


class NoCameraList(CenterUnavailable):
    """An older center, which keeps no list of cameras for its workers."""


class HeartbeatAnswer(BaseModel):
    """`open_incidents`: cameras with one. `cameras_version`: of the center's list, None where it keeps none."""

    model_config = ConfigDict(extra="ignore")

    open_incidents: frozenset[str] = frozenset()
    cameras_version: str | None = None


class _Refusal(BaseModel):
    model_config = ConfigDict(extra="ignore")

    event_id: str | None
    reason: str


class _EventsAnswer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    accepted: tuple[str, ...]
    refused: tuple[_Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class CenterStatus:
    """`heartbeats_lost` and `posts_failed` count since the worker started."""

    is_answering: bool = False
    heartbeats: int = 0
    heartbeats_lost: int = 0
    posts_failed: int = 0


class CenterLink:
    """HTTP to the center with the worker's bearer token. Use as an asynchronous context manager."""

    def __init__(self, center_url: str, worker_id: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=center_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10.0, connect=3.0),
            limits=httpx.Limits(max_connections=2),
            trust_env=False,
        )
        self._worker_id = worker_id
        self._changed = asyncio.Event()
        self._answering: bool | None = None
        self._heartbeats = self._lost = self._failed = 0

    async def __aenter__(self) -> CenterLink:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self._client.__aexit__(*exception)

    @property
    def status(self) -> CenterStatus:
        return CenterStatus(bool(self._answering), self._heartbeats, self._lost, self._failed)

    def tell_change(self) -> None:
        """Something changed that the center should hear of at once."""
        self._changed.set()

    async def cameras(self) -> bytes:
        """The center's list of cameras, as it is sent. Raises CenterUnavailable, NoCameraList."""
        response = await self._send_request("GET", "/internal/v1/cameras")
        if response.status_code == 404:
            raise NoCameraList(f"{self._client.base_url} keeps no list of cameras")
        if not response.is_success:
            raise CenterUnavailable(_refusal(response))
        return response.content

    async def beat(self, report: Callable[[], dict[str, Any]], on_answer: Callable[[HeartbeatAnswer], None]) -> None:
        """Post `report()` for ever; `on_answer` gets what the center answers."""
        while True:
            self._changed.clear()
            try:
                answer = await self._post(f"/internal/v1/workers/{self._worker_id}/heartbeat", report())
                self._note(None)
                self._heartbeats += 1
                on_answer(HeartbeatAnswer.model_validate_json(answer.content or b"{}"))
            except ValidationError:
                log.debug("center %s answered a heartbeat with something else", self._client.base_url)
            except CenterUnavailable as error:
                self._lost += 1
                self._note(str(error))
            await asyncio.sleep(_LEAST_HEARTBEAT_SECONDS)
            try:
                await asyncio.wait_for(self._changed.wait(), HEARTBEAT_SECONDS - _LEAST_HEARTBEAT_SECONDS)
            except TimeoutError:
                pass

    async def send_events(self, outbox: Outbox) -> None:
        """Post what waits in `outbox` until the center has it, for ever. Raises OutboxError."""
        back_off = BackOff(0.5, 15.0)
        while True:
            outbox.arrived.clear()
            waiting = await outbox.pending()
            if not waiting:
                await self._wait_for_events(outbox)
                continue
            try:
                await self._send(outbox, waiting)
                back_off.reset()
            except CenterUnavailable as error:
                self._failed += 1
                seconds = back_off.next_seconds()
                log.warning("%d events wait in the outbox: %s; again in %.1f s", outbox.status.depth, error, seconds)
                await asyncio.sleep(seconds)

    async def tell_destroyed(self, store: RecordingStore) -> None:
        """Post what retention deleted until the center has written it down, for ever. Raises OSError, sqlite3.Error."""
        while True:
            if reports := await store.destroyed():
                try:
                    await self._post("/internal/v1/destroyed", _destroyed_body(reports))
                    store.forget_destroyed(one.report_id for one in reports)
                except (CenterUnavailable, _RequestRefused) as error:
                    log.warning("the center does not take what was deleted: %s", error)
            await asyncio.sleep(_DESTROYED_SECONDS)

    async def _wait_for_events(self, outbox: Outbox) -> None:
        try:
            await asyncio.wait_for(outbox.arrived.wait(), _PRUNE_SECONDS)
        except TimeoutError:
            await outbox.prune()

    async def _send(self, outbox: Outbox, waiting: list[Pending]) -> None:
        """Post a batch; one that is refused as a whole goes again one by one, to find the event that is at fault."""
        try:
            answer = await self._post_events(waiting)
        except _RequestRefused as error:
            if len(waiting) == 1:
                await _set_aside(outbox, waiting[0].event.event_id, str(error))
            else:
                for one in waiting:
                    await self._send(outbox, [one])
            return
        await outbox.accept(answer.accepted)
        refused = [refusal for refusal in answer.refused if refusal.event_id]
        for refusal in refused:
            await _set_aside(outbox, str(refusal.event_id), refusal.reason)
        if not answer.accepted and not refused:
            raise CenterUnavailable("the center accepted none of them")

    async def _post_events(self, waiting: list[Pending]) -> _EventsAnswer:
        bodies = ",".join(_event_body(one) for one in waiting)
        response = await self._post("/internal/v1/events", f"[{bodies}]")
        try:
            return _EventsAnswer.model_validate_json(response.content)
        except ValidationError as error:
            raise CenterUnavailable("its answer does not say which events it accepted") from error

    async def _post(self, path: str, body: dict[str, Any] | str) -> httpx.Response:
        """Raises CenterUnavailable, _RequestRefused."""
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        response = await self._send_request("POST", path, content)
        if response.is_success:
            return response
        reason = _refusal(response)
        if response.is_client_error and response.status_code not in _NOT_THE_EVENTS_FAULT:
            raise _RequestRefused(reason)
        raise CenterUnavailable(reason)

    async def _send_request(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        """Raises CenterUnavailable."""
        headers = {"Content-Type": "application/json", "X-Haechi-Worker": self._worker_id}
        try:
            return await self._client.request(method, path, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise CenterUnavailable(f"{self._client.base_url}: {type(error).__name__} {error}".strip()) from error

    def _note(self, fault: str | None) -> None:
        """One log line when the center goes and one when it is back."""
        is_answering = fault is None
        if is_answering != self._answering:
            if is_answering:
                log.info("center %s answers", self._client.base_url)
            else:
                log.warning("center does not take heartbeats: %s", fault)
        self._answering = is_answering


def _refusal(response: httpx.Response) -> str:
    url = response.request.url
    return f"{url.scheme}://{url.netloc.decode()} answers {response.status_code} to {url.path}: {response.text[:300]}"


class _RequestRefused(CenterUnavailable):
    """The center says that the request itself is at fault."""


async def _set_aside(outbox: Outbox, event_id: str, reason: str) -> None:
    log.error("the center refuses event %s for good: %s", event_id, reason)
    await outbox.refuse(event_id, reason)


def _event_body(pending: Pending) -> str:
    """The event's fields as JSON, with its family and its snapshot."""
    snapshot = "null"
    if pending.snapshot_jpeg is not None:
        snapshot = f'"{base64.b64encode(pending.snapshot_jpeg).decode()}"'
    fields = event_to_json(pending.event)
    return f'{fields[:-1]},"family":"{FAMILY[pending.event.kind]}","snapshot_jpeg":{snapshot}}}'


def _destroyed_body(reports: list[Destroyed]) -> str:
    return json.dumps(
        [
            {
                **{
                    name: getattr(one, name)
                    for name in ("report_id", "camera_id", "day", "reason", "segments", "seconds")
                },
                "bytes": one.byte_count,
                "first_at": one.first_at.isoformat(),
                "last_at": one.last_at.isoformat(),
            }
            for one in reports
        ]
    )
