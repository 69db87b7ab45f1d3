"""News as Server-Sent Events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import StreamingResponse

from control_center.api.authorization import guarded_router, person_of, requires
from control_center.api.deps import CurrentCenter
from control_center.center import Center
from control_center.rights import Right

router = guarded_router(prefix="/api/v1/live", tags=["live"])


@router.get(
    "",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "See docs/reference/api.md"}},
)
@requires(Right.VIEW_INCIDENTS)
async def listen(
    request: Request,
    center: CurrentCenter,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> StreamingResponse:
    """`ready` first, then `incident.created`, `incident.updated`, `camera.state`, `status`; `reload` after a gap."""
    center.live.check_room()
    return StreamingResponse(
        _stream(request, center, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, center: Center, last_event_id: str | None) -> AsyncIterator[bytes]:
    with center.live.listen() as listener:
        async for text in center.live.stream(listener, last_event_id):
            if text is not None:
                yield text
            elif await person_of(center, request) is None:
                return  # signed out meanwhile
