"""Session descriptions (RFC 4566, 6184, 7798) as far as a video receiver needs them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from streams.access_unit import Codec
from streams.errors import BadAnswer, NotVideo, StreamError

_CODECS: dict[str, Codec] = {"h264": "h264", "h265": "h265", "hevc": "h265"}
_STATIC_NAMES = {0: "PCMU", 3: "GSM", 8: "PCMA", 9: "G722", 10: "L16", 11: "L16", 14: "MPA", 26: "JPEG", 32: "MPV"}
_MAX_LINES = 2_000
_MAX_PAYLOAD_TYPES = 128
_MAX_PARAMETER_SETS = 64


@dataclass(frozen=True, slots=True)
class VideoMedia:
    """The video to set up. `control` is as written (relative, absolute or None). `parameter_sets` are NAL units.

    `others` names what else is offered ("audio/PCMA"), which is never set up.
    """

    codec: Codec
    payload_type: int
    control: str | None
    session_control: str | None
    parameter_sets: tuple[bytes, ...]
    has_order_numbers: bool
    others: tuple[str, ...]


@dataclass(slots=True)
class _Media:
    kind: str
    payload_types: list[int]
    protocol: str
    attributes: list[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        return [value for found, value in self.attributes if found == name]

    def for_payload(self, name: str, payload_type: int) -> str | None:
        """Value of `a=name:payload_type value`."""
        for value in self.values(name):
            number, _, rest = value.partition(" ")
            if number.strip() == str(payload_type):
                return rest.strip()
        return None

    def encoding(self, payload_type: int) -> str:
        mapping = self.for_payload("rtpmap", payload_type)
        return mapping.split("/")[0].strip() if mapping else _STATIC_NAMES.get(payload_type, f"type {payload_type}")


def parse_video(body: bytes) -> VideoMedia:
    """The first H.264 or H.265 video in a description. Raises NotVideo, BadAnswer."""
    session, medias = _sections(body)
    if not medias:
        raise BadAnswer("camera's description (SDP) lists no media; check the path of the URL")
    offered = [f"{media.kind}/{media.encoding(media.payload_types[0])}" for media in medias if media.payload_types]
    for media in medias:
        for payload_type in media.payload_types:
            codec = _CODECS.get(media.encoding(payload_type).lower())
            if media.kind == "video" and codec is not None:
                return _video(session, medias, media, payload_type, codec)
    raise NotVideo(", ".join(dict.fromkeys(offered))[:200] or "nothing known")


def _video(session: _Media, medias: list[_Media], media: _Media, payload_type: int, codec: Codec) -> VideoMedia:
    if "SAVP" in media.protocol.upper():
        raise StreamError("camera encrypts its RTP (SRTP), which is not supported; switch SRTP off or use rtsps://")
    others = tuple(
        f"{other.kind}/{other.encoding(other.payload_types[0])}"
        for other in medias
        if other is not media and other.payload_types
    )
    parameters = _format_parameters(media.for_payload("fmtp", payload_type) or "")
    if codec == "h264" and parameters.get("packetization-mode", "0").strip() == "2":
        raise StreamError("camera sends interleaved H.264 (packetization-mode 2), which is not supported")
    names = ("sprop-parameter-sets",) if codec == "h264" else ("sprop-vps", "sprop-sps", "sprop-pps")
    return VideoMedia(
        codec,
        payload_type,
        next(iter(media.values("control")), None),
        next(iter(session.values("control")), None),
        tuple(nal for name in names for nal in _nal_units(parameters.get(name, ""))),
        codec == "h265" and parameters.get("sprop-max-don-diff", "0").strip() not in ("", "0"),
        others,
    )


def _sections(body: bytes) -> tuple[_Media, list[_Media]]:
    """The session's part and each media's."""
    session = _Media("session", [], "", [])
    medias: list[_Media] = []
    current = session
    for line in body.decode("utf-8", "replace").splitlines()[:_MAX_LINES]:
        name, equals, value = line.strip().partition("=")
        if not equals:
            continue
        if name == "m":
            words = value.split()
            numbers = words[3 : 3 + _MAX_PAYLOAD_TYPES]
            types = [int(word) for word in numbers if word.isascii() and word.isdigit() and len(word) <= 3]
            current = _Media(words[0].lower() if words else "", types, words[2] if len(words) > 2 else "", [])
            medias.append(current)
        elif name == "a":
            attribute, _, content = value.partition(":")
            current.attributes.append((attribute.strip().lower(), content.strip()))
    return session, medias


def _format_parameters(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}


def _nal_units(text: str) -> list[bytes]:
    """NAL units of a comma-separated base64 list; what cannot be read is left out, the stream may carry it itself."""
    nal_units = []
    for word in text.split(",", _MAX_PARAMETER_SETS)[:_MAX_PARAMETER_SETS]:
        word = word.strip().strip('"')
        try:
            nal = base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        for start_code in (b"\x00\x00\x00\x01", b"\x00\x00\x01"):  # some cameras put one in front
            nal = nal.removeprefix(start_code)
        if nal := nal.rstrip(b"\x00"):
            nal_units.append(nal)
    return nal_units
