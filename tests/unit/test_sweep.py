"""Urgent and calm sockets, over real socket pairs."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from streams.errors import Place
from streams.gop_buffer import GopBuffer
from streams.rtsp import sweep
from streams.rtsp.connection import RtspConnection
from streams.rtsp.sweep import CALM_SECONDS, URGENT_SECONDS, SocketSweep


class Heard:
    """Stands where the receiver of a connection stands, and notes when bytes came."""

    channel, payload_type, ssrc = 0, 96, -1

    def __init__(self) -> None:
        self.at: list[float] = []
        self.bytes = 0

    def feed(self, buffer: memoryview, pos: int, end: int) -> int:
        self.at.append(time.monotonic())
        self.bytes += end - pos
        return end


@asynccontextmanager
async def swept(is_urgent: bool) -> AsyncIterator[tuple[socket.socket, RtspConnection, Heard]]:
    ours, camera = socket.socketpair()
    transport, connection = await asyncio.get_running_loop().create_connection(
        lambda: RtspConnection(Place("gate", "main")), sock=ours
    )
    heard = Heard()
    connection.video = heard
    SocketSweep.of_running_loop().add(connection, is_urgent=is_urgent)
    try:
        yield camera, connection, heard
    finally:
        transport.close()
        connection.close()
        camera.close()
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def pauses(is_urgent: bool) -> float:
    """The shortest time between two reads of a socket that always has something."""
    async with swept(is_urgent) as (camera, _, heard):
        while len(heard.at) < 6:
            camera.send(b"$" * 100)
            await asyncio.sleep(0.002)
        return min(second - first for first, second in zip(heard.at, heard.at[1:], strict=False))


async def test_what_nobody_looks_at_is_read_less_often() -> None:
    assert await pauses(is_urgent=False) > CALM_SECONDS * 0.8
    assert await pauses(is_urgent=True) > URGENT_SECONDS * 0.5


async def test_what_nobody_looks_at_again_is_read_again() -> None:
    async with swept(is_urgent=True) as (camera, connection, heard):
        camera.send(b"$" * 100)
        await until(lambda: heard.bytes == 100)
        SocketSweep.of_running_loop().set_urgent(connection, False)
        camera.send(b"$" * 100)
        await until(lambda: heard.bytes == 200)


async def test_what_waits_is_read_at_once_when_somebody_begins_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "CALM_SECONDS", 3600.0)
    async with swept(is_urgent=False) as (camera, connection, heard):
        camera.send(b"$" * 100)
        SocketSweep.of_running_loop().set_urgent(connection, True)
        await until(lambda: heard.bytes == 100)


async def test_a_calm_socket_with_much_to_say_is_not_made_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "CALM_SECONDS", 10.0)  # its thirty reads would take minutes
    async with swept(is_urgent=False) as (camera, _, heard):
        camera.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * 1024 * 1024)
        camera.setblocking(False)
        sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(camera, b"$" * 8_000_000))
        SocketSweep.of_running_loop()._calm.wake(at_once=True)
        await until(lambda: heard.bytes == 8_000_000)
        await sending
        assert len(heard.at) >= 8_000_000 // (256 * 1024)


@pytest.mark.parametrize("is_urgent", [True, False])
async def test_a_connection_that_ends_leaves_the_sweep_and_can_be_asked_for_again(is_urgent: bool) -> None:
    sockets = SocketSweep.of_running_loop()
    async with swept(is_urgent) as (camera, connection, _):
        camera.close()
        await until(connection.lost.done)
        await asyncio.sleep(0)
        sockets.set_urgent(connection, not is_urgent)
        assert not sockets._swept and not sockets._descriptors


def test_the_buffer_says_when_the_first_comes_to_look_and_when_the_last_has_gone() -> None:
    said: list[bool] = []
    buffer = GopBuffer()
    buffer.on_urgency = said.append
    first, second = buffer.look_on(), buffer.look_on()
    first()
    first()
    assert said == [True] and buffer.is_urgent
    second()
    assert said == [True, False] and not buffer.is_urgent
