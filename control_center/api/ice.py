"""Where browsers find TURN servers before they make an offer: what the 201 of WHEP says comes too late for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import Request
from pydantic import BaseModel

from control_center.api.authorization import guarded_router, requires
from control_center.rights import Right
from streams.ice_servers import IceServers

router = guarded_router(prefix="/api/v1/ice-servers", tags=["live"])


class IceServerView(BaseModel):
    """One entry of an RTCConfiguration's iceServers (WebRTC, 4.2.4)."""

    urls: list[str]
    username: str
    credential: str


class IceServersView(BaseModel):
    """`expires_at`: until when they can be begun with. Empty when the settings name no TURN server."""

    ice_servers: list[IceServerView]
    expires_at: datetime


@router.get("")
@requires(Right.VIEW_LIVE)
async def ice_servers(request: Request) -> IceServersView:
    """TURN servers for an RTCPeerConnection, with a user name and password that expire."""
    servers: IceServers = request.app.state.ice_servers
    expires_at = datetime.now(UTC) + timedelta(seconds=servers.lasts_seconds)
    issued = servers.issue()
    views = [
        IceServerView(urls=[one.url for one in issued], username=one.username or "", credential=one.credential or "")
        for one in issued[:1]
    ]
    return IceServersView(ice_servers=views, expires_at=expires_at)
