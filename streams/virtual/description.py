"""Session descriptions of virtual cameras (RFC 8866)."""

from __future__ import annotations

from streams.virtual.clip import Clip
from streams.virtual.packetizer import PAYLOAD_TYPE


def describe(mount_name: str, host: str, clip: Clip) -> bytes:
    """One media track."""
    return _join(
        mount_name,
        host,
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {clip.codec.encoding_name}/90000",
        f"a=fmtp:{PAYLOAD_TYPE} {clip.format_parameters()}",
        f"a=framerate:{clip.frames_per_second:.3f}",
        "a=control:trackID=0",
    )


def describe_audio_only(mount_name: str, host: str) -> bytes:
    """What a device answers that is no camera: G.711 sound alone."""
    return _join(mount_name, host, "m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=control:trackID=0")


def _join(mount_name: str, host: str, *media: str) -> bytes:
    family = "IP6" if ":" in host else "IP4"
    any_address = "::" if family == "IP6" else "0.0.0.0"
    head = ["v=0", f"o=- 1 1 IN {family} {host}", f"s={mount_name}", f"c=IN {family} {any_address}", "t=0 0"]
    return ("\r\n".join([*head, "a=control:*", "a=range:npt=now-", *media]) + "\r\n").encode()
