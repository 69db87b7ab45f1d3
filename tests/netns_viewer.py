"""A light viewer (aiortc) that talks WHEP over a Unix socket and media over its network namespace; started by tests.

Reads `{"socket", "servers": [{"url", "username", "credential"}], "frames", "seconds"}` on stdin, writes one JSON line:
`{"frames", "local", "remote"}`: decoded frames, and the kinds of candidates of the pair in use, if there is one.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import httpx

from streams.ice_servers import IceServer
from tests.whep_client import WhepClient


async def main(task: dict[str, Any]) -> dict[str, Any]:
    servers = [IceServer(**server) for server in task["servers"]]
    transport = httpx.AsyncHTTPTransport(uds=task["socket"])
    async with WhepClient("http://worker/whep/cam", ice_servers=servers, transport=transport) as client:
        frames = await _watch(client, task["frames"], task["seconds"])
        (transceiver,) = client.peer.getTransceivers()
        ice = transceiver.receiver.transport.transport
        pair = ice._connection._nominated.get(1)
        kinds = {} if pair is None else {"local": pair.local_candidate.type, "remote": pair.remote_candidate.type}
        return {"frames": frames, **kinds}


async def _watch(client: WhepClient, most: int, seconds: float) -> int:
    for count in range(most):
        try:
            await client.frame(seconds)
        except TimeoutError:
            return count
    return most


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
