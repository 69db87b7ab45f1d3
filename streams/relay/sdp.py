"""Offer in, answer out: as much SDP as a WHEP endpoint needs (RFC 8866, 8839, 8842, 9143; H.264: RFC 6184).

One video section is answered `sendonly` with H.264 in packetization mode 1; every other section is rejected
(port 0). Candidates go into the answer, all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from streams.relay.errors import BadOffer, NoCommonCodec

MAX_OFFER_BYTES = 64 * 1024
_MAX_SECTIONS = 32
_MOST_MID_BYTES = 16  # of one element with a one-byte header (RFC 8285, 4.2)
_SDP_LINE = re.compile(r"[a-z]=")
_MEDIA = re.compile(r"(\w+) (\d+) (\S+) ([\w\-. ]+)")
_FINGERPRINT = re.compile(r"([\w-]+) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+)")
_ICE_CHARS = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")
_PROFILE = re.compile(r"[0-9A-Fa-f]{6}")
_CONSTRAINED_BASELINE, _MAIN, _HIGH = 0x42, 0x4D, 0x64
_FEEDBACK = ("goog-remb", "ccm fir", "nack", "nack pli")
_EXTMAP = re.compile(r"(\d{1,4})(?:/(sendrecv|recvonly))? (\S+).*")
_WEBRTC = "http://www.webrtc.org/experiments/rtp-hdrext/"
_EXTENSION_URIS = {
    "abs_send_time": f"{_WEBRTC}abs-send-time",
    "playout_delay": f"{_WEBRTC}playout-delay",
    "mid": "urn:ietf:params:rtp-hdrext:sdes:mid",
    "abs_capture_time": f"{_WEBRTC}abs-capture-time",
}


@dataclass(frozen=True, slots=True)
class PeerTransport:
    """How to reach the browser and whom to trust: ICE credentials, DTLS role and certificate fingerprints."""

    ice_user: str
    ice_password: str
    fingerprints: tuple[tuple[str, str], ...]
    we_are_dtls_server: bool
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class H264Format:
    """A payload type of the offer. `profile_level_id` is three bytes in hexadecimal (RFC 6184, 8.1)."""

    payload_type: int
    profile_level_id: str
    feedback: frozenset[str] = frozenset()

    @property
    def profile(self) -> int:
        """profile_idc."""
        return int(self.profile_level_id[:2], 16)


@dataclass(frozen=True, slots=True)
class Extensions:
    """RTP header extensions in force: the browser's number of each, 1 to 14 (RFC 8285 with one-byte headers)."""

    abs_send_time: int | None = None
    playout_delay: int | None = None
    mid: int | None = None
    abs_capture_time: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One m-line of the offer and what the answer must repeat of it."""

    kind: str
    protocol: str
    formats: str
    mid: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """`video` is the index in `sections` of the one that will be answered, `extensions` are those of it."""

    sections: tuple[Section, ...]
    video: int
    bundled_mids: tuple[str, ...]
    formats: tuple[H264Format, ...]
    transport: PeerTransport
    extensions: Extensions = Extensions()

    @property
    def mid(self) -> str | None:
        """What the answered section is called, and what the extension of that name carries."""
        return self.sections[self.video].mid


@dataclass(frozen=True, slots=True)
class AnswerTransport:
    """Our side: ICE credentials, candidates (`candidate:` values) and certificate fingerprint (algorithm, value)."""

    ice_user: str
    ice_password: str
    candidates: tuple[str, ...]
    fingerprint: tuple[str, str]


@dataclass(slots=True)
class _Lines:
    """Attributes of the session or of a section: name → values in order."""

    media: str = ""
    attributes: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        return self.attributes[name][0] if name in self.attributes else None

    def all(self, name: str) -> list[str]:
        return self.attributes.get(name, [])


def parse_offer(text: str) -> Offer:
    """Read a browser's offer. Raises BadOffer, or NoCommonCodec when it has no video we could send."""
    session, sections = _group(text)
    parsed = tuple(_section(lines) for lines in sections)
    video = next((i for i, lines in enumerate(sections) if parsed[i].kind == "video" and _wants_video(lines)), None)
    if video is None:
        raise NoCommonCodec("the offer has no video section that can receive (recvonly or sendrecv)")
    formats = _h264_formats(sections[video])
    if not formats:
        raise NoCommonCodec("the offer has no H.264 in packetization mode 1")
    if "rtcp-mux" not in sections[video].attributes:
        raise BadOffer("the video section lacks a=rtcp-mux")
    groups = [group.split()[1:] for group in session.all("group") if group.startswith("BUNDLE ")]
    bundled = tuple(groups[0]) if groups else ()
    extensions = _extensions(sections[video])
    return Offer(parsed, video, bundled, formats, _transport(session, sections, video), extensions)


def choose_format(offer: Offer, camera_profile: int) -> H264Format:
    """The offered H.264 format nearest to the camera's profile_idc.

    A camera's High profile is answered with what the browser offers: its decoder takes High all the same.
    """
    wanted = [camera_profile, _HIGH, _MAIN, _CONSTRAINED_BASELINE]

    def rank(indexed: tuple[int, H264Format]) -> tuple[int, int]:
        index, h264 = indexed
        return (wanted.index(h264.profile) if h264.profile in wanted else len(wanted), index)

    return min(enumerate(offer.formats), key=rank)[1]


def parse_candidates(fragment: str) -> tuple[str, ...]:
    """The candidates of a trickle fragment (RFC 8840), each as the value after `candidate:`. Raises BadOffer."""
    found = []
    for line in filter(None, map(str.strip, fragment.splitlines())):
        if not _SDP_LINE.match(line):
            raise BadOffer(f"line {line[:80]!r} of the fragment is no SDP")
        if line.startswith("a=candidate:"):
            found.append(line.removeprefix("a=candidate:"))
    return tuple(found)


def parse_ice_user(fragment: str) -> str | None:
    """The ICE user name fragment a trickle fragment says it belongs to."""
    match = re.search(r"^a=ice-ufrag:(\S+)", fragment, re.MULTILINE)
    return match[1] if match else None


def write_answer(
    offer: Offer, h264: H264Format, transport: AnswerTransport, *, ssrc: int, stream_id: str, session_id: int
) -> str:
    """The answer to `offer`: video `sendonly`, everything else rejected."""
    accepted = offer.sections[offer.video]
    lines = ["v=0", f"o=- {session_id} 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if accepted.mid is not None and accepted.mid in offer.bundled_mids:
        lines.append(f"a=group:BUNDLE {accepted.mid}")
    lines.append(f"a=msid-semantic: WMS {stream_id}")
    for index, section in enumerate(offer.sections):
        if index == offer.video:
            lines += _video_lines(offer, h264, transport, ssrc, stream_id)
        else:
            lines += [f"m={section.kind} 0 {section.protocol} {section.formats}", "c=IN IP4 0.0.0.0", "a=inactive"]
            lines += [f"a=mid:{section.mid}"] if section.mid is not None else []
    return "\r\n".join(lines) + "\r\n"


def _video_lines(
    offer: Offer, h264: H264Format, transport: AnswerTransport, ssrc: int, stream_id: str
) -> Sequence[str]:
    section, number = offer.sections[offer.video], h264.payload_type
    lines = [f"m=video 9 {section.protocol} {number}", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0"]
    lines += [f"a=mid:{section.mid}"] if section.mid is not None else []
    numbers = {name: getattr(offer.extensions, name) for name in _EXTENSION_URIS}
    lines += [f"a=extmap:{numbers[name]} {uri}" for name, uri in _EXTENSION_URIS.items() if numbers[name] is not None]
    lines += ["a=sendonly", "a=rtcp-mux", "a=rtcp-mux-only", f"a=rtpmap:{number} H264/90000"]
    lines += [f"a=rtcp-fb:{number} {name}" for name in _FEEDBACK if name in h264.feedback]
    profile = f"profile-level-id={h264.profile_level_id}"
    lines += [f"a=fmtp:{number} level-asymmetry-allowed=1;packetization-mode=1;{profile}"]
    lines += [f"a=msid:{stream_id} {stream_id}-video", f"a=ssrc:{ssrc} cname:{stream_id}"]
    lines += ["a=ice-options:trickle", f"a=ice-ufrag:{transport.ice_user}", f"a=ice-pwd:{transport.ice_password}"]
    lines += [f"a=candidate:{candidate}" for candidate in transport.candidates] + ["a=end-of-candidates"]
    algorithm, value = transport.fingerprint
    lines += [f"a=fingerprint:{algorithm} {value}"]
    return [*lines, f"a=setup:{'passive' if offer.transport.we_are_dtls_server else 'active'}"]


def _group(text: str) -> tuple[_Lines, list[_Lines]]:
    """Session lines and the lines of each section."""
    if len(text) > MAX_OFFER_BYTES:
        raise BadOffer(f"the offer is longer than {MAX_OFFER_BYTES} bytes")
    session = _Lines()
    sections: list[_Lines] = []
    lines = text.splitlines()
    if not lines or lines[0].strip() != "v=0":
        raise BadOffer("the offer does not begin with v=0")
    for line in map(str.strip, lines):
        if line.startswith("m="):
            sections.append(_Lines(line[2:]))
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            (sections[-1] if sections else session).attributes.setdefault(name, []).append(value.strip())
    if not sections or len(sections) > _MAX_SECTIONS:
        raise BadOffer(f"the offer has {len(sections)} media sections; 1 to {_MAX_SECTIONS} are understood")
    return session, sections


def _section(lines: _Lines) -> Section:
    match = _MEDIA.fullmatch(lines.media)
    if not match:
        raise BadOffer(f"media line {lines.media[:80]!r} cannot be understood")
    return Section(match[1], match[3], match[4], lines.first("mid"))


def _wants_video(lines: _Lines) -> bool:
    if lines.media.startswith("video 0 ") and "bundle-only" not in lines.attributes:
        return False  # switched off
    return not {"sendonly", "inactive"} & lines.attributes.keys() and " UDP/TLS/RTP/SAVP" in lines.media


def _h264_formats(lines: _Lines) -> tuple[H264Format, ...]:
    by_type: dict[int, H264Format] = {}
    modes: dict[int, str] = {}
    for value in lines.all("rtpmap"):
        number, _, name = value.partition(" ")
        if name.lower() == "h264/90000" and number.isdecimal() and int(number) < 128:
            by_type[int(number)] = H264Format(int(number), "42e01f")
    for value in lines.all("fmtp"):
        number, _, text = value.partition(" ")
        if number.isdecimal() and int(number) in by_type:
            options = dict(option.strip().lower().partition("=")[::2] for option in text.split(";"))
            modes[int(number)] = options.get("packetization-mode", "0")
            profile = options.get("profile-level-id", "42e01f")
            if _PROFILE.fullmatch(profile):
                by_type[int(number)] = replace(by_type[int(number)], profile_level_id=profile)
    for value in lines.all("rtcp-fb"):
        number, _, feedback = value.partition(" ")
        for payload_type in by_type if number == "*" else [int(number)] if number.isdecimal() else []:
            if payload_type in by_type:
                h264 = by_type[payload_type]
                by_type[payload_type] = replace(h264, feedback=h264.feedback | {feedback.strip()})
    return tuple(h264 for number, h264 in by_type.items() if modes.get(number) == "1")


def _extensions(lines: _Lines) -> Extensions:
    """Those we write that the browser would receive. Numbers over 14 would need two-byte headers: as if not offered."""
    offered = {
        match[3]: int(match[1])
        for value in lines.all("extmap")
        if (match := _EXTMAP.fullmatch(value)) and 1 <= int(match[1]) <= 14
    }
    mid = lines.first("mid")
    if mid is None or not 1 <= len(mid.encode()) <= _MOST_MID_BYTES:
        offered.pop(_EXTENSION_URIS["mid"], None)
    return Extensions(**{name: offered.get(uri) for name, uri in _EXTENSION_URIS.items()})


def _transport(session: _Lines, sections: list[_Lines], video: int) -> PeerTransport:
    """Transport attributes of the video section; of the session or of the first section where it has none."""
    places = (sections[video], session, sections[0])

    def find(name: str) -> list[str]:
        return next((lines.all(name) for lines in places if lines.all(name)), [])

    user, password, setup = find("ice-ufrag"), find("ice-pwd"), find("setup")
    if not user or not password or not _ICE_CHARS.fullmatch(user[0]) or len(password[0]) < 22:
        raise BadOffer("the offer lacks a=ice-ufrag and a=ice-pwd")
    fingerprints = tuple(
        (match[1].lower(), match[2].upper())
        for value in find("fingerprint")
        if (match := _FINGERPRINT.fullmatch(value))
    )
    if not fingerprints:
        raise BadOffer("the offer lacks a=fingerprint")
    if not any(algorithm in ("sha-256", "sha-384", "sha-512") for algorithm, _ in fingerprints):
        raise BadOffer("no a=fingerprint is sha-256, sha-384 or sha-512")
    we_are_server = not setup or setup[0] != "passive"
    return PeerTransport(user[0], password[0], fingerprints, we_are_server, tuple(find("candidate")))
