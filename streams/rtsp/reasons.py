"""What went wrong at a camera, in words for people: what happened and how to mend it."""

from __future__ import annotations

import errno
import socket

from streams.rtsp.assembler import AccessUnitAssembler
from streams.rtsp.receiver import RtpReceiver


def why_not_connected(error: OSError, where: str) -> str:
    """No TCP connection to `where` (host:port)."""
    if isinstance(error, ConnectionRefusedError) or f"Errno {errno.ECONNREFUSED}" in str(error):
        return f"connection refused at {where}; check the port and that RTSP is switched on"
    if isinstance(error, socket.gaierror):
        return f"the name in {where} is not known; check the host of the URL"
    return f"cannot connect to {where}: {error.strerror or error}"


def how_to_mend(status: int, path: str) -> str | None:
    """What to do about an answer with RTSP status `status`; None when nothing is known."""
    return {
        403: "this user may not see the stream; change its rights at the camera",
        404: f"there is no stream at {path or '/'}; check the path of the URL",
        453: "it has no bandwidth left; close other viewers or lower the bit rate",
        454: "it forgot the session",
        461: "it sends RTP neither over TCP nor over UDP; allow one of them at the camera",
        500: "it has no free session or a fault; close other viewers or restart it",
        503: "it has no free session; close other viewers or raise its limit",
    }.get(status)


def why_unauthorized(has_credentials: bool) -> str:
    """An answer 401."""
    if has_credentials:
        return "camera answered 401: wrong user name or password"
    return "camera answered 401: it wants a user name and password; set the camera's `username` and `password`"


def why_quiet(receiver: RtpReceiver | None, *, over_udp: bool) -> str:
    """Why no picture comes."""
    if receiver is None or not receiver.counts.packets:
        if over_udp:
            return "camera plays but no UDP packet arrives; let UDP through the firewall, or set `transport: tcp`"
        return "camera plays but sends nothing; restart it"
    if receiver.last_stamp < 0:
        return (
            f"camera sends RTP payload type {receiver.seen_payload_type} where its description says "
            f"{receiver.payload_type}; update its firmware"
        )
    return "camera stopped sending; check its network, or restart it"


def why_undecodable(assembler: AccessUnitAssembler | None) -> str:
    """Why pictures that come cannot be decoded."""
    if assembler is None or assembler.refreshes_gradually:
        return "camera uses periodic intra refresh and sends no key frames; switch intra refresh off"
    if assembler.counts.units:
        return "packets are lost; check the network"
    if assembler.parameters is None:
        return "parameter sets (SPS, PPS) are missing; restart the camera"
    return "no key frame came; set a shorter key frame (I-frame) interval at the camera"
