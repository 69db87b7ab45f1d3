"""News as Server-Sent Events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import StreamingResponse

from control_center.accounts import SignedIn
from control_center.api.authorization import guarded_router, person_of, requires
from control_center.api.deps import CurrentCenter, CurrentPerson
from control_center.center import Center
from control_center.reach import audience_of
from control_center.rights import Right

router = guarded_router(prefix="/api/v1/live", tags=["live"])


@router.get(
    "",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "See docs/reference/api.md"}},
)
@requires(Right.VIEW_CAMERAS)
async def listen(
    request: Request,
    center: CurrentCenter,
    person: CurrentPerson,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> StreamingResponse:
    """`ready` first, then what the caller may see: `incident.created`, `incident.updated`, `camera.state`, …"""
    center.live.check_room()
    return StreamingResponse(
        _stream(request, center, person, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    request: Request, center: Center, person: SignedIn, last_event_id: str | None
) -> AsyncIterator[bytes]:
    audience = audience_of(person)
    if audience is None:
        return
    with center.live.listen(audience) as listener:
        async for text in center.live.stream(listener, last_event_id):
            if text is not None:
                yield text
                continue
            now = await person_of(center, request)
            if now is None or now.account_id != person.account_id or audience_of(now) != audience:
                return  # signed out, disabled or given another role meanwhile
