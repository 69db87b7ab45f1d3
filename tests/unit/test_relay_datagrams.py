"""Runs of datagrams over real sockets: cut by the kernel or by us."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from streams.relay.datagrams import UdpSender


@pytest.fixture(params=["127.0.0.1", "::1"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[UdpSender, socket.socket]]:
    family = socket.AF_INET if "." in request.param else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as receiver, socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            receiver.bind((request.param, 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        receiver.settimeout(60)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.setblocking(False)
        yield UdpSender(sock, receiver.getsockname()[:2]), receiver


@pytest.mark.parametrize("uses_gso", [True, False])
def test_a_run_arrives_as_its_datagrams(ends: tuple[UdpSender, socket.socket], uses_gso: bool) -> None:
    sender, receiver = ends
    sender.uses_gso = uses_gso
    data = bytes(range(250)) * 20
    assert sender.send_run(memoryview(data), 1228)
    assert sender.send_run(memoryview(b"short"), 1228)
    got = [receiver.recv(2000) for _ in range(6)]
    assert [len(one) for one in got] == [1228] * 4 + [88, 5]
    assert b"".join(got) == data + b"short"


def test_a_run_the_kernel_refuses_to_cut_is_sent_one_by_one_from_then_on(
    ends: tuple[UdpSender, socket.socket],
) -> None:
    sender, receiver = ends
    data = bytes(range(200)) * 3
    assert sender.send_run(memoryview(data), 3)  # 200 segments: more than any kernel takes
    assert not sender.uses_gso
    assert b"".join(receiver.recv(2000) for _ in range(200)) == data


def test_a_closed_socket_is_told_and_does_not_raise(ends: tuple[UdpSender, socket.socket]) -> None:
    sender, _ = ends
    sender._sock.close()
    assert not sender.send_run(memoryview(b"x" * 3000), 1228)
    assert not sender.send_run(memoryview(b"x"), 1228)
