"""A center with people at every desk, and cameras around a gate at known distances."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from config.settings import Settings
from control_center.accounts import SignedIn
from control_center.ledger import Verification
from control_center.rights import Role
from tests.integration.control_center.conftest import RunningCenter, event, serving
from tests.integration.control_center.test_ingest import post

PASSWORD = "correct-horse-battery"
PEOPLE = {
    "kim": Role.OPERATOR,
    "lee": Role.OPERATOR,
    "lead": Role.SHIFT_LEAD,
    "police": Role.POLICE_DESK,
    "police2": Role.POLICE_DESK,
    "fire": Role.FIRE_DESK,
    "mayor": Role.MAYOR,
    "privacy": Role.PRIVACY_OFFICER,
    "root": Role.ADMINISTRATOR,
}

GATE = {"latitude": 37.26, "longitude": 127.03}
# A degree of latitude is 110,989 m there.
NORTH_OF_THE_GATE = {"gate": 0, "at-499": 499, "at-50": 50, "at-501": 501, "at-300": 300, "at-2000": 2000}


def camera(camera_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": camera_id,
        "name": f"Camera {camera_id}",
        "purpose": "crime prevention",
        "main": f"rtsp://127.0.0.1/{camera_id}",
        "zones": [{"name": "yard", "rules": [{"kind": "intrusion"}, {"kind": "fire"}]}],
        **changes,
    }


def north_of_the_gate(meters: float) -> dict[str, float]:
    return GATE | {"latitude": GATE["latitude"] + meters / 110_989}


CAMERAS = [
    *(camera(camera_id, position=north_of_the_gate(meters)) for camera_id, meters in NORTH_OF_THE_GATE.items()),
    camera("at-10-off", position=north_of_the_gate(10), enabled=False),
    camera("nowhere"),
]
AROUND_THE_GATE = ["gate", "at-50", "at-300", "at-499"]


@dataclass(slots=True)
class Staffed:
    """`people` are signed in; `ids` are their accounts."""

    center: RunningCenter
    people: dict[str, httpx.AsyncClient]
    ids: dict[str, str]

    async def alarm(self, event_id: str = "a", seconds: float = 0.0, **changes: Any) -> str:
        """Id of the new incident that an event makes."""
        await post(self.center, event(event_id, seconds, **changes))
        newest = (await self.people["kim"].get("/api/v1/incidents", params={"limit": 1})).json()["incidents"][0]
        incident_id: str = newest["id"]
        return incident_id

    async def take(self, who: str, incident_id: str, step: str, expected: int = 200, **body: Any) -> dict[str, Any]:
        """A step through the API; its answer."""
        answer = await self.people[who].post(f"/api/v1/incidents/{incident_id}/{step}", json=body)
        assert answer.status_code == expected, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(self, who: str, path: str, expected: int = 200) -> dict[str, Any]:
        answer = await self.people[who].get(f"/api/v1{path}")
        assert answer.status_code == expected, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def person(self, who: str) -> SignedIn:
        (token,) = self.people[who].cookies.values()
        found = await self.center.parts.accounts.who(token)
        assert found is not None
        return found

    async def chain(self) -> Verification:
        return await self.center.parts.ledger.verify()


@asynccontextmanager
async def staffed(folder: Path, database_url: str | None, **sections: Any) -> AsyncIterator[Staffed]:
    """`sections` of the settings, such as `desks={"grant_hours": 1}`."""
    document = {"data_dir": folder, "center": {"database_url": database_url}, "cameras": CAMERAS, **sections}
    async with AsyncExitStack() as stack:
        center = await stack.enter_async_context(serving(Settings.model_validate(document)))
        people, ids = {}, {}
        for name, role in PEOPLE.items():
            await center.parts.accounts.create(name, PASSWORD, role)
            people[name] = await stack.enter_async_context(center.client())
            answer = await people[name].post("/api/v1/session", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            ids[name] = answer.json()["account_id"]
        yield Staffed(center, people, ids)
