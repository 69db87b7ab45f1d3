"""An independent WHEP client (aiortc's RTCPeerConnection) and a lossy UDP path to put before it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Self, cast

import httpx
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av import VideoFrame

from streams.ice_servers import IceServer


class WhepClient:
    """`async with WhepClient(url)`: opens a session; `frame` gives decoded frames. `cookies` go with each request."""

    def __init__(
        self,
        url: str,
        through: LossyPath | None = None,
        cookies: httpx.Cookies | None = None,
        ice_servers: Sequence[IceServer] = (),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        servers = [RTCIceServer(one.url, username=one.username, credential=one.credential) for one in ice_servers]
        self.url = url
        self.location = ""
        self.headers: httpx.Headers = httpx.Headers()
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._through = through
        self._cookies = cookies
        self._transport = transport
        self._track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self.peer.addTransceiver("video", direction="recvonly")
        self.peer.on("track", self._track.set_result)
        try:
            await self._open()
        except BaseException:
            await self.peer.close()
            raise
        return self

    async def _open(self) -> None:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        offer = self.peer.localDescription.sdp
        if self._through is not None:  # without candidates the relay knows no way but the path
            offer = re.sub(r"a=candidate:.*\r\n", "", offer)
        async with httpx.AsyncClient(cookies=self._cookies, transport=self._transport, timeout=60) as http:
            response = await http.post(self.url, content=offer, headers={"content-type": "application/sdp"})
        assert response.status_code == 201, response.text
        self.headers = response.headers
        self.location = str(httpx.URL(self.url).join(response.headers["location"]))
        answer = response.text if self._through is None else self._through.lead_through(response.text)
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def frame(self, seconds: float = 60) -> VideoFrame:
        """The next decoded frame."""
        async with asyncio.timeout(seconds):
            frame = await (await self._track).recv()
        assert isinstance(frame, VideoFrame)
        return frame

    async def delete(self) -> int:
        """End the session as the standard says; the HTTP status."""
        async with httpx.AsyncClient(cookies=self._cookies, transport=self._transport, timeout=60) as http:
            return (await http.delete(self.location)).status_code

    async def __aexit__(self, *_: object) -> None:
        await self.peer.close()


class LossyPath(asyncio.DatagramProtocol):
    """Forwards UDP between a client and the server of its answer; `loses(n)`: the nth media packet is dropped."""

    def __init__(self, loses: Callable[[int], bool]) -> None:
        self._loses = loses
        self._server: tuple[str, int] | None = None
        self._client: tuple[str, int] | None = None
        self._count = 0
        self.dropped = 0

    def lead_through(self, answer: str) -> str:
        """The answer with this path's address for the server's."""
        match = re.search(r"127\.0\.0\.1 (\d+) typ", answer)
        assert match
        self._server = ("127.0.0.1", int(match[1]))
        port = self._transport.get_extra_info("sockname")[1]
        return answer.replace(match[0], f"127.0.0.1 {port} typ")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr != self._server:
            self._client = addr
            self._transport.sendto(data, self._server)
        elif self._client is not None:
            is_media = 128 <= data[0] < 192 and not 192 <= data[1] < 224
            self._count += is_media
            if is_media and self._loses(self._count):
                self.dropped += 1
            else:
                self._transport.sendto(data, self._client)


@asynccontextmanager
async def lossy_path(loses: Callable[[int], bool]) -> AsyncIterator[LossyPath]:
    """A path on a port of its own."""
    transport, path = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: LossyPath(loses), local_addr=("127.0.0.1", 0)
    )
    try:
        yield path
    finally:
        transport.close()
