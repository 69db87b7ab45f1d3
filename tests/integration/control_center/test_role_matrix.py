"""Every endpoint, asked over HTTP by everyone. The table is the specification: it is not made from the code."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx

from config.settings import Settings
from control_center.api.app import create_app
from control_center.api.authorization import walk_routes
from control_center.rights import Role
from tests.integration.control_center.conftest import WORKER, RunningCenter, event

CALLERS = {
    "nobody": None,
    "worker": None,
    "operator": Role.OPERATOR,
    "lead": Role.SHIFT_LEAD,
    "police": Role.POLICE_DESK,
    "fire": Role.FIRE_DESK,
    "mayor": Role.MAYOR,
    "privacy": Role.PRIVACY_OFFICER,
    "admin": Role.ADMINISTRATOR,
}

# x: may. o: may, within what was dispatched to the desk. A dot: may not. Everyone asks from another machine.
TABLE = """
                                                      nobody worker operator lead police fire mayor privacy admin
POST   /api/v1/session                                   x      x      x      x     x     x     x      x      x
GET    /api/v1/session                                   .      .      x      x     x     x     x      x      x
PUT    /api/v1/session/password                          .      .      x      x     x     x     x      x      x
DELETE /api/v1/session                                   .      .      x      x     x     x     x      x      x
GET    /api/v1/accounts                                  .      .      .      .     .     .     .      .      x
POST   /api/v1/accounts                                  .      .      .      .     .     .     .      .      x
PATCH  /api/v1/accounts/{account_id}                     .      .      .      .     .     .     .      .      x
POST   /api/v1/accounts/{account_id}/password            .      .      .      .     .     .     .      .      x
GET    /api/v1/staff                                     .      .      .      x     .     .     .      .      .
GET    /api/v1/cameras                                   .      .      x      x     o     o     x      x      x
GET    /api/v1/cameras/{camera_id}                       .      .      x      x     o     o     x      x      x
POST   /api/v1/cameras/{camera_id}/whep                  .      .      x      x     o     o     x      .      .
OPTIONS /api/v1/cameras/{camera_id}/whep                 x      x      x      x     x     x     x      x      x
OPTIONS /api/v1/cameras/{camera_id}/whep/{session_id}    x      x      x      x     x     x     x      x      x
PATCH  /api/v1/cameras/{camera_id}/whep/{session_id}     .      .      x      x     x     x     x      .      .
DELETE /api/v1/cameras/{camera_id}/whep/{session_id}     .      .      x      x     x     x     x      .      .
POST   /api/v1/cameras/{camera_id}/whep/{session_id}/layer .      .      x      x     x     x     x      .      .
GET    /api/v1/ice-servers                               .      .      x      x     x     x     x      .      .
GET    /api/v1/cameras/{camera_id}/recordings             .      .      x      x     o     o     .      .      .
GET    /api/v1/cameras/{camera_id}/recordings/days        .      .      x      x     o     o     .      .      .
GET    /api/v1/cameras/{camera_id}/recordings/index.m3u8  .      .      x      x     o     o     .      .      .
GET    /api/v1/cameras/{camera_id}/recordings/init/{segment_id} .      .      x      x     o     o     .      .      .
GET    /api/v1/cameras/{camera_id}/recordings/media/{segment_id} .      .      x      x     o     o     .      .      .
GET    /api/v1/cameras/{camera_id}/recordings/clip.mp4    .      .      x      x     o     o     .      .      .
GET    /api/v1/cameras/{camera_id}/recordings/thumbnail.jpg .      .      x      x     o     o     .      .      .
GET    /api/v1/removed-cameras                           .      .      x      x     o     o     .      .      .
GET    /api/v1/holds                                     .      .      x      x     .     .     .      x      .
POST   /api/v1/holds                                     .      .      x      x     .     .     .      .      .
POST   /api/v1/holds/{hold_id}/release                   .      .      .      x     .     .     .      .      .
POST   /api/v1/incidents/{incident_id}/hold              .      .      x      x     .     .     .      .      .
GET    /api/v1/incidents                                 .      .      x      x     o     o     x      .      .
GET    /api/v1/incidents/{incident_id}                   .      .      x      x     o     o     x      .      .
GET    /api/v1/incidents/{incident_id}/steps             .      .      x      x     o     o     x      .      .
GET    /api/v1/incidents/{incident_id}/snapshot          .      .      x      x     o     o     x      .      .
POST   /api/v1/incidents/{incident_id}/acknowledge       .      .      x      x     .     .     .      .      .
POST   /api/v1/incidents/{incident_id}/take-over         .      .      x      x     .     .     .      .      .
POST   /api/v1/incidents/{incident_id}/assign            .      .      .      x     .     .     .      .      .
POST   /api/v1/incidents/{incident_id}/dispatch          .      .      x      x     .     .     .      .      .
POST   /api/v1/incidents/{incident_id}/notes             .      .      x      x     .     .     .      .      .
POST   /api/v1/incidents/{incident_id}/close             .      .      x      x     .     .     .      .      .
POST   /api/v1/incidents/{incident_id}/receive           .      .      .      .     o     o     .      .      .
POST   /api/v1/incidents/{incident_id}/arrive            .      .      .      .     o     o     .      .      .
POST   /api/v1/incidents/{incident_id}/outcome           .      .      .      .     o     o     .      .      .
GET    /api/v1/figures/today                             .      .      x      x     .     .     x      x      .
GET    /api/v1/ledger                                    .      .      .      .     .     .     .      x      .
GET    /api/v1/ledger/verification                       .      .      .      .     .     .     .      x      .
GET    /api/v1/live                                      .      .      x      x     o     o     x      x      x
GET    /api/v1/register                                  .      .      .      .     .     .     .      .      x
POST   /api/v1/register/cameras                          .      .      .      .     .     .     .      .      x
PUT    /api/v1/register/cameras/{camera_id}              .      .      .      .     .     .     .      .      x
DELETE /api/v1/register/cameras/{camera_id}              .      .      .      .     .     .     .      .      x
POST   /api/v1/register/import                           .      .      .      .     .     .     .      .      x
GET    /api/v1/register/export                           .      .      .      .     .     .     .      .      x
GET    /api/v1/status                                    .      x      x      x     x     x     x      x      x
GET    /metrics                                          .      x      x      x     x     x     x      x      x
GET    /healthz                                          x      x      x      x     x     x     x      x      x
GET    /api/v1/openapi.json                              x      x      x      x     x     x     x      x      x
POST   /internal/v1/workers/{worker_id}/heartbeat        .      x      .      .     .     .     .      .      .
GET    /internal/v1/cameras                              .      x      .      .     .     .     .      .      .
POST   /internal/v1/destroyed                            .      x      .      .     .     .     .      .      .
POST   /internal/v1/events                               .      x      .      .     .     .     .      .      .
"""

FROM_AFAR = {"X-Forwarded-For": "203.0.113.9"}
# An id that is not there, so that nothing is removed when one may remove it.
IDS = {"camera_id": "gate", "account_id": "0" * 32, "session_id": "s", "worker_id": "w0"}
IDS |= {"segment_id": "0" * 32, "hold_id": "0" * 32}
OFFER = {"content": b"v=0\r\n", "headers": {"Content-Type": "application/sdp"}}
HALF_AN_HOUR_AGO = datetime.now(UTC) - timedelta(minutes=30)
RANGE = {"from": HALF_AN_HOUR_AGO.isoformat(), "to": (HALF_AN_HOUR_AGO + timedelta(minutes=1)).isoformat()}
# What the endpoints that a desk reaches want to be told.
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/cameras/{camera_id}/whep": OFFER,
    "/api/v1/cameras/{camera_id}/recordings": {"params": RANGE},
    "/api/v1/cameras/{camera_id}/recordings/index.m3u8": {"params": RANGE},
    "/api/v1/cameras/{camera_id}/recordings/clip.mp4": {"params": RANGE | {"reason": "asked by the police"}},
    "/api/v1/cameras/{camera_id}/recordings/thumbnail.jpg": {"params": {"at": RANGE["from"]}},
    "/api/v1/incidents/{incident_id}/receive": {"json": {"note": "on the way"}},
    "/api/v1/incidents/{incident_id}/arrive": {"json": {"note": ""}},
    "/api/v1/incidents/{incident_id}/outcome": {"json": {"outcome": "a wallet was given back"}},
}
LISTS = {"/api/v1/cameras": "cameras", "/api/v1/removed-cameras": "cameras", "/api/v1/incidents": "incidents"}


# A stream, and a list that is empty in a city where no camera was removed.
NOTHING_THERE = {"/api/v1/live", "/api/v1/removed-cameras"}


class Rule(NamedTuple):
    method: str
    path: str
    marks: dict[str, str]


class Answer(NamedTuple):
    """`kind` of the problem, or empty; `body` only of what is no stream."""

    status: int
    kind: str
    body: Any = None


def rules() -> list[Rule]:
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    assert head == list(CALLERS)
    assert all(len(row) == 2 + len(head) and set(row[2:]) <= set("xo.") for row in rows)
    return [Rule(row[0], row[1], dict(zip(head, row[2:], strict=True))) for row in rows]


def test_every_endpoint_is_in_the_table() -> None:
    served = {
        (method, route.path)
        for route in walk_routes(create_app(Settings(), "token").routes)
        for method in route.methods - {"HEAD"}
    }
    assert served == {(rule.method, rule.path) for rule in rules()}


@asynccontextmanager
async def calling(center: RunningCenter, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the caller `name`, on another machine."""
    role = CALLERS[name]
    async with AsyncExitStack() as stack:
        if role is not None:
            yield await stack.enter_async_context(center.signed_in_as(role, headers=FROM_AFAR))
        else:
            headers = FROM_AFAR | (WORKER if name == "worker" else {})
            yield await stack.enter_async_context(center.client(headers=headers))


async def ask(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]) -> Answer:
    async with client.stream(method, path, **body) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return Answer(answer.status_code, "")
        await answer.aread()
    if not answer.content or "json" not in answer.headers.get("content-type", ""):
        return Answer(answer.status_code, "")
    content = answer.json()
    return Answer(answer.status_code, str(content.get("type", "")).removeprefix("urn:haechi:problem:"), content)


def filled(path: str, incident_id: str, camera_id: str = "gate") -> str:
    return re.sub(
        r"{(\w+)}", lambda match: (IDS | {"incident_id": incident_id, "camera_id": camera_id})[match[1]], path
    )


def is_as_marked(rule: Rule, caller: str, answer: Answer) -> bool:
    mark = rule.marks[caller]
    if mark == "x":
        return answer.status not in {401, 403}
    if mark == "o":  # nothing was dispatched
        if rule.path in LISTS:
            return answer.status == 200 and answer.body[LISTS[rule.path]] == []
        return answer.kind in {"out-of-reach", "not-found"} or rule.path == "/api/v1/live"
    if rule.path.startswith("/internal/"):
        return (answer.status, answer.kind) == (401, "not-a-worker")
    if CALLERS[caller] is None:
        return (answer.status, answer.kind) == (401, "not-signed-in")
    return (answer.status, answer.kind) == (403, "no-right")


async def test_everyone_gets_what_the_table_says_and_no_more(sqlite_center: RunningCenter) -> None:
    incident_id = await raise_incident(sqlite_center)
    wrong = []
    for caller in CALLERS:
        async with calling(sqlite_center, caller) as client:
            # Signing out comes last. What has no body here gets one that cannot be read: the right is asked first.
            for rule in sorted(rules(), key=lambda rule: rule.method == "DELETE" and rule.path == "/api/v1/session"):
                body = BODIES.get(
                    rule.path, {"content": b"{not json"} if rule.method in {"POST", "PUT", "PATCH"} else {}
                )
                answer = await ask(client, rule.method, filled(rule.path, incident_id), body)
                if not is_as_marked(rule, caller, answer):
                    wrong.append((caller, rule.method, rule.path, rule.marks[caller], answer.status, answer.kind))
    assert wrong == []


async def test_a_desk_reaches_what_was_dispatched_to_it_and_the_other_desk_does_not(
    sqlite_center: RunningCenter,
) -> None:
    """The incident at the gate goes to the police, the one in the alley to nobody."""
    gate = await raise_incident(sqlite_center)
    alley = await raise_incident(sqlite_center, camera_id="alley")
    async with sqlite_center.signed_in_as(Role.OPERATOR) as operator:
        sent = await operator.post(f"/api/v1/incidents/{gate}/dispatch", json={"desks": ["police"], "note": ""})
        assert sent.status_code == 200, sent.text
    scoped = [rule for rule in rules() if rule.marks["police"] == "o" and rule.path not in NOTHING_THERE]
    assert len(scoped) == 17
    wrong = []
    async with calling(sqlite_center, "police") as police, calling(sqlite_center, "fire") as fire:
        for rule in scoped:
            body = BODIES.get(rule.path, {})
            inside = await ask(police, rule.method, filled(rule.path, gate), body)
            if rule.path in LISTS:
                seen = [one["id"] for one in inside.body[LISTS[rule.path]]]
                is_reached = seen == ["gate" if rule.path == "/api/v1/cameras" else gate]
            else:
                is_reached = inside.status in {200, 410, 503}  # 503: no worker has the camera here; 410: no token
                beside = await ask(police, rule.method, filled(rule.path, alley, "alley"), body)
                if not is_as_marked(rule, "police", beside):
                    wrong.append(("police beside", rule.path, beside.status))
            if not is_reached:
                wrong.append(("police inside", rule.path, inside.status))
            other = await ask(fire, rule.method, filled(rule.path, gate), body)
            if not is_as_marked(rule, "fire", other):
                wrong.append(("fire", rule.path, other.status))
    assert wrong == []


async def raise_incident(center: RunningCenter, **changes: Any) -> str:
    async with center.worker() as worker, center.signed_in_as(Role.OPERATOR) as operator:
        one = event(f"of-{changes.get('camera_id', 'gate')}", **changes)
        answer = await worker.post("/internal/v1/events", json=[one], headers={"X-Haechi-Worker": "w0"})
        assert answer.status_code == 200, answer.text
        newest = (await operator.get("/api/v1/incidents", params={"limit": 1})).json()["incidents"][0]
    assert newest["camera_id"] == one["camera_id"]
    incident_id: str = newest["id"]
    return incident_id
