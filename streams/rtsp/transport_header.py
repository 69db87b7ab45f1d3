"""The Transport header (RFC 2326, 12.39), as cameras answer it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

TCP_OFFER = "RTP/AVP/TCP;unicast;interleaved=0-1"

Carrier = Literal["tcp", "udp"]


@dataclass(frozen=True, slots=True)
class ChosenTransport:
    """What the camera chose. `channels` are those of RTP and RTCP over TCP; `server_ports` over UDP, if it said them.

    `source` is the address it says it sends from, where that is an address at all.
    """

    carrier: Carrier
    channels: tuple[int, int] = (0, 1)
    server_ports: tuple[int, int] | None = None
    source: str | None = None


def udp_offer(port: int) -> str:
    """Offers `port` and the next one."""
    return f"RTP/AVP;unicast;client_port={port}-{port + 1}"


def parse_transport(header: str, offered: Carrier) -> ChosenTransport:
    """Cameras leave out much: what is not said is as `offered`, channels 0 and 1."""
    lowered = header.lower()
    values = {
        name.strip(): value.strip() for name, _, value in (part.partition("=") for part in lowered.split(";")[1:])
    }
    if not lowered:
        carrier = offered
    elif "tcp" in lowered or "interleaved" in values:
        carrier = "tcp"
    else:
        carrier = "udp"
    return ChosenTransport(
        carrier,
        _pair(values.get("interleaved", ""), 255) or (0, 1),
        _pair(values.get("server_port", ""), 65_535),
        _address(values.get("source", "")),
    )


def _pair(text: str, largest: int) -> tuple[int, int] | None:
    """Two numbers, the second by default the one after the first."""
    first, _, second = text.partition("-")
    if not (first.isascii() and first.isdigit() and int(first[:6]) <= largest):
        return None
    number = int(first)
    is_told = second.isascii() and second.isdigit() and int(second[:6]) <= largest
    return number, int(second) if is_told else number + 1


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
